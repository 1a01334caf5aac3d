//! The rules, keyword by keyword, from `OpenAPI` 3.0 and 3.1 schemas to JSON Schema 2020-12.
//!
//! Documents stray from their specification: a keyword whose value makes no sense is left out, which makes a schema wider, never a tool lost.

mod assertion;
mod composition;
mod lenient;

use std::rc::Rc;

use indexmap::IndexSet;
use serde_json::{Map, Value};

use super::fragment::Kind;
use super::keyword::{hidden_properties, is_binary, is_true};
use super::writer::JsonWriter;
use super::{Definition, Flow, Fragment, Schemas};
use crate::diagnostic::Diagnostics;
use crate::document::Dialect;
use crate::pointer::Place;
use crate::reference::Base;
use crate::text::{clean, is_clean};

/// Longest description of a schema, in characters.
const MAX_DESCRIPTION: usize = 1_000;
/// Longest title, in characters.
const MAX_TITLE: usize = 100;
/// Largest default or example that is shown, in bytes of JSON.
const MAX_VALUE_BYTES: usize = 200;

/// How a model gives a file.
const FILE_NOTE: &str = "The file's bytes as Base64 text, or with their media type and name: `data:image/png;name=a.png;base64,…`.";

/// A property of a tool's arguments: a schema, with what its parameter or body says about it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Property<'d> {
    /// Where `None`, any value will do.
    pub(crate) schema: Option<&'d Value>,
    /// Goes before the schema's own description.
    pub(crate) description: Option<&'d str>,
    /// Goes before the schema's own examples.
    pub(crate) example: Option<&'d Value>,
    /// Whether the parameter should no longer be used.
    pub(crate) is_deprecated: bool,
    /// Added to the description: how the value is to be written.
    pub(crate) note: Option<&'d str>,
}

/// Converts one schema into one fragment.
pub(super) struct Converter<'s, 'd> {
    schemas: &'s mut Schemas<'d>,
    diagnostics: &'s mut Diagnostics,
    flow: Flow,
    /// Where references are tried that name nothing in the document.
    base: Rc<Base<'d>>,
    /// The definition that is being converted.
    origin: Option<Definition>,
    /// Whether what is converted now applies to the same value as the origin.
    same_value: bool,
    out: JsonWriter,
    definitions: IndexSet<Definition>,
    /// Places that accept more than the document says.
    left_open: usize,
}

/// What surrounds a schema and changes how it is written.
#[derive(Clone, Copy, Default)]
struct Around<'a, 'd> {
    property: Property<'d>,
    /// Whether what is converted is an argument itself.
    is_argument: bool,
    /// Names of properties that an enclosing schema hides.
    hidden: &'a [&'d str],
}

impl Around<'_, '_> {
    /// What a description here describes.
    fn kind(&self) -> Kind {
        if self.is_argument {
            Kind::Head
        } else {
            Kind::Lore
        }
    }
}

impl<'s, 'd> Converter<'s, 'd> {
    pub(super) fn new(
        schemas: &'s mut Schemas<'d>,
        diagnostics: &'s mut Diagnostics,
        flow: Flow,
        base: Rc<Base<'d>>,
        origin: Option<Definition>,
    ) -> Self {
        Self {
            schemas,
            diagnostics,
            flow,
            base,
            origin,
            same_value: true,
            out: JsonWriter::default(),
            definitions: IndexSet::new(),
            left_open: 0,
        }
    }

    /// Converts a schema that stands for itself.
    pub(super) fn root(mut self, schema: &'d Value, place: &Place<'_>) -> Fragment {
        self.schema(schema, place, Around::default());
        self.finish()
    }

    /// Converts a property of a tool's arguments.
    pub(super) fn property(mut self, property: &Property<'d>, place: &Place<'_>) -> Fragment {
        let around = Around {
            property: *property,
            is_argument: true,
            hidden: &[],
        };
        match property.schema {
            Some(schema @ Value::Object(_)) => self.schema(schema, place, around),
            Some(Value::Bool(false)) => self.boolean(false),
            Some(_) | None => {
                self.out.open(b'{');
                self.annotations(&Map::new(), around);
                self.out.close(b'}');
            }
        }
        self.finish()
    }

    fn finish(self) -> Fragment {
        let (text, spans) = self.out.finish();
        let definitions = self.definitions.into_iter().collect();
        Fragment::new(text, spans, definitions).opened(self.left_open > 0)
    }

    /// Tells of a place that accepts more than the document says.
    fn leave_open(&mut self, code: &'static str, place: &Place<'_>, message: impl Into<String>) {
        self.left_open += 1;
        self.diagnostics.warn(code, place, message);
    }

    fn schema(&mut self, schema: &'d Value, place: &Place<'_>, around: Around<'_, 'd>) {
        match schema {
            Value::Object(schema) => self.object(schema, place, around),
            Value::Bool(value) => self.boolean(*value),
            _ => {
                let message = "a schema must be an object; any value is accepted here";
                self.leave_open("schema-not-object", place, message);
                self.open_schema();
            }
        }
    }

