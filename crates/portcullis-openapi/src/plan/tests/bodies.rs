//! Bodies of every kind.

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::{cause, plan, plan_text, refusal};
use crate::model::{BodyEncoding, FieldEncoding, Spelling, Style};
use crate::plan::{PlannedBody, Unsendable};
use crate::sample::tool;

fn body(content_type: &str, encoding: BodyEncoding, value: &Value) -> PlannedBody {
    let tool = tool().sending(content_type, encoding);
    let plan = plan(&tool, &json!({"body": value})).unwrap();
    plan.body.unwrap()
}

fn form(fields: IndexMap<String, FieldEncoding>, value: &Value) -> String {
    let content_type = "application/x-www-form-urlencoded";
    let body = body(content_type, BodyEncoding::Form(fields), value);
    assert_eq!(body.content_type, content_type);
    String::from_utf8(body.bytes).unwrap()
}

fn listed(name: &str, encoding: FieldEncoding) -> IndexMap<String, FieldEncoding> {
    [(name.to_owned(), encoding)].into()
}

#[test]
fn a_json_body_is_sent_as_it_was_written() {
    let tool = tool().sending("application/json", BodyEncoding::Json);
    let arguments = r#"{"body": {"b": 1.10,  "a":[ ]}}"#;
    let plan = plan_text(&tool, arguments).unwrap();
    let body = plan.body.unwrap();
    assert_eq!(body.content_type, "application/json");
    assert_eq!(body.bytes, br#"{"b": 1.10,  "a":[ ]}"#);
}

#[test]
fn text_is_sent_as_it_is() {
    let sent = body("text/plain", BodyEncoding::Text, &json!("a\u{e9}\n"));
    assert_eq!(sent.bytes, "aé\n".as_bytes());
    let tool = tool().sending("text/plain", BodyEncoding::Text);
    assert_eq!(cause(&tool, &json!({"body": 1})), Unsendable::NotText);
}

#[test]
fn bytes_are_given_as_base64() {
    for text in ["AP+A", "AP+AAQ==", "AP+AAQ"] {
        let sent = body("image/png", BodyEncoding::Binary, &json!(text));
        assert_eq!(sent.bytes.get(..3), Some(&[0, 0xff, 0x80][..]));
    }
    let tool = tool().sending("image/png", BodyEncoding::Binary);
    for value in [
        json!("a-_b"),
        json!("a b="),
        json!("A"),
        json!(1),
        json!(null),
    ] {
        assert_eq!(cause(&tool, &json!({"body": value})), Unsendable::NotBase64);
    }
}

#[test]
fn a_form_writes_scalars_and_lists_as_pairs_and_structure_as_json() {
    let value = json!({"a": "1&b", "l": [1, true], "n": null, "o": {"x": [1]}, "m": [{"y": 2}]});
    assert_eq!(
        form(IndexMap::new(), &value),
        "a=1%26b&l=1&l=true&o=%7B%22x%22%3A%5B1%5D%7D&m=%5B%7B%22y%22%3A2%7D%5D"
    );
}

#[test]
fn a_form_field_is_written_in_its_style() {
    let deep = FieldEncoding {
        spelling: Spelling::of(Style::DeepObject),
        ..FieldEncoding::default()
    };
    let value = json!({"items": [{"price": "p1", "metadata": {"k": "v"}}]});
    assert_eq!(
        form(listed("items", deep), &value)
            .replace("%5B", "[")
            .replace("%5D", "]"),
        "items[0][price]=p1&items[0][metadata][k]=v"
    );
    let joined = FieldEncoding {
        spelling: Spelling {
            explode: false,
            ..Spelling::FORM
        },
        ..FieldEncoding::default()
    };
    assert_eq!(form(listed("l", joined), &json!({"l": [1, 2]})), "l=1,2");
    let json = FieldEncoding {
        content_type: Some("application/json; charset=utf-8".to_owned()),
        ..FieldEncoding::default()
    };
    assert_eq!(form(listed("l", json), &json!({"l": [1]})), "l=%5B1%5D");
}

#[test]
fn a_refused_field_is_named() {
    let file = FieldEncoding {
        binary: true,
        ..FieldEncoding::default()
    };
    let encoding = BodyEncoding::Multipart(listed("file", file));
    let tool = tool().sending("multipart/form-data", encoding);
    assert_eq!(
        refusal(&tool, &json!({"body": {"file": "é"}})),
        "argument `body/file` must be Base64 text (RFC 4648 §4) of the bytes to send"
    );
}

#[test]
fn a_form_is_an_object() {
    for encoding in [
        BodyEncoding::Form([].into()),
        BodyEncoding::Multipart([].into()),
    ] {
        let tool = tool().sending("multipart/form-data", encoding);
        assert_eq!(cause(&tool, &json!({"body": "a=b"})), Unsendable::NotForm);
    }
}

#[test]
fn multipart_writes_files_structure_and_text() {
    let file = FieldEncoding {
        content_type: Some("image/png".to_owned()),
        binary: true,
        ..FieldEncoding::default()
    };
    let value = json!({"file": ["AA==", "AQ=="], "o": {"x": 1}, "t": "é", "n": null});
    let sent = body(
        "multipart/form-data",
        BodyEncoding::Multipart(listed("file", file)),
        &value,
    );
    let boundary = sent
        .content_type
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    let text = String::from_utf8(sent.bytes.clone()).unwrap();
    let parts: Vec<_> = text.split(&format!("--{boundary}")).collect();
    let file = "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\nContent-Type: image/png\r\n\r\n";
    assert_eq!(
        parts,
        [
            "",
            &format!("{file}\0\r\n"),
            &format!("{file}\u{1}\r\n"),
            "\r\nContent-Disposition: form-data; name=\"o\"\r\nContent-Type: application/json\r\n\r\n{\"x\":1}\r\n",
            "\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\né\r\n",
            "--\r\n",
        ]
    );
}
