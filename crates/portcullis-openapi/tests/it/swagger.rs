//! Documents of Swagger 2.0: what their calls look like on the wire, and where their findings point.

use portcullis_openapi::{BodyEncoding, Document, Limits, RequestPlan, ServerTemplate, Tool};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

fn document(members: &Value) -> Document {
    let mut document =
        json!({"swagger": "2.0", "info": {"title": "T", "version": "1"}, "paths": {}});
    for (key, value) in members.as_object().unwrap() {
        document[key] = value.clone();
    }
    Document::parse(document.to_string().as_bytes(), &Limits::default()).unwrap()
}

/// The tool of the only operation, a POST to `/a`.
fn tool(operation: &Value) -> Tool {
    let (mut tools, _) = document(&json!({"paths": {"/a": {"post": operation}}})).tools();
    assert_eq!(tools.len(), 1);
    tools.remove(0)
}

fn plan(operation: &Value, arguments: &Value) -> RequestPlan {
    let arguments = to_raw_value(arguments).unwrap();
    tool(operation).plan(Some(&arguments)).unwrap()
}

fn list(place: &str, format: &str) -> Value {
    json!({"parameters": [{
        "name": "p", "in": place, "type": "array", "items": {"type": "string"}, "collectionFormat": format
    }]})
}

#[test]
fn lists_are_written_as_their_collection_format_says() {
    let value = json!({"p": ["a", "b c"]});
    for (format, expected) in [
        ("csv", "p=a,b%20c"),
        ("multi", "p=a&p=b%20c"),
        ("tsv", "p=a%09b%20c"),
        ("pipes", "p=a%7Cb%20c"),
        ("unheard-of", "p=a,b%20c"),
    ] {
        assert_eq!(
            plan(&list("query", format), &value).query,
            expected,
            "{format}"
        );
    }
    let spaced = plan(&list("query", "ssv"), &json!({"p": ["a", "b"]}));
    assert_eq!(spaced.query, "p=a%20b");
    for (format, expected) in [
        ("csv", "a,b"),
        ("ssv", "a b"),
        ("tsv", "a\tb"),
        ("pipes", "a|b"),
    ] {
        let plan = plan(&list("header", format), &json!({"p": ["a", "b"]}));
        assert_eq!(plan.headers, [("p".to_owned(), expected.to_owned())]);
    }
}

#[test]
fn lists_in_a_path_are_written_as_their_collection_format_says() {
    for (format, expected) in [
        ("csv", "/a/x,y"),
        ("ssv", "/a/x%20y"),
        ("tsv", "/a/x%09y"),
        ("pipes", "/a/x%7Cy"),
    ] {
        let paths = json!({"paths": {"/a/{p}": {"get": list("path", format)}}});
        let (tools, _) = document(&paths).tools();
        let arguments = to_raw_value(&json!({"p": ["x", "y"]})).unwrap();
        assert_eq!(tools[0].plan(Some(&arguments)).unwrap().path, expected);
    }
}

#[test]
fn an_item_that_holds_its_separator_is_refused() {
    for (place, format, item) in [
        ("query", "tsv", "a\tb"),
        ("header", "pipes", "a|b"),
        ("header", "ssv", "a b"),
    ] {
        let arguments = to_raw_value(&json!({"p": [item]})).unwrap();
        let refused = tool(&list(place, format)).plan(Some(&arguments));
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("separates the items"),
            "{format}"
        );
    }
}

#[test]
fn fields_of_a_form_are_sent_in_the_forms_media_type() {
    let field = |members: Value| {
        let mut field = json!({"name": "f", "in": "formData", "type": "string"});
        field
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        field
    };
    let form = |consumes: Value, field: Value| {
        let tool = tool(&json!({"consumes": consumes, "parameters": [field]}));
        tool.request.body.unwrap().choices[0].content_type.clone()
    };
    let (urlencoded, multipart) = ("application/x-www-form-urlencoded", "multipart/form-data");
    assert_eq!(form(json!(null), field(json!({}))), urlencoded);
    assert_eq!(
        form(json!(["application/json"]), field(json!({}))),
        urlencoded
    );
    assert_eq!(form(json!(multipart), field(json!({}))), multipart);
    assert_eq!(
        form(json!([urlencoded]), field(json!({"type": "file"}))),
        multipart
    );
    let joined = field(json!({"type": "array", "items": {"type": "string"}}));
    let sent = plan(
        &json!({"parameters": [joined]}),
        &json!({"body": {"f": ["a", "b"]}}),
    );
    assert_eq!(sent.body.unwrap().bytes, b"f=a,b");
}

