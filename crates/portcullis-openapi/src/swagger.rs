//! Swagger 2.0 in the shape of `OpenAPI` 3, which the rest of the crate reads.
//!
//! What 3 says elsewhere than 2.0 is added beside the author's own members, and none of those is moved or taken out: references into the document keep resolving, and schemas stay under `#/definitions`.
//! `swagger/origin.rs` leads from what was added back to what the author wrote, for findings.
//!
//! Parameters are in `swagger/parameters.rs`, bodies and forms in `swagger/body.rs`, answers in `swagger/responses.rs`, servers and credentials in `swagger/head.rs`.

mod body;
mod head;
mod origin;
mod parameters;
mod responses;

use std::collections::HashSet;

use serde_json::{Map, Value, json};

pub(crate) use origin::authored;

use crate::diagnostic::Diagnostics;
use crate::limits::Limits;
use crate::media_type::family;
use crate::operations::is_method;
use crate::pointer::{escape, size};
use crate::reference::{Target, follow};

/// Marks what was added, with the way back to what it was made of (`swagger/origin.rs`).
const ORIGIN: &str = "x-portcullis-origin";
/// Media types of one list that are looked at, and that are kept; no operation needs more.
const MAX_LISTED: usize = 100;
const MAX_MEDIA_TYPES: usize = 8;
/// Values of schemas that are copied in all; where they are spent, the copy is a `$ref`.
const MAX_COPIED: usize = 500_000;
/// Values of a schema that is copied although the same place has been copied before.
const SMALL: usize = 16;

/// The document would have more than [`Limits::max_nodes`] values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooManyValues;

/// Adds the members of `OpenAPI` 3 to a document of 2.0.
///
/// # Errors
/// When the document would grow beyond the limit of values.
pub(crate) fn normalise(
    root: &mut Value,
    limits: &Limits,
    diagnostics: &mut Diagnostics,
) -> Result<(), TooManyValues> {
    let mut reading = Reading {
        root,
        consumes: named_types(root, "consumes").unwrap_or_default(),
        produces: named_types(root, "produces").unwrap_or_default(),
        diagnostics,
        additions: Vec::new(),
        done: HashSet::new(),
        copies_left: MAX_COPIED,
        values_left: Some(limits.max_nodes),
    };
    reading.servers();
    reading.schemes();
    reading.operations(limits.max_operations);
    let additions = reading.values_left.map(|_| reading.additions);
    for Addition { at, key, value } in additions.ok_or(TooManyValues)? {
        if let Some(Value::Object(members)) = root.pointer_mut(&at) {
            members.insert(key, value);
        }
    }
    Ok(())
}

/// A member that the object at a pointer gets.
struct Addition {
    at: String,
    key: String,
    value: Value,
}

/// What is gathered while the document is read; it changes only afterwards.
struct Reading<'r, 'd> {
    root: &'d Value,
    /// The media types of the document.
    consumes: Vec<&'d str>,
    produces: Vec<&'d str>,
    diagnostics: &'r mut Diagnostics,
    additions: Vec<Addition>,
    /// Pointers of operations and parameters that have been read.
    done: HashSet<String>,
    copies_left: usize,
    /// `None` when there were too many.
    values_left: Option<usize>,
}

impl<'d> Reading<'_, 'd> {
    fn operations(&mut self, max: usize) {
        let mut left = max;
        let paths = self.root.get("paths").and_then(Value::as_object);
        for (path, item) in paths.into_iter().flatten() {
            let pointer = format!("/paths/{}", escape(path));
            let Ok(item) = follow(self.root, item, pointer) else {
                continue;
            };
            for (key, value) in item.value.as_object().into_iter().flatten() {
                if !is_method(key) || !value.is_object() {
                    continue;
                }
                let pointer = format!("{}/{key}", item.pointer);
                if self.values_left.is_none() || left == 0 {
                    return;
                }
                left -= 1;
                if self.done.insert(pointer.clone()) {
                    self.operation(&item, &Target { value, pointer });
                }
            }
        }
    }

    fn operation(&mut self, item: &Target<'d>, operation: &Target<'d>) {
        self.servers_of(operation);
        let carried = self.parameters(item, operation);
        self.request_body(operation, &carried);
        self.responses(operation);
    }

    /// Notes a member to be added, within the limit of values.
    fn add(&mut self, at: &str, key: &str, value: Value) {
        let size = size(&value, usize::MAX);
        self.values_left = self.values_left.and_then(|left| left.checked_sub(size));
        if self.values_left.is_some() {
            self.additions.push(Addition {
                at: at.to_owned(),
                key: key.to_owned(),
                value,
            });
        }
    }

    /// Lists what an operation's `consumes` or `produces` names, or the document's where it has none.
    fn media_types(&self, operation: &'d Value, key: &str) -> Vec<&'d str> {
        let inherited = match key {
            "consumes" => &self.consumes,
            _ => &self.produces,
        };
        named_types(operation, key).unwrap_or_else(|| inherited.clone())
    }

    /// Writes the member `content` for a schema: a copy of it for the media type that serves best, and a small copy or a `$ref` for the others.
    fn content(
        &mut self,
        types: &[&str],
        schema: Option<&(&'d Value, String)>,
        origin: &Value,
    ) -> Map<String, Value> {
        let best = types.iter().min_by_key(|media_type| family(media_type));
        let mut content = Map::new();
        for media_type in types {
            let mut members = Map::new();
            if let Some((schema, pointer)) = schema {
                let limit = if Some(media_type) == best {
                    usize::MAX
                } else {
                    SMALL
                };
                members.insert("schema".to_owned(), self.copy(schema, pointer, limit));
            }
            members.insert(ORIGIN.to_owned(), origin.clone());
            content.insert((*media_type).to_owned(), Value::Object(members));
        }
        content
    }

    /// Copies a schema, or refers to it where it has more than `limit` values or the copies would grow too many.
    fn copy(&mut self, schema: &Value, pointer: &str, limit: usize) -> Value {
        let limit = limit.min(self.copies_left);
        let size = size(schema, limit.saturating_add(1));
        if size <= limit {
            self.copies_left -= size;
            return schema.clone();
        }
        json!({"$ref": format!("#{}", pointer.replace('%', "%25"))})
    }
}

/// Reads a list of media types, the best of which are kept where it is long.
fn named_types<'d>(owner: &'d Value, key: &str) -> Option<Vec<&'d str>> {
    let all: Vec<&str> = match owner.get(key)? {
        Value::Null => return None,
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut types: Vec<&str> = Vec::new();
    for media_type in all.into_iter().take(MAX_LISTED).map(str::trim) {
        if media_type.contains('/') && !types.contains(&media_type) {
            types.push(media_type);
        }
    }
    if types.len() > MAX_MEDIA_TYPES {
        types.sort_by_key(|media_type| family(media_type));
        types.truncate(MAX_MEDIA_TYPES);
    }
    Some(types)
}
