//! Answers that are larger than a model is given.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Content, Outcome, Presentation, answer, structured};
use crate::json_text::compact;
use crate::model::{Place, Tool};
use crate::outcome::cut::{closed, cut};
use crate::outcome::json as outcome_json;
use crate::sample::{parameter, tool};

fn within(tool: &Tool, max_bytes: usize, content_type: &str, body: impl AsRef<[u8]>) -> Outcome {
    let presentation = Presentation {
        max_bytes,
        ..Presentation::default()
    };
    tool.outcome(&answer(200, content_type, body.as_ref()), &presentation)
}

fn texts(outcome: &Outcome) -> Vec<&str> {
    let mut texts = Vec::new();
    for content in &outcome.content {
        let Content::Text(text) = content else {
            panic!("no text: {content:?}");
        };
        texts.push(text.as_str());
    }
    texts
}

#[test]
fn a_long_list_is_cut_between_its_items_and_says_how_to_go_on() {
    let tool = tool()
        .with(parameter(Place::Query, "per_page"))
        .with(parameter(Place::Query, "page"));
    let body = json!({"total": 200, "items": vec![json!({"id": 12345}); 200]}).to_string();
    let outcome = within(&tool, 200, "application/json", &body);
    let [text, note] = texts(&outcome)[..] else {
        panic!("{outcome:?}")
    };
    let shown: Value = serde_json::from_str(text).unwrap();
    let kept = shown["items"].as_array().unwrap().len();
    assert!(kept > 8 && text.len() <= 200, "{text}");
    assert_eq!(shown["total"], 200);
    assert_eq!(structured(&outcome), shown);
    assert_eq!(
        note,
        format!(
            "The answer has {} bytes, of which 192 are given: `items` has 200 items, the first {kept} are here; to have the rest, ask for fewer at a time by `per_page` (such as {kept}), and for the next by `page`.",
            body.len()
        )
    );
}

#[test]
fn what_is_small_enough_comes_as_it_is() {
    let body = " {\"a\" : 1.10}\n";
    let outcome = within(&tool(), 14, "application/json", body);
    assert_eq!(texts(&outcome), ["{\"a\" : 1.10}"]);
    let spacious = format!("{{{}\"a\":\"b c\"}}", " ".repeat(100));
    let outcome = within(&tool(), 20, "application/json", spacious);
    assert_eq!(texts(&outcome), ["{\"a\":\"b c\"}"]);
}

#[test]
fn escapes_that_the_api_wrote_do_not_make_an_answer_text() {
    for (escape, room) in [("\\u00e9", 230), ("\\/", 130)] {
        let body = format!("{{\"a\":\"{}\",\"b\":1}}", escape.repeat(100));
        let outcome = within(&tool(), room, "application/json", &body);
        let shown = structured(&outcome);
        let text: String = serde_json::from_str(&format!("\"{escape}\"")).unwrap();
        assert_eq!(shown, json!({"a": text.repeat(100), "b": 1}));
        // Nothing is missing, so there is nothing to say.
        assert_eq!(texts(&outcome).len(), 1);
        let outcome = within(&tool(), 100, "application/json", &body);
        assert!(structured(&outcome)["a"].as_str().unwrap().ends_with('…'));
        assert!(texts(&outcome)[1].contains("`a` has 100 characters"));
    }
}

#[test]
fn numbers_keep_their_digits_and_members_their_order() {
    let body = format!(
        "{{\"z\":12345678901234567890123,\"a\":1.10,\"list\":[{}1]}}",
        "1.0,".repeat(500)
    );
    let cut = cut(&body, 200).unwrap();
    assert!(
        cut.json
            .starts_with("{\"z\":12345678901234567890123,\"a\":1.10,\"list\":[1.0,")
    );
    assert!(cut.json.len() <= 200);
}

#[test]
fn large_members_share_the_room_and_small_ones_stay_whole() {
    let body =
        json!({"a": vec![1; 1000], "s": "small", "b": vec!["x"; 1000], "t": "é".repeat(900)});
    let cut = cut(&body.to_string(), 600).unwrap();
    let shown: Value = serde_json::from_str(&cut.json).unwrap();
    assert_eq!(shown["s"], "small");
    for list in ["a", "b"] {
        assert!(shown[list].as_array().unwrap().len() > 30, "{shown}");
    }
    assert!(shown["t"].as_str().unwrap().ends_with("é…"));
    assert!(cut.json.len() <= 600);
    let told = cut.places.to_string();
    assert!(
        told.starts_with("`a` has 1000 items, the first ")
            && told.contains("`t` has 900 characters"),
        "{told}"
    );
}

#[test]
fn an_item_that_is_too_large_alone_is_cut_inside() {
    let body = json!([{"id": 1, "text": "x".repeat(5000)}, {"id": 2}]);
    let cut = cut(&body.to_string(), 300).unwrap();
    let shown: Value = serde_json::from_str(&cut.json).unwrap();
    assert_eq!(shown.as_array().unwrap().len(), 1);
    assert_eq!(shown[0]["id"], 1);
    let told = cut.places.to_string();
    assert!(
        told.starts_with("it has 2 items, the first is here; `[0].text` has 5000 characters"),
        "{told}"
    );
}

#[test]
fn an_object_of_many_members_loses_its_last() {
    let many: serde_json::Map<String, Value> =
        (0..5000).map(|n| (format!("key{n}"), json!(n))).collect();
    let cut = cut(&Value::from(many).to_string(), 1000).unwrap();
    let shown: Value = serde_json::from_str(&cut.json).unwrap();
    assert!(shown.as_object().unwrap().len() > 50);
    assert!(
        cut.places
            .to_string()
            .starts_with("it has 5000 members, the first ")
    );
}

