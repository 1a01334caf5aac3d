//! Answers of several parts.

use proptest::prelude::*;

use super::{Content, outcome};
use crate::outcome::multipart;
use crate::sample::tool;

const MIXED: &str = "multipart/mixed; boundary=\"b b\"";

fn blocks(body: &str) -> Vec<Content> {
    outcome(&tool(), 200, MIXED, body.replace('\n', "\r\n")).content
}

#[test]
fn each_part_is_a_block() {
    let blocks = blocks(
        "preamble\n--b b \nContent-Type: text/plain; charset=latin1\n\nhello\n\
         --b b\ncontent-type: audio/wav\n\n\u{1}\n\
         --b b\nContent-Type: application/json\nContent-Location: test://x\n\n{}\n\
         --b b\nContent-Type: application/pdf\nContent-Location: ./x\n\n\u{2}\n\
         --b b\n\nno head\n\
         --b b--\nepilogue",
    );
    let owned = str::to_owned;
    assert_eq!(
        blocks,
        [
            Content::Text(owned("hello")),
            Content::Audio {
                data_base64: owned("AQ=="),
                mime: owned("audio/wav")
            },
            Content::EmbeddedText {
                uri: owned("test://x"),
                mime: owned("application/json"),
                text: owned("{}"),
            },
            Content::EmbeddedBlob {
                uri: owned("answer:sample/4"),
                mime: owned("application/pdf"),
                base64: owned("Ag=="),
            },
            Content::Text(owned("no head")),
        ]
    );
}

#[test]
fn what_does_not_parse_is_one_block() {
    let many = format!("{}--b b--", "--b b\n\nx\n".repeat(65));
    for body in [
        "",
        "x",
        "--b b",
        "--b b--",
        "--b b\n\nx",
        "--b bx\n\nx\n--b b--",
        &many,
    ] {
        assert!(blocks(body).len() == 1, "{body}");
    }
    let without_boundary = outcome(&tool(), 200, "multipart/mixed", "--b\r\n\r\nx\r\n--b--");
    assert!(matches!(without_boundary.content[..], [Content::Text(_)]));
}

proptest! {
    #[test]
    fn no_body_upsets_the_parser(
        pieces in prop::collection::vec(prop_oneof![
            Just("--b b"), Just("--b b--"), Just("\r\n"), Just("\r\n\r\n"), Just("--"), Just(":"),
            Just("Content-Type: text/plain"), Just("Content-Type: multipart/mixed; boundary=\"b b\""), Just("é"), Just("\0"),
        ], 0..40),
    ) {
        let outcome = outcome(&tool(), 200, MIXED, pieces.concat());
        prop_assert!(!outcome.content.is_empty());
    }

    #[test]
    fn parts_come_back_as_they_were(bodies in prop::collection::vec(any::<Vec<u8>>(), 1..8)) {
        let mut body = Vec::new();
        for part in &bodies {
            body.extend_from_slice(b"--0123456789abcdef\r\nContent-Type: application/x\r\n\r\n");
            body.extend_from_slice(part);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--0123456789abcdef--");
        let parts = multipart::parts(&body, "0123456789abcdef").unwrap();
        let read: Vec<_> = parts.iter().map(|part| part.body.to_vec()).collect();
        prop_assert_eq!(read, bodies);
    }
}
