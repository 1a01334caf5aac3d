//! One revision of a document against another.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::{Document, Limits};

struct Revision(Document, Vec<Arc<Tool>>, BTreeSet<String>);

impl Revision {
    fn view(&self) -> DocumentView<'_> {
        DocumentView {
            title: &self.0.title,
            tools: &self.1,
            schemes: &self.0.schemes,
            origins: &self.2,
        }
    }
}

fn revision(document: &Value) -> Revision {
    let text = document.to_string();
    let document = Document::parse(text.as_bytes(), &Limits::default()).expect("a document");
    let tools = document.tools().0.into_iter().map(Arc::new).collect();
    let servers = document.servers.iter();
    let origins =
        servers.filter_map(|url| Some(url::Url::parse(url).ok()?.origin().ascii_serialization()));
    let origins = origins.collect();
    Revision(document, tools, origins)
}

fn of_paths(paths: &Value) -> Revision {
    revision(&json!({
        "openapi": "3.1.0", "info": {"title": "Pets"},
        "servers": [{"url": "https://a.example"}], "paths": paths
    }))
}

/// The changes of one operation whose body has these two schemas, each as `breaks code`.
fn of_schemas(before: &Value, after: &Value) -> Vec<String> {
    let operation = |schema: &Value| {
        of_paths(&json!({"/a": {"post": {
            "operationId": "a",
            "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}}
        }}}))
    };
    let (before, after) = (operation(before), operation(after));
    codes(&difference(before.view(), after.view()))
}

fn codes(difference: &ToolDifference) -> Vec<String> {
    let changes = difference.changed.iter().flat_map(|it| &it.changes);
    let word = |breaks: bool| if breaks { "breaks " } else { "" };
    changes
        .map(|it| format!("{}{}", word(it.breaks), it.code))
        .collect()
}

#[test]
fn the_same_revision_has_no_difference_whatever_its_order() {
    let one = of_paths(
        &json!({"/a": {"get": {"operationId": "a"}}, "/b": {"get": {"operationId": "b"}}}),
    );
    let other = of_paths(
        &json!({"/b": {"get": {"operationId": "b"}}, "/a": {"get": {"operationId": "a"}}}),
    );
    let found = difference(one.view(), other.view());
    assert!(found.is_empty() && !found.breaks());
    assert_eq!(found.summary(), "no tool changed");
}

