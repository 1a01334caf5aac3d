//! Bytes that are no document, or one that is meant to hurt.

use std::fmt::Write as _;

use portcullis_openapi::{Document, Limits, ReadError};

use crate::golden::assert_sound;

fn parse(bytes: impl AsRef<[u8]>) -> Result<Document, ReadError> {
    Document::parse(bytes.as_ref(), &Limits::default())
}

fn message(bytes: impl AsRef<[u8]>) -> String {
    parse(bytes).unwrap_err().to_string()
}

#[test]
fn bytes_that_are_no_document_are_named_as_what_they_are() {
    assert_eq!(message(""), "the document is empty");
    assert_eq!(message(" \n\t"), "the document is empty");
    assert!(message(b"openapi: \xff").contains("not UTF-8 (first bad byte at offset 9)"));
    assert!(message("{\"openapi\": ").starts_with("the document is not valid JSON: EOF"));
    assert!(message("openapi: [").starts_with("the document is not valid YAML: "));
    assert!(message("{\"a\": 1}").contains("its keys are a"));
    assert!(message("[]").contains("it is a list"));
    assert_eq!(
        message("{\"openapi\": \"4.0.0\"}"),
        "version 4.0.0 is not supported: Swagger 2.0 and OpenAPI 3.0, 3.1 and 3.2 are"
    );
    assert!(message("{\"swagger\": \"1.2\"}").starts_with("version 1.2 is not supported"));
}

#[test]
fn what_people_give_by_mistake_is_named() {
    for (bytes, what) in [
        (
            &b"\xff\xfeo\0p\0"[..],
            "this is UTF-16 text and no OpenAPI document; save it as UTF-8",
        ),
        (b"\xfe\xff\0o\0p", "UTF-16"),
        (b"{\0\"\0", "UTF-16"),
        (b"\0{\0\"", "UTF-16"),
        (
            b"\n<!DOCTYPE html><html>",
            "an HTML page and no OpenAPI document; save the document itself",
        ),
        (b"\xef\xbb\xbf<html lang=en>", "an HTML page"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"PK\x03\x04....", "a ZIP archive"),
        (b"\x1f\x8b\x08....", "a gzip archive"),
        (b"%PDF-1.7", "a PDF"),
        (
            b"openapi: 3.0.0\nx: \xc3\x28\n",
            "not UTF-8 (first bad byte at offset 18)",
        ),
        (
            b"{\"openapi\": \"3.0.0\", \"a\0\": 1}",
            "not valid JSON: control character",
        ),
        (b"openapi: 3.0.0\na: \0\n", "not valid YAML"),
        (b"\0\0\0\0", "not valid YAML"),
    ] {
        let message = message(bytes);
        assert!(message.contains(what), "{message}");
    }
}

#[test]
fn an_unquoted_version_and_a_byte_order_mark_are_read() {
    let document =
        parse("\u{feff}openapi: 3.1\ninfo: {title: T, version: 1.10}\npaths: {}\n").unwrap();
    assert_eq!(
        (document.title.as_str(), document.tools().0.len()),
        ("T", 0)
    );
}

#[test]
fn json_and_yaml_are_told_apart_by_content() {
    assert!(parse("{openapi: 3.0.0, paths: {}}").is_ok());
    assert!(parse("\n\t {\"openapi\": \"3.0.0\", \"paths\": {}}").is_ok());
    assert!(parse("# YAML\nopenapi: 3.0.0\n").is_ok());
}

#[test]
fn yaml_words_stay_the_text_that_they_are() {
    let document = parse("openapi: 3.0.0\ninfo: {title: y, version: 08}\n").unwrap();
    assert_eq!(
        (document.title.as_str(), document.version.as_str()),
        ("y", "08")
    );
}

