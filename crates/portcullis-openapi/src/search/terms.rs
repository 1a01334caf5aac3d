//! The words of one tool, each with the weight of where it stands.

use std::collections::HashMap;

use serde_json::Value;

use super::deeds::{Deeds, Does, of_method};
use super::lexicon::named;
use super::words::stems;
use crate::model::Tool;

/// What counts of a field: how much a word there weighs, how many words it usually has, how much more or fewer matter, and how many are read.
struct Field {
    weight: f32,
    usual: f32,
    sensitivity: f32,
    most: usize,
}

const NAME: Field = field(2.0, 4.0, 0.3, 40);
const TITLE: Field = field(2.0, 5.0, 0.3, 40);
const PATH: Field = field(1.0, 4.0, 0.3, 40);
const TAGS: Field = field(0.5, 1.0, 0.3, 20);
const DESCRIPTION: Field = field(0.7, 30.0, 0.75, 60);
const ARGUMENTS: Field = field(0.3, 10.0, 0.75, 80);

const fn field(weight: f32, usual: f32, sensitivity: f32, most: usize) -> Field {
    Field {
        weight,
        usual,
        sensitivity,
        most,
    }
}

/// What a tool can be found by.
pub(super) struct Terms {
    /// Its stems, and how much it has of each.
    pub(super) stems: HashMap<String, Weight>,
    pub(super) does: Does,
    /// How many segments its path has.
    pub(super) depth: f32,
}

/// How much a tool has of a stem.
#[derive(Clone, Copy, Default)]
pub(super) struct Weight {
    pub(super) sum: f32,
    /// Whether it stands where a tool says what it is: in its name, title or path.
    pub(super) is_head: bool,
}

/// Reads the words of a tool that is published as `name`.
pub(super) fn terms(name: &str, tool: &Tool) -> Terms {
    let path = tool.path();
    let segments: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
    let literals = segments.iter().filter(|segment| !is_parameter(segment));
    let literals: Vec<&str> = literals.copied().collect();
    let (title, details) = told(tool);
    let mut weights = HashMap::new();
    for (field, text, is_head) in [
        (&NAME, name, true),
        (&TITLE, title, true),
        (&PATH, literals.join("/").as_str(), true),
        (&TAGS, &tool.tags.join(" "), false),
        (&DESCRIPTION, details, false),
        (&ARGUMENTS, &argument_words(tool), false),
    ] {
        count(&mut weights, field, text, is_head);
    }
    let ends_in_parameter = segments.last().is_some_and(|segment| is_parameter(segment));
    let by_name = [(NAME, name), (TITLE, title)]
        .into_iter()
        .flat_map(|(field, text)| stems(text).take(field.most))
        .fold(Deeds::NONE, |all, stem| all.and(named(&stem)));
    Terms {
        stems: weights,
        does: Does {
            by_name,
            by_method: of_method(tool.request.method, ends_in_parameter),
        },
        depth: f32::from(u16::try_from(segments.len()).unwrap_or(u16::MAX)),
    }
}

/// Counts a field's words: each for more, the fewer there are beside it.
#[expect(
    clippy::cast_precision_loss,
    reason = "a field has at most eighty words"
)]
fn count(weights: &mut HashMap<String, Weight>, field: &Field, text: &str, is_head: bool) {
    let words: Vec<String> = stems(text).take(field.most).collect();
    let length = words.len() as f32 / field.usual;
    let weight = field.weight / (1.0 - field.sensitivity + field.sensitivity * length);
    for word in words {
        let all = weights.entry(word).or_default();
        all.sum += weight;
        all.is_head |= is_head;
    }
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}

/// Returns what the document calls the operation in a line, and what else it says of it.
pub(super) fn told(tool: &Tool) -> (&str, &str) {
    let description = tool.description.as_str();
    let description = description
        .strip_prefix("Deprecated. ")
        .unwrap_or(description);
    if let Some(title) = tool.title.as_deref() {
        let rest = description.strip_prefix(title).unwrap_or(description);
        return (title, rest);
    }
    let end = description.find(". ").or_else(|| description.find('\n'));
    description.split_at(end.unwrap_or(description.len()))
}

/// Lists the names of a tool's arguments and of what is in them, and the words that they may be.
fn argument_words(tool: &Tool) -> String {
    let mut words = String::new();
    if let Ok(schema) = serde_json::from_str(tool.input_schema().get()) {
        collect(&schema, &mut words);
    }
    words
}

/// As many bytes as the words that count may take.
const MAX_ARGUMENT_BYTES: usize = 1_000;

fn collect(schema: &Value, words: &mut String) {
    let Value::Object(members) = schema else {
        return;
    };
    if let Some(Value::Object(properties)) = members.get("properties") {
        for name in properties.keys() {
            push(words, name);
        }
    }
    if let Some(Value::Array(choices)) = members.get("enum") {
        for choice in choices.iter().filter_map(Value::as_str) {
            push(words, choice);
        }
    }
    for (key, value) in members {
        if words.len() > MAX_ARGUMENT_BYTES {
            return;
        }
        let below: Vec<&Value> = match (key.as_str(), value) {
            ("properties" | "$defs", Value::Object(named)) => named.values().collect(),
            ("anyOf" | "oneOf" | "allOf", Value::Array(all)) => all.iter().collect(),
            ("items", schema) => vec![schema],
            _ => Vec::new(),
        };
        for schema in below {
            collect(schema, words);
        }
    }
}

fn push(words: &mut String, word: &str) {
    if words.len() <= MAX_ARGUMENT_BYTES {
        words.push_str(word);
        words.push(' ');
    }
}
