//! The argument that is a body, written as the media type asks.
//!
//! A JSON body is the caller's own text, untouched.
//! A field of a form is written like a query parameter where the document names a style; otherwise a list is one field for each item, and what has structure, or a JSON media type, is JSON text (OpenAPI 3.2, "Encoding By Name").
//! Fields that are `null` are left out.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use serde_json::value::RawValue;

use super::file::{File, text};
use super::multipart::Multipart;
use super::pairs::has_structure;
use super::parameter::folded;
use super::shape::Shape;
use super::validate::shorten;
use super::xml;
use super::{ArgumentError, PlannedBody, Unsendable, style};
use crate::json_text::compact;
use crate::media_type::{Family, family, is_among};
use crate::model::Spelling;
use crate::model::body::{BodyChoice, BodyEncoding, BodyTemplate, FieldEncoding, Lines};

/// How much of a field's name an error shows.
const MAX_NAME_BYTES: usize = 80;

/// Writes the body as the media type that was chosen, or as the first.
pub(super) fn write(
    template: &BodyTemplate,
    raw: &RawValue,
    chosen: Option<&RawValue>,
) -> Result<PlannedBody, ArgumentError> {
    let choice = chosen_among(template, chosen)?;
    let refused = |cause: Unsendable| cause.of(&template.argument);
    let mut content_type = choice.content_type.clone();
    let bytes = match &choice.encoding {
        BodyEncoding::Json => raw.get().into(),
        BodyEncoding::JsonLines(lines) => json_lines(raw, *lines),
        BodyEncoding::Text => text(raw).map_err(refused)?.into_owned().into(),
        BodyEncoding::Xml(schema) => xml::write(schema, raw).map_err(refused)?.into(),
        BodyEncoding::Binary => {
            let file = File::read(raw).map_err(refused)?;
            if let Some(media_type) = &file.media_type {
                content_type = own_type(template, choice, media_type).map_err(refused)?;
            }
            file.bytes
        }
        BodyEncoding::Form(encodings) => form(&template.argument, encodings, raw)?.into(),
        BodyEncoding::Multipart(encodings) => {
            let mut form = Multipart::form();
            each_field(&template.argument, encodings, raw, |name, raw| {
                form.add(name, encodings, raw)
            })?;
            let bytes;
            (content_type, bytes) = form.finish(&choice.content_type);
            bytes
        }
        BodyEncoding::Parts { first, others } => {
            let mut parts = Multipart::default();
            for (index, item) in items(raw).into_iter().enumerate() {
                let encoding = first.get(index).unwrap_or(others);
                let at = |cause: Unsendable| cause.of(&format!("{}/{index}", template.argument));
                parts.add_item(encoding, item).map_err(at)?;
            }
            let bytes;
            (content_type, bytes) = parts.finish(&choice.content_type);
            bytes
        }
    };
    Ok(PlannedBody {
        content_type,
        bytes,
    })
}

fn chosen_among<'t>(
    template: &'t BodyTemplate,
    chosen: Option<&RawValue>,
) -> Result<&'t BodyChoice, ArgumentError> {
    let argument = template.chooser.as_ref().unwrap_or(&template.argument);
    let refused = || Unsendable::NotOffered.of(argument);
    let mut choices = template.choices.iter();
    match chosen {
        None => choices.next().ok_or_else(refused),
        Some(raw) => {
            let name = text(raw).map_err(|cause| cause.of(argument))?;
            choices
                .find(|choice| choice.media_type == name)
                .ok_or_else(refused)
        }
    }
}

/// Lets the caller say more exactly what his bytes are: within the range that is sent, or as another type that the document takes bytes for.
fn own_type(
    template: &BodyTemplate,
    choice: &BodyChoice,
    media_type: &str,
) -> Result<String, Unsendable> {
    let bytes = template.choices.iter().filter(|other| {
        std::ptr::eq(*other, choice) || matches!(other.encoding, BodyEncoding::Binary)
    });
    let allowed: Vec<_> = bytes.map(|choice| choice.media_type.clone()).collect();
    is_among(media_type, &allowed)
        .then(|| media_type.to_owned())
        .ok_or(Unsendable::MediaType)
}

fn json_lines(raw: &RawValue, lines: Lines) -> Vec<u8> {
    if let Shape::Scalar(text) = Shape::of(raw)
        && raw.get().starts_with('"')
    {
        return text.into_owned().into();
    }
    let mut out = String::new();
    for item in items(raw) {
        if lines == Lines::Sequence {
            out.push('\u{1e}');
        }
        out.push_str(&compact(item.get()));
        out.push('\n');
    }
    out.into()
}

