//! The way back from a pointer into the normalised document to what the author wrote.

use serde_json::Value;

use super::ORIGIN;
use crate::reference::{reference, target};

/// Returns the place in the author's document that a pointer into the normalised one stands for.
///
/// A mark is the pointer that everything below was made of, or the number of steps on the way that the author's document does not have.
pub(crate) fn authored(root: &Value, pointer: &str) -> String {
    let mut place = String::new();
    let mut here = Some(root);
    for token in pointer.split('/').skip(1) {
        place.push('/');
        place.push_str(token);
        here = here.and_then(|value| child(root, value, token));
        match here.and_then(|value| value.get(ORIGIN)) {
            Some(Value::String(origin)) if origin.starts_with('/') => place.clone_from(origin),
            Some(Value::Number(steps)) => {
                for _ in 0..steps.as_u64().unwrap_or_default() {
                    place.truncate(place.rfind('/').unwrap_or_default());
                }
            }
            _ => {}
        }
    }
    place
}

/// Finds a member or item by its reference token, of a value or of what its `$ref` names.
fn child<'d>(root: &'d Value, value: &'d Value, token: &str) -> Option<&'d Value> {
    let step = format!("/{token}");
    value.pointer(&step).or_else(|| {
        let referred = target(root, reference(value)?).ok()?;
        referred.value.pointer(&step)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pointer_leads_back_over_every_mark() {
        let root = json!({
            "x-items": {"a": {"get": {"parameters": [{"schema": {ORIGIN: 1, "items": {}}}]}}},
            "paths": {"/a": {"$ref": "#/x-items/a", "post": {
                "requestBody": {ORIGIN: "/parameters/B", "content": {"a/b": {ORIGIN: "/parameters/B", "schema": {}}}},
                "responses": {"200": {"content": {"a/b": {ORIGIN: 2, "schema": {}}}}}
            }}}
        });
        for (normalised, expected) in [
            (
                "/paths/~1a/get/parameters/0/schema/items",
                "/paths/~1a/get/parameters/0/items",
            ),
            ("/paths/~1a/post/requestBody", "/parameters/B"),
            (
                "/paths/~1a/post/requestBody/content/a~1b/schema/properties/x",
                "/parameters/B/schema/properties/x",
            ),
            (
                "/paths/~1a/post/responses/200/content/a~1b/schema/type",
                "/paths/~1a/post/responses/200/schema/type",
            ),
            (
                "/definitions/A/properties/b~1c",
                "/definitions/A/properties/b~1c",
            ),
            ("", ""),
        ] {
            assert_eq!(authored(&root, normalised), expected);
        }
    }
}
