//! What each document becomes, in full: a change of any tool shows as a difference of its golden file.

use std::fmt::Write as _;

use portcullis_openapi::dialect::{Vendor, refusals};
use portcullis_openapi::{
    Diagnostic, Document, Limits, Parameter, PathPart, RequestTemplate, Tool,
};
use serde_json::value::RawValue;
use serde_json::{Value, json};

#[test]
fn parameters_become_arguments() {
    check("parameters", include_bytes!("../documents/parameters.yaml"));
}

#[test]
fn styles_of_parameters_are_read() {
    check(
        "parameter-styles",
        include_bytes!("../documents/parameter-styles.yaml"),
    );
}

#[test]
fn encodings_of_bodies_are_read() {
    check(
        "request-bodies",
        include_bytes!("../documents/request-bodies.yaml"),
    );
}

#[test]
fn bodies_become_one_argument() {
    check("bodies", include_bytes!("../documents/bodies.yaml"));
}

#[test]
fn schemas_of_3_0_become_json_schema() {
    check(
        "schemas-3.0",
        include_bytes!("../documents/schemas-3.0.yaml"),
    );
}

#[test]
fn schemas_of_3_1_become_json_schema() {
    check(
        "schemas-3.1",
        include_bytes!("../documents/schemas-3.1.yaml"),
    );
}

#[test]
fn what_3_2_has_anew_is_read() {
    check(
        "openapi-3.2",
        include_bytes!("../documents/openapi-3.2.yaml"),
    );
}

#[test]
fn what_only_2_0_has_becomes_what_3_0_has() {
    check(
        "swagger-2.0",
        include_bytes!("../documents/swagger-2.0.yaml"),
    );
}

#[test]
fn security_and_servers_are_per_operation() {
    check("security", include_bytes!("../documents/security.yaml"));
}

#[test]
fn responses_become_output_schemas() {
    check("responses", include_bytes!("../documents/responses.yaml"));
}

#[test]
fn broken_operations_cost_no_other() {
    check("broken", include_bytes!("../documents/broken.yaml"));
}

