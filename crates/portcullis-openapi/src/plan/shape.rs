//! An argument's raw JSON text, opened one level at a time.
//!
//! Scalars keep the text that the caller wrote, so `12345678901234567890123` and `1.10` arrive as such.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json_text::Name;

/// One level of a JSON value.
pub(super) enum Shape<'a> {
    /// `null`
    Null,
    /// A string's text; a number or boolean as JSON writes it.
    Scalar(Cow<'a, str>),
    /// The items.
    Array(Vec<&'a RawValue>),
    /// The members in their order.
    Object(Vec<(Cow<'a, str>, &'a RawValue)>),
}

impl<'a> Shape<'a> {
    /// Opens a value that was parsed before.
    pub(super) fn of(raw: &'a RawValue) -> Self {
        const SOUND: &str = "the arguments were parsed as a whole before";
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b'"') => Self::Scalar(string(text)),
            Some(b'[') => Self::Array(serde_json::from_str(text).expect(SOUND)),
            Some(b'{') => {
                let Members(members) = serde_json::from_str(text).expect(SOUND);
                Self::Object(members)
            }
            _ => Self::Scalar(text.into()),
        }
    }
}

fn string(text: &str) -> Cow<'_, str> {
    match text.get(1..text.len() - 1) {
        Some(plain) if !plain.contains('\\') => plain.into(),
        _ => serde_json::from_str::<String>(text)
            .expect("the arguments were parsed as a whole before")
            .into(),
    }
}

/// The members of an object, their values unopened.
pub(super) struct Members<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((Name(name), raw)) = map.next_entry()? {
            members.push((name, raw));
        }
        Ok(Members(members))
    }
}
