//! The parameter styles of OpenAPI 3.1.1 ("Style Values") for path, query, header and cookie.
//!
//! Follows RFC 6570 in that `null` members and empty lists write nothing.
//! A style that joins items refuses items that contain what it joins by, unless the encoding keeps them apart.
//! Structure inside an item, which OpenAPI leaves open too, is JSON text in a query or form, the way Swagger's clients write it, and refused elsewhere.
//! `deepObject`, left open past one level, is written as `a[b][c]=v` and `a[b][0]=v`, the way Stripe and most PHP, Ruby and Node servers read it; brackets go out encoded.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::Unsendable;
use super::encode::{encoded, has_dot_segment, push};
use super::shape::Shape;
use crate::model::{Parameter, Style};

/// How deep `deepObject` goes.
const MAX_DEPTH: usize = 16;

/// Appends a path parameter.
pub(super) fn path(
    out: &mut String,
    parameter: &Parameter,
    shape: &Shape<'_>,
) -> Result<(), Unsendable> {
    let start = out.len();
    let pieces = pieces(shape, parameter.explode, Structure::Refused)?;
    if pieces.iter().any(|piece| piece.has(char::is_control)) {
        return Err(Unsendable::Control);
    }
    if pieces.iter().all(Piece::is_empty) {
        return Err(Unsendable::EmptyInPath);
    }
    let (lead, separator) = match (parameter.style, parameter.explode) {
        (Style::Label, true) => (".", "."),
        (Style::Label, false) => (".", ","),
        (Style::Matrix, true) => (";", ";"),
        (Style::Matrix, false) => (";", ","),
        _ => ("", ","),
    };
    let name = match (parameter.style, shape, parameter.explode) {
        (Style::Matrix, Shape::Object(_), true) => None,
        (Style::Matrix, _, _) => Some(parameter.name.as_str()),
        _ => None,
    };
    out.push_str(lead);
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        if let Some(name) = name
            && (index == 0 || parameter.explode)
        {
            push(out, name);
            out.push('=');
        }
        piece.push_encoded(out);
    }
    if out.get(start..).is_some_and(has_dot_segment) {
        return Err(Unsendable::DotSegment);
    }
    Ok(())
}

/// Appends a query parameter or a field of a form.
pub(super) fn query(
    out: &mut String,
    name: &str,
    style: Style,
    explode: bool,
    shape: &Shape<'_>,
) -> Result<(), Unsendable> {
    let name = Name(encoded(name));
    match shape {
        Shape::Null => Ok(()),
        Shape::Scalar(text) => {
            name.pair(out, text);
            Ok(())
        }
        Shape::Array(_) | Shape::Object(_) if style == Style::DeepObject => {
            name.deep(out, shape, MAX_DEPTH)
        }
        Shape::Array(_) | Shape::Object(_) if explode => {
            for piece in pieces(shape, true, Structure::Json)? {
                match piece {
                    Piece::Item(item) => name.pair(out, &item),
                    Piece::Member(member, value) => Name(encoded(&member)).pair(out, &value),
                }
            }
            Ok(())
        }
        Shape::Array(_) | Shape::Object(_) => joined(out, &name, style, shape),
    }
}

/// Appends one pair to a query.
pub(super) fn pair(out: &mut String, name: &str, value: &str) {
    Name(encoded(name)).pair(out, value);
}

fn joined(
    out: &mut String,
    name: &Name,
    style: Style,
    shape: &Shape<'_>,
) -> Result<(), Unsendable> {
    // The encoded comma of an item differs from the bare one between items; encoded spaces and bars would not.
    let (separator, between) = match style {
        Style::SpaceDelimited => (Some(' '), "%20"),
        Style::PipeDelimited => (Some('|'), "%7C"),
        _ => (None, ","),
    };
    let pieces = pieces(shape, false, Structure::Json)?;
    if pieces.is_empty() {
        return Ok(());
    }
    if let Some(separator) = separator {
        refuse_separator(&pieces, separator)?;
    }
    name.begin(out);
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            out.push_str(between);
        }
        piece.push_encoded(out);
    }
    Ok(())
}

/// Returns the value of a header parameter.
pub(super) fn header(shape: &Shape<'_>, explode: bool) -> Result<String, Unsendable> {
    let value = match shape {
        Shape::Scalar(text) => text.clone().into_owned(),
        _ => plainly_joined(&pieces(shape, explode, Structure::Refused)?, ",")?,
    };
    let is_text = |byte: u8| matches!(byte, b' ' | b'\t' | 0x21..=0x7e);
    if value.bytes().all(is_text) && value.trim_ascii().len() == value.len() {
        Ok(value)
    } else {
        Err(Unsendable::NotHeaderText)
    }
}

