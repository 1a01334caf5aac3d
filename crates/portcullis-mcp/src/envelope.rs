//! JSON-RPC envelopes: taking a message apart without copying it.
//!
//! Decides what is one lawful message; what its method means is decided in `request.rs`.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::ProtocolError;

/// The deepest nesting of a body; the same as `serde_json`'s own limit, which does not count inside raw values.
const MAX_DEPTH: usize = 128;

/// The id of a request, as the caller wrote it: a string or an integer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id<'a>(Cow<'a, str>);

impl<'a> Id<'a> {
    /// Reads an id ("string or integer, MUST NOT be null", 2026-07-28, base protocol).
    fn read(raw: &'a RawValue) -> Option<Self> {
        let text = raw.get();
        let is_integer = || text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        (text.starts_with('"') || is_integer()).then_some(Self(Cow::Borrowed(text)))
    }

    /// Returns the id's JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// Copies the id, so that it can outlive the request's body.
    #[must_use]
    pub fn into_owned(self) -> Id<'static> {
        Id(Cow::Owned(self.0.into_owned()))
    }
}

/// A text of a message, borrowed where it has no escapes.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Returns the string that `raw` is, if it is one.
pub(crate) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get())
        .ok()
        .map(|t| t.0)
}

/// One message, its parts not yet looked at.
#[derive(Debug)]
pub(crate) enum Message<'a> {
    Request {
        id: Id<'a>,
        method: Cow<'a, str>,
        params: Option<&'a RawValue>,
    },
    Notification,
    Response,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    jsonrpc: Text<'a>,
    #[serde(borrow, default, deserialize_with = "given")]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Text<'a>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    error: Option<&'a RawValue>,
}

/// Keeps `null` apart from absence.
pub(crate) fn given<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// What a body holds.
pub(crate) enum Body<'a> {
    One(&'a str),
    Batch(Vec<&'a RawValue>),
}

/// Reads the bytes of a body as one JSON text.
pub(crate) fn body(bytes: &[u8]) -> Result<Body<'_>, ProtocolError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ProtocolError::NotUtf8)?;
    if is_too_deep(text.as_bytes()) {
        return Err(ProtocolError::TooDeep { limit: MAX_DEPTH });
    }
    if text.trim_start().starts_with('[') {
        serde_json::from_str(text)
            .map(Body::Batch)
            .map_err(|e| ProtocolError::NotJson {
                line: e.line(),
                column: e.column(),
            })
    } else {
        Ok(Body::One(text))
    }
}

/// Reads one message.
pub(crate) fn message(text: &str) -> Result<Message<'_>, ProtocolError> {
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|e| {
        if e.is_data() {
            ProtocolError::NotAMessage
        } else {
            ProtocolError::NotJson {
                line: e.line(),
                column: e.column(),
            }
        }
    })?;
    if envelope.jsonrpc.0 != "2.0" {
        return Err(ProtocolError::NotAMessage);
    }
    match (envelope.method, envelope.id) {
        (Some(method), Some(id)) => Ok(Message::Request {
            id: Id::read(id).ok_or(ProtocolError::InvalidId)?,
            method: method.0,
            params: envelope.params,
        }),
        (Some(_), None) => Ok(Message::Notification),
        (None, Some(_)) if envelope.result.is_some() || envelope.error.is_some() => {
            Ok(Message::Response)
        }
        (None, _) => Err(ProtocolError::NotAMessage),
    }
}

/// Tells whether a JSON text nests deeper than [`MAX_DEPTH`]; what is no JSON may be judged either way.
fn is_too_deep(text: &[u8]) -> bool {
    // Few brackets nest little: this is nearly every body, and counting is much faster than reading.
    if text.iter().filter(|b| matches!(b, b'{' | b'[')).count() <= MAX_DEPTH {
        return false;
    }
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for &byte in text {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(json: &str) -> Result<String, String> {
        let text = format!(r#"{{"jsonrpc":"2.0","method":"ping","id":{json}}}"#);
        match message(&text) {
            Ok(Message::Request { id, .. }) => Ok(id.as_json().to_owned()),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn n_19_an_id_is_a_string_or_an_integer() {
        for lawful in [
            "1",
            "-7",
            "\"\"",
            "\"a\\u0000\"",
            "123456789012345678901234567890",
        ] {
            assert_eq!(id_of(lawful).as_deref(), Ok(lawful));
        }
        for unlawful in ["null", "{}", "[1]", "true", "1.5", "1e3", "1e999"] {
            assert!(id_of(unlawful).is_err(), "{unlawful}");
        }
    }

    #[test]
    fn a_key_given_twice_is_refused() {
        let twice = r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#;
        assert!(matches!(message(twice), Err(ProtocolError::NotAMessage)));
    }

    #[test]
    fn h_10_brackets_count_outside_strings_only() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(!is_too_deep(deep(MAX_DEPTH).as_bytes()));
        assert!(is_too_deep(deep(MAX_DEPTH + 1).as_bytes()));
        assert!(!is_too_deep("[]".repeat(2 * MAX_DEPTH).as_bytes()));
        let quoted = format!(r#"["\"{}"]"#, "[".repeat(200));
        assert!(!is_too_deep(quoted.as_bytes()));
    }
}
