//! `multipart/form-data` (RFC 7578) and its kin, with a boundary that the content decides.
//!
//! The boundary is a digest of the parts, so it needs no entropy and no one can write a part that contains it.

use std::fmt::Write as _;

use indexmap::IndexMap;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::Unsendable;
use super::body::{is_json, json_text};
use super::file::{File, default, extension};
use super::pairs::pairs;
use super::shape::Shape;
use super::xml;
use crate::model::body::FieldEncoding;

/// The parts of a body.
#[derive(Default)]
pub(super) struct Multipart {
    parts: Vec<Part>,
    /// Whether the parts have names.
    is_form: bool,
}

impl Multipart {
    /// Begins a body whose parts have names.
    pub(super) fn form() -> Self {
        Self {
            parts: Vec::new(),
            is_form: true,
        }
    }

    /// Adds a field: in its style where the document names one, or else a list as one part for each item (RFC 7578 §4.3), what has structure as JSON text, a scalar as its text.
    pub(super) fn add(
        &mut self,
        name: &str,
        encodings: &IndexMap<String, FieldEncoding>,
        raw: &RawValue,
    ) -> Result<(), Unsendable> {
        let encoding = encodings.get(name).cloned().unwrap_or_default();
        // Where the document names no file, or a media type of this field, a data URL is one: there is no other reason for it.
        let may_be_file = encoding.is_typed() || !encodings.values().any(|it| it.binary);
        let is_file = |raw: &RawValue| may_be_file && File::is_url(raw);
        let file = FieldEncoding {
            binary: true,
            ..encoding.clone()
        };
        let shape = Shape::of(raw);
        let has_file = match &shape {
            Shape::Array(items) => items.iter().any(|item| is_file(item)),
            _ => is_file(raw),
        };
        if let Some(spelling) = encoding.spelling.filter(|_| !encoding.binary && !has_file) {
            for pair in pairs(name, spelling, &shape)? {
                let body = pair.plain()?.into();
                self.push(Some(&pair.name), None, &encoding.headers, None, body);
            }
            return Ok(());
        }
        let items = match shape {
            Shape::Array(items) => items,
            _ => vec![raw],
        };
        items.into_iter().try_for_each(|item| {
            let encoding = if is_file(item) { &file } else { &encoding };
            self.part(Some(name), encoding, item)
        })
    }

    /// Adds a part without a name.
    pub(super) fn add_item(
        &mut self,
        encoding: &FieldEncoding,
        raw: &RawValue,
    ) -> Result<(), Unsendable> {
        self.part(None, encoding, raw)
    }

    fn part(
        &mut self,
        name: Option<&str>,
        encoding: &FieldEncoding,
        raw: &RawValue,
    ) -> Result<(), Unsendable> {
        let allowed = &encoding.content_types;
        let named = (!allowed.is_empty()).then(|| default(allowed));
        let (content_type, file, body) = match Shape::of(raw) {
            Shape::Null => return Ok(()),
            Shape::Scalar(_) if encoding.binary => {
                let file = File::read(raw)?;
                let content_type = file.content_type(allowed)?;
                let own = || format!("{}{}", name.unwrap_or("file"), extension(&content_type));
                let file_name = file.name.unwrap_or_else(own);
                (Some(content_type), Some(file_name), file.bytes)
            }
            _ if let Some(schema) = &encoding.xml => (named, None, xml::write(schema, raw)?.into()),
            _ if is_json(named.as_deref()) => (named, None, json_text(raw).into_owned().into()),
            Shape::Scalar(text) => (named, None, text.into_owned().into()),
            Shape::Array(_) | Shape::Object(_) => {
                let json = || "application/json".to_owned();
                let content_type = named.unwrap_or_else(json);
                (Some(content_type), None, raw.get().into())
            }
        };
        let content_type = content_type.as_deref();
        self.push(name, content_type, &encoding.headers, file.as_deref(), body);
        Ok(())
    }

    fn push(
        &mut self,
        name: Option<&str>,
        content_type: Option<&str>,
        headers: &[(String, String)],
        file_name: Option<&str>,
        body: Vec<u8>,
    ) {
        let mut lines = Vec::new();
        if self.is_form {
            let name = escaped(name.unwrap_or_default());
            let file_name = file_name.map(|name| format!("; filename=\"{}\"", escaped(name)));
            let file_name = file_name.unwrap_or_default();
            lines.push(format!(
                "Content-Disposition: form-data; name=\"{name}\"{file_name}"
            ));
        }
        lines.extend(content_type.map(|content_type| format!("Content-Type: {content_type}")));
        lines.extend(
            headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        self.parts.push(Part {
            head: lines.join("\r\n"),
            body,
        });
    }

    /// Returns the value of `Content-Type` and the bytes.
    pub(super) fn finish(&self, media_type: &str) -> (String, Vec<u8>) {
        let boundary = boundary(&self.parts);
        let mut bytes = Vec::with_capacity(self.parts.iter().map(Part::size).sum());
        for part in &self.parts {
            let gap = if part.head.is_empty() { "" } else { "\r\n" };
            for piece in ["--", &boundary, "\r\n", &part.head, gap, "\r\n"] {
                bytes.extend_from_slice(piece.as_bytes());
            }
            bytes.extend_from_slice(&part.body);
            bytes.extend_from_slice(b"\r\n");
        }
        for piece in ["--", &boundary, "--\r\n"] {
            bytes.extend_from_slice(piece.as_bytes());
        }
        (with_boundary(media_type, &boundary), bytes)
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

/// The media type as the document writes it, with our boundary instead of any other.
fn with_boundary(media_type: &str, boundary: &str) -> String {
    let kept = media_type
        .split(';')
        .map(str::trim)
        .filter(|piece| !piece.to_ascii_lowercase().starts_with("boundary"));
    let kept: Vec<_> = kept.filter(|piece| !piece.is_empty()).collect();
    format!("{}; boundary={boundary}", kept.join("; "))
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