#[test]
fn a_field_that_is_the_token_of_the_operation_is_no_argument() {
    let field = |name: &str, description: &str| json!({"name": name, "in": "formData", "type": "string", "required": true, "description": description});
    let operation = json!({"parameters": [field("token", "Authentication token."), field("text", "")], "security": [{"o": []}]});
    let (tools, found) = document(&json!({
        "securityDefinitions": {"o": {"type": "oauth2", "flow": "implicit", "authorizationUrl": "https://a.example/"}},
        "paths": {"/a": {"post": operation}}
    }))
    .tools();
    let schema: Value = serde_json::from_str(tools[0].input_schema().get()).unwrap();
    let body = &schema["properties"]["body"];
    assert_eq!(
        (
            body["properties"].as_object().unwrap().len(),
            &body["required"]
        ),
        (1, &json!(["text"]))
    );
    assert!(found.is_empty());
}

#[test]
fn a_body_is_sent_in_the_operations_media_type_before_the_documents() {
    let body = json!([{"name": "b", "in": "body", "schema": {"type": "object"}}]);
    let paths = json!({"paths": {"/a": {
        "post": {"parameters": body},
        "put": {"parameters": body, "consumes": ["text/plain", "application/hal+json"]},
        "patch": {"parameters": body, "consumes": []}
    }}, "consumes": ["application/vnd.a+json"]});
    let (tools, _) = document(&paths).tools();
    let types: Vec<_> = tools
        .iter()
        .map(|tool| {
            tool.request.body.as_ref().unwrap().choices[0]
                .content_type
                .as_str()
        })
        .collect();
    assert_eq!(
        types,
        [
            "application/vnd.a+json",
            "application/hal+json",
            "application/json"
        ]
    );
}

#[test]
fn an_operations_own_parameters_come_before_those_of_its_path() {
    let item = json!({"parameters": [
        {"name": "all", "in": "body", "required": true, "schema": {"type": "object"}},
    ], "put": {"parameters": [{"name": "own", "in": "body", "schema": {"type": "array"}}]}, "post": {}});
    let (tools, found) = document(&json!({"paths": {"/a": item}})).tools();
    let bodies: Vec<_> = tools
        .iter()
        .map(|tool| tool.request.body.as_ref().unwrap().required)
        .collect();
    assert_eq!((bodies, found.len()), (vec![false, true], 0));
    let fields = json!([{"name": "f", "in": "formData", "type": "string", "required": true}, {"name": "g", "in": "formData", "type": "string"}]);
    let own = json!([{"name": "f", "in": "formData", "type": "integer"}]);
    let (tools, _) =
        document(&json!({"paths": {"/a": {"parameters": fields, "post": {"parameters": own}}}}))
            .tools();
    let schema: Value = serde_json::from_str(tools[0].input_schema().get()).unwrap();
    let body = &schema["properties"]["body"];
    assert_eq!(
        body["properties"],
        json!({"g": {"type": "string"}, "f": {"type": "integer"}})
    );
    assert!(!tools[0].request.body.as_ref().unwrap().required);
}

#[test]
fn servers_are_made_of_schemes_host_and_base_path() {
    for (members, expected) in [
        (json!({"host": "a.example"}), "https://a.example"),
        (
            json!({"host": "a.example:8080", "basePath": "/", "schemes": ["http"]}),
            "http://a.example:8080",
        ),
        (
            json!({"host": "a.example", "basePath": "v1", "schemes": ["http", "https"]}),
            "https://a.example/v1",
        ),
        (
            json!({"host": "http://a.example/", "basePath": "/v1/"}),
            "http://a.example/v1",
        ),
        (
            json!({"host": "a.example", "schemes": ["ws", "HTTPS"]}),
            "https://a.example",
        ),
    ] {
        assert_eq!(document(&members).servers.first().unwrap(), expected);
    }
    let relative = json!({"basePath": "/v1", "paths": {"/a": {"get": {}}}});
    let (tools, _) = document(&relative).tools();
    assert!(
        matches!(&tools[0].request.server, ServerTemplate::Unknown(reason) if reason.contains("`/v1/` is relative"))
    );
}

