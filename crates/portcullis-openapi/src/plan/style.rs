//! The parameter styles of OpenAPI 3.2.0 ("Style Values") for path, query, header and cookie.
//!
//! Follows RFC 6570 in that `null` members and empty lists write nothing.
//! A style that joins items refuses items that contain what it joins by, unless the encoding keeps them apart.
//! What a name and a value are is decided in `pairs.rs`; this module writes them where they go.

use super::Unsendable;
use super::encode::{has_dot_segment, push, push_keeping};
use super::pairs::{Pair, Piece, Separator, Structure, pairs, pieces, refuse_separator};
use super::shape::Shape;
use crate::header::is_token;
use crate::model::{Parameter, Spelling, Style};

/// What a path keeps as it is under `allowReserved`: nothing that ends a segment or joins items.
const RESERVED_IN_PATH: &[u8] = b":@!$'()*";

/// Appends a path parameter.
pub(super) fn path(
    out: &mut String,
    parameter: &Parameter,
    shape: &Shape<'_>,
) -> Result<(), Unsendable> {
    let start = out.len();
    let Spelling { style, explode, .. } = parameter.spelling;
    let is_matrix = style == Style::Matrix;
    let structure = Structure::within(parameter.spelling, Structure::Refused);
    let mut pieces = pieces(shape, explode, structure)?;
    if is_matrix && matches!(shape, Shape::Null) {
        pieces.push(Piece::Item("".into()));
    }
    if pieces.iter().any(|piece| piece.has(char::is_control)) {
        return Err(Unsendable::Control);
    }
    if pieces.is_empty() || !is_matrix && pieces.iter().all(Piece::is_empty) {
        return Err(Unsendable::EmptyInPath);
    }
    let (lead, separator) = match (style, explode) {
        (Style::Label, true) => (".", "."),
        (Style::Label, false) => (".", ","),
        (Style::Matrix, true) => (";", ";"),
        (Style::Matrix, false) => (";", ","),
        _ => ("", Separator::of(style).encoded()),
    };
    if !matches!(Separator::of(style), Separator::Comma) {
        refuse_separator(&pieces, Separator::of(style).plain())?;
    }
    if style == Style::Label && explode && !matches!(shape, Shape::Scalar(_)) {
        refuse_separator(&pieces, '.')?;
    }
    let names_members = matches!(shape, Shape::Object(_)) && explode;
    let name = (is_matrix && !names_members).then_some(parameter.name.as_str());
    // RFC 6570 §3.2.7: what is empty has no `=`.
    let alone = !explode && pieces.iter().all(Piece::is_empty) && pieces.len() == 1;
    out.push_str(lead);
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        if let Some(name) = name
            && (index == 0 || explode)
        {
            push(out, name);
            if !(alone || explode && piece.is_empty()) {
                out.push('=');
            }
        }
        push_piece(out, piece, parameter);
    }
    if out.get(start..).is_some_and(has_dot_segment) {
        return Err(Unsendable::DotSegment);
    }
    Ok(())
}

fn push_piece(out: &mut String, piece: &Piece<'_>, parameter: &Parameter) {
    let kept = if parameter.spelling.allow_reserved {
        RESERVED_IN_PATH
    } else {
        b""
    };
    match piece {
        Piece::Item(item) => push_keeping(out, item, kept),
        Piece::Member(name, value) => {
            push(out, name);
            if !(value.is_empty() && parameter.spelling.style == Style::Matrix) {
                out.push('=');
            }
            push_keeping(out, value, kept);
        }
    }
}

/// Appends a query parameter or a field of a form.
pub(super) fn query(
    out: &mut String,
    name: &str,
    spelling: Spelling,
    shape: &Shape<'_>,
) -> Result<(), Unsendable> {
    for pair in pairs(name, spelling, shape)? {
        pair.push_query(out, spelling.allow_reserved);
    }
    Ok(())
}

/// Appends one pair to a query.
pub(super) fn pair(out: &mut String, name: &str, value: &str) {
    Pair::one(name, value).push_query(out, false);
}

/// Returns the value of a header parameter.
pub(super) fn header(shape: &Shape<'_>, spelling: Spelling) -> Result<String, Unsendable> {
    let value = if let Shape::Scalar(text) = shape {
        text.clone().into_owned()
    } else {
        let structure = Structure::within(spelling, Structure::Refused);
        let pieces = pieces(shape, spelling.explode, structure)?;
        let separator = Separator::of(spelling.style).plain();
        refuse_separator(&pieces, separator)?;
        let texts: Vec<_> = pieces.iter().map(Piece::plain).collect();
        texts.join(separator.encode_utf8(&mut [0; 4]))
    };
    let is_text = |byte: u8| matches!(byte, b' ' | b'\t' | 0x21..=0x7e);
    if value.bytes().all(is_text) && value.trim_ascii().len() == value.len() {
        Ok(value)
    } else {
        Err(Unsendable::NotHeaderText)
    }
}

/// Appends a cookie parameter.
///
/// The style `cookie` writes values as they are and refuses what a cookie cannot hold; `form` percent-encodes that, and `%`, so that a server that decodes reads the value, and one that does not reads all other values too.
pub(super) fn cookie(
    out: &mut Vec<(String, String)>,
    parameter: &Parameter,
    shape: &Shape<'_>,
) -> Result<(), Unsendable> {
    let Spelling { style, explode, .. } = parameter.spelling;
    let is_plain = style == Style::Cookie;
    pieces(shape, explode, Structure::Refused)?;
    let spelling = Spelling {
        style: Style::Form,
        ..parameter.spelling
    };
    for pair in pairs(&parameter.name, spelling, shape)? {
        let mut items = Vec::with_capacity(pair.values.len());
        for value in &pair.values {
            items.push(cookie_text(value, is_plain)?);
        }
        if !is_token(&pair.name) {
            return Err(Unsendable::NotCookieName);
        }
        out.push((pair.name.into_owned(), items.join(",")));
    }
    Ok(())
}

fn cookie_text(value: &str, is_plain: bool) -> Result<String, Unsendable> {
    if is_plain {
        let is_sound = value.bytes().all(is_cookie_octet);
        return is_sound
            .then(|| value.to_owned())
            .ok_or(Unsendable::NotCookieText);
    }
    let mut text = String::with_capacity(value.len());
    push_keeping(&mut text, value, COOKIE_MARKS);
    Ok(text)
}

/// The marks among the cookie-octets (RFC 6265 §4.1.1) but for `%`.
const COOKIE_MARKS: &[u8] = b"!#$&'()*+-./:<=>?@[]^_`{|}~";

/// RFC 6265 §4.1.1, `cookie-octet`
fn is_cookie_octet(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'%' || COOKIE_MARKS.contains(&byte)
}
