//! Arguments that came as strings of JSON text where the schema wants an object, a list, a number or a boolean, which models do.
//!
//! A string is read as the JSON that it holds only where it does not fit the schema and that JSON makes the arguments fit; so a string that the schema takes is never touched.
//! The plan says what was read that way, so that nothing is mended silently.

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;
use serde_json::value::RawValue;

use super::arguments::Strict;
use super::shape::Shape;
use super::validate::shorten;
use crate::pointer::unescape;

/// Strings within strings that are read.
const MAX_ROUNDS: usize = 4;
/// Strings that are tried.
const MAX_CANDIDATES: usize = 32;
/// Alternatives within alternatives that are looked into.
const MAX_DEPTH: usize = 4;
/// Errors that are looked at.
const MAX_ERRORS: usize = 64;
/// How much of a name a note shows.
const MAX_NAME_BYTES: usize = 80;

/// Arguments that fit.
pub(super) struct Healed {
    /// Their JSON text.
    pub(super) text: String,
    /// What was done, for the model.
    pub(super) notes: Vec<String>,
}

/// One string that is read as JSON.
struct Reading {
    pointer: String,
    string: Value,
    json: Value,
}

/// Reads strings as JSON until the arguments fit.
pub(super) fn heal(validator: &Validator, text: &str, arguments: &Value) -> Option<Healed> {
    let mut readings = all_at_once(validator, arguments).or_else(|| one(validator, arguments))?;
    keep_needed(validator, arguments, &mut readings);
    let mut text = text.to_owned();
    let mut notes = Vec::new();
    for reading in &readings {
        let path: Vec<_> = reading.pointer.split('/').skip(1).map(unescape).collect();
        let json = reading.string.as_str()?.trim();
        text = spliced(serde_json::from_str(&text).ok()?, &path, json)?;
        let name = shorten(reading.pointer.trim_start_matches('/'), MAX_NAME_BYTES);
        notes.push(format!(
            "argument `{name}` was given as a string and was read as the JSON that it holds; give the value itself"
        ));
    }
    Some(Healed { text, notes })
}

/// Reads every string that stands in the way, and those that turn up within.
fn all_at_once(validator: &Validator, arguments: &Value) -> Option<Vec<Reading>> {
    let mut value = arguments.clone();
    let mut readings = Vec::new();
    for _ in 0..MAX_ROUNDS {
        let found = found(validator, &value);
        if found.is_empty() || readings.len() > MAX_CANDIDATES {
            return None;
        }
        for reading in &found {
            put(&mut value, &reading.pointer, &reading.json);
        }
        readings.extend(found);
        if validator.is_valid(&value) {
            return Some(readings);
        }
    }
    None
}

/// Reads one string and leaves the others, where several alternatives want different things.
fn one(validator: &Validator, arguments: &Value) -> Option<Vec<Reading>> {
    found(validator, arguments).into_iter().find_map(|reading| {
        let mut value = arguments.clone();
        put(&mut value, &reading.pointer, &reading.json);
        validator.is_valid(&value).then(|| vec![reading])
    })
}

/// Takes back each reading without which the arguments fit as well.
fn keep_needed(validator: &Validator, arguments: &Value, readings: &mut Vec<Reading>) {
    let mut index = 0;
    while index < readings.len() && readings.len() > 1 {
        let mut value = arguments.clone();
        for (other, reading) in readings.iter().enumerate() {
            if other != index {
                put(&mut value, &reading.pointer, &reading.json);
            }
        }
        if validator.is_valid(&value) {
            readings.remove(index);
        } else {
            index += 1;
        }
    }
}

/// The strings that do not fit and hold JSON of another kind.
fn found(validator: &Validator, value: &Value) -> Vec<Reading> {
    let mut pointers = Vec::new();
    for error in validator.iter_errors(value).take(MAX_ERRORS) {
        collect(&error, MAX_DEPTH, &mut pointers);
    }
    let readings = pointers.into_iter().filter_map(|pointer| {
        let string = value.pointer(&pointer)?;
        let Strict(json) = serde_json::from_str(string.as_str()?).ok()?;
        let is_other = !matches!(json, Value::Null | Value::String(_));
        is_other.then(|| Reading {
            string: string.clone(),
            pointer,
            json,
        })
    });
    readings.collect()
}

fn collect(error: &ValidationError<'_>, depth: usize, pointers: &mut Vec<String>) {
    let pointer = error.instance_path().as_str();
    let (is_of_type, alternatives) = match error.kind() {
        Kind::Type { .. } | Kind::Enum { .. } | Kind::Constant { .. } => (true, None),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => (true, Some(context)),
        _ => (false, None),
    };
    if is_of_type
        && error.instance().is_string()
        && pointers.len() < MAX_CANDIDATES
        && !pointers.iter().any(|known| known == pointer)
    {
        pointers.push(pointer.to_owned());
    }
    if let (Some(alternatives), Some(depth)) = (alternatives, depth.checked_sub(1)) {
        for error in alternatives.iter().flatten().take(MAX_ERRORS) {
            collect(error, depth, pointers);
        }
    }
}

fn put(value: &mut Value, pointer: &str, json: &Value) {
    if let Some(place) = value.pointer_mut(pointer) {
        *place = json.clone();
    }
}

/// Replaces one value of a JSON text; all others keep their text.
fn spliced(raw: &RawValue, path: &[impl AsRef<str>], json: &str) -> Option<String> {
    let Some((step, rest)) = path.split_first() else {
        return Some(json.to_owned());
    };
    let step = step.as_ref();
    let pieces: Option<Vec<String>> = match Shape::of(raw) {
        Shape::Array(items) => {
            let index: usize = step.parse().ok()?;
            let items = items.into_iter().enumerate();
            let pieces = items.map(|(at, item)| {
                if at == index {
                    spliced(item, rest, json)
                } else {
                    Some(item.get().to_owned())
                }
            });
            return Some(format!(
                "[{}]",
                pieces.collect::<Option<Vec<_>>>()?.join(",")
            ));
        }
        Shape::Object(members) => members
            .into_iter()
            .map(|(name, member)| {
                let member = if name == step {
                    spliced(member, rest, json)?
                } else {
                    member.get().to_owned()
                };
                Some(format!("{}:{member}", Value::from(&*name)))
            })
            .collect(),
        Shape::Null | Shape::Scalar(_) => None,
    };
    Some(format!("{{{}}}", pieces?.join(",")))
}
