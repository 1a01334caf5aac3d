//! Rules of single keywords, each with a minimal document: what authors write, and what models and APIs get.

use portcullis_openapi::{Diagnostic, Document, Limits, Place, RequestPlan, Tool};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

const VERSIONS: [&str; 3] = ["3.0.3", "3.1.0", "3.2.0"];

fn tools(document: &Value) -> (Vec<Tool>, Vec<Diagnostic>) {
    let document = Document::parse(document.to_string().as_bytes(), &Limits::default()).unwrap();
    document.tools()
}

fn of_paths(version: &str, paths: &Value) -> (Vec<Tool>, Vec<Diagnostic>) {
    tools(&json!({"openapi": version, "paths": paths}))
}

fn input(tool: &Tool) -> Value {
    serde_json::from_str(tool.input_schema().get()).unwrap()
}

/// What the model reads of a schema that is a JSON body.
fn read(version: &str, schema: &Value) -> Value {
    let body = json!({"content": {"application/json": {"schema": schema}}});
    let (tools, _) = of_paths(version, &json!({"/a": {"post": {"requestBody": body}}}));
    input(&tools[0])["properties"]["body"].clone()
}

fn plan(tool: &Tool, arguments: &Value) -> RequestPlan {
    tool.plan(Some(&to_raw_value(arguments).unwrap())).unwrap()
}

fn codes(found: &[Diagnostic]) -> Vec<(&str, &str)> {
    found
        .iter()
        .map(|found| (found.code, found.pointer.as_str()))
        .collect()
}

#[test]
fn null_is_allowed_by_every_way_of_saying_so() {
    for version in VERSIONS {
        for key in ["nullable", "x-nullable"] {
            let schema = read(
                version,
                &json!({"type": "string", key: true, "enum": ["a"]}),
            );
            assert_eq!(
                schema,
                json!({"type": ["string", "null"], "enum": ["a", null]})
            );
        }
        let list = json!({"type": ["string", "null"]});
        assert_eq!(read(version, &list), list);
    }
}

#[test]
fn bounds_are_exclusive_by_booleans_and_by_numbers() {
    for version in VERSIONS {
        let schema = json!({"minimum": 1, "exclusiveMinimum": true, "maximum": "9", "exclusiveMaximum": false});
        assert_eq!(
            read(version, &schema),
            json!({"exclusiveMinimum": 1, "maximum": 9})
        );
        let schema = json!({"exclusiveMinimum": 1, "exclusiveMaximum": "9.5"});
        assert_eq!(
            read(version, &schema),
            json!({"exclusiveMinimum": 1, "exclusiveMaximum": 9.5})
        );
        let nonsense = json!({"minimum": "high", "multipleOf": 0, "maxItems": -1, "minLength": [], "exclusiveMinimum": true});
        assert_eq!(read(version, &nonsense), json!({}));
    }
}

#[test]
fn what_stands_beside_a_reference_counts_as_its_version_says() {
    let property = json!({"$ref": "#/components/schemas/A", "maxLength": 3, "description": "Mine.", "deprecated": true});
    for (version, bound) in [("3.0.0", Value::Null), ("3.1.0", json!(3))] {
        let (tools, _) = tools(&json!({
            "openapi": version,
            "components": {"schemas": {"A": {"type": "string", "description": "Its."}}},
            "paths": {"/a": {"post": {"requestBody": {"content": {"application/json": {"schema": {
                "type": "object", "properties": {"a": property, "b": {"$ref": "#/components/schemas/A", "readOnly": true}}
            }}}}}}}
        }));
        let properties = input(&tools[0])["properties"]["body"]["properties"].clone();
        assert_eq!(properties["a"]["maxLength"], bound, "{version}");
        assert_eq!(properties["a"]["description"], "Mine.");
        assert_eq!(properties["a"]["deprecated"], true);
        assert_eq!(properties.get("b"), None);
    }
}