/// Appends a cookie parameter: an exploded array as one cookie for each item, another with encoded commas.
pub(super) fn cookie(
    out: &mut Vec<(String, String)>,
    parameter: &Parameter,
    shape: &Shape<'_>,
) -> Result<(), Unsendable> {
    let mut add = |value: String| {
        if !value.bytes().all(is_cookie_octet) {
            return Err(Unsendable::NotCookieText);
        }
        out.push((parameter.name.clone(), value));
        Ok(())
    };
    match shape {
        Shape::Null => Ok(()),
        Shape::Scalar(text) => add(text.clone().into_owned()),
        Shape::Object(_) if parameter.explode => Err(Unsendable::ObjectInCookie),
        Shape::Array(_) if parameter.explode => pieces(shape, true, Structure::Refused)?
            .iter()
            .try_for_each(|piece| add(piece.plain().into_owned())),
        Shape::Array(_) | Shape::Object(_) => {
            let pieces = pieces(shape, false, Structure::Refused)?;
            if pieces
                .iter()
                .any(|piece| !piece.plain().bytes().all(is_cookie_octet))
            {
                return Err(Unsendable::NotCookieText);
            }
            add(plainly_joined(&pieces, "%2C")?)
        }
    }
}

/// RFC 6265 §4.1.1, `cookie-octet`
fn is_cookie_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

fn plainly_joined(pieces: &[Piece<'_>], separator: &str) -> Result<String, Unsendable> {
    refuse_separator(pieces, ',')?;
    let texts: Vec<_> = pieces.iter().map(Piece::plain).collect();
    Ok(texts.join(separator))
}

fn refuse_separator(pieces: &[Piece<'_>], separator: char) -> Result<(), Unsendable> {
    if pieces.iter().any(|piece| piece.has(|c| c == separator)) {
        return Err(Unsendable::Separator(separator));
    }
    Ok(())
}

/// What a style joins.
enum Piece<'a> {
    /// A scalar, an item, or a member's name or value on its own.
    Item(Cow<'a, str>),
    /// `name=value`
    Member(Cow<'a, str>, Cow<'a, str>),
}

impl Piece<'_> {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Item(item) if item.is_empty())
    }

    fn has(&self, matches: impl Fn(char) -> bool) -> bool {
        match self {
            Self::Item(item) => item.contains(matches),
            Self::Member(name, value) => name.contains(&matches) || value.contains(&matches),
        }
    }

    fn plain(&self) -> Cow<'_, str> {
        match self {
            Self::Item(item) => Cow::Borrowed(item),
            Self::Member(name, value) => Cow::Owned(format!("{name}={value}")),
        }
    }

    fn push_encoded(&self, out: &mut String) {
        match self {
            Self::Item(item) => push(out, item),
            Self::Member(name, value) => {
                push(out, name);
                out.push('=');
                push(out, value);
            }
        }
    }
}

/// What becomes of arrays and objects inside an item.
#[derive(Clone, Copy)]
enum Structure {
    /// They have no spelling.
    Refused,
    /// They are JSON text.
    Json,
}

/// Flattens one level; an object's members become `name=value` when exploded, else names and values in turn.
fn pieces<'a>(
    shape: &Shape<'a>,
    explode: bool,
    structure: Structure,
) -> Result<Vec<Piece<'a>>, Unsendable> {
    let mut pieces = Vec::new();
    match shape {
        Shape::Null => {}
        Shape::Scalar(scalar) => pieces.push(Piece::Item(scalar.clone())),
        Shape::Array(items) => {
            for item in items {
                pieces.extend(scalar(item, structure)?.map(Piece::Item));
            }
        }
        Shape::Object(members) => {
            for (name, raw) in members {
                let Some(value) = scalar(raw, structure)? else {
                    continue;
                };
                if explode {
                    pieces.push(Piece::Member(name.clone(), value));
                } else {
                    pieces.extend([Piece::Item(name.clone()), Piece::Item(value)]);
                }
            }
        }
    }
    Ok(pieces)
}

fn scalar(raw: &RawValue, structure: Structure) -> Result<Option<Cow<'_, str>>, Unsendable> {
    match (Shape::of(raw), structure) {
        (Shape::Null, _) => Ok(None),
        (Shape::Scalar(text), _) => Ok(Some(text)),
        (Shape::Array(_) | Shape::Object(_), Structure::Json) => Ok(Some(raw.get().into())),
        (Shape::Array(_) | Shape::Object(_), Structure::Refused) => Err(Unsendable::Nested),
    }
}

/// A parameter's name, encoded.
struct Name(String);

impl Name {
    fn begin(&self, out: &mut String) {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(&self.0);
        out.push('=');
    }

    fn pair(&self, out: &mut String, value: &str) {
        self.begin(out);
        push(out, value);
    }

    fn below(&self, member: &str) -> Result<Self, Unsendable> {
        if member.contains(['[', ']']) {
            return Err(Unsendable::Bracket);
        }
        Ok(Self(format!("{}%5B{}%5D", self.0, encoded(member))))
    }

    fn deep(&self, out: &mut String, shape: &Shape<'_>, depth: usize) -> Result<(), Unsendable> {
        let depth = depth.checked_sub(1).ok_or(Unsendable::TooDeep)?;
        match shape {
            Shape::Null => {}
            Shape::Scalar(text) => self.pair(out, text),
            Shape::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let name = self.below(&index.to_string())?;
                    name.deep(out, &Shape::of(item), depth)?;
                }
            }
            Shape::Object(members) => {
                for (member, raw) in members {
                    self.below(member)?.deep(out, &Shape::of(raw), depth)?;
                }
            }
        }
        Ok(())
    }
}
