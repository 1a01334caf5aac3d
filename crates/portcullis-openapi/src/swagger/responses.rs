//! The `schema` of an answer goes into the media types of `produces`.

use serde_json::{Map, Value, json};

use super::Reading;
use crate::pointer::escape;
use crate::reference::{Target, follow, reference};

/// Successful answers of one operation that are read.
const MAX_SUCCESSES: usize = 10;
/// Steps from an answer to a media type, which 2.0 does not have.
const STEPS: usize = 2;

impl<'d> Reading<'_, 'd> {
    /// Adds `content` to the successful answers of an operation, and to the one for all others.
    pub(super) fn responses(&mut self, operation: &Target<'d>) {
        let all = operation.value.get("responses").and_then(Value::as_object);
        let successes = all
            .into_iter()
            .flatten()
            .filter(|(status, _)| status.starts_with('2') || status.as_str() == "default");
        for (status, answer) in successes.take(MAX_SUCCESSES) {
            let at = format!("{}/responses/{}", operation.pointer, escape(status));
            let Ok(target) = follow(self.root, answer, at.clone()) else {
                continue;
            };
            let Some(content) = self.answer(operation, &target) else {
                continue;
            };
            if reference(answer).is_none() {
                self.add(&at, "content", Value::Object(content));
                continue;
            }
            // What is shared may be produced in other media types elsewhere.
            let mut own = Map::from_iter([("content".to_owned(), Value::Object(content))]);
            for key in ["description", "headers"] {
                if let Some(value) = target.value.get(key) {
                    let copy = self.copy(value, &format!("{}/{key}", target.pointer), usize::MAX);
                    own.insert(key.to_owned(), copy);
                }
            }
            let responses = format!("{}/responses", operation.pointer);
            self.add(&responses, status, Value::Object(own));
        }
    }

    fn answer(
        &mut self,
        operation: &Target<'d>,
        answer: &Target<'d>,
    ) -> Option<Map<String, Value>> {
        let schema = answer
            .value
            .get("schema")
            .filter(|schema| !schema.is_null());
        let mut types = self.media_types(operation.value, "produces");
        let examples = answer.value.get("examples").and_then(Value::as_object);
        if types.is_empty() {
            let named = examples
                .into_iter()
                .flatten()
                .map(|(name, _)| name.as_str());
            types.extend(
                named
                    .filter(|name| name.contains('/'))
                    .take(super::MAX_MEDIA_TYPES),
            );
        }
        match schema.and_then(|schema| schema.get("type")) {
            _ if !types.is_empty() => {}
            _ if schema.is_none() => return None,
            Some(named) if named == "file" => types.push("application/octet-stream"),
            _ => types.push("application/json"),
        }
        let schema = schema.map(|schema| (schema, format!("{}/schema", answer.pointer)));
        Some(self.content(&types, schema.as_ref(), &json!(STEPS)))
    }
}
