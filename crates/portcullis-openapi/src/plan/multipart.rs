//! `multipart/form-data` (RFC 7578), with a boundary that the content decides.
//!
//! The boundary is a digest of the parts, so it needs no entropy and no one can write a part that contains it.

use std::fmt::Write as _;

use indexmap::IndexMap;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::Unsendable;
use super::body::{decoded, fields_of, is_json};
use super::shape::Shape;
use crate::model::FieldEncoding;

/// Writes the argument's members as parts; returns the value of `Content-Type` and the bytes.
pub(super) fn write(
    media_type: &str,
    raw: &RawValue,
    fields: &IndexMap<String, FieldEncoding>,
) -> Result<(String, Vec<u8>), Unsendable> {
    let mut parts = Vec::new();
    let unlisted = FieldEncoding::default();
    for (name, raw) in fields_of(raw)? {
        let encoding = fields.get(&*name).unwrap_or(&unlisted);
        add(&mut parts, &name, encoding, raw)?;
    }
    let boundary = boundary(&parts);
    let mut bytes = Vec::with_capacity(parts.iter().map(Part::size).sum());
    for part in &parts {
        for piece in ["--", &boundary, "\r\n", &part.head, "\r\n\r\n"] {
            bytes.extend_from_slice(piece.as_bytes());
        }
        bytes.extend_from_slice(&part.body);
        bytes.extend_from_slice(b"\r\n");
    }
    for piece in ["--", &boundary, "--\r\n"] {
        bytes.extend_from_slice(piece.as_bytes());
    }
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    Ok((format!("{essence}; boundary={boundary}"), bytes))
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

/// Adds a field: an array as one part for each item (RFC 7578 §4.3), what else has structure as JSON text, a scalar as its text.
fn add(
    parts: &mut Vec<Part>,
    name: &str,
    encoding: &FieldEncoding,
    raw: &RawValue,
) -> Result<(), Unsendable> {
    match Shape::of(raw) {
        Shape::Array(items) => items
            .iter()
            .try_for_each(|item| add_one(parts, name, encoding, item)),
        _ => add_one(parts, name, encoding, raw),
    }
}

fn add_one(
    parts: &mut Vec<Part>,
    name: &str,
    encoding: &FieldEncoding,
    raw: &RawValue,
) -> Result<(), Unsendable> {
    let named = encoding
        .content_type
        .as_deref()
        .filter(|media_type| !media_type.contains(char::is_control));
    let part = match Shape::of(raw) {
        Shape::Null => return Ok(()),
        _ if encoding.binary => {
            let content_type = named.unwrap_or("application/octet-stream");
            Part::new(name, Some(content_type), true, decoded(raw)?)
        }
        _ if is_json(named) => Part::new(name, named, false, raw.get().into()),
        Shape::Scalar(text) => Part::new(name, named, false, text.into_owned().into()),
        Shape::Array(_) | Shape::Object(_) => {
            Part::new(name, Some("application/json"), false, raw.get().into())
        }
    };
    parts.push(part);
    Ok(())
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
