//! Bytes in an argument: Base64 text, or a data URL (RFC 2397) that says their media type and, as browsers' drafts do, their name.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::value::RawValue;
use url::form_urlencoded;

use super::Unsendable;
use super::shape::Shape;
use crate::media_type::{concrete, is_among, is_sendable};

/// Standard Base64 (RFC 4648 §4), with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A file as the caller gave it.
pub(super) struct File {
    /// The media type that the caller names.
    pub(super) media_type: Option<String>,
    /// The name that the caller gives.
    pub(super) name: Option<String>,
    pub(super) bytes: Vec<u8>,
}

impl File {
    /// Reads an argument that is bytes.
    pub(super) fn read(raw: &RawValue) -> Result<Self, Unsendable> {
        let text = text(raw).map_err(|_| Unsendable::NotBase64)?;
        match text.strip_prefix("data:") {
            None => Ok(Self {
                media_type: None,
                name: None,
                bytes: decoded(&text)?,
            }),
            Some(url) => Self::of_url(url).ok_or(Unsendable::NotBase64)?,
        }
    }

    /// Tells whether an argument is a data URL of bytes.
    pub(super) fn is_url(raw: &RawValue) -> bool {
        let head = raw.get().get(1..).and_then(|text| text.split(',').next());
        head.is_some_and(|head| head.starts_with("data:") && head.ends_with(";base64"))
    }

    fn of_url(url: &str) -> Option<Result<Self, Unsendable>> {
        let (head, data) = url.split_once(',')?;
        let head = head.strip_suffix(";base64")?;
        let mut pieces = head.split(';');
        let mut media_type = pieces.next().unwrap_or_default().trim().to_owned();
        let mut name = None;
        for piece in pieces {
            match piece.split_once('=') {
                Some(("name" | "filename", value)) => name = Some(unescaped(value)),
                _ => media_type = format!("{media_type};{piece}"),
            }
        }
        let media_type = Some(media_type).filter(|media_type| !media_type.is_empty());
        if media_type.as_ref().is_some_and(|it| !is_sendable(it)) {
            return Some(Err(Unsendable::MediaType));
        }
        Some(decoded(data).map(|bytes| Self {
            media_type,
            name: name.filter(|name| !name.is_empty()),
            bytes,
        }))
    }

    /// Decides what the file is sent as: what the caller names, where the document allows it, or else the first that the document names.
    pub(super) fn content_type(&self, allowed: &[String]) -> Result<String, Unsendable> {
        match &self.media_type {
            Some(media_type) if is_among(media_type, allowed) => Ok(media_type.clone()),
            Some(_) => Err(Unsendable::MediaType),
            None => Ok(default(allowed)),
        }
    }
}

/// The first media type of a list that is no range, or what stands for the first range.
pub(super) fn default(allowed: &[String]) -> String {
    let first = allowed.iter().find(|media_type| !media_type.contains('*'));
    first.cloned().unwrap_or_else(|| {
        let range = allowed.first().map_or("*/*", String::as_str);
        concrete(range).to_owned()
    })
}

/// Returns what a file name of a media type ends in, with the dot.
pub(super) fn extension(media_type: &str) -> &'static str {
    match crate::media_type::essence(media_type) {
        "image/png" => ".png",
        "image/jpeg" => ".jpg",
        "image/gif" => ".gif",
        "image/webp" => ".webp",
        "image/svg+xml" => ".svg",
        "application/pdf" => ".pdf",
        "application/zip" => ".zip",
        "application/json" => ".json",
        "application/jsonl" | "application/x-ndjson" => ".jsonl",
        "application/xml" | "text/xml" => ".xml",
        "text/csv" => ".csv",
        "text/plain" => ".txt",
        "audio/mpeg" => ".mp3",
        "audio/wav" => ".wav",
        "video/mp4" => ".mp4",
        _ => "",
    }
}

/// Decodes a name once; `+` stays.
fn unescaped(text: &str) -> String {
    let text = text.trim_matches('"').replace('+', "%2B");
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    pairs
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}

fn decoded(text: &str) -> Result<Vec<u8>, Unsendable> {
    BASE64.decode(text).map_err(|_| Unsendable::NotBase64)
}

/// Returns a text that is given as one.
pub(super) fn text(raw: &RawValue) -> Result<Cow<'_, str>, Unsendable> {
    match Shape::of(raw) {
        Shape::Scalar(text) if raw.get().starts_with('"') => Ok(text),
        _ => Err(Unsendable::NotText),
    }
}