#[test]
fn a_description_beside_the_reference_of_a_parameter_is_read() {
    let parameter =
        json!({"name": "p", "in": "query", "description": "Its.", "schema": {"type": "string"}});
    let (tools, _) = tools(&json!({
        "openapi": "3.1.0", "components": {"parameters": {"P": parameter}},
        "paths": {"/a": {
            "get": {"parameters": [{"$ref": "#/components/parameters/P", "description": "Mine."}]},
            "put": {"parameters": [{"$ref": "#/components/parameters/P"}]}
        }}
    }));
    assert_eq!(input(&tools[0])["properties"]["p"]["description"], "Mine.");
    assert_eq!(input(&tools[1])["properties"]["p"]["description"], "Its.");
}

#[test]
fn references_lead_into_paths_extensions_and_names_that_are_encoded() {
    let document = json!({
        "openapi": "3.0.0",
        "x-shared": {"a b": {"type": "string"}, "ü": {"type": "boolean"}},
        "paths": {
            "/a/{id}": {"get": {"parameters": [
                {"name": "id", "in": "path", "schema": {"type": "integer"}},
                {"name": "x", "in": "query", "schema": {"$ref": "#/x-shared/a%20b"}},
                {"name": "y", "in": "query", "schema": {"$ref": "#/x-shared/%C3%BC"}}
            ]}},
            "/b/{id}": {"get": {"parameters": [
                {"$ref": "#/paths/~1a~1%7Bid%7D/get/parameters/0"},
                {"$ref": "#/paths/~1a~1{id}/get/parameters/1"}
            ]}}
        }
    });
    let (tools, found) = tools(&document);
    assert!(found.is_empty(), "{found:?}");
    let definitions = input(&tools[0])["$defs"]
        .as_object()
        .unwrap()
        .values()
        .cloned()
        .collect::<Vec<_>>();
    assert_eq!(
        definitions,
        [json!({"type": "string"}), json!({"type": "boolean"})]
    );
    assert_eq!(
        input(&tools[1])["properties"]["id"],
        json!({"type": "integer"})
    );
    assert_eq!(tools[1].request.parameters.len(), 2);
}

#[test]
fn a_reference_that_leads_nowhere_costs_no_tool() {
    let nowhere = json!({"$ref": "#/components/x/Missing"});
    let (tools, found) = of_paths(
        "3.0.0",
        &json!({"/a": {"post": {
            "parameters": [nowhere, {"name": "q", "in": "query", "schema": nowhere}],
            "requestBody": nowhere, "responses": {"200": nowhere}
        }}}),
    );
    assert_eq!(input(&tools[0])["properties"]["q"], json!({}));
    assert!(plan(&tools[0], &json!({"body": {"any": 1}})).body.is_some());
    assert_eq!(
        codes(&found),
        [
            ("dangling-reference", "/paths/~1a/post/requestBody"),
            ("dangling-reference", "/paths/~1a/post/parameters/0"),
            (
                "dangling-reference",
                "/paths/~1a/post/parameters/1/schema/$ref"
            ),
        ]
    );
}

#[test]
fn a_required_property_is_no_boolean() {
    let schema = json!({"type": "object", "required": true, "properties": {"a": {"type": "string", "required": true}}});
    assert_eq!(
        read("3.0.0", &schema),
        json!({"type": "object", "properties": {"a": {"type": "string"}}})
    );
}

#[test]
fn a_schema_refers_to_itself_by_the_keywords_of_each_draft() {
    for reference in [
        json!({"$recursiveRef": "#"}),
        json!({"$dynamicRef": "#"}),
        json!({"$ref": "#/components/schemas/Tree"}),
    ] {
        let (tools, _) = tools(&json!({
            "openapi": "3.1.0",
            "components": {"schemas": {"Tree": {"$recursiveAnchor": true, "properties": {"child": reference}}}},
            "paths": {"/a": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}}}}}
        }));
        let tree = input(&tools[0])["$defs"]["Tree"].clone();
        assert_eq!(
            tree,
            json!({"properties": {"child": {"$ref": "#/$defs/Tree"}}})
        );
    }
}