#[test]
fn tools_are_added_removed_renamed_and_changed() {
    let one = of_paths(&json!({
        "/a": {"get": {"operationId": "a"}},
        "/b/{id}": {"get": {"operationId": "b"}},
        "/c": {"get": {"operationId": "c"}},
    }));
    let other = of_paths(&json!({
        "/a": {"get": {"operationId": "a", "description": "Read this"}},
        "/b/{name}": {"get": {"operationId": "bee"}},
        "/d": {"get": {"operationId": "d"}},
    }));
    let found = difference(one.view(), other.view());
    assert_eq!(found.added, ["d"]);
    assert_eq!(found.removed, ["c"]);
    assert_eq!(found.renamed.len(), 1);
    assert_eq!(
        found.summary(),
        "+ 1 tool, ~ 2 tools changed (1 breaks callers), > 1 tool renamed, - 1 tool"
    );
    insta::assert_snapshot!(found, @r"
    + d
    > b is called bee
    ~ a
               description changed
    ~ bee
        breaks argument `id` removed
        breaks argument `name` is new and required
               description changed
               operation-id changed
    - c
    ");
    let json = serde_json::to_value(&found).expect("JSON");
    assert_eq!(json["changed"][0]["changes"][0]["code"], "description");
}

#[test]
fn what_callers_may_send_breaks_them_where_it_gets_less() {
    let object = |properties: Value, required: Value| json!({"type": "object", "properties": properties, "required": required});
    let string = json!({"type": "string"});
    for (before, after, expected) in [
        (
            object(json!({"a": string}), json!([])),
            object(json!({}), json!([])),
            "breaks argument-removed",
        ),
        (
            object(json!({}), json!([])),
            object(json!({"a": string}), json!([])),
            "argument-added",
        ),
        (
            object(json!({}), json!([])),
            object(json!({"a": string}), json!(["a"])),
            "breaks argument-required",
        ),
        (
            object(json!({"a": string}), json!([])),
            object(json!({"a": string}), json!(["a"])),
            "breaks argument-required",
        ),
        (
            object(json!({"a": string}), json!(["a"])),
            object(json!({"a": string}), json!([])),
            "argument-optional",
        ),
    ] {
        assert_eq!(of_schemas(&before, &after), [expected], "{before} {after}");
    }
}

#[test]
fn values_that_are_taken_no_more_break_callers() {
    let string = json!({"type": "string"});
    for (before, after, expected) in [
        (
            json!({"type": ["string", "null"]}),
            json!({"type": "string"}),
            "breaks type-narrowed",
        ),
        (
            json!({"type": "integer"}),
            json!({"type": "number"}),
            "type-widened",
        ),
        (
            json!({"type": "number"}),
            json!({"type": "integer"}),
            "breaks type-narrowed",
        ),
        (
            json!({"enum": ["a", "b"]}),
            json!({"enum": ["a"]}),
            "breaks value-removed",
        ),
        (
            json!({"enum": ["a"]}),
            json!({"enum": ["a", "b"]}),
            "value-added",
        ),
        (
            json!({"type": "string"}),
            json!({"type": "string", "enum": ["a"]}),
            "breaks value-removed",
        ),
        (
            json!({"type": "string", "maxLength": 9}),
            json!({"type": "string", "maxLength": 5}),
            "breaks constraint-tightened",
        ),
        (
            json!({"type": "string", "maxLength": 9}),
            json!({"type": "string"}),
            "constraint-loosened",
        ),
        (
            json!({"type": "integer", "minimum": 1}),
            json!({"type": "integer", "minimum": 0}),
            "constraint-loosened",
        ),
        (
            json!({"type": "integer"}),
            json!({"type": "integer", "minimum": 0}),
            "breaks constraint-tightened",
        ),
        (
            json!({"type": "string"}),
            json!({"type": "string", "pattern": "^a"}),
            "breaks schema-changed",
        ),
        (
            json!({"type": "array", "items": string}),
            json!({"type": "array", "items": {"type": "integer"}}),
            "breaks type-narrowed",
        ),
        (
            json!({"anyOf": [string, {"type": "integer"}]}),
            json!({"anyOf": [string]}),
            "breaks alternatives",
        ),
        (
            json!({"anyOf": [string]}),
            json!({"anyOf": [string, {"type": "integer"}]}),
            "alternatives",
        ),
        (
            json!({"type": "string"}),
            json!({"type": "string", "description": "else"}),
            "description",
        ),
    ] {
        assert_eq!(of_schemas(&before, &after), [expected], "{before} {after}");
    }
}

#[test]
fn recursive_schemas_are_compared_once() {
    let document = |kind: &str| {
        revision(&json!({
            "openapi": "3.1.0", "paths": {"/a": {"post": {"operationId": "a", "requestBody": {
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}
            }}}},
            "components": {"schemas": {"Node": {"type": "object", "properties": {
                "next": {"$ref": "#/components/schemas/Node"},
                "value": {"type": kind}
            }}}}
        }))
    };
    let (before, after) = (document("string"), document("integer"));
    let found = difference(before.view(), after.view());
    assert_eq!(codes(&found), ["breaks type-narrowed"]);
    let change = &found.changed[0].changes[0];
    assert_eq!(change.text, "argument `body.value` is string -> integer");
}