    fn object(
        &mut self,
        schema: &'d Map<String, Value>,
        place: &Place<'_>,
        around: Around<'_, 'd>,
    ) {
        let nullable = is_true(schema, "nullable") || is_true(schema, "x-nullable");
        let composed = ["$ref", "allOf", "anyOf", "oneOf"]
            .into_iter()
            .any(|key| schema.contains_key(key));
        if nullable && composed {
            self.out.open(b'{');
            self.out.key("anyOf");
            self.out.open(b'[');
            self.bare(schema, place, around, false);
            self.out.value(&serde_json::json!({"type": "null"}));
            self.out.close(b']');
            self.out.close(b'}');
        } else {
            self.bare(schema, place, around, nullable);
        }
    }

    /// Converts a schema whose `nullable` has been dealt with, or is to be dealt with by its `type` and `enum`.
    fn bare(
        &mut self,
        schema: &'d Map<String, Value>,
        place: &Place<'_>,
        around: Around<'_, 'd>,
        nullable: bool,
    ) {
        self.out.open(b'{');
        if let Some(text) = schema.get("$ref").and_then(Value::as_str) {
            self.reference(text, place);
            if self.schemas.dialect != Dialect::V31 {
                self.annotations(schema, around);
                self.out.close(b'}');
                return;
            }
        }
        let hidden = self.hidden(schema, around.hidden);
        for (key, value) in schema {
            let place = place.key(key);
            if !self.assertion(key, value, schema, nullable, &place)
                && !self.composition(key, value, schema, &hidden, &place)
            {
                self.recursive_reference(key, value, &place);
            }
        }
        self.annotations(schema, around);
        self.out.close(b'}');
    }

    /// Names of properties that are hidden from this schema's `properties` and `required`.
    fn hidden(&self, schema: &'d Map<String, Value>, around: &[&'d str]) -> Vec<&'d str> {
        let mut hidden = around.to_vec();
        if schema.contains_key("properties")
            || schema.contains_key("required")
            || schema.contains_key("allOf")
        {
            hidden.extend(hidden_properties(self.schemas.root, schema, self.flow));
        }
        hidden
    }

    /// Writes what informs and does not constrain.
    fn annotations(&mut self, schema: &Map<String, Value>, around: Around<'_, 'd>) {
        if let Some(title) = schema
            .get("title")
            .and_then(Value::as_str)
            .map(|title| clean(title, MAX_TITLE))
            && !title.is_empty()
        {
            self.out.optional(around.kind(), "title", &title);
        }
        if self.is_base64(schema) {
            self.out.member("contentEncoding", "base64");
        }
        self.description(schema, around);
        if let Some(default) = schema.get("default").filter(|value| is_small(value)) {
            self.out.member("default", default);
        }
        let examples = [
            around.property.example,
            schema.get("example"),
            schema.get("examples").and_then(|all| all.get(0)),
        ];
        if let Some(example) = examples
            .into_iter()
            .flatten()
            .find(|value| !value.is_null() && is_small(value))
        {
            self.out.optional(around.kind(), "examples", &[example]);
        }
        if around.property.is_deprecated || is_true(schema, "deprecated") {
            self.out.member("deprecated", &true);
        }
    }

    fn description(&mut self, schema: &Map<String, Value>, around: Around<'_, '_>) {
        let (property, kind) = (around.property, around.kind());
        let own = || schema.get("description").and_then(Value::as_str);
        let said = property
            .description
            .filter(|text| !text.trim().is_empty())
            .or_else(own)
            .unwrap_or_default();
        let note = property
            .note
            .or_else(|| self.is_base64(schema).then_some(FILE_NOTE));
        let description = clean(said, MAX_DESCRIPTION);
        match (description.is_empty(), note) {
            (true, None) => {}
            (false, None) => self.out.optional(kind, "description", &description),
            (true, Some(note)) => self.out.optional(kind, "description", note),
            (false, Some(note)) => {
                let both = format!("{description}\n\n{note}");
                self.out.optional(kind, "description", &both);
            }
        }
    }

    /// Tells whether the schema's values are bytes that the model writes as Base64.
    fn is_base64(&self, schema: &Map<String, Value>) -> bool {
        self.flow == Flow::Multipart && is_binary(schema)
    }

    /// Writes a boolean schema as an object, which is all that some clients take.
    fn boolean(&mut self, accepts: bool) {
        self.out.open(b'{');
        if !accepts {
            self.out.member("not", &Map::new());
        }
        self.out.close(b'}');
    }

    /// Writes a schema that accepts anything.
    fn open_schema(&mut self) {
        self.out.open(b'{');
        self.out.close(b'}');
    }
}

/// Describes an argument that is one text.
pub(super) fn text(property: &Property<'_>, note: &str, is_base64: bool) -> Fragment {
    let mut out = JsonWriter::default();
    out.open(b'{');
    out.member("type", "string");
    if is_base64 {
        out.member("contentEncoding", "base64");
    }
    let said = clean(property.description.unwrap_or_default(), MAX_DESCRIPTION);
    let both = format!("{said}\n\n{note}");
    out.optional(Kind::Head, "description", both.trim_start());
    out.close(b'}');
    let (text, spans) = out.finish();
    Fragment::new(text, spans, Vec::new())
}

/// Tells whether a value is small and clean enough to be shown.
fn is_small(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => text.len() <= MAX_VALUE_BYTES && is_clean(text),
        Value::Array(_) | Value::Object(_) => {
            let text = value.to_string();
            text.len() <= MAX_VALUE_BYTES && is_clean(&text)
        }
    }
}
