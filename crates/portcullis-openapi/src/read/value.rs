//! Builds the value while counting, so that a limit is met before the memory is spent.
//!
//! Example payloads of media types are skipped: tools do not show them, and they are most of the bytes of some documents (GitHub's).

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use crate::diagnostic::Diagnostics;
use crate::limits::Limits;
use crate::pointer::Place;

/// A limit that was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breach {
    Nodes,
    Depth,
}

/// What is counted over one reading.
#[derive(Debug)]
pub(super) struct Reading {
    nodes_left: Cell<usize>,
    max_depth: usize,
    breach: Cell<Option<Breach>>,
    /// Pointers of keys that occurred again.
    duplicates: RefCell<Vec<String>>,
}

/// Duplicates reported of one document.
const MAX_DUPLICATES: usize = 100;

impl Reading {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            nodes_left: Cell::new(limits.max_nodes),
            max_depth: limits.max_depth,
            breach: Cell::new(None),
            duplicates: RefCell::default(),
        }
    }

    /// The seed that reads the document itself.
    pub(super) fn root<'a>(&'a self, place: &'a Place<'a>) -> Node<'a> {
        Node {
            reading: self,
            place,
            depth: 0,
        }
    }

    /// Reports the duplicates and returns the limit that was met, if one was.
    pub(super) fn finish(self, diagnostics: &mut Diagnostics) -> Option<Breach> {
        for pointer in self.duplicates.into_inner() {
            diagnostics.warn(
                "duplicate-key",
                pointer,
                "the key occurs more than once in its object; the last one is used",
            );
        }
        self.breach.get()
    }

    fn count<E: Error>(&self, depth: usize) -> Result<(), E> {
        let breach = if depth > self.max_depth {
            Breach::Depth
        } else if let Some(left) = self.nodes_left.get().checked_sub(1) {
            self.nodes_left.set(left);
            return Ok(());
        } else {
            Breach::Nodes
        };
        self.breach.set(Some(breach));
        Err(E::custom("a limit was met"))
    }

    fn duplicate(&self, place: &Place<'_>) {
        let mut duplicates = self.duplicates.borrow_mut();
        if duplicates.len() < MAX_DUPLICATES {
            duplicates.push(place.to_string());
        }
    }
}

/// Reads one value at one place.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    reading: &'a Reading,
    place: &'a Place<'a>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.reading.count(self.depth)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Value, E> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a bound beyond 64 bits is approximate in JSON anyway"
        )]
        let number = Number::from_i128(value).or_else(|| Number::from_f64(value as f64));
        Ok(number.map_or(Value::Null, Value::Number))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Value, E> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a bound beyond 64 bits is approximate in JSON anyway"
        )]
        let number = Number::from_u128(value).or_else(|| Number::from_f64(value as f64));
        Ok(number.map_or(Value::Null, Value::Number))
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
        loop {
            let place = self.place.index(array.len());
            let node = Node {
                place: &place,
                depth: self.depth + 1,
                ..self
            };
            match items.next_element_seed(node)? {
                Some(item) => array.push(item),
                None => return Ok(Value::Array(array)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let place = self.place.key(&key);
            if is_example(&place) {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = members.next_value_seed(Node {
                place: &place,
                depth: self.depth + 1,
                ..self
            })?;
            match object.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                Entry::Occupied(mut entry) => {
                    self.reading.duplicate(&self.place.key(entry.key()));
                    entry.insert(value);
                }
            }
        }
        Ok(Value::Object(object))
    }
}

/// Tells whether a place holds examples of bodies: `content/{media type}/example(s)` or `components/examples`.
///
/// The slash of the media type keeps schemas with a property named `content` apart, the root keeps those named `components`.
fn is_example(place: &Place<'_>) -> bool {
    match place.key_back(0) {
        Some("example" | "examples") if place.key_back(2) == Some("content") => place
            .key_back(1)
            .is_some_and(|media_type| media_type.contains('/')),
        Some("examples") => place.key_back(1) == Some("components") && place.key_back(2).is_none(),
        _ => false,
    }
}