/// The items of a list, or the one thing that is no list.
fn items(raw: &RawValue) -> Vec<&RawValue> {
    match Shape::of(raw) {
        Shape::Array(items) => items,
        _ => vec![raw],
    }
}

/// Writes a form by its fields.
pub(super) fn form(
    argument: &str,
    encodings: &IndexMap<String, FieldEncoding>,
    raw: &RawValue,
) -> Result<String, ArgumentError> {
    let mut out = String::new();
    each_field(argument, encodings, raw, |name, raw| {
        form_field(&mut out, name, encodings.get(name), raw)
    })?;
    Ok(out)
}

/// Goes through a form's argument; an error names the member.
fn each_field(
    argument: &str,
    encodings: &IndexMap<String, FieldEncoding>,
    raw: &RawValue,
    mut write: impl FnMut(&str, &RawValue) -> Result<(), Unsendable>,
) -> Result<(), ArgumentError> {
    let Shape::Object(members) = Shape::of(raw) else {
        return Err(Unsendable::NotForm.of(argument));
    };
    let names = Names::of(&members, encodings);
    for (name, raw) in members {
        let encoding = encodings.get(&*name);
        names
            .refuse_taken(&name, encoding, raw)
            .and_then(|()| write(&name, raw))
            .map_err(|cause| {
                let name = shorten(&name, MAX_NAME_BYTES);
                cause.of(&format!("{argument}/{name}"))
            })?;
    }
    Ok(())
}

/// The fields of a form by how many bear a name, as servers may read it; only where it matters.
struct Names(HashMap<String, usize>);

impl Names {
    fn of(
        members: &[(Cow<'_, str>, &RawValue)],
        encodings: &IndexMap<String, FieldEncoding>,
    ) -> Self {
        let mut counts = HashMap::new();
        if encodings.values().any(FieldEncoding::spreads) {
            let given = members.iter().map(|(name, _)| &**name);
            let listed = encodings.keys().map(String::as_str);
            let names: HashSet<&str> = given.chain(listed).collect();
            for name in names {
                *counts.entry(folded(name)).or_default() += 1;
            }
        }
        Self(counts)
    }

    /// An exploded object writes its members as fields of their own; they must not pass for others of the form.
    fn refuse_taken(
        &self,
        field: &str,
        encoding: Option<&FieldEncoding>,
        raw: &RawValue,
    ) -> Result<(), Unsendable> {
        if !encoding.is_some_and(FieldEncoding::spreads) {
            return Ok(());
        }
        let Shape::Object(members) = Shape::of(raw) else {
            return Ok(());
        };
        let own = folded(field);
        let is_taken = |(name, _): &(Cow<'_, str>, _)| {
            let name = folded(name);
            self.0.get(&name).copied().unwrap_or_default() > usize::from(name == own)
        };
        if members.iter().any(is_taken) {
            return Err(Unsendable::TakesAnotherName);
        }
        Ok(())
    }
}

fn form_field(
    out: &mut String,
    name: &str,
    encoding: Option<&FieldEncoding>,
    raw: &RawValue,
) -> Result<(), Unsendable> {
    if let Some(spelling) = encoding.and_then(|encoding| encoding.spelling) {
        return style::query(out, name, spelling, &Shape::of(raw));
    }
    let media_type = encoding.and_then(|encoding| encoding.content_types.first());
    let as_json = is_json(media_type.map(String::as_str));
    for item in items(raw) {
        let value = match Shape::of(item) {
            Shape::Null => Shape::Null,
            Shape::Scalar(text) if !as_json => Shape::Scalar(text),
            _ => Shape::Scalar(json_text(item)),
        };
        style::query(out, name, Spelling::FORM, &value)?;
    }
    Ok(())
}

/// JSON text of a value; a string that holds the text of an object or list is meant to be that, since documents describe such fields as strings.
pub(super) fn json_text(raw: &RawValue) -> Cow<'_, str> {
    if let Shape::Scalar(text) = Shape::of(raw)
        && raw.get().starts_with('"')
        && let Ok(within) = serde_json::from_str::<&RawValue>(&text)
        && has_structure(within)
    {
        return text;
    }
    compact(raw.get())
}

/// Tells whether a field's media type is JSON.
pub(super) fn is_json(media_type: Option<&str>) -> bool {
    media_type.is_some_and(|media_type| family(media_type) == Family::Json)
}