#[test]
fn path_keys_hold_queries_and_fragments() {
    let (tools, _) = of_paths(
        "3.0.0",
        &json!({
            "/a?op=list&id={id}": {"get": {"parameters": [{"name": "id", "in": "path", "schema": {"type": "string"}}]}},
            "/b#Action=Go": {"get": {}},
            "/b#Action=Stop": {"get": {}},
            "/c/#env/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "schema": {"type": "string"}}]}}
        }),
    );
    let requests: Vec<_> = [json!({"id": "x"}), json!({}), json!({}), json!({"id": "x"})]
        .iter()
        .zip(&tools)
        .map(|(arguments, tool)| plan(tool, arguments))
        .map(|plan| format!("{}?{}", plan.path, plan.query))
        .collect();
    assert_eq!(requests, ["/a?op=list&id=x", "/b?", "/b?", "/c/%23env/x?"]);
    assert_ne!(tools[1].name, tools[2].name);
}

#[test]
fn a_path_parameter_is_required_whatever_its_declaration_says() {
    let (tools, found) = of_paths(
        "3.0.0",
        &json!({"/a/{b}/{c}": {"get": {"parameters": [
            {"name": "b", "in": "path", "required": false, "schema": {"type": "integer"}},
            {"name": "d", "in": "path", "schema": {"type": "integer"}}
        ]}}}),
    );
    let input = input(&tools[0]);
    assert_eq!(input["required"], json!(["b", "c"]));
    assert_eq!(
        input["properties"],
        json!({"b": {"type": "integer"}, "c": {"type": "string"}})
    );
    assert_eq!(
        codes(&found),
        [
            (
                "unused-path-parameter",
                "/paths/~1a~1{b}~1{c}/get/parameters/1"
            ),
            ("undeclared-path-parameter", "/paths/~1a~1{b}~1{c}/get"),
        ]
    );
}

#[test]
fn one_name_in_two_places_is_two_arguments() {
    let parameter = |place: &str| json!({"name": "id", "in": place, "schema": {"type": "string"}});
    let (tools, _) = of_paths(
        "3.0.0",
        &json!({"/a/{id}": {"get": {"parameters": [parameter("query"), parameter("path"), parameter("header")]}}}),
    );
    let names: Vec<_> = tools[0]
        .request
        .parameters
        .iter()
        .map(|parameter| (parameter.place, parameter.argument.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            (Place::Query, "query_id"),
            (Place::Path, "id"),
            (Place::Header, "header_id")
        ]
    );
}

#[test]
fn a_credential_that_is_declared_as_a_parameter_is_no_argument() {
    let header = |name: &str| json!({"name": name, "in": "header", "required": true, "schema": {"type": "string"}});
    let (tools, _) = of_paths(
        "3.0.0",
        &json!({"/a": {"get": {"parameters": [header("authorization"), header("X-Trace")]}}}),
    );
    let names: Vec<_> = tools[0]
        .request
        .parameters
        .iter()
        .map(|parameter| &parameter.name)
        .collect();
    assert_eq!(names, ["X-Trace"]);
}

#[test]
fn an_access_token_beside_the_one_of_oauth_is_no_argument() {
    let query = |name: &str| json!({"name": name, "in": "query", "description": "API key.", "schema": {"type": "string"}});
    let operation = |security: Value| json!({"parameters": [query("access_token"), query("key"), query("id")], "security": security});
    let (tools, found) = tools(&json!({
        "openapi": "3.0.0",
        "components": {"securitySchemes": {"oauth": {"type": "oauth2", "flows": {}}, "basic": {"type": "http", "scheme": "basic"}}},
        "paths": {"/a": {"get": operation(json!([{"oauth": []}])), "put": operation(json!([{"basic": []}]))}}
    }));
    assert_eq!(tools[0].request.parameters.len(), 1);
    assert_eq!(tools[1].request.parameters.len(), 3);
    assert_eq!(
        codes(&found)[0],
        ("parameter-not-an-argument", "/paths/~1a/get/parameters/0")
    );
}