#[test]
fn where_a_call_goes_and_what_it_needs_breaks_callers() {
    let document = |server: &str, security: Value| {
        revision(&json!({
            "openapi": "3.1.0", "servers": [{"url": server}],
            "paths": {"/a": {"get": {"operationId": "a", "security": security}}},
            "components": {"securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
                "oauth": {"type": "oauth2", "flows": {}}
            }}
        }))
    };
    let open = document("https://a.example", json!([]));
    let keyed = document("https://a.example", json!([{"key": []}]));
    let scoped = document(
        "https://a.example",
        json!([{"oauth": ["read"]}, {"key": []}]),
    );
    let wider = document(
        "https://a.example",
        json!([{"oauth": ["read", "write"]}, {"key": []}]),
    );
    let moved = document("https://b.example", json!([]));
    for (before, after, expected) in [
        (&open, &moved, "breaks server"),
        (&open, &keyed, "breaks security"),
        (&keyed, &open, "security"),
        (&keyed, &scoped, "security"),
        (&scoped, &keyed, "breaks security"),
        (&scoped, &wider, "breaks security"),
        (&wider, &scoped, "security"),
    ] {
        assert_eq!(codes(&difference(before.view(), after.view())), [expected]);
    }
}

#[test]
fn a_tool_that_is_deprecated_breaks_callers_in_time() {
    let document = |deprecated: bool| {
        of_paths(&json!({"/a": {"get": {"operationId": "a", "deprecated": deprecated}}}))
    };
    let (before, after) = (document(false), document(true));
    let found = difference(before.view(), after.view());
    assert_eq!(codes(&found), ["breaks deprecated", "description"]);
    assert!(found.breaks());
}

#[test]
fn what_a_document_says_of_itself_is_told() {
    let document = |title: &str, kind: &str| {
        revision(&json!({
            "openapi": "3.1.0", "info": {"title": title}, "paths": {},
            "components": {"securitySchemes": {"key": {"type": "http", "scheme": kind}}}
        }))
    };
    let (one, other) = (document("Pets", "bearer"), document("Shops", "basic"));
    let found = difference(one.view(), other.view());
    let told: Vec<_> = found.document.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(
        told,
        [
            "title \"Pets\" -> \"Shops\"",
            "security scheme \"key\" changed"
        ]
    );
    assert!(found.breaks() && !found.is_empty());
}

#[test]
fn m_06_another_origin_among_a_documents_own_servers_is_a_change_though_no_tool_is() {
    let with = |servers: Value| {
        revision(&json!({
            "openapi": "3.1.0", "servers": servers,
            "paths": {"/a": {"get": {"operationId": "a", "servers": [{"url": "https://evil.example"}]}}}
        }))
    };
    let own = json!({"url": "https://a.example/v1"});
    let one = with(json!([own]));
    let both = with(json!([own, {"url": "https://evil.example"}]));
    for (from, to) in [(&one, &both), (&both, &one)] {
        let found = difference(from.view(), to.view());
        assert!(found.changed.is_empty() && !found.is_empty(), "{found}");
        assert!(
            found.breaks() && found.to_string().contains("evil.example"),
            "{found}"
        );
    }
    let elsewhere = with(json!([{"url": "https://a.example/v2"}]));
    assert!(difference(one.view(), elsewhere.view()).is_empty());
}

#[test]
fn m_06_whatever_a_selection_goes_by_is_compared() {
    let with = |operation: Value| of_paths(&json!({"/a": {"post": operation}}));
    let summary = "Does a thing";
    let before = with(json!({"operationId": "wipe all", "summary": summary, "deprecated": true}));
    for (after, expected) in [
        (
            json!({"operationId": "wipe_all", "summary": summary, "deprecated": true}),
            "operation-id",
        ),
        (
            json!({"operationId": "wipe all", "summary": summary}),
            "deprecated",
        ),
        (
            json!({"operationId": "wipe all", "summary": summary, "deprecated": true, "tags": ["a"]}),
            "tags",
        ),
    ] {
        let after = with(after);
        let found = difference(before.view(), after.view());
        let codes = codes(&found);
        assert!(codes.iter().any(|it| it == expected), "{codes:?}");
    }
}
