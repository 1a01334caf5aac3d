//! How a parameter goes onto the wire: its style, or the media type of its `content`.

use std::sync::Arc;

use serde_json::Value;

use super::{Declared, Surroundings, word};
use crate::body::form;
use crate::diagnostic::Diagnostics;
use crate::document::Dialect;
use crate::media_type::{Family, family};
use crate::model::body::BodyEncoding;
use crate::model::{Parameter, Place, Spelling, Style};
use crate::schema::Fragment;

/// How lists within a list are joined (Swagger 2.0, "Items Object"), where that is said.
fn within(schema: &Value, dialect: Dialect) -> Option<Style> {
    if dialect != Dialect::V20 {
        return None;
    }
    match schema.get("items")?.get("collectionFormat")?.as_str()? {
        "csv" => Some(Style::Form),
        "ssv" => Some(Style::SpaceDelimited),
        "tsv" => Some(Style::TabDelimited),
        "pipes" => Some(Style::PipeDelimited),
        _ => None,
    }
}

impl<'d> Declared<'d> {
    /// The parameter's media type, where it has `content` in place of `schema`.
    pub(super) fn content(&self) -> Option<(&'d String, &'d Value)> {
        self.member("content")?.as_object()?.iter().next()
    }

    pub(super) fn compiled(
        &self,
        argument: String,
        around: &Surroundings<'_, 'd>,
        diagnostics: &mut Diagnostics,
    ) -> Parameter {
        let content = self.encoding(around.root);
        let style = match content {
            // `content` in a cookie is written as it is, unless it is JSON, which no cookie could hold.
            Some(BodyEncoding::Text) if self.place == Place::Cookie => Style::Cookie,
            _ => self.style(diagnostics),
        };
        let default = Spelling::of(style);
        let explode = self.member("explode").and_then(Value::as_bool);
        let is_set = |key: &str| self.member(key) == Some(&Value::Bool(true));
        Parameter {
            argument,
            name: self.name.to_owned(),
            place: self.place,
            spelling: Spelling {
                explode: explode.unwrap_or(default.explode),
                allow_reserved: is_set("allowReserved"),
                within: self
                    .member("schema")
                    .and_then(|schema| within(schema, around.dialect)),
                ..default
            },
            required: self.place == Place::Path || is_set("required"),
            allow_empty: self.allows_empty(),
            content,
        }
    }

    /// How the parameter's `content` is written: forms by their fields, JSON as JSON, anything else as the text that the argument is.
    fn encoding(&self, root: &'d Value) -> Option<BodyEncoding> {
        let (media_type, content) = self.content()?;
        Some(match family(media_type) {
            Family::Form if self.place == Place::QueryString => {
                BodyEncoding::Form(form(content, root))
            }
            Family::Json if !media_type.contains('*') => BodyEncoding::Json,
            _ => BodyEncoding::Text,
        })
    }

    /// The style, or the place's default where the document names none or one that the place does not have.
    fn style(&self, diagnostics: &mut Diagnostics) -> Style {
        let default = match self.place {
            Place::Path | Place::Header => Style::Simple,
            Place::Query | Place::QueryString | Place::Cookie => Style::Form,
        };
        let Some(named) = self.member("style") else {
            return default;
        };
        match (self.place, named.as_str().unwrap_or_default()) {
            (Place::Path | Place::Header, "simple") => Style::Simple,
            (Place::Path, "label") => Style::Label,
            (Place::Path, "matrix") => Style::Matrix,
            (Place::Query | Place::Cookie, "form") => Style::Form,
            // OpenAPI has them in the query alone, Swagger 2.0 in paths and headers too.
            (Place::Path | Place::Query | Place::Header, "spaceDelimited") => Style::SpaceDelimited,
            (Place::Path | Place::Query | Place::Header, "pipeDelimited") => Style::PipeDelimited,
            (Place::Path | Place::Query | Place::Header, "tabDelimited") => Style::TabDelimited,
            (Place::Query, "deepObject") => Style::DeepObject,
            (Place::Cookie, "cookie") => Style::Cookie,
            _ => {
                let message = format!(
                    "a {} parameter has no such style; the default is used",
                    word(self.place)
                );
                diagnostics.warn("bad-style", format!("{}/style", self.pointer), message);
                default
            }
        }
    }

    fn allows_empty(&self) -> bool {
        self.place == Place::Query && self.member("allowEmptyValue") == Some(&Value::Bool(true))
    }

    /// Adds the empty text to the schema of a parameter that may be a name without a value; lists have an empty one of their own.
    pub(super) fn or_empty(&self, schema: Arc<Fragment>) -> Arc<Fragment> {
        let declared = self.member("schema");
        let is =
            |name: &str| declared.and_then(|schema| schema.get("type")?.as_str()) == Some(name);
        let is_scalar = ["integer", "number", "boolean"].into_iter().any(is)
            || is("string") && declared.is_some_and(|schema| schema.get("enum").is_some());
        if !self.allows_empty() || !is_scalar {
            return schema;
        }
        Arc::new(schema.within(r#"{"anyOf":["#, r#",{"const":""}]}"#))
    }
}
