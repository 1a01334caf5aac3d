//! The operations of a document, in its order; what is under `webhooks` and `callbacks` calls the other way and is none.

use serde_json::Value;

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
        diagnostics.note(
            "no-paths",
            "",
            "the document has no `paths`, so it has no tools",
        );
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

/// Reads a key of a path item as a method; one that tools do not have is reported.
fn method(key: &str, pointer: &str, diagnostics: &mut Diagnostics) -> Option<Method> {
    Some(match key {
        "get" => Method::Get,
        "head" => Method::Head,
        "options" => Method::Options,
        "post" => Method::Post,
        "put" => Method::Put,
        "patch" => Method::Patch,
        "delete" => Method::Delete,
        "trace" | "query" => {
            diagnostics.error(
                "unsupported-method",
                format!("{pointer}/{key}"),
                format!(
                    "{} operations do not become tools",
                    key.to_ascii_uppercase()
                ),
            );
            return None;
        }
        _ => return None,
    })
}
