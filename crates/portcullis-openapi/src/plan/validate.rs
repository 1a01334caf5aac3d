//! Arguments against the whole input schema, of which the model may have been shown a part.
//!
//! The schema is compiled on the first call, since compiling costs about a millisecond and most tools are never called.
//! Patterns run on the linear-time engine only and no reference is ever fetched.
//! A schema that does not compile validates nothing; the names of the arguments and the spelling of their values are held either way.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{Draft, PatternOptions, ValidationError, ValidationOptions, Validator};
use serde_json::{Value, json};

use super::ArgumentError;
use super::kept::{Compiled, ROOM};
use crate::model::Tool;
use crate::schema::input::InputSchema;

/// How many violations one answer names.
const MAX_VIOLATIONS: usize = 3;
/// How long the text of one violation is at most; three and the words around them stay under 1 KB.
const MAX_VIOLATION_BYTES: usize = 300;
/// How much of a value or of a list of allowed values is shown.
const MAX_VALUE_BYTES: usize = 60;
/// How deep the search for the nearest alternative goes.
const MAX_DEPTH: usize = 4;
/// The compiled size of one pattern, and of all patterns of a schema together.
const MAX_PATTERN_BYTES: usize = 1 << 20;
const MAX_PATTERNS_BYTES: usize = 1 << 23;
/// Bytes of a compiled schema for each byte of its text, without patterns: 20 to 70 were measured.
const BYTES_FOR_EACH: usize = 64;
/// The compiled size that most patterns keep.
const SMALL_PATTERN_BYTES: usize = 1 << 14;

impl Tool {
    /// Returns what arguments are held against, where the input schema compiles.
    pub(super) fn validator(&self) -> Option<Arc<Validator>> {
        self.validator.get(&ROOM, || compile(&self.input))
    }

    /// Holds the arguments against the input schema.
    pub(super) fn validate(&self, arguments: &Value) -> Result<(), ArgumentError> {
        let Some(validator) = self.validator() else {
            return Ok(());
        };
        if validator.is_valid(arguments) {
            return Ok(());
        }
        let violations: Vec<_> = validator
            .iter_errors(arguments)
            .take(MAX_VIOLATIONS)
            .map(|error| shorten(&describe(&error, MAX_DEPTH), MAX_VIOLATION_BYTES))
            .collect();
        Err(ArgumentError::Invalid(violations.join("; ")))
    }
}

fn compile(input: &InputSchema) -> Compiled {
    let text = input.strict();
    let schema: Value = serde_json::from_slice(&text).unwrap_or_default();
    let count = patterns(&schema);
    let share = share(count);
    let compiled = |validator: Option<Validator>, limit: usize| Compiled {
        validator: validator.map(Arc::new),
        size: BYTES_FOR_EACH * text.len() + limit * count,
    };
    for limit in limits(count) {
        if let Ok(validator) = options(limit).build(&schema) {
            return compiled(Some(validator), limit);
        }
    }
    let mut schema = serde_json::from_slice(&input.loose()).unwrap_or_default();
    let mut known = HashMap::new();
    let mut fits = |pattern: &str| {
        *known.entry(pattern.to_owned()).or_insert_with(|| {
            let alone = options(share).build(&json!({"pattern": pattern}));
            alone.is_ok()
        })
    };
    remove_patterns(&mut schema, &mut fits);
    compiled(options(share).build(&schema).ok(), share)
}

/// The compiled size that each of so many patterns may have.
fn share(count: usize) -> usize {
    MAX_PATTERN_BYTES.min(MAX_PATTERNS_BYTES / count.max(1))
}

/// The limits that a schema with so many patterns is compiled with, one after another: how large patterns are is known only by the limit that they keep.
fn limits(count: usize) -> Vec<usize> {
    let share = share(count);
    let small = SMALL_PATTERN_BYTES.min(share);
    if count == 0 || small == share {
        vec![small]
    } else {
        vec![small, share]
    }
}

/// Patterns run in linear time and keep a limit, and nothing is fetched.
fn options(pattern_bytes: usize) -> ValidationOptions<'static> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex().size_limit(pattern_bytes))
        .offline()
}

