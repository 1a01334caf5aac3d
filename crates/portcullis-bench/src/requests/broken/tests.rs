//! What is broken is broken in one way, and only what the input schema refuses counts.

use portcullis_openapi::{Document, Limits};

use super::*;

const DOCUMENT: &str = r#"
openapi: 3.1.0
info: { title: t, version: "1" }
servers: [{ url: "http://127.0.0.1" }]
paths:
  /things/{id}/parts:
    post:
      operationId: json
      parameters:
        - { name: id, in: path, required: true, schema: { type: string } }
        - { name: note, in: query, schema: { type: string } }
        - { name: page, in: query, required: true, schema: { type: integer } }
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [name]
              properties: { any: {}, note: { type: string }, name: { type: string } }
  /forms:
    put:
      operationId: form
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema:
              type: object
              required: [size]
              properties: { name: { type: string }, size: { type: integer } }
  /{id}:
    get:
      operationId: open
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
"#;

/// What a request is broken to: the target, the media type and the body.
fn broken_of(
    operation: &str,
    arguments: &Value,
    target: &str,
    sent: (&str, &str),
) -> Vec<(Break, String, String, String)> {
    let document = Document::parse(DOCUMENT.as_bytes(), &Limits::default()).expect("a document");
    let (tools, _) = document.tools();
    let tool = tools.iter().find(|tool| tool.name == operation);
    let (media_type, body) = sent;
    let sent = Recorded {
        target: target.to_owned(),
        headers: vec![("content-type".to_owned(), media_type.to_owned())],
        body: Bytes::copy_from_slice(body.as_bytes()),
        ..Recorded::default()
    };
    let broken = broken(tool.expect("a tool"), arguments, &sent);
    let shown = broken.into_iter().map(|(kind, request)| {
        let media_type = request.header(&header::CONTENT_TYPE).unwrap_or_default();
        let body = String::from_utf8_lossy(&request.body).into_owned();
        (kind, request.target.clone(), media_type.to_owned(), body)
    });
    shown.collect()
}

fn expected(rows: &[(Break, &str, (&str, &str))]) -> Vec<(Break, String, String, String)> {
    let owned = rows.iter().map(|(kind, target, (media_type, body))| {
        let texts = [target, media_type, body].map(|it| (*it).to_owned());
        let [target, media_type, body] = texts;
        (*kind, target, media_type, body)
    });
    owned.collect()
}

#[test]
fn a_request_with_json_is_broken_in_each_way() {
    let arguments =
        json!({"id": "a", "note": "b", "page": 10, "body": {"any": 1, "note": "c", "name": "d"}});
    let body = r#"{"any":1,"note":"c","name":"d"}"#;
    let json = "application/json";
    let target = "/things/a/parts?note=b&page=10";
    assert_eq!(
        broken_of("json", &arguments, target, (json, body)),
        expected(&[
            (
                Break::Segment,
                "/none-of-these/a/none-of-these?note=b&page=10",
                (json, body)
            ),
            (
                Break::MediaType,
                target,
                ("application/x-read-by-nobody", body)
            ),
            (
                Break::MissingParameter,
                "/things/a/parts?note=b",
                (json, body)
            ),
            (
                Break::WrongParameter,
                "/things/a/parts?note=b&page=none-of-these",
                (json, body)
            ),
            (
                Break::MissingMember,
                target,
                (json, r#"{"any":1,"note":"c"}"#)
            ),
            (
                Break::WrongMember,
                target,
                (
                    json,
                    r#"{"any":1,"note":{"none-of-these":"none-of-these"},"name":"d"}"#
                )
            ),
        ])
    );
}

#[test]
fn a_form_is_broken_by_its_fields() {
    let arguments = json!({"body": {"name": "a", "size": 10}});
    let form = "application/x-www-form-urlencoded";
    let broken = broken_of("form", &arguments, "/forms", (form, "name=a&size=10"));
    assert_eq!(
        broken.get(2..),
        Some(
            &expected(&[
                (Break::MissingMember, "/forms", (form, "name=a")),
                (
                    Break::WrongMember,
                    "/forms",
                    (form, "name=a&size=none-of-these")
                ),
            ])[..]
        )
    );
}

#[test]
fn what_has_nothing_to_break_is_not_broken() {
    assert_eq!(broken_of("open", &json!({"id": "a"}), "/a", ("", "")), []);
}

#[test]
fn members_of_a_name_are_fields_of_it_and_longer_names_are_not() {
    assert!(is_named("a=1", "a"));
    assert!(is_named("a%5Bb%5D=1", "a"));
    assert!(!is_named("ab=1", "a"));
}
