//! JSON bodies, checked and passed through as the bytes they are.
//!
//! Splicing checked bytes costs a fifth of building a value, and keeps the API's numbers and order.

use serde_json::Value;
use serde_json::value::RawValue;

use super::Content;

/// How deep a value may nest to be spliced into a result; common parsers stop at 128, envelope included.
const MAX_DEPTH: usize = 100;

/// Returns the body as JSON text if it is JSON; a byte order mark is skipped (RFC 8259 §8.1 lets parsers).
pub(super) fn sound(body: &[u8]) -> Option<&RawValue> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice(body).ok()
}

/// Tells whether the value is an object.
pub(super) fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

/// Tells whether every client can parse the value inside ours: not nested without bounds, no escape of half a character.
///
/// A client that cannot would lose the whole result, its text included.
pub(super) fn is_readable(raw: &RawValue) -> bool {
    let text = raw.get();
    is_shallow(text.as_bytes())
        && (!has_surrogate_escape(text) || serde_json::from_str::<Value>(text).is_ok())
}

fn is_shallow(text: &[u8]) -> bool {
    if opening(text) <= MAX_DEPTH {
        return true;
    }
    let mut depth = 0usize;
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return false;
        }
    }
    true
}

/// Counts what opens an object or an array, in strings too.
///
/// Sums in single bytes are what the compiler turns into instructions for many bytes at once; a chunk is as long as such a sum can count.
fn opening(text: &[u8]) -> usize {
    let of_chunk = |chunk: &[u8]| -> u8 {
        let opens = chunk.iter().map(|byte| matches!(byte, b'{' | b'['));
        opens.map(u8::from).sum()
    };
    let chunks = text.chunks(u8::MAX.into());
    chunks.map(|chunk| usize::from(of_chunk(chunk))).sum()
}

fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'"' => return,
            _ => {}
        }
    }
}

fn has_surrogate_escape(text: &str) -> bool {
    text.as_bytes().contains(&b'\\') && (text.contains("\\ud") || text.contains("\\uD"))
}

/// Wraps a JSON text as the member `result`.
pub(super) fn wrapped(json: &str) -> Box<RawValue> {
    RawValue::from_string(format!("{{\"result\":{json}}}")).expect("a checked value in an object")
}

/// An object for a tool that promised one while the API sent none: its text as `result`, or nothing.
pub(super) fn stand_in(content: &[Content]) -> Box<RawValue> {
    match content {
        [Content::Text(text), ..] => wrapped(&Value::from(text.as_str()).to_string()),
        _ => empty(),
    }
}

/// `{}`
pub(super) fn empty() -> Box<RawValue> {
    RawValue::from_string("{}".to_owned()).expect("an empty object")
}