#[test]
fn json_that_broke_off_is_closed_after_its_last_whole_part() {
    for (broken, expected) in [
        (r#"{"a":[1,2,{"b":"x"#, Some(r#"{"a":[1,2]}"#)),
        (r#"[{"a":"},["},{"b"#, Some(r#"[{"a":"},["}]"#)),
        (r#"{"a":1,"b":tr"#, Some(r#"{"a":1}"#)),
        (r#"{"a":"x,"#, None),
        ("", None),
    ] {
        assert_eq!(closed(broken).as_deref(), expected, "{broken}");
    }
    let body = br#"{"items":[{"id":1},{"id":2},{"id":"#;
    let response = super::UpstreamResponse {
        truncated_at: Some(body.len()),
        declared_length: Some(999),
        ..answer(200, "application/json", body)
    };
    let outcome = tool().outcome(&response, &Presentation::default());
    assert_eq!(
        texts(&outcome),
        [
            r#"{"items":[{"id":1},{"id":2}]}"#,
            "The gateway did not read all of it: answer cut at 34 bytes of 999."
        ]
    );
}

#[test]
fn o_10_a_cut_answer_is_small_whatever_its_shape() {
    let deep = format!("{}1{}", "[[{\"a\":".repeat(400), "}]]".repeat(400));
    let long_names = format!(
        "{{\"{}\":1,\"{}\":[2]}}",
        "n".repeat(9000),
        "m".repeat(9000)
    );
    let number = format!("[{}]", "7".repeat(9000));
    let half = format!("[\"\\ud800\",\"{}\"]", "x".repeat(9000));
    for body in [deep, long_names, number, half] {
        let outcome = within(&tool().promising(), 500, "application/json", &body);
        let texts = texts(&outcome);
        assert!(
            texts[0].len() < 1000 && texts.iter().map(|text| text.len()).sum::<usize>() < 2000,
            "{texts:?}"
        );
        assert!(structured(&outcome).is_object());
    }
}

#[test]
fn text_is_cut_at_a_line() {
    let body = "a,b\n".repeat(100);
    let outcome = within(&tool(), 42, "text/csv", &body);
    let expected = format!(
        "{}\n\n[the answer has 100 lines, the first 10 are here]",
        "a,b\n".repeat(10).trim_end()
    );
    assert_eq!(texts(&outcome), [expected]);
    let outcome = within(&tool(), 43, "text/plain", "é".repeat(100));
    let expected = format!(
        "{}\n\n[the answer has 200 bytes, the first 42 are here]",
        "é".repeat(21)
    );
    assert_eq!(texts(&outcome), [expected]);
}

#[test]
fn a_large_page_is_reduced_to_its_words() {
    let page = format!(
        "<html><style>{}</style><p>Hello <b>there</b>",
        "x".repeat(500)
    );
    let outcome = within(&tool(), 100, "text/html", &page);
    let expected = format!(
        "Hello there\n\n[an HTML page of {} bytes, of which these are the words]",
        page.len()
    );
    assert_eq!(texts(&outcome), [expected]);
}

#[test]
fn bytes_that_are_too_many_are_described() {
    let presentation = Presentation {
        max_binary_bytes: 10,
        ..Presentation::default()
    };
    let mixed = "--b\r\nContent-Type: application/zip\r\n\r\n12345678\r\n--b\r\nContent-Type: application/zip\r\n\r\n12345678\r\n--b--";
    let outcome = tool().outcome(
        &answer(200, "multipart/mixed; boundary=b", mixed.as_bytes()),
        &presentation,
    );
    assert!(matches!(outcome.content[0], Content::EmbeddedBlob { .. }));
    assert_eq!(
        outcome.content[1],
        Content::Text(
            "application/zip of 8 bytes is left out: 10 bytes are given at most (`max_binary_bytes`)".to_owned()
        )
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        ".{0,60}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 200, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Value::from),
            prop::collection::btree_map("[a-zé\"]{0,20}", inner, 0..12).prop_map(|members| {
                Value::from(members.into_iter().collect::<serde_json::Map<_, _>>())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_cut_is_json_and_about_as_large_as_asked(value in any_json(), room in 0usize..2000) {
        let whole = value.to_string();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(compact(&pretty), whole.clone());
        let cut = cut(&whole, room).unwrap();
        let shown: Value = serde_json::from_str(&cut.json).unwrap();
        prop_assert!(cut.json.len() <= room.max(MAX_SCALAR), "{} {}", room, cut.json);
        prop_assert_eq!(shown.is_array(), value.is_array());
        prop_assert_eq!(shown.is_object(), value.is_object());
        let says_nothing = cut.places.to_string().is_empty();
        prop_assert_eq!(says_nothing, shown == value);
        prop_assert!(says_nothing || whole.len() > room);
    }

    #[test]
    fn json_that_breaks_off_anywhere_is_closed_or_let_be(value in any_json(), at in any::<prop::sample::Index>()) {
        let whole = value.to_string();
        let broken = whole.get(..at.index(whole.len())).unwrap_or_default();
        if let Some(closed) = closed(broken) {
            prop_assert!(outcome_json::sound(closed.as_bytes()).is_some(), "{}", closed);
        }
    }
}

/// The longest text that is left of a value for which there is no room at all.
const MAX_SCALAR: usize = 64;