#[test]
fn a_number_below_64_bits_is_read() {
    let text = "openapi: 3.0.0\npaths: {/a: {get: {parameters: [{name: a, in: query, schema: {type: integer, minimum: -9223372036854775809}}]}}}\n";
    assert_eq!(parse(text).unwrap().tools().0.len(), 1);
    assert_eq!(
        parse(r#"{"openapi":"3.0.0","paths":{"/a":{"get":{"x":-9223372036854775809}}}}"#)
            .unwrap()
            .tools()
            .0
            .len(),
        1
    );
}

#[test]
fn a_number_that_is_none_costs_nothing_else() {
    for number in [".inf", "-.inf", ".nan", "1e999"] {
        let text = format!(
            "openapi: 3.0.0\npaths: {{/a: {{get: {{parameters: [{{name: a, in: query, schema: {{type: number, maximum: {number}}}}}]}}}}}}\n"
        );
        let (tools, _) = parse(text).unwrap().tools();
        assert!(
            !tools[0].input_schema().get().contains("maximum"),
            "{number}"
        );
    }
}

#[test]
fn anchors_and_merge_keys_of_yaml_are_read() {
    let text = "openapi: 3.0.0\nx-about: &about {title: Pets}\ninfo: {<<: *about, version: 1}\n";
    assert_eq!(parse(text).unwrap().title, "Pets");
}

#[test]
fn a_key_that_occurs_twice_is_reported_and_the_last_one_used() {
    for text in [
        "openapi: 3.0.0\ninfo: {title: a}\ninfo: {title: b}\n",
        r#"{"openapi":"3.0.0","info":{"title":"a"},"info":{"title":"b"}}"#,
    ] {
        let document = parse(text).unwrap();
        assert_eq!(document.title, "b");
        assert_eq!(
            (
                document.diagnostics[0].code,
                document.diagnostics[0].pointer.as_str()
            ),
            ("duplicate-key", "/info")
        );
    }
}

#[test]
fn x_01_a_document_beyond_the_size_limit_is_refused() {
    let limits = Limits {
        max_bytes: 100,
        ..Limits::default()
    };
    let error = Document::parse(&[b' '; 101], &limits).unwrap_err();
    assert_eq!(
        error,
        ReadError::TooLarge {
            bytes: 101,
            limit: 100
        }
    );
}

#[test]
fn x_01_too_many_values_are_refused() {
    let limits = Limits {
        max_nodes: 1_000,
        ..Limits::default()
    };
    let json = format!("{{\"openapi\":\"3.0.0\",\"x\":[{}0]}}", "0,".repeat(2_000));
    assert_eq!(
        Document::parse(json.as_bytes(), &limits).unwrap_err(),
        ReadError::TooManyValues { limit: 1_000 }
    );
}

#[test]
fn x_01_a_yaml_alias_bomb_is_refused() {
    let mut bomb = "openapi: 3.0.0\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let alias = format!("*a{}", level - 1);
        let aliases = vec![alias; 10].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    assert!(matches!(
        parse(bomb),
        Err(ReadError::TooManyValues { .. } | ReadError::Yaml(_))
    ));
}

#[test]
fn x_01_schemas_that_fan_out_stay_within_their_budget() {
    let properties = |level: usize| {
        let all: Vec<_> = (0..20)
            .map(|property| {
                format!(
                    "\"property_{property}\":{{\"$ref\":\"#/components/schemas/S{}\"}}",
                    level + 1
                )
            })
            .collect();
        format!(
            "\"S{level}\":{{\"type\":\"object\",\"description\":\"{}\",\"properties\":{{{}}}}}",
            "d".repeat(900),
            all.join(",")
        )
    };
    let schemas: Vec<_> = (0..200).map(properties).collect();
    let body =
        r##"{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/S0"}}}}"##;
    let document = format!(
        r#"{{"openapi":"3.0.0","paths":{{"/a":{{"post":{{"requestBody":{body}}}}}}},"components":{{"schemas":{{{}}}}}}}"#,
        schemas.join(",")
    );
    let (tools, _) = parse(document).unwrap().tools();
    assert_sound(&tools[0]);
    let shown = tools[0].input_schema();
    assert!(shown.get().len() <= 16 << 10, "{}", shown.get().len());
    assert!(shown.get().contains("Cut: any value"));
}

#[test]
fn x_01_many_operations_cannot_multiply_one_large_schema() {
    let limits = Limits {
        max_total_schema_bytes: 100_000,
        ..Limits::default()
    };
    let paths: Vec<_> = (0..100)
        .map(|path| format!(r##""/{path}":{{"$ref":"#/components/pathItems/p"}}"##))
        .collect();
    let document = format!(
        r#"{{"openapi":"3.1.0","paths":{{{}}},"components":{{"pathItems":{{"p":{{"get":{{"parameters":[{{"name":"a","in":"query","schema":{{"enum":["{}"]}}}}]}}}}}}}}}}"#,
        paths.join(","),
        "x".repeat(10_000)
    );
    let (tools, diagnostics) = Document::parse(document.as_bytes(), &limits)
        .unwrap()
        .tools();
    assert_eq!(tools.len(), 9);
    assert_eq!(diagnostics[0].code, "schemas-too-large");
}

#[test]
fn x_01_operations_and_parameters_are_bounded() {
    let limits = Limits {
        max_operations: 2,
        max_parameters: 1,
        ..Limits::default()
    };
    let text =
        "openapi: 3.0.0\npaths:\n  /a/{b}: {get: {}}\n  /a/{b}/{c}: {get: {}}\n  /d: {get: {}}\n";
    let (tools, diagnostics) = Document::parse(text.as_bytes(), &limits).unwrap().tools();
    assert_eq!(tools.len(), 1);
    let codes: Vec<_> = diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect();
    assert!(
        codes.contains(&"too-many-operations") && codes.contains(&"too-many-parameters"),
        "{codes:?}"
    );
}

#[test]
fn x_01_tags_above_tags_are_bounded() {
    let tags: Vec<_> = (0..300_000)
        .map(|tag| format!(r#"{{"name":"t{tag}","parent":"t{}"}}"#, tag + 1))
        .collect();
    let own: Vec<_> = (0..1_000).map(|tag| format!("\"o{tag}\"")).collect();
    let document = format!(
        r#"{{"openapi":"3.2.0","tags":[{}],"paths":{{"/a":{{"get":{{"tags":["t0","t0"]}},"post":{{"tags":[{}]}}}}}}}}"#,
        tags.join(","),
        own.join(",")
    );
    let (tools, diagnostics) = parse(document).unwrap().tools();
    assert_eq!([tools[0].tags.len(), tools[1].tags.len()], [17, 100]);
    assert_eq!(tools[0].tags[16], "t16");
    let told = diagnostics.iter().filter(|it| it.code == "too-many-tags");
    assert_eq!(told.count(), 2);
}

#[test]
fn x_01_operations_cannot_multiply_the_parameters_and_bodies_that_they_share() {
    let parameters: Vec<_> = (0..1_000)
        .map(|it| format!(r#"{{"name":"p{it}","in":"query"}}"#))
        .collect();
    let fields: Vec<_> = (0..1_000)
        .map(|it| format!(r#""f{it}":{{"contentType":"a/b"}}"#))
        .collect();
    let form = format!(
        r#"{{"schema":{{"type":"object","title":"{}"}},"encoding":{{{}}}}}"#,
        "t".repeat(100_000),
        fields.join(",")
    );
    let shared = format!(r#"{{"parameters":[{}],"get":{{}}}}"#, parameters.join(","));
    let paths: Vec<_> = (0..2_000)
        .map(|it| {
            format!(
                r##""/{it}":{{"$ref":"#/components/pathItems/I"}},"/b/{it}":{{"post":{{"requestBody":{{"$ref":"#/components/requestBodies/B"}}}}}}"##
            )
        })
        .collect();
    let document = format!(
        r#"{{"openapi":"3.1.0","paths":{{{}}},"components":{{"pathItems":{{"I":{shared}}},"requestBodies":{{"B":{{"content":{{"multipart/form-data":{form},"text/plain":{{}}}}}}}}}}}}"#,
        paths.join(",")
    );
    let limits = Limits {
        max_total_parameters: 10_000,
        ..Limits::default()
    };
    let document = Document::parse(document.as_bytes(), &limits).unwrap();
    let (tools, diagnostics) = document.tools();
    let with_parameters: Vec<_> = tools
        .iter()
        .filter(|tool| !tool.request.parameters.is_empty())
        .collect();
    assert_eq!(with_parameters.len(), 10);
    assert_eq!(tools.len(), 10 + 2_000);
    let is_told = |it: &portcullis_openapi::Diagnostic| it.code == "too-many-parameters";
    assert!(diagnostics.iter().any(is_told));
    let bodies: Vec<_> = tools
        .iter()
        .filter_map(|tool| tool.request.body.as_ref())
        .collect();
    let is_shared = |one: &[_], other: &[_]| std::ptr::eq(one, other);
    assert!(
        bodies
            .iter()
            .all(|body| is_shared(&body.choices, &bodies[0].choices))
    );
}

#[test]
fn x_01_parameters_beyond_the_limit_are_not_read() {
    let bad = r#"{"in":"query"},"#.repeat(2_000);
    let document =
        format!(r#"{{"openapi":"3.1.0","paths":{{"/a":{{"get":{{"parameters":[{bad}{{}}]}}}}}}}}"#);
    let (tools, diagnostics) = parse(document).unwrap().tools();
    assert!(tools.is_empty());
    let codes: Vec<_> = diagnostics.iter().map(|it| it.code).collect();
    assert_eq!(codes, ["too-many-parameters"]);
}

#[test]
fn a_header_of_the_operation_overrides_the_paths_in_any_case() {
    let text = "openapi: 3.1.0\npaths: {/a: {parameters: [{name: X-A, in: header}, {name: b, in: query}], get: {parameters: [{name: x-a, in: header}, {name: B, in: query}]}}}\n";
    let (tools, _) = parse(text).unwrap().tools();
    let parameters = tools[0].request.parameters.iter();
    let names: Vec<_> = parameters.map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["x-a", "b", "B"]);
}

#[test]
fn examples_of_bodies_are_skipped_and_properties_of_that_name_are_not() {
    let text = r#"{"openapi":"3.0.0","paths":{"/a":{"post":{"requestBody":{"content":{"application/json":{
        "example": {"never": "read"}, "examples": {"a": {"value": 1}},
        "schema": {"type": "object", "properties": {"content": {"type": "object", "properties": {
            "a/b": {"type": "object", "properties": {"example": {"type": "string"}, "examples": {"type": "string"}}}
        }}}}}}}}}}}"#;
    let (tools, _) = parse(text).unwrap().tools();
    let schema = tools[0].input_schema();
    let schema = schema.get();
    assert!(
        schema.contains(r#""example":{"type":"string"}"#)
            && schema.contains(r#""examples":{"type":"string"}"#),
        "{schema}"
    );
}

#[test]
fn x_01_one_argument_beyond_the_limit_is_shown_as_cut_and_held_whole() {
    let limits = Limits {
        max_input_schema_bytes: 1_000,
        ..Limits::default()
    };
    let text = format!(
        "openapi: 3.0.0\npaths: {{/a: {{get: {{parameters: [{{name: a, in: query, schema: {{type: string, enum: [{}]}}}}]}}}}}}\n",
        "x".repeat(1_000)
    );
    let (tools, diagnostics) = Document::parse(text.as_bytes(), &limits).unwrap().tools();
    assert_eq!(
        tools[0].input_schema().get(),
        r#"{"type":"object","properties":{"a":{"type":"string","description":"Cut: any value; see the API's documentation."}},"additionalProperties":false}"#
    );
    assert_eq!(diagnostics[0].code, "schema-cut");
    let arguments = serde_json::value::to_raw_value(&serde_json::json!({"a": "y"})).unwrap();
    let refusal = tools[0].plan(Some(&arguments)).unwrap_err().to_string();
    assert!(
        refusal.starts_with("argument `a` must be one of"),
        "{refusal}"
    );
}
