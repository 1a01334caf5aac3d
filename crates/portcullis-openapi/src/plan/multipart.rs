//! `multipart/form-data` (RFC 7578), with a boundary that the content decides.
//!
//! The boundary is a digest of the parts, so it needs no entropy and no one can write a part that contains it.

use std::fmt::Write as _;

use indexmap::IndexMap;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::Unsendable;
use super::body::{decoded, is_json};
use super::shape::Shape;
use crate::media_type::essence;
use crate::model::FieldEncoding;

/// The parts of a form.
#[derive(Default)]
pub(super) struct Multipart {
    parts: Vec<Part>,
}

impl Multipart {
    /// Adds a field: an array as one part for each item (RFC 7578 §4.3), what else has structure as JSON text, a scalar as its text.
    pub(super) fn add(
        &mut self,
        name: &str,
        encodings: &IndexMap<String, FieldEncoding>,
        raw: &RawValue,
    ) -> Result<(), Unsendable> {
        let encoding = encodings.get(name);
        match Shape::of(raw) {
            Shape::Array(items) => {
                for item in items {
                    self.parts.extend(part(name, encoding, item)?);
                }
            }
            _ => self.parts.extend(part(name, encoding, raw)?),
        }
        Ok(())
    }

    /// Returns the value of `Content-Type` and the bytes.
    pub(super) fn finish(&self, media_type: &str) -> (String, Vec<u8>) {
        let boundary = boundary(&self.parts);
        let mut bytes = Vec::with_capacity(self.parts.iter().map(Part::size).sum());
        for part in &self.parts {
            for piece in ["--", &boundary, "\r\n", &part.head, "\r\n\r\n"] {
                bytes.extend_from_slice(piece.as_bytes());
            }
            bytes.extend_from_slice(&part.body);
            bytes.extend_from_slice(b"\r\n");
        }
        for piece in ["--", &boundary, "--\r\n"] {
            bytes.extend_from_slice(piece.as_bytes());
        }
        let content_type = format!("{}; boundary={boundary}", essence(media_type));
        (content_type, bytes)
    }
}

struct Part {
    head: String,
    body: Vec<u8>,
}

impl Part {
    fn size(&self) -> usize {
        self.head.len() + self.body.len() + 100
    }

    fn new(name: &str, content_type: Option<&str>, is_file: bool, body: Vec<u8>) -> Self {
        let name = escaped(name);
        let mut head = format!("Content-Disposition: form-data; name=\"{name}\"");
        if is_file {
            head = format!("{head}; filename=\"{name}\"");
        }
        if let Some(content_type) = content_type {
            head = format!("{head}\r\nContent-Type: {content_type}");
        }
        Self { head, body }
    }
}

fn part(
    name: &str,
    encoding: Option<&FieldEncoding>,
    raw: &RawValue,
) -> Result<Option<Part>, Unsendable> {
    let named = encoding
        .and_then(|encoding| encoding.content_type.as_deref())
        .filter(|media_type| !media_type.contains(char::is_control));
    Ok(match Shape::of(raw) {
        Shape::Null => None,
        _ if encoding.is_some_and(|encoding| encoding.binary) => {
            let content_type = named.unwrap_or("application/octet-stream");
            Some(Part::new(name, Some(content_type), true, decoded(raw)?))
        }
        _ if is_json(named) => Some(Part::new(name, named, false, raw.get().into())),
        Shape::Scalar(text) => Some(Part::new(name, named, false, text.into_owned().into())),
        Shape::Array(_) | Shape::Object(_) => {
            let content_type = Some("application/json");
            Some(Part::new(name, content_type, false, raw.get().into()))
        }
    })
}

/// Escapes a name the way browsers do (WHATWG HTML, "multipart/form-data encoding algorithm"); other control characters are escaped too.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if c == '"' || c.is_ascii_control() {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{:02X}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

fn boundary(parts: &[Part]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.head.len().to_be_bytes());
        digest.update(&part.head);
        digest.update(part.body.len().to_be_bytes());
        digest.update(&part.body);
    }
    let mut boundary = String::from("portcullis-");
    for byte in digest.finalize().iter().take(16) {
        // Writing to a string cannot fail.
        let _ = write!(boundary, "{byte:02x}");
    }
    boundary
}
