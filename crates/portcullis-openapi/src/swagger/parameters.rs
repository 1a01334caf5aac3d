//! Parameters of 2.0 describe their values by members of their own, and lists by `collectionFormat`.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{ORIGIN, Reading};
use crate::pointer::size;
use crate::reference::{Target, follow, reference};

/// Members of a parameter that describe its values.
const DESCRIBING: [&str; 23] = [
    "type",
    "format",
    "items",
    "enum",
    "default",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "multipleOf",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "properties",
    "additionalProperties",
    "allOf",
    "nullable",
    "x-nullable",
    "title",
    "example",
];

/// The parameters of an operation that are its body, and whether one might be that cannot be read.
pub(super) struct Carried<'d> {
    pub(super) bodies: Vec<Target<'d>>,
    pub(super) fields: Vec<Target<'d>>,
    /// A `$ref` that leads nowhere, and where it is.
    pub(super) unknown: Option<(&'d str, String)>,
}

/// How a list is written.
pub(super) struct Collection {
    pub(super) style: Option<&'static str>,
    pub(super) explode: bool,
}

impl<'d> Reading<'_, 'd> {
    /// Adds `schema`, `style` and `explode` to the parameters of an operation and its path, and returns those that are its body.
    pub(super) fn parameters(&mut self, item: &Target<'d>, operation: &Target<'d>) -> Carried<'d> {
        let mut carried = Carried {
            bodies: Vec::new(),
            fields: Vec::new(),
            unknown: None,
        };
        for owner in [item, operation] {
            let (mut bodies, mut fields) = (Vec::new(), Vec::new());
            let list = owner.value.get("parameters").and_then(Value::as_array);
            for (index, value) in list.into_iter().flatten().enumerate() {
                let at = format!("{}/parameters/{index}", owner.pointer);
                let Ok(parameter) = follow(self.root, value, at.clone()) else {
                    carried.unknown = reference(value).map(|reference| (reference, at));
                    continue;
                };
                match parameter.value.get("in").and_then(Value::as_str) {
                    Some("body") => bodies.push(parameter),
                    Some("formData") => fields.push(parameter),
                    _ => self.parameter(&parameter),
                }
            }
            if !bodies.is_empty() {
                carried.bodies = bodies;
            }
            let name = |field: &Target<'d>| field.value.get("name").and_then(Value::as_str);
            let own: HashSet<_> = fields.iter().map(name).collect();
            carried.fields.retain(|known| !own.contains(&name(known)));
            carried.fields.extend(fields);
        }
        carried
    }

    /// Adds what a parameter in the path, query or header lacks, once.
    fn parameter(&mut self, parameter: &Target<'d>) {
        if !parameter.value.is_object() || !self.done.insert(parameter.pointer.clone()) {
            return;
        }
        if schema_of(parameter).is_none() {
            let mut schema = self.described(parameter);
            if !schema.is_empty() {
                schema.insert(ORIGIN.to_owned(), json!(1));
                self.add(&parameter.pointer, "schema", Value::Object(schema));
            }
        }
        if let Some(Collection { style, explode }) = self.collection(parameter) {
            if let Some(style) = style {
                self.add(&parameter.pointer, "style", json!(style));
            }
            self.add(&parameter.pointer, "explode", json!(explode));
        }
    }

    /// Copies what a parameter says of its values by its own members; refers to it where the copies would grow too many.
    pub(super) fn described(&mut self, parameter: &Target<'d>) -> Map<String, Value> {
        let members = DESCRIBING
            .into_iter()
            .filter_map(|key| Some((key.to_owned(), parameter.value.get(key)?)));
        let members: Vec<_> = members.collect();
        let size: usize = members
            .iter()
            .map(|(_, value)| size(value, self.copies_left.saturating_add(1)))
            .fold(0, usize::saturating_add);
        if let Some(left) = self.copies_left.checked_sub(size) {
            self.copies_left = left;
            return members
                .into_iter()
                .map(|(key, value)| (key, value.clone()))
                .collect();
        }
        let reference = format!("#{}", parameter.pointer.replace('%', "%25"));
        Map::from_iter([("$ref".to_owned(), Value::String(reference))])
    }

    /// Reads `collectionFormat` of a parameter that is a list; 2.0's default joins by commas.
    pub(super) fn collection(&mut self, parameter: &Target<'d>) -> Option<Collection> {
        let schema = schema_of(parameter).unwrap_or(parameter.value);
        let is_list = match schema.get("type") {
            Some(named) => named == "array",
            None => schema.get("items").is_some(),
        };
        if !is_list {
            return None;
        }
        let place = parameter.value.get("in").and_then(Value::as_str);
        let format = parameter.value.get("collectionFormat");
        let joined = |style| Collection {
            style,
            explode: false,
        };
        Some(
            match format.map(|format| format.as_str().unwrap_or_default()) {
                None | Some("csv") => joined(None),
                Some("ssv") => joined(Some("spaceDelimited")),
                Some("tsv") => joined(Some("tabDelimited")),
                Some("pipes") => joined(Some("pipeDelimited")),
                Some("multi") if matches!(place, Some("query" | "formData")) => Collection {
                    style: None,
                    explode: true,
                },
                Some(_) => {
                    self.diagnostics.warn(
                    "bad-collection-format",
                    format!("{}/collectionFormat", parameter.pointer),
                    "a list there can be written as csv, ssv, tsv or pipes, in a query or form also as multi; its items are joined by commas",
                );
                    joined(None)
                }
            },
        )
    }
}

/// Returns the schema of a parameter that has one of its own: a body, or what an author of version 3 wrote.
pub(super) fn schema_of<'d>(parameter: &Target<'d>) -> Option<&'d Value> {
    parameter
        .value
        .get("schema")
        .filter(|schema| schema.is_object())
}
