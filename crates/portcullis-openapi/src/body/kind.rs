//! What a media type and its schema together make of a body.
//!
//! A schema with structure under a media type that has no encoding of its own is JSON text: a model that holds an object cannot give its bytes.

use serde_json::Value;

use crate::media_type::{Family, essence, family};
use crate::reference::follow;
use crate::schema::{holds_binary, is_object_like};

/// Ways to write a body, the best for a model first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// JSON text.
    Json,
    /// The fields of a form.
    Form,
    /// The parts of a form.
    Multipart,
    /// Parts in their order.
    Parts,
    /// JSON texts, one a line.
    Lines,
    /// XML that the schema describes.
    Xml,
    /// Text.
    Text,
    /// Bytes.
    Binary,
}

impl Kind {
    /// Decides by the media type, and by the schema where the media type leaves room.
    pub(super) fn of(media_type: &str, content: &Value, root: &Value) -> Self {
        let schema = Schema::of(content, root);
        let essence = essence(media_type).to_ascii_lowercase();
        match family(media_type) {
            Family::Json if essence.contains('*') && schema == Schema::Bytes => Self::Binary,
            Family::Json if essence.contains('*') && schema == Schema::Text => Self::Text,
            Family::Json => Self::Json,
            Family::Form if matches!(schema, Schema::Text | Schema::Bytes) => Self::Text,
            Family::Form => Self::Form,
            Family::Multipart if schema == Schema::List => Self::Parts,
            Family::Multipart => Self::Multipart,
            Family::Lines if schema == Schema::Text => Self::Text,
            Family::Lines => Self::Lines,
            Family::Xml if matches!(schema, Schema::Object | Schema::List) => Self::Xml,
            Family::Text if matches!(schema, Schema::Object | Schema::List) => Self::Json,
            Family::Xml | Family::Text => Self::Text,
            Family::Binary if is_never_json(&essence) => Self::Binary,
            Family::Binary if matches!(schema, Schema::Object | Schema::List) => Self::Json,
            Family::Binary => Self::Binary,
        }
    }
}

/// What the values of a schema are, as far as it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schema {
    /// Objects.
    Object,
    /// Lists.
    List,
    /// Texts.
    Text,
    /// Bytes.
    Bytes,
    /// Anything.
    Any,
}

impl Schema {
    pub(super) fn of(content: &Value, root: &Value) -> Self {
        let Some(schema) = content.get("schema") else {
            return match content.get("itemSchema") {
                Some(_) => Self::List,
                None => Self::Any,
            };
        };
        let Ok(target) = follow(root, schema, String::new()) else {
            return Self::Any;
        };
        let is = |name: &str| match target.value.get("type") {
            Some(Value::String(text)) => text == name,
            Some(Value::Array(names)) => names.iter().any(|text| text == name),
            _ => false,
        };
        if is("array")
            || ["items", "prefixItems"]
                .iter()
                .any(|key| target.value.get(key).is_some())
        {
            return Self::List;
        }
        if holds_binary(root, schema) {
            return Self::Bytes;
        }
        if is_object_like(root, schema) {
            return Self::Object;
        }
        if is("string") { Self::Text } else { Self::Any }
    }
}

/// Media types of bytes, whatever their schema claims: generators describe a file's bytes as an object, too.
fn is_never_json(essence: &str) -> bool {
    ["image/", "audio/", "video/", "font/"]
        .iter()
        .any(|family| essence.starts_with(family))
        || [
            "application/octet-stream",
            "application/pdf",
            "application/zip",
            "application/gzip",
        ]
        .contains(&essence)
}
