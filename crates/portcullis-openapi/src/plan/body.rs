//! The argument that is a body, written as the operation's media type asks.
//!
//! A JSON body is the caller's own text, untouched.
//! A field of a form is written like a query parameter of its style, or as JSON text where the document says a JSON media type, or says nothing and the value has structure.
//! Fields that are `null` are left out.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use indexmap::IndexMap;
use serde_json::value::RawValue;

use super::shape::Shape;
use super::{PlannedBody, Unsendable, multipart, style};
use crate::media_type::{Family, family};
use crate::model::{BodyEncoding, BodyTemplate, FieldEncoding, Style};

/// Standard Base64 (RFC 4648 §4), with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Writes the body.
pub(super) fn write(template: &BodyTemplate, raw: &RawValue) -> Result<PlannedBody, Unsendable> {
    let (content_type, bytes) = match &template.encoding {
        BodyEncoding::Json => (template.content_type.clone(), raw.get().into()),
        BodyEncoding::Text => (
            template.content_type.clone(),
            text(raw)?.into_owned().into(),
        ),
        BodyEncoding::Binary => (template.content_type.clone(), decoded(raw)?),
        BodyEncoding::Form(fields) => (template.content_type.clone(), form(raw, fields)?.into()),
        BodyEncoding::Multipart(fields) => multipart::write(&template.content_type, raw, fields)?,
    };
    Ok(PlannedBody {
        content_type,
        bytes,
    })
}

fn form(raw: &RawValue, fields: &IndexMap<String, FieldEncoding>) -> Result<String, Unsendable> {
    let mut out = String::new();
    for (name, raw) in fields_of(raw)? {
        match fields.get(&*name) {
            Some(encoding) if !is_json(encoding.content_type.as_deref()) => {
                let FieldEncoding { style, explode, .. } = *encoding;
                style::query(&mut out, &name, style, explode, &Shape::of(raw))?;
            }
            Some(_) => style::query(&mut out, &name, Style::Form, true, &json_text(raw))?,
            None => style::query(&mut out, &name, Style::Form, true, &unlisted(raw))?,
        }
    }
    Ok(out)
}

/// OpenAPI 3.1.1, "Encoding Object", `contentType`: what has structure is JSON; a list of scalars is one pair for each item.
fn unlisted(raw: &RawValue) -> Shape<'_> {
    let has_structure = |raw: &RawValue| raw.get().starts_with(['{', '[']);
    match Shape::of(raw) {
        Shape::Object(_) => json_text(raw),
        Shape::Array(items) if items.iter().any(|item| has_structure(item)) => json_text(raw),
        plain => plain,
    }
}

fn json_text(raw: &RawValue) -> Shape<'_> {
    match Shape::of(raw) {
        Shape::Null => Shape::Null,
        _ => Shape::Scalar(raw.get().into()),
    }
}

/// Opens a form's argument.
pub(super) fn fields_of(raw: &RawValue) -> Result<Vec<(Cow<'_, str>, &RawValue)>, Unsendable> {
    match Shape::of(raw) {
        Shape::Object(members) => Ok(members),
        _ => Err(Unsendable::NotForm),
    }
}

/// Decodes an argument that is Base64 text.
pub(super) fn decoded(raw: &RawValue) -> Result<Vec<u8>, Unsendable> {
    let text = text(raw).map_err(|_| Unsendable::NotBase64)?;
    BASE64.decode(&*text).map_err(|_| Unsendable::NotBase64)
}

/// Tells whether a field's media type is JSON.
pub(super) fn is_json(media_type: Option<&str>) -> bool {
    media_type.is_some_and(|media_type| family(media_type) == Family::Json)
}

fn text(raw: &RawValue) -> Result<Cow<'_, str>, Unsendable> {
    match Shape::of(raw) {
        Shape::Scalar(text) if raw.get().starts_with('"') => Ok(text),
        _ => Err(Unsendable::NotText),
    }
}
