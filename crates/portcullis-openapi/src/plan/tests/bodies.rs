//! Bodies of every kind.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::{cause, plan, plan_text, refusal};
use crate::model::body::{BodyEncoding, FieldEncoding, Lines};
use crate::model::{Spelling, Style};
use crate::plan::{PlannedBody, Unsendable};
use crate::sample::tool;

type Fields = IndexMap<String, FieldEncoding>;

fn body(content_type: &str, encoding: BodyEncoding, value: &Value) -> PlannedBody {
    let tool = tool().sending(content_type, encoding);
    let plan = plan(&tool, &json!({"body": value})).unwrap();
    plan.body.unwrap()
}

fn form(fields: Fields, value: &Value) -> String {
    let content_type = "application/x-www-form-urlencoded";
    let body = body(content_type, BodyEncoding::Form(fields), value);
    assert_eq!(body.content_type, content_type);
    String::from_utf8(body.bytes).unwrap()
}

/// The parts of a body, each its head and its content.
fn parts(encoding: BodyEncoding, value: &Value) -> Vec<(String, String)> {
    let sent = body("multipart/form-data", encoding, value);
    let boundary = sent
        .content_type
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    let text = String::from_utf8(sent.bytes.clone()).unwrap();
    let text = text.strip_suffix(&format!("--{boundary}--\r\n")).unwrap();
    let delimiter = format!("--{boundary}\r\n");
    let parts = text.split(&delimiter).skip(1);
    parts
        .map(|part| {
            let (head, content) = match part.strip_prefix("\r\n") {
                Some(content) => ("", content),
                None => part.split_once("\r\n\r\n").unwrap(),
            };
            (
                head.to_owned(),
                content.strip_suffix("\r\n").unwrap().to_owned(),
            )
        })
        .collect()
}

fn listed(name: &str, encoding: FieldEncoding) -> Fields {
    [(name.to_owned(), encoding)].into()
}

fn spelled(spelling: Spelling) -> FieldEncoding {
    FieldEncoding {
        spelling: Some(spelling),
        ..FieldEncoding::default()
    }
}

fn typed(content_type: &str) -> FieldEncoding {
    FieldEncoding {
        content_types: vec![content_type.to_owned()],
        ..FieldEncoding::default()
    }
}

fn file(content_types: &[&str]) -> FieldEncoding {
    FieldEncoding {
        content_types: content_types.iter().map(|it| (*it).to_owned()).collect(),
        binary: true,
        ..FieldEncoding::default()
    }
}

const JOINED: Spelling = Spelling {
    explode: false,
    ..Spelling::FORM
};