#[test]
fn paths_that_are_one_but_for_the_names_of_their_parameters_are_all_tools() {
    let (tools, _) = of_paths(
        "3.0.0",
        &json!({"/a/{id}": {"get": {}}, "/a/{name}": {"get": {}}, "/a/{id}/": {"get": {}}}),
    );
    let names: std::collections::BTreeSet<_> = tools.iter().map(|tool| &tool.name).collect();
    assert_eq!(names.len(), 3);
}

#[test]
fn status_codes_may_be_numbers_and_answers_may_be_missing() {
    let text = "openapi: 3.0.0\npaths:\n  /a:\n    get:\n      description: 7\n      summary: [x]\n      responses:\n        200:\n          content: {text/csv: {}}\n    put: {}\n    post: {responses: null}\n";
    let (tools, _) = Document::parse(text.as_bytes(), &Limits::default())
        .unwrap()
        .tools();
    let accepted: Vec<_> = tools
        .iter()
        .map(|tool| tool.request.accept.as_str())
        .collect();
    assert_eq!(
        accepted,
        [
            "text/csv, */*;q=0.1",
            "application/json, */*;q=0.8",
            "application/json, */*;q=0.8"
        ]
    );
    assert_eq!(tools[0].description, "GET /a");
}

#[test]
fn null_members_are_members_that_are_not_there() {
    let (tools, found) = of_paths(
        "3.1.0",
        &json!({"/a": {
            "summary": null, "parameters": null, "servers": null,
            "post": {
                "operationId": null, "tags": null, "security": null, "servers": null, "deprecated": null, "parameters": null,
                "requestBody": {"description": null, "required": null, "content": {"application/json": {"encoding": null, "schema": {
                    "type": null, "properties": {"a": {"type": "array", "items": null, "default": null, "enum": [null, 1]}},
                    "required": null, "allOf": null, "additionalProperties": null, "pattern": null, "format": null, "$ref": null
                }}}},
                "responses": {"200": null}
            }
        }}),
    );
    assert!(found.is_empty(), "{found:?}");
    let expected = json!({"properties": {"a": {"type": "array", "items": {}, "default": null, "enum": [null, 1]}}});
    assert_eq!(input(&tools[0])["properties"]["body"], expected);
}

#[test]
fn keywords_that_make_no_sense_make_a_schema_wider() {
    for schema in [
        json!({"properties": [], "items": 3, "enum": "a", "allOf": {}, "anyOf": [], "required": "a"}),
        json!({"format": 3, "pattern": [], "title": {}, "description": 7, "minLength": "x", "uniqueItems": "yes"}),
        json!({"type": 3}),
        json!({"type": []}),
        json!({"$ref": {"type": "string"}}),
    ] {
        assert_eq!(read("3.1.0", &schema), json!({}), "{schema}");
    }
}

#[test]
fn what_is_said_of_lists_is_not_said_of_texts() {
    let schema = json!({"type": "string", "uniqueItems": true});
    assert_eq!(read("3.0.0", &schema), json!({"type": "string"}));
    let schema = json!({"type": "array", "items": {}, "uniqueItems": true});
    assert_eq!(read("3.0.0", &schema), schema);
}

#[test]
fn unknown_formats_are_kept_and_unknown_types_are_open() {
    let schema = json!({"type": "integer", "format": "unix-time"});
    assert_eq!(read("3.0.0", &schema), schema);
    assert_eq!(
        read("3.0.0", &json!({"type": "int"})),
        json!({"type": "integer"})
    );
    assert_eq!(read("3.0.0", &json!({"type": "any"})), json!({}));
    assert_eq!(
        read("3.0.0", &json!({"type": ["String", "null"]})),
        json!({"type": ["string", "null"]})
    );
}

#[test]
fn the_tags_above_an_operations_own_are_its_tags_too() {
    let (tools, _) = tools(&json!({
        "openapi": "3.2.0", "tags": [{"name": "a", "parent": "b"}, {"name": "b", "parent": "c"}, {"name": "c", "parent": "a"}],
        "paths": {"/a": {"get": {"tags": ["a", "x"]}}}
    }));
    assert_eq!(tools[0].tags, ["a", "x", "b", "c"]);
}
