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

use super::multipart::Multipart;
use super::shape::Shape;
use super::validate::shorten;
use super::{ArgumentError, PlannedBody, Unsendable, style};
use crate::media_type::{Family, family};
use crate::model::{BodyEncoding, BodyTemplate, FieldEncoding, Spelling};

/// Standard Base64 (RFC 4648 §4), with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How much of a field's name an error shows.
const MAX_NAME_BYTES: usize = 80;

/// Writes the body.
pub(super) fn write(template: &BodyTemplate, raw: &RawValue) -> Result<PlannedBody, ArgumentError> {
    let refused = |cause: Unsendable| cause.of(&template.argument);
    let mut content_type = template.content_type.clone();
    let bytes = match &template.encoding {
        BodyEncoding::Json => raw.get().into(),
        BodyEncoding::Text => text(raw).map_err(refused)?.into_owned().into(),
        BodyEncoding::Binary => decoded(raw).map_err(refused)?,
        BodyEncoding::Form(encodings) => form(&template.argument, encodings, raw)?.into(),
        BodyEncoding::Multipart(encodings) => {
            let mut form = Multipart::default();
            each_field(&template.argument, raw, |name, raw| {
                form.add(name, encodings, raw)
            })?;
            let bytes;
            (content_type, bytes) = form.finish(&template.content_type);
            bytes
        }
    };
    Ok(PlannedBody {
        content_type,
        bytes,
    })
}

/// Writes a form by its fields.
pub(super) fn form(
    argument: &str,
    encodings: &IndexMap<String, FieldEncoding>,
    raw: &RawValue,
) -> Result<String, ArgumentError> {
    let mut out = String::new();
    each_field(argument, raw, |name, raw| {
        form_field(&mut out, name, encodings, raw)
    })?;
    Ok(out)
}

/// Goes through a form's argument; an error names the member.
fn each_field(
    argument: &str,
    raw: &RawValue,
    mut write: impl FnMut(&str, &RawValue) -> Result<(), Unsendable>,
) -> Result<(), ArgumentError> {
    let Shape::Object(members) = Shape::of(raw) else {
        return Err(Unsendable::NotForm.of(argument));
    };
    for (name, raw) in members {
        write(&name, raw).map_err(|cause| {
            let name = shorten(&name, MAX_NAME_BYTES);
            cause.of(&format!("{argument}/{name}"))
        })?;
    }
    Ok(())
}

fn form_field(
    out: &mut String,
    name: &str,
    encodings: &IndexMap<String, FieldEncoding>,
    raw: &RawValue,
) -> Result<(), Unsendable> {
    match encodings.get(name) {
        Some(encoding) if !is_json(encoding.content_type.as_deref()) => {
            style::query(out, name, encoding.spelling, &Shape::of(raw))
        }
        Some(_) => style::query(out, name, Spelling::FORM, &json_text(raw)),
        None => style::query(out, name, Spelling::FORM, &unlisted(raw)),
    }
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
