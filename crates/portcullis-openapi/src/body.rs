//! The body of a request: which of the documented media types is sent, and how its argument is written.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use crate::diagnostic::Diagnostics;
use crate::media_type::{Family, essence, family};
use crate::model::{BodyEncoding, BodyTemplate, FieldEncoding, Spelling, Style};
use crate::operations::Operation;
use crate::pointer::{Place, escape};
use crate::reference::{Target, follow};
use crate::schema::{Flow, Fragment, Property, Schemas, holds_binary, properties};

/// What a body that cannot be known says of itself.
static NOTHING: Value = Value::Null;

/// The body of an operation, chosen but not yet named and converted.
#[derive(Debug)]
pub(crate) struct Body<'d> {
    description: Option<&'d str>,
    required: bool,
    /// The media type as the document writes it.
    media_type: &'d str,
    family: Family,
    content: &'d Value,
    pointer: String,
}

/// Chooses the body of an operation: JSON before forms, forms before text, text before bytes.
///
/// A body that cannot be known is any JSON value: an operation never becomes a tool that leaves its body out.
pub(crate) fn choose<'d>(
    operation: &Operation<'d>,
    root: &'d Value,
    diagnostics: &mut Diagnostics,
) -> Option<Body<'d>> {
    let value = operation
        .value
        .get("requestBody")
        .filter(|value| !value.is_null())?;
    let pointer = format!("{}/requestBody", operation.pointer);
    let target = match follow(root, value, pointer.clone()) {
        Ok(target) => target,
        Err(error) => {
            let message = format!("{error}; any JSON value is sent as the body");
            diagnostics.warn(error.code(), &pointer, message);
            return Some(Body::unknown(pointer));
        }
    };
    let Some((media_type, content)) = best(&target) else {
        diagnostics.warn(
            "body-without-content",
            target.pointer,
            "the request body has no media type; it is left out",
        );
        return None;
    };
    Some(Body {
        description: target.value.get("description").and_then(Value::as_str),
        required: target.value.get("required") == Some(&Value::Bool(true)),
        media_type,
        family: family(media_type),
        content,
        pointer: format!("{}/content/{}", target.pointer, escape(media_type)),
    })
}

fn best<'d>(body: &Target<'d>) -> Option<(&'d str, &'d Value)> {
    let content = body.value.get("content")?.as_object()?;
    let choices = content
        .iter()
        .map(|(media_type, content)| (media_type.as_str(), content));
    choices.min_by_key(|(media_type, _)| (family(media_type), media_type.contains('*')))
}

impl<'d> Body<'d> {
    /// A body of which the document says only that there is one.
    fn unknown(pointer: String) -> Self {
        Self {
            description: Some("The document does not say what the body holds."),
            required: false,
            media_type: "application/json",
            family: Family::Json,
            content: &NOTHING,
            pointer,
        }
    }

    /// Which way the operation's schemas travel.
    pub(crate) fn flow(&self) -> Flow {
        if self.family == Family::Multipart {
            Flow::Multipart
        } else {
            Flow::Request
        }
    }

    /// Compiles how the body is written.
    pub(crate) fn template(&self, argument: String, root: &'d Value) -> BodyTemplate {
        BodyTemplate {
            argument,
            required: self.required,
            content_type: self.content_type().to_owned(),
            encoding: match self.family {
                Family::Json => BodyEncoding::Json,
                Family::Form => BodyEncoding::Form(fields(self.content, root, self.family)),
                Family::Multipart => {
                    BodyEncoding::Multipart(fields(self.content, root, self.family))
                }
                Family::Text => BodyEncoding::Text,
                Family::Binary => BodyEncoding::Binary,
            },
        }
    }

    /// The media type to send: the document's, with a concrete one for a range.
    fn content_type(&self) -> &'d str {
        match self.family {
            _ if !essence(self.media_type).contains('*') => self.media_type,
            Family::Json => "application/json",
            Family::Form | Family::Multipart => essence(self.media_type),
            Family::Text => "text/plain",
            Family::Binary => "application/octet-stream",
        }
    }

    /// Converts the schema of the body's argument.
    pub(crate) fn schema(
        &self,
        schemas: &mut Schemas<'d>,
        diagnostics: &mut Diagnostics,
    ) -> Arc<Fragment> {
        let schema = self.content.get("schema");
        let note;
        let mut property = Property {
            schema,
            description: self.description,
            ..Property::default()
        };
        match self.family {
            Family::Json | Family::Form | Family::Multipart => {}
            Family::Text => {
                note = format!("Text of the media type {}.", self.media_type);
                return schemas.text(self.content, &property, &note, false, self.flow());
            }
            Family::Binary => {
                note = format!(
                    "The bytes as Base64 text, of the media type {}.",
                    self.media_type
                );
                return schemas.text(self.content, &property, &note, true, self.flow());
            }
        }
        if self.family != Family::Json && schema.is_none() {
            property.note = Some("An object whose members are the fields of a form.");
        }
        let pointer = format!("{}/schema", self.pointer);
        schemas.property(
            self.content,
            &property,
            &Place::at(&pointer),
            self.flow(),
            diagnostics,
        )
    }
}

/// How the fields of a form are written, where that is not the default.
pub(crate) fn fields(
    content: &Value,
    root: &Value,
    family: Family,
) -> IndexMap<String, FieldEncoding> {
    let encoding = content.get("encoding").and_then(Value::as_object);
    let mut fields = IndexMap::new();
    if family == Family::Multipart {
        let schema = content.get("schema");
        for (name, field) in schema
            .map(|schema| properties(root, schema))
            .unwrap_or_default()
        {
            if holds_binary(root, field) {
                fields.insert(
                    name.to_owned(),
                    FieldEncoding {
                        binary: true,
                        ..FieldEncoding::default()
                    },
                );
            }
        }
    }
    for (name, encoding) in encoding.into_iter().flatten() {
        let field: &mut FieldEncoding = fields.entry(name.clone()).or_default();
        field.content_type = encoding
            .get("contentType")
            .and_then(Value::as_str)
            .and_then(concrete);
        let style = match encoding.get("style").and_then(Value::as_str) {
            Some("spaceDelimited") => Style::SpaceDelimited,
            Some("pipeDelimited") => Style::PipeDelimited,
            Some("tabDelimited") => Style::TabDelimited,
            Some("deepObject") => Style::DeepObject,
            _ => Style::Form,
        };
        let default = Spelling::of(style);
        let explode = encoding.get("explode").and_then(Value::as_bool);
        field.spelling = Spelling {
            explode: explode.unwrap_or(default.explode),
            allow_reserved: encoding.get("allowReserved") == Some(&Value::Bool(true)),
            ..default
        };
    }
    fields
}

/// The first media type of a list that is not a range.
fn concrete(list: &str) -> Option<String> {
    list.split(',')
        .map(str::trim)
        .find(|media_type| !media_type.is_empty() && !media_type.contains('*'))
        .map(str::to_owned)
}
