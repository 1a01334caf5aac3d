//! Names and values, as the styles of a query make them of an argument; nothing is encoded yet.
//!
//! Structure inside an item, which OpenAPI leaves open, is JSON text in a query or form, the way Swagger's clients write it.
//! `deepObject`, left open past one level, is written the way most servers read it: `a[b][c]=v` for objects, `a[]=v` for a list of plain values, and `a[0][b]=v` for a list that has objects or lists in it.
//! PHP, Stripe and Node's `qs` read all three; Rails reads no list in `a[0]=v`, and PHP takes `a[][b]` and `a[][c]` for two items.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::Unsendable;
use super::encode::{push, push_keeping};
use super::shape::Shape;
use crate::json_text::compact;
use crate::model::{Spelling, Style};

/// How deep `deepObject` goes.
const MAX_DEPTH: usize = 16;
/// What a query keeps as it is under `allowReserved`: nothing that ends a value, joins items or that some server takes for another character.
const RESERVED_IN_QUERY: &[u8] = b":/?@!$'()*,";
/// The same between commas.
const RESERVED_IN_LIST: &[u8] = b":/?@!$'()*";

/// A name and its value, or the values that are joined to one.
pub(super) struct Pair<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) values: Vec<Cow<'a, str>>,
    /// What stands between the values; `None` where there is one that is not a part of anything.
    separator: Option<Separator>,
}

#[derive(Clone, Copy)]
pub(super) enum Separator {
    Comma,
    Space,
    Pipe,
    Tab,
}

impl Separator {
    /// Returns what a style joins by that is not exploded.
    pub(super) fn of(style: Style) -> Self {
        match style {
            Style::SpaceDelimited => Self::Space,
            Style::PipeDelimited => Self::Pipe,
            Style::TabDelimited => Self::Tab,
            _ => Self::Comma,
        }
    }

    pub(super) fn plain(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Space => ' ',
            Self::Pipe => '|',
            Self::Tab => '\t',
        }
    }

    pub(super) fn encoded(self) -> &'static str {
        match self {
            Self::Comma => ",",
            Self::Space => "%20",
            Self::Pipe => "%7C",
            Self::Tab => "%09",
        }
    }
}

impl<'a> Pair<'a> {
    /// One value.
    pub(super) fn one(name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        Self {
            name: name.into(),
            values: vec![value.into()],
            separator: None,
        }
    }

    /// Appends the pair to a query or form.
    pub(super) fn push_query(&self, out: &mut String, allow_reserved: bool) {
        if !out.is_empty() {
            out.push('&');
        }
        push(out, &self.name);
        out.push('=');
        let kept: &[u8] = match (allow_reserved, self.separator) {
            (false, _) => b"",
            (true, Some(_)) => RESERVED_IN_LIST,
            (true, None) => RESERVED_IN_QUERY,
        };
        for (index, value) in self.values.iter().enumerate() {
            if let Some(separator) = self.separator.filter(|_| index > 0) {
                out.push_str(separator.encoded());
            }
            push_keeping(out, value, kept);
        }
    }

    /// Returns the value as text that is not encoded.
    pub(super) fn plain(&self) -> Result<String, Unsendable> {
        let Some(separator) = self.separator.map(Separator::plain) else {
            return Ok(self.values.concat());
        };
        if self.values.iter().any(|value| value.contains(separator)) {
            return Err(Unsendable::Separator(separator));
        }
        Ok(self.values.join(separator.encode_utf8(&mut [0; 4])))
    }
}

/// Makes the pairs of a query parameter, of a field of a form, or of a cookie.
pub(super) fn pairs<'a>(
    name: &'a str,
    spelling: Spelling,
    shape: &Shape<'a>,
) -> Result<Vec<Pair<'a>>, Unsendable> {
    Ok(match shape {
        Shape::Null => Vec::new(),
        Shape::Scalar(text) => vec![Pair::one(name, text.clone())],
        Shape::Array(_) | Shape::Object(_) if spelling.style == Style::DeepObject => {
            let mut pairs = Vec::new();
            deep(&mut pairs, name.to_owned(), shape, MAX_DEPTH)?;
            pairs
        }
        Shape::Array(_) | Shape::Object(_) if spelling.explode => {
            let structure = Structure::within(spelling, Structure::Json);
            let pieces = pieces(shape, true, structure)?.into_iter();
            pieces
                .map(|piece| match piece {
                    Piece::Item(item) => Pair::one(name, item),
                    Piece::Member(member, value) => Pair::one(member, value),
                })
                .collect()
        }
        Shape::Array(_) | Shape::Object(_) => joined(name, spelling, shape)?,
    })
}

