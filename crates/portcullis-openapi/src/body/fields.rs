//! The fields of a form and the parts of a multipart body: what the document's `encoding` says of each.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::xml::Plans;
use crate::header::is_token;
use crate::media_type::{Family, family, is_sendable};
use crate::model::body::{BodyEncoding, FieldEncoding, Xml};
use crate::model::{Spelling, Style};
use crate::reference::follow;
use crate::schema::{holds_binary, properties};

/// How the fields of a form are written, where that is not the default.
pub(crate) fn form(content: &Value, root: &Value) -> IndexMap<String, FieldEncoding> {
    let encodings = content.get("encoding").and_then(Value::as_object);
    let encodings = encodings.into_iter().flatten();
    let mut fields = encodings
        .map(|(name, encoding)| (name.clone(), read(encoding, None, root)))
        .collect();
    list_all(&mut fields, content, root);
    fields
}

/// Lists the other fields of the schema too, where the members of one become fields: they must not pass for others.
fn list_all(fields: &mut IndexMap<String, FieldEncoding>, content: &Value, root: &Value) {
    if fields.values().any(FieldEncoding::spreads) {
        let properties = content.get("schema").map(|schema| properties(root, schema));
        for (name, _) in properties.unwrap_or_default() {
            fields.entry(name.to_owned()).or_default();
        }
    }
}

/// How the fields of a multipart form are written, where that is not the default.
pub(super) fn multipart(content: &Value, root: &Value) -> IndexMap<String, FieldEncoding> {
    let encodings = content.get("encoding");
    let mut fields = IndexMap::new();
    let properties = content.get("schema").map(|schema| properties(root, schema));
    for (name, field) in properties.unwrap_or_default() {
        let encoding = encodings.and_then(|encodings| encodings.get(name));
        if encoding.is_some() || holds_binary(root, field) {
            let encoding = encoding.unwrap_or(&Value::Null);
            fields.insert(name.to_owned(), read(encoding, Some(field), root));
        }
    }
    let listed = encodings.and_then(Value::as_object).into_iter().flatten();
    for (name, encoding) in listed {
        if !fields.contains_key(name) {
            fields.insert(name.clone(), read(encoding, None, root));
        }
    }
    list_all(&mut fields, content, root);
    fields
}

/// Adds how fields are written as XML, where their media type is that.
pub(super) fn add_xml<'d>(
    fields: &mut IndexMap<String, FieldEncoding>,
    content: &'d Value,
    root: &'d Value,
    plans: &mut Plans,
) {
    let properties = content.get("schema").map(|schema| properties(root, schema));
    for (name, field) in properties.unwrap_or_default() {
        if let Some(encoding) = fields.get_mut(name)
            && encoding.xml.is_none()
        {
            encoding.xml = xml(encoding, field, root, plans);
        }
    }
}

/// How the parts of a list are written (`OpenAPI` 3.2, "Encoding By Position").
pub(super) fn parts<'d>(content: &'d Value, root: &'d Value, plans: &mut Plans) -> BodyEncoding {
    let schema = content
        .get("schema")
        .and_then(|schema| follow(root, schema, String::new()).ok());
    let schema = schema.map(|target| target.value);
    let list = |owner: Option<&'d Value>, key: &str| {
        let list = owner.and_then(|owner| owner.get(key)?.as_array());
        list.map_or(&[][..], Vec::as_slice)
    };
    let schemas = list(schema, "prefixItems");
    let encodings = list(Some(content), "prefixEncoding");
    let mut part = |encoding: Option<&'d Value>, schema: Option<&'d Value>| {
        let mut part = read(encoding.unwrap_or(&Value::Null), schema, root);
        part.xml = schema.and_then(|schema| xml(&part, schema, root, plans));
        part
    };
    let count = schemas.len().max(encodings.len());
    let first = (0..count).map(|index| part(encodings.get(index), schemas.get(index)));
    let first = first.collect();
    let items = content
        .get("itemSchema")
        .or_else(|| schema.and_then(|schema| schema.get("items")));
    let others = part(content.get("itemEncoding"), items);
    BodyEncoding::Parts { first, others }
}

fn read(encoding: &Value, schema: Option<&Value>, root: &Value) -> FieldEncoding {
    let content_types = encoding
        .get("contentType")
        .and_then(Value::as_str)
        .map(media_types)
        .unwrap_or_default();
    let all =
        |is: Family| !content_types.is_empty() && content_types.iter().all(|it| family(it) == is);
    let binary = match schema {
        Some(schema) => {
            let is_open = schema.get("type").is_none() && schema.get("$ref").is_none();
            holds_binary(root, schema) || is_open && all(Family::Binary)
        }
        None => all(Family::Binary),
    };
    FieldEncoding {
        spelling: spelling(encoding),
        binary,
        headers: headers(encoding, root),
        xml: None,
        content_types,
    }
}

fn xml<'d>(
    encoding: &FieldEncoding,
    schema: &'d Value,
    root: &'d Value,
    plans: &mut Plans,
) -> Option<Arc<Xml>> {
    let media_type = encoding.content_types.first()?;
    let is_xml = family(media_type) == Family::Xml;
    is_xml
        .then(|| plans.compile(schema.get("items").unwrap_or(schema), root))
        .flatten()
}

/// The style of a field, where the document names a style or a part of one.
fn spelling(encoding: &Value) -> Option<Spelling> {
    let named = ["style", "explode", "allowReserved"];
    named.iter().find(|key| encoding.get(key).is_some())?;
    let default = Spelling::of(match encoding.get("style").and_then(Value::as_str) {
        Some("spaceDelimited") => Style::SpaceDelimited,
        Some("pipeDelimited") => Style::PipeDelimited,
        Some("tabDelimited") => Style::TabDelimited,
        Some("deepObject") => Style::DeepObject,
        _ => Style::Form,
    });
    let explode = encoding.get("explode").and_then(Value::as_bool);
    Some(Spelling {
        explode: explode.unwrap_or(default.explode),
        allow_reserved: encoding.get("allowReserved") == Some(&Value::Bool(true)),
        ..default
    })
}

/// The media types of a list, as far as they may stand in a header.
fn media_types(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|media_type| is_sendable(media_type))
        .map(str::to_owned)
        .collect()
}

/// Headers of a part that have one value, by a default or because no other is allowed; RFC 7578 §4.8 knows three, which others decide.
fn headers(encoding: &Value, root: &Value) -> Vec<(String, String)> {
    let all = encoding.get("headers").and_then(Value::as_object);
    let values = all.into_iter().flatten().filter_map(|(name, header)| {
        let header = follow(root, header, String::new()).ok()?.value;
        let schema = follow(root, header.get("schema")?, String::new())
            .ok()?
            .value;
        let only = || {
            Some(schema.get("enum")?.as_array()?)
                .filter(|values| values.len() == 1)?
                .first()
        };
        let value = schema
            .get("default")
            .or_else(|| schema.get("const"))
            .or_else(only)?;
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return None,
        };
        let is_ours = name.to_ascii_lowercase().starts_with("content-")
            && !["content-id", "content-location", "content-language"]
                .contains(&name.to_ascii_lowercase().as_str());
        (is_token(name) && !is_ours && is_header_text(&text)).then(|| (name.clone(), text))
    });
    values.collect()
}

fn is_header_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}