#[test]
fn a_reference_to_an_operations_own_parameter_is_followed() {
    let paths = json!({"paths": {
        "/a": {"post": {"parameters": [
            {"name": "b", "in": "body", "schema": {"type": "object", "properties": {"x": {"type": "object", "properties": {"y": {"type": "integer"}}}}}},
            {"name": "q", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": "multi"}
        ]}},
        "/b": {"put": {"parameters": [
            {"name": "b", "in": "body", "schema": {"$ref": "#/paths/~1a/post/parameters/0/schema/properties/x"}},
            {"$ref": "#/paths/~1a/post/parameters/1"}
        ]}}
    }});
    let (tools, found) = document(&paths).tools();
    assert!(found.is_empty(), "{found:?}");
    assert!(
        tools[1]
            .input_schema()
            .get()
            .contains(r#""y":{"type":"integer"}"#)
    );
    assert!(tools[1].request.parameters[0].spelling.explode);
}

#[test]
fn one_shared_answer_is_produced_as_each_operation_says() {
    let operation = |produces: &str| json!({"produces": [produces], "responses": {"200": {"$ref": "#/responses/R"}}});
    let (tools, _) = document(&json!({
        "responses": {"R": {"description": "R", "schema": {"$ref": "#/definitions/D"}}},
        "definitions": {"D": {"type": "object", "properties": {"a": {"type": "string"}}}},
        "paths": {"/a": {"get": operation("application/vnd.a+json"), "put": operation("text/csv")}}
    }))
    .tools();
    assert_eq!(tools[0].request.accept, "application/vnd.a+json, */*;q=0.1");
    assert!(
        tools[0]
            .output_schema
            .as_ref()
            .unwrap()
            .get()
            .contains(r#""a":{"description":"string"}"#)
    );
    assert_eq!(tools[1].request.accept, "text/csv, */*;q=0.1");
    assert!(tools[1].output_schema.is_none());
}

#[test]
fn a_large_schema_is_copied_once_whatever_consumes_lists() {
    let values: Vec<_> = (0..100).map(|number| format!("v{number}")).collect();
    let operation = json!({
        "consumes": ["text/plain", "application/xml", "application/json"],
        "parameters": [{"name": "b", "in": "body", "schema": {"enum": values, "type": "money"}}]
    });
    let (tools, found) = document(&json!({"paths": {"/a": {"post": operation}}})).tools();
    assert!(matches!(
        tools[0].request.body.as_ref().unwrap().choices[0].encoding,
        BodyEncoding::Json
    ));
    assert!(tools[0].input_schema().get().contains("v99"));
    assert_eq!(found[0].pointer, "/paths/~1a/post/parameters/0/schema/type");
}

#[test]
fn x_01_media_types_cannot_multiply_a_document() {
    let limits = Limits {
        max_nodes: 60_000,
        ..Limits::default()
    };
    let answers: Vec<_> = (0..10).map(|code| format!("\"2{code}\":{{}}")).collect();
    let item = format!("{{\"get\":{{\"responses\":{{{}}}}}}}", answers.join(","));
    let paths: Vec<_> = (0..1_000)
        .map(|path| format!("\"/{path}\":{item}"))
        .collect();
    let types: Vec<_> = (0..1_000).map(|number| format!("\"a/{number}\"")).collect();
    let text = format!(
        "{{\"swagger\":\"2.0\",\"produces\":[{}],\"paths\":{{{}}}}}",
        types.join(","),
        paths.join(",")
    );
    let refused = Document::parse(text.as_bytes(), &limits).unwrap_err();
    assert!(
        refused.to_string().contains("more than 60000 values"),
        "{refused}"
    );
    assert!(Document::parse(text.as_bytes(), &Limits::default()).is_ok());
}

#[test]
fn members_of_the_wrong_kind_cost_no_operation() {
    for members in [
        json!({"consumes": 3, "produces": {"a": 1}, "host": [], "basePath": 7, "schemes": 1}),
        json!({"parameters": [], "responses": null, "definitions": 3, "securityDefinitions": []}),
        json!({"securityDefinitions": {"a": null, "b": {"type": 3}, "c": {"type": "oauth2", "scopes": 3}}}),
        json!({"components": null, "servers": 3, "securityDefinitions": {"a": {"type": "basic"}}}),
    ] {
        let mut members = members;
        members["paths"] = json!({"/a": {"post": {
            "parameters": [null, 3, {"in": "body"}, {"in": "formData", "name": 3}, {"in": "query", "name": "q", "type": null, "items": 3}],
            "responses": {"200": null, "201": {"schema": null, "examples": 3}, "default": 7}
        }, "get": {"parameters": {}, "responses": []}}});
        let (tools, _) = document(&members).tools();
        assert_eq!(tools.len(), 2, "{members}");
    }
}

#[test]
fn lists_within_lists_are_joined_as_their_format_says() {
    let list = |place: &str, outer: &str, inner: &str| {
        let items =
            json!({"type": "array", "items": {"type": "string"}, "collectionFormat": inner});
        json!({"name": "p", "in": place, "required": true, "type": "array", "items": items, "collectionFormat": outer})
    };
    let planned = |parameter: &Value, argument: Value| {
        let path = if parameter["in"] == "path" {
            "/a/{p}"
        } else {
            "/a"
        };
        let document = json!({"swagger": "2.0", "host": "a.example", "paths": {path: {"get": {"parameters": [parameter], "responses": {}}}}});
        let document =
            Document::parse(document.to_string().as_bytes(), &Limits::default()).unwrap();
        let tool = document.tools().0.remove(0);
        let arguments = serde_json::value::to_raw_value(&json!({"p": argument})).unwrap();
        tool.plan(Some(&arguments))
            .map_err(|error| error.to_string())
    };
    let value = json!([["a", "b"], ["c d"]]);
    for (place, outer, inner, expected) in [
        ("query", "csv", "pipes", "p=a%7Cb,c%20d"),
        ("query", "pipes", "csv", "p=a%2Cb%7Cc%20d"),
        ("query", "multi", "csv", "p=a%2Cb&p=c%20d"),
        ("query", "csv", "tsv", "p=a%09b,c%20d"),
    ] {
        let plan = planned(&list(place, outer, inner), value.clone()).unwrap();
        assert_eq!(plan.query, expected);
    }
    let plan = planned(&list("path", "csv", "pipes"), value.clone()).unwrap();
    assert_eq!(plan.path, "/a/a%7Cb,c%20d");
    let plan = planned(&list("header", "csv", "pipes"), value.clone()).unwrap();
    assert_eq!(plan.headers, [("p".to_owned(), "a|b,c d".to_owned())]);
    let refused = planned(&list("query", "csv", "ssv"), value).unwrap_err();
    assert!(refused.contains("must not contain ` `"), "{refused}");
    let deeper = planned(&list("query", "csv", "pipes"), json!([[["a"]]]));
    assert!(deeper.is_err());
}

#[test]
fn a_collection_format_of_items_means_nothing_in_openapi_3() {
    let items = json!({"type": "array", "items": {"type": "string"}, "collectionFormat": "pipes"});
    let schema = json!({"type": "array", "items": items});
    let parameter = json!({"name": "p", "in": "query", "explode": false, "schema": schema});
    let document = json!({"openapi": "3.0.3", "servers": [{"url": "https://a.example"}], "paths": {"/a": {"get": {"parameters": [parameter], "responses": {}}}}});
    let document = Document::parse(document.to_string().as_bytes(), &Limits::default()).unwrap();
    let tool = document.tools().0.remove(0);
    let arguments = serde_json::value::to_raw_value(&json!({"p": [["a", "b"]]})).unwrap();
    let plan = tool.plan(Some(&arguments)).unwrap();
    assert_eq!(plan.query, "p=%5B%22a%22%2C%22b%22%5D");
}
