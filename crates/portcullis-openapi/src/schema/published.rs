//! The input schema of a tool, spliced from converted pieces.

use std::rc::Rc;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::{Closure, Fragment};

/// One argument of a tool.
#[derive(Clone, Debug)]
pub(crate) struct Argument<'a> {
    pub(crate) name: &'a str,
    pub(crate) is_required: bool,
    pub(crate) schema: Rc<Fragment>,
}

/// Writes the input schema: an object that has these arguments and no others.
pub(crate) fn input(arguments: &[Argument<'_>], closure: &Closure) -> Box<RawValue> {
    let required = arguments.iter().filter(|argument| argument.is_required);
    raw(&InputSchema {
        r#type: "object",
        properties: Entries(
            arguments
                .iter()
                .map(|argument| (argument.name, &*argument.schema))
                .collect(),
        ),
        required: required.map(|argument| argument.name).collect(),
        additional_properties: false,
        definitions: closure.entries(),
    })
}

#[derive(Serialize)]
struct InputSchema<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Entries::is_empty")]
    properties: Entries<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required: Vec<&'a str>,
    #[serde(rename = "additionalProperties")]
    additional_properties: bool,
    #[serde(rename = "$defs", skip_serializing_if = "Entries::is_empty")]
    definitions: Entries<'a>,
}

/// Schemas by name.
struct Entries<'a>(Vec<(&'a str, &'a Fragment)>);

impl Entries<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, fragment) in &self.0 {
            map.serialize_entry(name, &*fragment.text)?;
        }
        map.end()
    }
}

impl Closure {
    fn entries(&self) -> Entries<'_> {
        Entries(
            self.definitions
                .iter()
                .map(|(name, fragment)| (name.as_str(), &**fragment))
                .collect(),
        )
    }
}

fn raw<T: Serialize>(value: &T) -> Box<RawValue> {
    to_raw_value(value).expect("maps with text keys serialise into memory")
}
