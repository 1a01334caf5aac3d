//! `multipart/*` answers (RFC 2046 §5.1), cut into their parts.
//!
//! Bounded in every direction, together by what one answer may take; what does not parse is shown as one block.
//! Parts do not nest: a part that is itself multipart is bytes.

use url::Url;

use super::block::{Room, block};
use super::media::{Family, MediaType};
use super::text::read;
use super::{Content, name};

/// How many parts are read.
const MAX_PARTS: usize = 64;
/// How long a part's headers are at most.
const MAX_HEAD_BYTES: usize = 8192;
/// RFC 2046 §5.1.1
const MAX_BOUNDARY_BYTES: usize = 70;

/// One part of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    content_type: Option<&'a str>,
    /// Absolute: clients parse a resource's URI and drop the whole result when they cannot.
    location: Option<&'a str>,
    disposition: Option<&'a str>,
    pub(super) body: &'a [u8],
}

impl Part<'_> {
    /// Renders the part; text that has a place of its own is a document.
    pub(super) fn block(&self, uri: &str, room: &mut Room) -> Content {
        // RFC 2046 §5.1: a part without a type is text.
        let media_type = MediaType::parse(self.content_type.unwrap_or("text/plain"));
        let family = match media_type.family(self.body) {
            Family::Multipart => Family::Bytes,
            family => family,
        };
        match (self.location, family) {
            (Some(location), Family::Json | Family::Lines | Family::Events | Family::Text) => {
                Content::EmbeddedText {
                    uri: location.to_owned(),
                    mime: media_type.name(),
                    text: room.text(|max| read(self.body, &media_type, None, max)),
                }
            }
            (location, family) => {
                let uri = location.map_or_else(|| name::uri(uri, self.disposition), str::to_owned);
                block(family, &media_type, self.body, None, uri, room)
            }
        }
    }
}

/// Cuts a body at its boundary; nothing if it is not multipart with that boundary, whole to its end.
pub(super) fn parts<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<Part<'a>>> {
    if boundary.is_empty() || boundary.len() > MAX_BOUNDARY_BYTES {
        return None;
    }
    let delimiter = format!("--{boundary}");
    let mut rest = first(body, delimiter.as_bytes())?;
    let mut parts = Vec::new();
    let delimiter = format!("\r\n{delimiter}");
    loop {
        if rest.starts_with(b"--") {
            return (!parts.is_empty()).then_some(parts);
        }
        if parts.len() == MAX_PARTS {
            return None;
        }
        let start = after_line(rest)?;
        let (part, after) = split(start, delimiter.as_bytes())?;
        parts.push(parse(part)?);
        rest = after;
    }
}

/// Returns what follows the first delimiter, at the start or after a line break.
fn first<'a>(body: &'a [u8], delimiter: &[u8]) -> Option<&'a [u8]> {
    if let Some(after) = body.strip_prefix(delimiter) {
        return Some(after);
    }
    split(body, &[b"\r\n", delimiter].concat()).map(|(_, after)| after)
}

/// White space and a line break follow a delimiter.
fn after_line(rest: &[u8]) -> Option<&[u8]> {
    let (padding, after) = split(rest, b"\r\n")?;
    padding.trim_ascii().is_empty().then_some(after)
}

fn parse(part: &[u8]) -> Option<Part<'_>> {
    let (head, body) = match part.strip_prefix(b"\r\n") {
        Some(body) => (&b""[..], body),
        None => split(part, b"\r\n\r\n").unwrap_or((part, b"")),
    };
    if head.len() > MAX_HEAD_BYTES {
        return None;
    }
    let head = std::str::from_utf8(head).ok()?;
    let header = |name: &str| {
        head.split("\r\n").find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    Some(Part {
        content_type: header("content-type"),
        location: header("content-location").filter(|location| Url::parse(location).is_ok()),
        disposition: header("content-disposition"),
        body,
    })
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let position = bytes.windows(at.len()).position(|window| window == at)?;
    Some((bytes.get(..position)?, bytes.get(position + at.len()..)?))
}