fn joined<'a>(
    name: &'a str,
    spelling: Spelling,
    shape: &Shape<'a>,
) -> Result<Vec<Pair<'a>>, Unsendable> {
    let separator = Separator::of(spelling.style);
    let structure = Structure::within(spelling, Structure::Json);
    let pieces = pieces(shape, false, structure)?;
    if pieces.is_empty() {
        return Ok(Vec::new());
    }
    // The encoded comma of an item differs from the bare one between items; encoded spaces and bars would not.
    if !matches!(separator, Separator::Comma) {
        refuse_separator(&pieces, separator.plain())?;
    }
    let values = pieces.into_iter().map(Piece::into_item).collect();
    Ok(vec![Pair {
        name: name.into(),
        values,
        separator: Some(separator),
    }])
}

fn deep<'a>(
    out: &mut Vec<Pair<'a>>,
    name: String,
    shape: &Shape<'a>,
    depth: usize,
) -> Result<(), Unsendable> {
    let depth = depth.checked_sub(1).ok_or(Unsendable::TooDeep)?;
    match shape {
        Shape::Null => {}
        Shape::Scalar(text) => out.push(Pair::one(name, text.clone())),
        Shape::Array(items) => {
            let is_plain = items.iter().all(|item| !has_structure(item));
            for (index, item) in items.iter().enumerate() {
                let name = if is_plain {
                    format!("{name}[]")
                } else {
                    format!("{name}[{index}]")
                };
                deep(out, name, &Shape::of(item), depth)?;
            }
        }
        Shape::Object(members) => {
            for (member, raw) in members {
                if member.contains(['[', ']']) {
                    return Err(Unsendable::Bracket);
                }
                deep(out, format!("{name}[{member}]"), &Shape::of(raw), depth)?;
            }
        }
    }
    Ok(())
}

pub(super) fn has_structure(raw: &RawValue) -> bool {
    raw.get().starts_with(['{', '['])
}

pub(super) fn refuse_separator(pieces: &[Piece<'_>], separator: char) -> Result<(), Unsendable> {
    if pieces.iter().any(|piece| piece.has(|c| c == separator)) {
        return Err(Unsendable::Separator(separator));
    }
    Ok(())
}

/// What a style joins.
pub(super) enum Piece<'a> {
    /// A scalar, an item, or a member's name or value on its own.
    Item(Cow<'a, str>),
    /// `name=value`
    Member(Cow<'a, str>, Cow<'a, str>),
}

impl<'a> Piece<'a> {
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Item(item) if item.is_empty())
    }

    pub(super) fn has(&self, matches: impl Fn(char) -> bool) -> bool {
        match self {
            Self::Item(item) => item.contains(matches),
            Self::Member(name, value) => name.contains(&matches) || value.contains(&matches),
        }
    }

    pub(super) fn plain(&self) -> Cow<'_, str> {
        match self {
            Self::Item(item) => Cow::Borrowed(item),
            Self::Member(name, value) => Cow::Owned(format!("{name}={value}")),
        }
    }

    fn into_item(self) -> Cow<'a, str> {
        match self {
            Self::Item(item) => item,
            Self::Member(name, value) => Cow::Owned(format!("{name}={value}")),
        }
    }
}

/// What becomes of arrays and objects inside an item.
#[derive(Clone, Copy)]
pub(super) enum Structure {
    /// They have no spelling.
    Refused,
    /// They are JSON text.
    Json,
    /// A list of plain values is joined, and anything else refused.
    Joined(Separator),
}

impl Structure {
    /// What the document says of lists within lists, or else `otherwise`.
    pub(super) fn within(spelling: Spelling, otherwise: Self) -> Self {
        let within = spelling.within.map(Separator::of);
        within.map_or(otherwise, Self::Joined)
    }
}

/// Flattens one level; an object's members become `name=value` when exploded, else names and values in turn.
pub(super) fn pieces<'a>(
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
        (Shape::Array(_) | Shape::Object(_), Structure::Json) => Ok(Some(compact(raw.get()))),
        (shape @ Shape::Array(_), Structure::Joined(separator)) => {
            let pieces = pieces(&shape, false, Structure::Refused)?;
            let separator = separator.plain();
            refuse_separator(&pieces, separator)?;
            let texts: Vec<_> = pieces.iter().map(Piece::plain).collect();
            Ok(Some(texts.join(separator.encode_utf8(&mut [0; 4])).into()))
        }
        (Shape::Array(_) | Shape::Object(_), _) => Err(Unsendable::Nested),
    }
}