/// Counts the patterns of a schema, those of names included.
fn patterns(schema: &Value) -> usize {
    match schema {
        Value::Array(items) => items.iter().map(patterns).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(keyword, value)| match value {
                _ if is_data(keyword) => 0,
                Value::String(_) => usize::from(keyword == "pattern"),
                Value::Object(named) if has_names(keyword) => {
                    let of_names = if keyword == "patternProperties" {
                        named.len()
                    } else {
                        0
                    };
                    of_names + named.values().map(patterns).sum::<usize>()
                }
                _ => patterns(value),
            })
            .sum(),
        _ => 0,
    }
}

/// Tells whether a keyword's value is no schema, whatever it looks like.
fn is_data(keyword: &str) -> bool {
    matches!(keyword, "const" | "enum" | "default" | "examples")
}

/// Tells whether the members of a keyword's value are schemas under names, which may be those of keywords.
fn has_names(keyword: &str) -> bool {
    matches!(
        keyword,
        "properties" | "patternProperties" | "$defs" | "dependentSchemas"
    )
}

/// Patterns that are too large for their share, or of another dialect, are the usual reason why a schema does not compile; the rest of it still serves.
///
/// Where a pattern of names goes, other members are no longer refused: they may be those that it stood for.
/// Conditions with such a pattern go, too: the opposite of what accepts more refuses more.
/// Tells whether there was any.
fn remove_patterns(schema: &mut Value, fits: &mut dyn FnMut(&str) -> bool) -> bool {
    let mut removed = false;
    match schema {
        Value::Array(items) => {
            for item in items {
                removed |= remove_patterns(item, fits);
            }
        }
        Value::Object(members) => {
            members.retain(|keyword, value| match (keyword.as_str(), value) {
                (keyword, _) if is_data(keyword) => true,
                ("pattern", Value::String(pattern)) => {
                    let stays = fits(pattern);
                    removed |= !stays;
                    stays
                }
                (keyword, Value::Object(named)) if has_names(keyword) => {
                    for schema in named.values_mut() {
                        removed |= remove_patterns(schema, fits);
                    }
                    true
                }
                (keyword, value) => {
                    let within = remove_patterns(value, fits);
                    removed |= within;
                    !(within && matches!(keyword, "not" | "if" | "then" | "else"))
                }
            });
            if let Some(Value::Object(named)) = members.get_mut("patternProperties") {
                let before = named.len();
                named.retain(|pattern, _| fits(pattern));
                if named.len() < before {
                    removed = true;
                    members.remove("additionalProperties");
                }
            }
        }
        _ => {}
    }
    removed
}

/// Says which argument is wrong, what is wrong and what is allowed.
fn describe(error: &ValidationError<'_>, depth: usize) -> String {
    if let Kind::AnyOf { context } | Kind::OneOfNotValid { context } = error.kind()
        && let Some(depth) = depth.checked_sub(1)
        && let Some(nearest) = nearest(context)
    {
        return format!(
            "{} fits none of the allowed shapes; for the nearest, {}",
            subject(error),
            describe(nearest, depth)
        );
    }
    let mut text = subject(error);
    text.push(' ');
    reason(&mut text, error);
    text
}

/// The alternative that got furthest into the value before it failed.
fn nearest<'a>(
    alternatives: &'a [Vec<ValidationError<'static>>],
) -> Option<&'a ValidationError<'static>> {
    alternatives
        .iter()
        .filter_map(|errors| errors.first())
        .max_by_key(|error| error.instance_path().segments().count())
}

fn subject(error: &ValidationError<'_>) -> String {
    let path = error.instance_path().as_str();
    match path.strip_prefix('/') {
        None => "the arguments".to_owned(),
        Some(path) => format!("argument `{}`", shorten(path, MAX_VALUE_BYTES)),
    }
}