fn check(name: &str, bytes: &[u8]) {
    let document = Document::parse(bytes, &Limits::default()).unwrap();
    let (tools, diagnostics) = document.tools();
    let mut text = format!("{} {}\n", document.title, document.version);
    for scheme in &document.schemes {
        writeln!(text, "scheme {}: {:?}", scheme.name, scheme.kind).unwrap();
    }
    for tool in &tools {
        assert_sound(tool);
        write_tool(&mut text, tool);
    }
    for diagnostic in document.diagnostics.iter().chain(&diagnostics) {
        writeln!(text, "\n{diagnostic}").unwrap();
    }
    assert_pointers(&document.diagnostics, &diagnostics);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../documents");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// What holds for every tool of every document.
pub(crate) fn assert_sound(tool: &Tool) {
    let (shown, whole) = (tool.input_schema(), tool.whole_input_schema());
    let schemas = [Some(&*shown), Some(&*whole), tool.output_schema.as_deref()];
    for schema in schemas.into_iter().flatten() {
        let schema: Value = serde_json::from_str(schema.get()).unwrap();
        assert_eq!(schema["type"], "object", "{}", tool.name);
        let compiled = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .offline()
            .build(&schema);
        assert!(compiled.is_ok(), "{}: {:?}", tool.name, compiled.err());
    }
    assert_taken_by_models(&tool.name, &serde_json::from_str(shown.get()).unwrap());
    let input: Value = serde_json::from_str(whole.get()).unwrap();
    for arguments in [
        json!({}),
        json!({"body": {}}),
        json!({"body": [{"a": [{}]}]}),
    ] {
        // Whether they fit is no matter; that the validator comes back is.
        let _ = jsonschema::is_valid(&input, &arguments);
    }
    if let Some(output) = &tool.output_schema {
        let schema = serde_json::from_str(output.get()).unwrap();
        for object in ["{}", r#"{"id":1,"next":[],"any":null}"#] {
            assert!(
                jsonschema::is_valid(&schema, &serde_json::from_str(object).unwrap()),
                "{}",
                tool.name
            );
        }
        assert_constrains_nothing(&schema);
    }
    assert!(!tool.description.is_empty(), "{}", tool.name);
}

/// A vendor that refuses one tool makes a client lose all of them.
fn assert_taken_by_models(name: &str, shown: &Value) {
    let refusals = refusals(shown);
    let mut grave = refusals
        .iter()
        .filter(|(vendor, _)| *vendor != Vendor::Gemini);
    assert_eq!(grave.next(), None, "{name}: {shown}");
}

/// Clients refuse a result that does not conform; so there is nothing that it could fail to conform to.
fn assert_constrains_nothing(output: &Value) {
    for (keyword, value) in output.as_object().unwrap() {
        match keyword.as_str() {
            "type" => assert_eq!(value, "object"),
            "properties" => {
                for property in value.as_object().unwrap().values() {
                    let keywords: Vec<_> = property.as_object().unwrap().keys().collect();
                    assert_eq!(keywords, ["description"]);
                }
            }
            other => panic!("{other}"),
        }
    }
}

fn assert_pointers(of_document: &[Diagnostic], of_tools: &[Diagnostic]) {
    for diagnostic in of_document.iter().chain(of_tools) {
        assert!(
            diagnostic.pointer.is_empty() || diagnostic.pointer.starts_with('/'),
            "{diagnostic}"
        );
    }
}

fn write_tool(text: &mut String, tool: &Tool) {
    let request = &tool.request;
    writeln!(text, "\n## {}", tool.name).unwrap();
    if let Some(title) = &tool.title {
        writeln!(text, "title: {title}").unwrap();
    }
    writeln!(
        text,
        "description: {}",
        tool.description.replace('\n', "\\n")
    )
    .unwrap();
    writeln!(text, "request: {}", request_line(request)).unwrap();
    for parameter in &request.parameters {
        writeln!(text, "parameter: {}", parameter_line(parameter)).unwrap();
    }
    if let Some(body) = &request.body {
        let required = if body.required {
            "required"
        } else {
            "optional"
        };
        writeln!(text, "body: {} {required}", body.argument).unwrap();
        for choice in body.choices.iter() {
            let (media_type, content_type) = (&choice.media_type, &choice.content_type);
            let encoding = &choice.encoding;
            writeln!(text, "  {media_type} as {content_type}: {encoding:?}").unwrap();
        }
    }
    let security: Vec<String> = tool
        .security
        .iter()
        .map(|all| {
            let all: Vec<String> = all
                .iter()
                .map(|one| format!("{}{:?}", one.scheme, one.scopes))
                .collect();
            format!("({})", all.join(" and "))
        })
        .collect();
    writeln!(text, "security: {}", security.join(" or ")).unwrap();
    writeln!(text, "hints: {:?}", tool.annotations).unwrap();
    writeln!(text, "input: {}", pretty(&tool.input_schema())).unwrap();
    if let Some(output) = &tool.output_schema {
        writeln!(text, "output: {}", pretty(output)).unwrap();
    }
}

fn request_line(request: &RequestTemplate) -> String {
    let mut path = String::new();
    for part in &request.path {
        match part {
            PathPart::Literal(literal) => path.push_str(literal),
            PathPart::Parameter(index) => {
                write!(path, "<{}>", request.parameters[*index].argument).unwrap();
            }
        }
    }
    let query = if request.query.is_empty() {
        String::new()
    } else {
        format!("?{}", request.query)
    };
    format!(
        "{} {:?} {path}{query} accept {}",
        request.method.as_str(),
        request.server,
        request.accept
    )
}

fn parameter_line(parameter: &Parameter) -> String {
    let Parameter {
        argument,
        name,
        place,
        spelling,
        required,
        allow_empty,
        content,
    } = parameter;
    let mut line = format!("{argument} = {place:?} `{name}` {:?}", spelling.style);
    for (holds, word) in [
        (spelling.explode, " explode"),
        (*required, " required"),
        (spelling.allow_reserved, " reserved"),
        (*allow_empty, " or empty"),
    ] {
        if holds {
            line.push_str(word);
        }
    }
    if let Some(content) = content {
        write!(line, " as {content:?}").unwrap();
    }
    line
}

fn pretty(schema: &RawValue) -> String {
    serde_json::to_string_pretty(&serde_json::from_str::<Value>(schema.get()).unwrap()).unwrap()
}
