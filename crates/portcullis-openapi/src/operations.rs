//! The operations of a document, in its order; what is under `webhooks` and `callbacks` calls the other way and is none.

use serde_json::{Map, Value};

use crate::diagnostic::Diagnostics;
use crate::document::Document;
use crate::model::Method;
use crate::pointer::escape;
use crate::reference::follow;

/// One operation, where it stands in the document.
#[derive(Clone, Debug)]
pub(crate) struct Operation<'d> {
    /// The key under `paths`.
    pub(crate) path: &'d str,
    pub(crate) method: Method,
    pub(crate) path_item: &'d Value,
    pub(crate) path_item_pointer: String,
    pub(crate) value: &'d Value,
    pub(crate) pointer: String,
}

impl<'d> Operation<'d> {
    /// Returns a text member of the operation.
    pub(crate) fn text(&self, key: &str) -> Option<&'d str> {
        self.value
            .get(key)?
            .as_str()
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }
}

/// Lists a document's operations; what is none is reported.
pub(crate) fn operations<'d>(
    document: &'d Document,
    diagnostics: &mut Diagnostics,
) -> Vec<Operation<'d>> {
    let root = &document.root;
    let Some(paths) = root.get("paths").and_then(Value::as_object) else {
        let message = if root.get("webhooks").is_some() {
            "the document has webhooks alone, which call the other way, so it has no tools"
        } else {
            "the document has no `paths`, so it has no tools"
        };
        diagnostics.note("no-paths", "", message);
        return Vec::new();
    };
    let mut operations = Vec::new();
    for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("x-")) {
        let pointer = format!("/paths/{}", escape(path));
        let item = match follow(root, item, pointer.clone()) {
            Ok(target) => target,
            Err(error) => {
                diagnostics.error(
                    error.code(),
                    pointer,
                    format!("{error}; the path's operations are left out"),
                );
                continue;
            }
        };
        let Some(members) = item.value.as_object() else {
            diagnostics.error(
                "path-not-object",
                pointer,
                "a path must be an object; its operations are left out",
            );
            continue;
        };
        report_additional(members, &pointer, diagnostics);
        for (key, operation) in members {
            let Some(method) = method(key, &pointer, diagnostics) else {
                continue;
            };
            let pointer = format!("{pointer}/{key}");
            if operation.is_object() {
                operations.push(Operation {
                    path,
                    method,
                    path_item: item.value,
                    path_item_pointer: item.pointer.clone(),
                    value: operation,
                    pointer,
                });
            } else {
                diagnostics.error(
                    "operation-not-object",
                    pointer,
                    "an operation must be an object; it is left out",
                );
            }
        }
    }
    operations
}

/// Reports the operations of 3.2 whose methods have no name of their own.
fn report_additional(members: &Map<String, Value>, pointer: &str, diagnostics: &mut Diagnostics) {
    let additional = members
        .get("additionalOperations")
        .and_then(Value::as_object);
    for method in additional.into_iter().flatten().map(|(method, _)| method) {
        diagnostics.error(
            "unsupported-method",
            format!("{pointer}/additionalOperations/{}", escape(method)),
            format!("{} operations do not become tools", method.escape_debug()),
        );
    }
}

/// Tells whether a key of a path item is a method that tools have.
pub(crate) fn is_method(key: &str) -> bool {
    named(key).is_some()
}

/// Reads a key of a path item as a method; one that tools do not have is reported.
fn method(key: &str, pointer: &str, diagnostics: &mut Diagnostics) -> Option<Method> {
    if matches!(key, "trace" | "query") {
        diagnostics.error(
            "unsupported-method",
            format!("{pointer}/{key}"),
            format!(
                "{} operations do not become tools",
                key.to_ascii_uppercase()
            ),
        );
    }
    named(key)
}

fn named(key: &str) -> Option<Method> {
    Some(match key {
        "get" => Method::Get,
        "head" => Method::Head,
        "options" => Method::Options,
        "post" => Method::Post,
        "put" => Method::Put,
        "patch" => Method::Patch,
        "delete" => Method::Delete,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    #[test]
    fn o_12_only_methods_of_the_list_become_tools() {
        let methods = [
            "get", "head", "options", "post", "put", "patch", "delete", "trace", "query", "GET",
            "connect", "x-get",
        ];
        let item: serde_json::Map<_, _> = methods
            .map(|method| (method.to_owned(), serde_json::json!({"responses": {}})))
            .into_iter()
            .collect();
        let text = serde_json::json!({"openapi": "3.1.0", "paths": {"/a": item}}).to_string();
        let document = Document::parse(text.as_bytes(), &Limits::default()).expect("a document");
        let mut diagnostics = Diagnostics::new(10);
        let found: Vec<_> = operations(&document, &mut diagnostics)
            .iter()
            .map(|operation| operation.pointer.rsplit('/').next().map(str::to_owned))
            .collect();
        let expected = ["get", "head", "options", "post", "put", "patch", "delete"];
        assert_eq!(found, expected.map(|method| Some(method.to_owned())));
        let reported: Vec<_> = diagnostics
            .finish()
            .into_iter()
            .map(|d| d.pointer)
            .collect();
        assert_eq!(reported, ["/paths/~1a/trace", "/paths/~1a/query"]);
    }
}