fn reason(out: &mut String, error: &ValidationError<'_>) {
    let got = || shown(error.instance());
    // Writing to a string cannot fail.
    let _ = match error.kind() {
        Kind::Type { kind } => write!(out, "must be of type {}, not {}", types(kind), got()),
        Kind::Enum { options } => write!(out, "must be one of {}, not {}", shown(options), got()),
        Kind::Constant { expected_value } => {
            write!(out, "must be {}, not {}", shown(expected_value), got())
        }
        Kind::Required { property } => write!(out, "must have {}", shown(property)),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let names = shorten(&unexpected.join("`, `"), MAX_VALUE_BYTES);
            write!(out, "must not have `{names}`")
        }
        Kind::Minimum { limit } => write!(out, "must be at least {limit}, not {}", got()),
        Kind::Maximum { limit } => write!(out, "must be at most {limit}, not {}", got()),
        Kind::ExclusiveMinimum { limit } => write!(out, "must be more than {limit}, not {}", got()),
        Kind::ExclusiveMaximum { limit } => write!(out, "must be less than {limit}, not {}", got()),
        Kind::MultipleOf { multiple_of } => {
            write!(out, "must be a multiple of {multiple_of}, not {}", got())
        }
        Kind::MinLength { limit } => write!(out, "must have at least {limit} characters"),
        Kind::MaxLength { limit } => write!(out, "must have at most {limit} characters"),
        Kind::MinItems { limit } => write!(out, "must have at least {limit} items"),
        Kind::MaxItems { limit } => write!(out, "must have at most {limit} items"),
        Kind::MinProperties { limit } => write!(out, "must have at least {limit} members"),
        Kind::MaxProperties { limit } => write!(out, "must have at most {limit} members"),
        Kind::UniqueItems => write!(out, "must not have the same item twice"),
        Kind::Pattern { pattern } => {
            let pattern = shorten(pattern, 2 * MAX_VALUE_BYTES);
            write!(
                out,
                "must match the pattern `{pattern}`, which {} does not",
                got()
            )
        }
        Kind::Format { format } => write!(out, "must be of the format `{format}`, not {}", got()),
        Kind::OneOfMultipleValid { .. } => {
            write!(
                out,
                "must fit exactly one of the allowed shapes, but fits several"
            )
        }
        other => write!(out, "breaks the schema's `{}`: {}", other.keyword(), got()),
    };
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(name) => name.to_string(),
        TypeKind::Multiple(names) => {
            let names: Vec<_> = names.iter().map(|name| name.to_string()).collect();
            names.join(" or ")
        }
    }
}

/// A value's JSON text, cut; a long value costs no more than a short one.
fn shown(value: &Value) -> String {
    let mut start = Start(Vec::with_capacity(MAX_VALUE_BYTES));
    let whole = serde_json::to_writer(&mut start, value).is_ok();
    let text = String::from_utf8_lossy(&start.0);
    if whole {
        text.into_owned()
    } else {
        format!("{}…", text.trim_end_matches(char::REPLACEMENT_CHARACTER))
    }
}

/// Takes the first bytes and fails after them.
struct Start(Vec<u8>);

impl Write for Start {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = MAX_VALUE_BYTES - self.0.len();
        let taken = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        self.0.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Cuts a text at a character boundary and says so.
pub(super) fn shorten(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(max_bytes);
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_compiled_again_only_where_its_patterns_may_be_larger_then() {
        for (count, expected) in [
            (0, &[SMALL_PATTERN_BYTES][..]),
            (1, &[SMALL_PATTERN_BYTES, MAX_PATTERN_BYTES]),
            (511, &[SMALL_PATTERN_BYTES, MAX_PATTERNS_BYTES / 511]),
            (512, &[SMALL_PATTERN_BYTES]),
            (1 << 20, &[8]),
        ] {
            assert_eq!(limits(count), expected, "{count}");
        }
    }

    #[test]
    fn patterns_are_counted_that_are_compiled() {
        let schema = json!({
            "properties": {
                "pattern": {"pattern": "a"},
                "enum": {"pattern": "b", "enum": [{"pattern": "c"}]},
                "patternProperties": {"type": "object", "default": {"pattern": "d"}},
            },
            "patternProperties": {"e": {"pattern": "f"}},
        });
        assert_eq!(patterns(&schema), 4);
    }
}