#[test]
fn a_json_body_is_sent_as_it_was_written() {
    for content_type in [
        "application/json; charset=utf-8",
        "application/json-patch+json",
        "application/merge-patch+json",
    ] {
        let tool = tool().sending(content_type, BodyEncoding::Json);
        for written in [r#"{"b": 1.10,  "a":[ ]}"#, "{}", "null", "[ 1 ]", "\"x\""] {
            let arguments = format!(r#"{{"body": {written}}}"#);
            let body = plan_text(&tool, &arguments).unwrap().body.unwrap();
            assert_eq!(body.content_type, content_type);
            assert_eq!(body.bytes, written.as_bytes());
        }
    }
}

#[test]
fn json_lines_are_one_line_for_each_item() {
    let sent = |lines, arguments: &str| {
        let tool = tool().sending("application/x-ndjson", BodyEncoding::JsonLines(lines));
        let body = plan_text(&tool, arguments).unwrap().body.unwrap();
        String::from_utf8(body.bytes).unwrap()
    };
    let arguments = "{\"body\": [{\n \"a\": 1.10 }, [], \"x y\"]}";
    let lines = "{\"a\":1.10}\n[]\n\"x y\"\n";
    assert_eq!(sent(Lines::Plain, arguments), lines);
    let records = "\u{1e}{\"a\":1.10}\n\u{1e}[]\n\u{1e}\"x y\"\n";
    assert_eq!(sent(Lines::Sequence, arguments), records);
    assert_eq!(sent(Lines::Plain, r#"{"body": {"a": 1}}"#), "{\"a\":1}\n");
    assert_eq!(sent(Lines::Plain, r#"{"body": "1\n2\n"}"#), "1\n2\n");
}

#[test]
fn text_is_sent_as_it_is() {
    let sent = body("text/plain", BodyEncoding::Text, &json!("a\u{e9}\n"));
    assert_eq!(sent.bytes, "aé\n".as_bytes());
    let tool = tool().sending("text/plain", BodyEncoding::Text);
    for value in [json!(1), json!(null)] {
        assert_eq!(cause(&tool, &json!({"body": value})), Unsendable::NotText);
    }
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
        json!("data:image/png,AA=="),
        json!("data:image/png;base64"),
    ] {
        assert_eq!(cause(&tool, &json!({"body": value})), Unsendable::NotBase64);
    }
}

#[test]
fn a_data_url_says_what_its_bytes_are() {
    let sent = |tool: &crate::model::Tool, url: &str| plan(tool, &json!({"body": url}));
    let mut range = tool().sending("image/png", BodyEncoding::Binary);
    let choices = &mut range.request.body.as_mut().unwrap().choices;
    Arc::make_mut(choices)[0].media_type = "image/*".to_owned();
    let range = range.or_sending("application/pdf", BodyEncoding::Binary);
    for (url, expected) in [
        ("AA==", "image/png"),
        ("data:;base64,AA==", "image/png"),
        ("data:image/webp;base64,AA==", "image/webp"),
        ("data:IMAGE/x;a=b;name=c;base64,AA==", "IMAGE/x;a=b"),
        ("data:application/pdf;base64,AA==", "application/pdf"),
    ] {
        let body = sent(&range, url).unwrap().body.unwrap();
        assert_eq!(
            (body.content_type.as_str(), &body.bytes[..]),
            (expected, &[0][..])
        );
    }
    for url in [
        "data:text/html;base64,AA==",
        "data:image/x\r\nA: b;base64,AA==",
        "data:image;base64,AA==",
    ] {
        assert_eq!(cause(&range, &json!({"body": url})), Unsendable::MediaType);
    }
}

#[test]
fn the_media_type_of_a_body_can_be_chosen() {
    let tool = tool()
        .sending("application/json", BodyEncoding::Json)
        .or_sending("text/plain", BodyEncoding::Text);
    for (arguments, content_type, bytes) in [
        (json!({"body": "a"}), "application/json", "\"a\""),
        (
            json!({"body": "a", "content_type": null}),
            "application/json",
            "\"a\"",
        ),
        (
            json!({"body": "a", "content_type": "text/plain"}),
            "text/plain",
            "a",
        ),
    ] {
        let body = plan(&tool, &arguments).unwrap().body.unwrap();
        assert_eq!(body.content_type, content_type);
        assert_eq!(body.bytes, bytes.as_bytes());
    }
    for chosen in [json!("text/html"), json!("TEXT/plain\r\n")] {
        let refused = cause(&tool, &json!({"body": "a", "content_type": chosen}));
        assert_eq!(refused, Unsendable::NotOffered);
    }
}

#[test]
fn a_form_writes_each_item_as_a_pair_and_structure_as_json() {
    let value =
        json!({"a": "1&b", "l": [1, true], "n": null, "o": {"x": [1]}, "m": [{"y": 2}, [3]]});
    assert_eq!(
        form(IndexMap::new(), &value),
        "a=1%26b&l=1&l=true&o=%7B%22x%22%3A%5B1%5D%7D&m=%7B%22y%22%3A2%7D&m=%5B3%5D"
    );
    assert_eq!(form(IndexMap::new(), &json!({})), "");
}

#[test]
fn a_form_field_is_written_in_its_style() {
    let deep = spelled(Spelling::of(Style::DeepObject));
    let value = json!({"items": [{"price": "p1", "metadata": {"k": "v"}}], "expand": ["a", "b"]});
    let mut fields = listed("items", deep.clone());
    fields.insert("expand".to_owned(), deep);
    assert_eq!(
        form(fields, &value).replace("%5B", "[").replace("%5D", "]"),
        "items[0][price]=p1&items[0][metadata][k]=v&expand[]=a&expand[]=b"
    );
    assert_eq!(
        form(listed("l", spelled(JOINED)), &json!({"l": [1, 2]})),
        "l=1,2"
    );
    let reserved = spelled(Spelling {
        allow_reserved: true,
        ..Spelling::FORM
    });
    assert_eq!(
        form(listed("l", reserved), &json!({"l": "a:/b&c"})),
        "l=a:/b%26c"
    );
}

#[test]
fn a_form_field_has_its_own_media_type() {
    let json = typed("application/json; charset=utf-8");
    let value = json!({"l": {"a": [1, 2]}});
    assert_eq!(
        form(listed("l", json.clone()), &value),
        "l=%7B%22a%22%3A%5B1%2C2%5D%7D"
    );
    // A string that is JSON text already is not put into quotes.
    let value = json!({"l": "{\"a\": 1}"});
    assert_eq!(
        form(listed("l", json.clone()), &value),
        "l=%7B%22a%22%3A%201%7D"
    );
    assert_eq!(form(listed("l", json), &json!({"l": "a"})), "l=%22a%22");
}

#[test]
fn a_refused_field_is_named() {
    let encoding = BodyEncoding::Multipart(listed("file", file(&[])));
    let tool = tool().sending("multipart/form-data", encoding);
    let refused = refusal(&tool, &json!({"body": {"file": "é"}}));
    assert!(
        refused.starts_with("argument `body/file` must be Base64 text (RFC 4648 §4)"),
        "{refused}"
    );
}

#[test]
fn a_form_is_an_object() {
    for encoding in [
        BodyEncoding::Form([].into()),
        BodyEncoding::Multipart([].into()),
    ] {
        let tool = tool().sending("multipart/form-data", encoding);
        for value in [json!("a=b"), json!(null), json!([])] {
            assert_eq!(cause(&tool, &json!({"body": value})), Unsendable::NotForm);
        }
    }
}

#[test]
fn multipart_writes_files_structure_and_text() {
    let value = json!({
        "file": ["AA==", "data:image/jpeg;name=caf%C3%A9.jpg;base64,AQ=="],
        "o": {"x": 1}, "m": [{"y": 2}, 3], "t": "é", "n": null,
    });
    let fields = listed("file", file(&["image/*", "image/png", "image/jpeg"]));
    let head =
        |name: &str, more: &str| format!("Content-Disposition: form-data; name=\"{name}\"{more}");
    let json = "\r\nContent-Type: application/json";
    assert_eq!(
        parts(BodyEncoding::Multipart(fields), &value),
        [
            (
                head("file", "; filename=\"file.png\"\r\nContent-Type: image/png"),
                "\0".to_owned()
            ),
            (
                head(
                    "file",
                    "; filename=\"café.jpg\"\r\nContent-Type: image/jpeg"
                ),
                "\u{1}".to_owned()
            ),
            (head("o", json), "{\"x\":1}".to_owned()),
            (head("m", json), "{\"y\":2}".to_owned()),
            (head("m", ""), "3".to_owned()),
            (head("t", ""), "é".to_owned()),
        ]
    );
}

#[test]
fn a_file_is_sent_as_a_media_type_that_the_document_names() {
    let tool = |allowed: &[&str]| {
        let fields = listed("file", file(allowed));
        tool().sending("multipart/form-data", BodyEncoding::Multipart(fields))
    };
    let url = json!({"body": {"file": "data:text/html;base64,AA=="}});
    assert_eq!(cause(&tool(&["image/*"]), &url), Unsendable::MediaType);
    assert!(plan(&tool(&["text/*"]), &url).is_ok());
    assert!(plan(&tool(&[]), &url).is_ok());
    for (range, expected) in [
        ("image/*", "image/png"),
        ("audio/*", "audio/mpeg"),
        ("*/*", "application/octet-stream"),
    ] {
        let fields = BodyEncoding::Multipart(listed("f", file(&[range])));
        let sent = parts(fields, &json!({"f": "AA=="}));
        assert!(
            sent[0].0.ends_with(&format!("Content-Type: {expected}")),
            "{sent:?}"
        );
    }
}

#[test]
fn a_data_url_is_a_file_where_the_document_names_none() {
    let url = "data:text/csv;name=a.csv;base64,YQ==";
    let sent = |fields| parts(BodyEncoding::Multipart(fields), &json!({"f": url}));
    let head =
        "Content-Disposition: form-data; name=\"f\"; filename=\"a.csv\"\r\nContent-Type: text/csv";
    assert_eq!(sent([].into()), [(head.to_owned(), "a".to_owned())]);
    // Elsewhere it is text like any other.
    let [(head, text)] = &sent(listed("other", file(&[])))[..] else {
        panic!("one part")
    };
    assert_eq!(
        (head.as_str(), text.as_str()),
        ("Content-Disposition: form-data; name=\"f\"", url)
    );
}

#[test]
fn multipart_fields_have_styles_types_and_headers_of_their_own() {
    let sent = |encoding: FieldEncoding, value: Value| {
        let parts = parts(
            BodyEncoding::Multipart(listed("f", encoding)),
            &json!({"f": value}),
        );
        let named = parts.into_iter().map(|(head, content)| {
            let name = head.replace("Content-Disposition: form-data; name=", "");
            format!("{} = {content}", name.replace("\r\n", "; "))
        });
        named.collect::<Vec<_>>()
    };
    let list = json!(["a b", "c"]);
    let object = json!({"x": 1, "y": "z"});
    let space = spelled(Spelling::of(Style::SpaceDelimited));
    let pipe = spelled(Spelling::of(Style::PipeDelimited));
    let deep = spelled(Spelling::of(Style::DeepObject));
    assert_eq!(sent(spelled(JOINED), list.clone()), ["\"f\" = a b,c"]);
    assert_eq!(sent(spelled(JOINED), object.clone()), ["\"f\" = x,1,y,z"]);
    assert_eq!(
        sent(spelled(Spelling::FORM), list.clone()),
        ["\"f\" = a b", "\"f\" = c"]
    );
    assert_eq!(
        sent(spelled(Spelling::FORM), object.clone()),
        ["\"x\" = 1", "\"y\" = z"]
    );
    assert_eq!(sent(space, json!(["a", "b"])), ["\"f\" = a b"]);
    assert_eq!(sent(pipe, list.clone()), ["\"f\" = a b|c"]);
    assert_eq!(
        sent(deep.clone(), object.clone()),
        ["\"f[x]\" = 1", "\"f[y]\" = z"]
    );
    assert_eq!(sent(deep, list), ["\"f[]\" = a b", "\"f[]\" = c"]);
    let mut typed = typed("application/vnd.x+json");
    typed.headers = vec![("X-Part".to_owned(), "1".to_owned())];
    assert_eq!(
        sent(typed, object),
        ["\"f\"; Content-Type: application/vnd.x+json; X-Part: 1 = {\"x\":1,\"y\":\"z\"}"]
    );
}

#[test]
fn parts_of_a_list_have_no_names() {
    let encoding = || BodyEncoding::Parts {
        first: vec![FieldEncoding::default(), file(&["image/*"])],
        others: typed("text/csv"),
    };
    let value = json!([{"a": 1}, "AA==", "b", null]);
    let sent = parts(encoding(), &value);
    let part = |head: &str, content: &str| (head.to_owned(), content.to_owned());
    assert_eq!(
        sent,
        [
            part("Content-Type: application/json", "{\"a\":1}"),
            part("Content-Type: image/png", "\0"),
            part("Content-Type: text/csv", "b"),
        ]
    );
    let others = BodyEncoding::Parts {
        first: Vec::new(),
        others: FieldEncoding::default(),
    };
    assert_eq!(parts(others, &json!(["a"])), [part("", "a")]);
    let related = body(
        "multipart/related; boundary=x; type=text/html",
        encoding(),
        &value,
    );
    assert!(
        related
            .content_type
            .starts_with("multipart/related; type=text/html; boundary=portcullis-")
    );
    let tool = tool().sending("multipart/mixed", encoding());
    assert!(
        refusal(&tool, &json!({"body": [1, "é"]})).starts_with("argument `body/1` must be Base64")
    );
}

#[test]
fn data_urls_in_lists_and_in_fields_with_a_media_type_are_files() {
    let url = "data:image/png;name=a.png;base64,QQ==";
    let one = |fields: Fields, value: &Value| {
        let tool = tool().sending("multipart/form-data", BodyEncoding::Multipart(fields));
        let sent = plan(&tool, &json!({"body": {"f": value}}))?.body.unwrap();
        Ok::<_, crate::plan::ArgumentError>(String::from_utf8(sent.bytes).unwrap())
    };
    let head = "name=\"f\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nA\r\n";
    let sent = one(Fields::new(), &json!([url, "b"])).unwrap();
    assert!(
        sent.contains(head) && sent.contains("name=\"f\"\r\n\r\nb\r\n"),
        "{sent}"
    );
    let beside_a_file = |encoding: FieldEncoding| {
        Fields::from([("f".to_owned(), encoding), ("file".to_owned(), file(&[]))])
    };
    let sent = one(beside_a_file(typed("image/*")), &json!(url)).unwrap();
    assert!(sent.contains(head), "{sent}");
    let refused = one(beside_a_file(typed("text/csv")), &json!(url)).unwrap_err();
    assert!(
        refused.to_string().contains("names a media type"),
        "{refused}"
    );
    for encoding in [FieldEncoding::default(), typed("application/json")] {
        let sent = one(beside_a_file(encoding), &json!(url)).unwrap();
        assert!(sent.contains(url), "{sent}");
    }
    let sent = one(beside_a_file(typed("text/csv")), &json!("a,b")).unwrap();
    assert!(
        sent.contains("Content-Type: text/csv\r\n\r\na,b\r\n"),
        "{sent}"
    );
}
