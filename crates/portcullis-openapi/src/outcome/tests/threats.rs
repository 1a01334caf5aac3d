//! The threats of an answer, by their ids.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{UpstreamResponse, answer, given, outcome, structured, text};
use crate::sample::tool;

fn cut<'a>(content_type: &'a str, body: &'a [u8]) -> UpstreamResponse<'a> {
    UpstreamResponse {
        truncated_at: Some(body.len()),
        ..answer(200, content_type, body)
    }
}

#[test]
fn o_10_an_answer_cut_at_the_cap_says_so() {
    let body = "{\"a\":\"é";
    let body = &body.as_bytes()[..body.len() - 1];
    let outcome = given(&tool(), &cut("application/json", body));
    assert_eq!(
        text(&outcome),
        "{\"a\":\"\n\n[answer cut at 7 bytes of unknown length]"
    );
    let declared = UpstreamResponse {
        declared_length: Some(5_000_000_000),
        ..cut("text/plain", b"abc")
    };
    let promised = given(&tool().promising(), &declared);
    assert_eq!(
        text(&promised),
        "abc\n\n[answer cut at 3 bytes of 5000000000]"
    );
    assert!(structured(&promised).is_object());
}

#[test]
fn o_10_half_an_image_is_not_shown() {
    for media_type in [
        "image/png",
        "audio/wav",
        "application/zip",
        "multipart/mixed; boundary=b",
    ] {
        let outcome = given(&tool(), &cut(media_type, b"\x89PNG"));
        let name = media_type.split(';').next().unwrap();
        assert_eq!(
            text(&outcome),
            format!("{name} is left out: answer cut at 4 bytes of unknown length")
        );
    }
}

#[test]
fn o_10_bytes_of_another_charset_are_said_to_be_lost() {
    let outcome = outcome(&tool(), 200, "text/plain", b"a\xffb");
    assert!(text(&outcome).starts_with("a\u{fffd}b\n\n[some bytes are not text"));
}

#[test]
fn o_10_json_that_clients_cannot_parse_stays_text() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    let half = r#"{"a":"\uD800"}"#.to_owned();
    for body in [deep, half] {
        let outcome = outcome(&tool(), 200, "application/json", &body);
        assert_eq!(text(&outcome), body);
        assert!(outcome.structured.is_none());
        let promised = super::outcome(&tool().promising(), 200, "application/json", &body);
        assert_eq!(structured(&promised), json!({"result": body}));
    }
    let fine = r#"{"a":"\ud83d\ude00 [[[[ \" {{{"}"#;
    assert!(
        outcome(&tool(), 200, "application/json", fine)
            .structured
            .is_some()
    );
}

proptest! {
    #[test]
    fn o_10_every_answer_has_a_result(
        status in 100u16..600,
        media_type in prop_oneof![
            any::<String>(),
            prop::sample::select(&[
                "application/json", "text/html", "text/plain; charset=utf-16", "image/png", "multipart/mixed; boundary=b", "",
            ]).prop_map(str::to_owned),
        ],
        body in prop_oneof![
            any::<Vec<u8>>(),
            r"[\[\]{}:,\x220-9a\\ud<>/-]{0,40}".prop_map(String::into_bytes),
        ],
        is_cut in any::<bool>(),
    ) {
        let response = UpstreamResponse {
            truncated_at: is_cut.then_some(body.len()),
            ..answer(status, &media_type, &body)
        };
        let outcome = given(&tool().promising(), &response);
        prop_assert!(!outcome.content.is_empty());
        prop_assert_eq!(outcome.is_error, !(200..300).contains(&status) && status != 304);
        prop_assert_eq!(outcome.structured.is_some(), !outcome.is_error);
        if let Some(structured) = outcome.structured {
            prop_assert!(serde_json::from_str::<Value>(structured.get()).unwrap().is_object());
        }
    }
}
