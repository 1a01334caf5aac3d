//! How many operations a document has, read and counted without the importer.
//!
//! A path item may be a reference into the document or into a file beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// The keys of a path item that are operations with a method that tools have.
const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// A reference to a reference, and so on.
const MAX_HOPS: usize = 20;

/// What a document holds.
pub(super) struct Counted {
    /// What it says it is.
    pub(super) version: String,
    /// Where the operations stand.
    pub(super) operations: BTreeSet<String>,
}

impl Counted {
    /// Reads a file; nothing where it is no OpenAPI document.
    pub(super) fn of(file: &Path) -> Result<Option<Self>> {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let Some(document) = value(&bytes) else {
            return Ok(None);
        };
        let version = ["openapi", "swagger"].into_iter().find_map(|key| {
            let version = document.get(key)?;
            let text = version.as_str().map(str::to_owned);
            text.or_else(|| Some(version.as_f64()?.to_string()))
        });
        let Some(version) = version else {
            return Ok(None);
        };
        Ok(Some(Self {
            version,
            operations: operations(&document, file),
        }))
    }
}

/// The places of what the OpenAPI specification calls operations, in a document that stands in `file`.
pub(crate) fn operations(document: &Value, file: &Path) -> BTreeSet<String> {
    let paths = document.get("paths").and_then(Value::as_object);
    let mut found = BTreeSet::new();
    for (path, item) in paths.into_iter().flatten() {
        let path = path.replace('~', "~0").replace('/', "~1");
        let methods = methods(item, document, file, MAX_HOPS).unwrap_or_default();
        found.extend(
            methods
                .iter()
                .map(|method| format!("/paths/{path}/{method}")),
        );
    }
    found
}

/// The methods of a path item, behind at most so many references.
fn methods(item: &Value, document: &Value, file: &Path, hops: usize) -> Option<Vec<String>> {
    let Some(reference) = item.get("$ref").and_then(Value::as_str) else {
        let keys = item.as_object()?.keys();
        let methods = keys.filter(|key| METHODS.contains(&key.as_str()));
        return Some(methods.cloned().collect());
    };
    let hops = hops.checked_sub(1)?;
    let (other, pointer) = reference.split_once('#').unwrap_or((reference, ""));
    if other.is_empty() {
        return methods(document.pointer(pointer)?, document, file, hops);
    }
    let file = file.parent()?.join(other);
    let document = value(&fs::read(&file).ok()?)?;
    methods(document.pointer(pointer)?, &document, &file, hops)
}

/// Reads JSON or YAML.
fn value(bytes: &[u8]) -> Option<Value> {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Some(value);
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
        budget: serde_saphyr::budget! { max_nodes: 10_000_000, max_events: 30_000_000 },
    };
    serde_saphyr::from_str_with_options(text, options).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> Option<(String, Vec<String>)> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), text).expect("written");
        let counted = Counted::of(file.path()).expect("it is there")?;
        Some((counted.version, counted.operations.into_iter().collect()))
    }

    #[test]
    fn operations_are_counted_in_json_and_in_yaml() {
        let json = r#"{"openapi": "3.1.0", "paths": {"/a~b": {"get": {}, "trace": {}, "x-get": {}, "parameters": []}}}"#;
        let expected = Some(("3.1.0".to_owned(), vec!["/paths/~1a~0b/get".to_owned()]));
        assert_eq!(counted(json), expected);
        let yaml = "openapi: 3.1.0\npaths:\n  /a~b:\n    get: {}\n    trace: {}\n";
        assert_eq!(counted(yaml), expected);
    }

    #[test]
    fn a_path_may_be_a_reference() {
        let json = r##"{"swagger": "2.0", "paths": {"/a": {"$ref": "#/x/b"}}, "x": {"b": {"$ref": "#/x/c"}, "c": {"put": {}}}}"##;
        let expected = Some(("2.0".to_owned(), vec!["/paths/~1a/put".to_owned()]));
        assert_eq!(counted(json), expected);
    }

    #[test]
    fn a_path_may_stand_in_a_file_beside_the_document() {
        let folder = tempfile::tempdir().expect("a folder");
        let document = folder.path().join("openapi.yaml");
        let text = "openapi: 3.0.0\npaths:\n  /a:\n    $ref: a.yaml#/items/a\n";
        fs::write(&document, text).expect("written");
        let beside = folder.path().join("a.yaml");
        fs::write(beside, "items:\n  a:\n    delete: {}\n").expect("written");
        let counted = Counted::of(&document).expect("it is there").expect("one");
        assert_eq!(Vec::from_iter(counted.operations), ["/paths/~1a/delete"]);
    }

    #[test]
    fn what_says_no_version_is_no_document() {
        assert_eq!(counted(r#"{"paths": {"/a": {"get": {}}}}"#), None);
        assert_eq!(counted("[1]"), None);
        assert_eq!(counted("{"), None);
    }
}
