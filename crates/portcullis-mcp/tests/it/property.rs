//! Nothing that arrives makes the rules panic.

use portcullis_mcp::{Answer, Field, Headers, Incoming, answer, read};
use proptest::prelude::*;

/// Pieces of messages, so that random texts come near to lawful ones.
const PIECES: [&str; 22] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "null",
    "1",
    "-",
    "1e999",
    "\"jsonrpc\":\"2.0\"",
    "\"id\":1",
    "\"method\":\"tools/call\"",
    "\"method\":\"tools/list\"",
    "\"params\":{",
    "\"name\":\"a\"",
    "\"arguments\":{}",
    "\"cursor\":\"YWZ0ZXI6\"",
    "\"_meta\":{",
    "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"",
];

fn survives(version: &[u8], name: &[u8], body: &[u8]) {
    let headers = Headers {
        protocol_version: Field::One(version),
        method: Field::One(b"tools/call"),
        name: Field::One(name),
    };
    for headers in [headers, Headers::default()] {
        if let Ok(Incoming::Request(request)) = read(&headers, body)
            && let Answer::Reply(reply) = answer(&request, &crate::introduction(), &crate::tools())
        {
            serde_json::from_slice::<serde_json::Value>(&reply.body).expect("replies are JSON");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_read_panic(version: Vec<u8>, name: Vec<u8>, body: Vec<u8>) {
        survives(&version, &name, &body);
    }

    #[test]
    fn no_arrangement_of_pieces_makes_read_panic(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24)) {
        survives(b"2026-07-28", b"=?base64?YQ==?=", pieces.concat().as_bytes());
    }
}
