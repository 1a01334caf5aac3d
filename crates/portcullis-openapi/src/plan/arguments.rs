//! The arguments of one call: read twice from one text, as a value to validate and as raw members to send.
//!
//! The raw members go out as they came in, so numbers keep their digits and bodies their bytes.
//! A member that occurs twice is refused, because the API's parser may then prefer another value than ours.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use super::ArgumentError;
use super::shape::Members;
use super::validate::shorten;
use crate::model::Tool;

/// How many bytes of the known arguments' names an error shows.
const MAX_KNOWN_BYTES: usize = 700;

/// The arguments that were given, without the optional ones that are `null`.
pub(super) struct Arguments<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
    value: Value,
}

impl<'a> Arguments<'a> {
    /// Reads the JSON text and holds it against the tool's list of arguments; the schema comes later.
    pub(super) fn read(text: &'a str, tool: &Tool) -> Result<Self, ArgumentError> {
        let malformed = |error: serde_json::Error| ArgumentError::Malformed(error.to_string());
        let Strict(value) = serde_json::from_str(text).map_err(malformed)?;
        let Value::Object(mut value) = value else {
            return Err(ArgumentError::NotAnObject);
        };
        let Members(mut members) = serde_json::from_str(text).map_err(malformed)?;
        if let Some((name, _)) = members.iter().find(|(name, _)| !has(tool, name)) {
            return Err(unknown(name, tool));
        }
        if value.values().any(Value::is_null) {
            let given = |name: &str, is_null: bool| !is_null || is_required(tool, name);
            members.retain(|(name, raw)| given(name, raw.get() == "null"));
            value.retain(|name, value| given(name, value.is_null()));
        }
        for name in required(tool) {
            if !members.iter().any(|(given, _)| given == name) {
                return Err(ArgumentError::Missing {
                    argument: name.to_owned(),
                });
            }
        }
        Ok(Self {
            members,
            value: Value::Object(value),
        })
    }

    /// Returns the arguments as a value.
    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    /// Returns one argument as the caller wrote it.
    pub(super) fn named(&self, argument: &str) -> Option<&'a RawValue> {
        self.members
            .iter()
            .find_map(|(name, raw)| (name == argument).then_some(*raw))
    }
}

/// Yields the names of the tool's arguments and whether each is required.
fn all(tool: &Tool) -> impl Iterator<Item = (&str, bool)> {
    let parameters = tool.request.parameters.iter();
    let body = tool.request.body.iter();
    let choosers = tool.request.body.iter();
    parameters
        .map(|parameter| (parameter.argument.as_str(), parameter.required))
        .chain(body.map(|body| (body.argument.as_str(), body.required)))
        .chain(choosers.filter_map(|body| Some((body.chooser.as_deref()?, false))))
}

fn has(tool: &Tool, name: &str) -> bool {
    all(tool).any(|(known, _)| known == name)
}

fn required(tool: &Tool) -> impl Iterator<Item = &str> {
    all(tool).filter_map(|(name, required)| required.then_some(name))
}

fn is_required(tool: &Tool, name: &str) -> bool {
    required(tool).any(|known| known == name)
}

fn unknown(name: &str, tool: &Tool) -> ArgumentError {
    let names: Vec<_> = all(tool).map(|(name, _)| format!("`{name}`")).collect();
    ArgumentError::Unknown {
        name: shorten(name, 80),
        known: if names.is_empty() {
            "this tool takes none".to_owned()
        } else {
            format!(
                "this tool takes {}",
                shorten(&names.join(", "), MAX_KNOWN_BYTES)
            )
        },
    }
}

/// A JSON value none of whose objects has a member twice.
pub(super) struct Strict(pub(super) Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, _>()? {
            if object.contains_key(&name) {
                let name = shorten(&name, 80);
                return Err(de::Error::custom(format_args!("`{name}` is given twice")));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}
