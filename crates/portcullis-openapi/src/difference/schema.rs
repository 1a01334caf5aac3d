//! Compares the schemas of a tool's arguments: what was a right argument before, and is none after?
//!
//! References are followed side by side, each pair once, so that recursive schemas end.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use super::{ToolChange, breaking, harmless};

/// The most changes that are told of one tool; the last says that there are more.
const MAX_CHANGES: usize = 50;
/// How deep arguments are looked into.
const MAX_DEPTH: usize = 64;
/// The longest value that is shown, in characters.
const MAX_SHOWN: usize = 120;

/// Words that describe and constrain nothing.
const WORDS: [&str; 10] = [
    "title",
    "description",
    "examples",
    "example",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$comment",
    "$schema",
];
/// Bounds that allow less as they grow.
const LOWER: [&str; 5] = [
    "minimum",
    "exclusiveMinimum",
    "minLength",
    "minItems",
    "minProperties",
];
/// Bounds that allow less as they shrink.
const UPPER: [&str; 5] = [
    "maximum",
    "exclusiveMaximum",
    "maxLength",
    "maxItems",
    "maxProperties",
];
/// Words with rules of their own below.
const KNOWN: [&str; 14] = [
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "anyOf",
    "oneOf",
    "allOf",
    "uniqueItems",
    "$ref",
    "$defs",
    "prefixItems",
];

/// Compares two schemas that may hold `$defs`.
pub(super) fn changes(before: &Value, after: &Value) -> Vec<ToolChange> {
    let mut comparison = Comparison {
        before,
        after,
        seen: HashSet::new(),
        changes: Vec::new(),
        left_out: false,
    };
    comparison.compare("", before, after, 0);
    if comparison.left_out {
        let text = "further changes of its arguments are left out".to_owned();
        comparison.changes.push(breaking("more", text));
    }
    comparison.changes
}

struct Comparison<'a> {
    before: &'a Value,
    after: &'a Value,
    /// References that were followed together.
    seen: HashSet<(String, String)>,
    changes: Vec<ToolChange>,
    left_out: bool,
}

impl Comparison<'_> {
    fn compare(&mut self, place: &str, old: &Value, new: &Value, depth: usize) {
        let (Some(from), Some(to)) = (reference(old), reference(new)) else {
            let (old, new) = (resolved(self.before, old), resolved(self.after, new));
            return self.compare_resolved(place, old, new, depth);
        };
        if self.seen.insert((from.to_owned(), to.to_owned())) {
            let (old, new) = (resolved(self.before, old), resolved(self.after, new));
            self.compare_resolved(place, old, new, depth);
        }
    }

    fn compare_resolved(&mut self, place: &str, old: &Value, new: &Value, depth: usize) {
        if depth > MAX_DEPTH {
            self.left_out |= old != new;
            return;
        }
        let nothing = Map::new();
        let (old, new) = match (open(old, &nothing), open(new, &nothing)) {
            (Some(old), Some(new)) => (old, new),
            _ if old == new => return,
            _ => {
                return self.tell(breaking(
                    "schema-changed",
                    format!("{} takes other values", shown_place(place)),
                ));
            }
        };
        self.types(place, old, new);
        self.values(place, old, new);
        self.bounds(place, old, new);
        self.members(place, old, new, depth);
        self.parts(place, old, new, depth);
        self.rest(place, old, new);
    }

    fn types(&mut self, place: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let (from, to) = (type_names(old), type_names(new));
        if from == to {
            return;
        }
        let allowed =
            |name: &String| to.contains(name) || (name == "integer" && to.contains("number"));
        let narrowed = !to.is_empty() && (from.is_empty() || !from.iter().all(allowed));
        let text = format!(
            "{} is {} -> {}",
            shown_place(place),
            or_any(&from),
            or_any(&to)
        );
        self.tell(if narrowed {
            breaking("type-narrowed", text)
        } else {
            harmless("type-widened", text)
        });
    }

    /// Compares the lists of values; a constant is a list of one.
    fn values(&mut self, place: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let (from, to) = (listed(old), listed(new));
        let place = shown_place(place);
        match (from, to) {
            (None, Some(_)) => self.tell(breaking(
                "value-removed",
                format!("{place} takes listed values only"),
            )),
            (Some(_), None) => {
                self.tell(harmless("value-added", format!("{place} takes any value")));
            }
            (Some(from), Some(to)) => {
                for value in from.iter().filter(|it| !to.contains(it)) {
                    self.tell(breaking(
                        "value-removed",
                        format!("{place} takes {} no more", shown(value)),
                    ));
                }
                for value in to.iter().filter(|it| !from.contains(it)) {
                    self.tell(harmless(
                        "value-added",
                        format!("{place} takes {} too", shown(value)),
                    ));
                }
            }
            (None, None) => {}
        }
    }

    fn bounds(&mut self, place: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let lower = LOWER.iter().map(|word| (*word, true));
        let upper = UPPER.iter().map(|word| (*word, false));
        for (word, is_lower) in lower.chain(upper) {
            let (from, to) = (old.get(word), new.get(word));
            if from == to {
                continue;
            }
            let number = |value: Option<&Value>| value.and_then(Value::as_f64);
            let is_tighter = match (number(from), number(to)) {
                (_, None) => to.is_some(),
                (None, Some(_)) => true,
                (Some(from), Some(to)) => (is_lower && to > from) || (!is_lower && to < from),
            };
            let text = format!(
                "{}: {word} {} -> {}",
                shown_place(place),
                or_none(from),
                or_none(to)
            );
            self.tell(if is_tighter {
                breaking("constraint-tightened", text)
            } else {
                harmless("constraint-loosened", text)
            });
        }
    }

    /// Compares the members of objects, which are the arguments at the top.
    fn members(
        &mut self,
        place: &str,
        old: &Map<String, Value>,
        new: &Map<String, Value>,
        depth: usize,
    ) {
        let nothing = Map::new();
        let of = |schema: &'_ Map<String, Value>| {
            schema.get("properties").and_then(Value::as_object).cloned()
        };
        let (from, to) = (
            of(old).unwrap_or_else(|| nothing.clone()),
            of(new).unwrap_or(nothing),
        );
        let (was, is) = (required(old), required(new));
        for (name, schema) in &from {
            let inner = within(place, name);
            match to.get(name) {
                None => self.tell(breaking(
                    "argument-removed",
                    format!("{} removed", shown_place(&inner)),
                )),
                Some(other) => self.compare(&inner, schema, other, depth + 1),
            }
        }
        for name in to.keys().filter(|name| !from.contains_key(*name)) {
            let inner = shown_place(&within(place, name));
            self.tell(if is.contains(name.as_str()) {
                breaking("argument-required", format!("{inner} is new and required"))
            } else {
                harmless("argument-added", format!("{inner} added"))
            });
        }
        for name in is.difference(&was).filter(|name| from.contains_key(**name)) {
            let inner = shown_place(&within(place, name));
            self.tell(breaking(
                "argument-required",
                format!("{inner} is required now"),
            ));
        }
        for name in was.difference(&is).filter(|name| to.contains_key(**name)) {
            let inner = shown_place(&within(place, name));
            self.tell(harmless(
                "argument-optional",
                format!("{inner} is required no more"),
            ));
        }
    }

    /// Compares what stands within a schema.
    fn parts(
        &mut self,
        place: &str,
        old: &Map<String, Value>,
        new: &Map<String, Value>,
        depth: usize,
    ) {
        let open = Value::Bool(true);
        for (word, inner) in [
            ("items", format!("{place}[]")),
            ("additionalProperties", within(place, "*")),
        ] {
            let (from, to) = (old.get(word), new.get(word));
            if from != to || from.is_some() {
                self.compare(
                    &inner,
                    from.unwrap_or(&open),
                    to.unwrap_or(&open),
                    depth + 1,
                );
            }
        }
        for (word, fewer_breaks) in [
            ("anyOf", true),
            ("oneOf", true),
            ("allOf", false),
            ("prefixItems", false),
        ] {
            let list = |schema: &'_ Map<String, Value>| {
                schema
                    .get(word)
                    .and_then(Value::as_array)
                    .cloned()
                    .unwrap_or_default()
            };
            let (from, to) = (list(old), list(new));
            for (one, other) in from.iter().zip(&to) {
                self.compare(place, one, other, depth + 1);
            }
            if from.len() != to.len() {
                let breaks = (to.len() < from.len()) == fewer_breaks
                    || from.is_empty()
                    || to.is_empty() && fewer_breaks;
                let text = format!(
                    "{} has {} -> {} alternatives ({word})",
                    shown_place(place),
                    from.len(),
                    to.len()
                );
                self.tell(ToolChange {
                    breaks,
                    code: "alternatives",
                    text,
                });
            }
        }
    }

    /// Tells of every other word that differs: what only describes breaks nothing, and what nobody here understands may.
    fn rest(&mut self, place: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let words: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let is_judged =
            |word: &str| KNOWN.contains(&word) || LOWER.contains(&word) || UPPER.contains(&word);
        let differs = |word: &&String| old.get(*word) != new.get(*word);
        for word in words.into_iter().filter(differs) {
            let place = shown_place(place);
            match word.as_str() {
                "uniqueItems" => {
                    let is_tighter = new.get(word) == Some(&Value::Bool(true));
                    let text = format!("{place}: uniqueItems");
                    self.tell(if is_tighter {
                        breaking("constraint-tightened", text)
                    } else {
                        harmless("constraint-loosened", text)
                    });
                }
                judged if is_judged(judged) => {}
                text if WORDS.contains(&text) || text.starts_with("x-") => {
                    self.tell(harmless(
                        "description",
                        format!("{word} of {place} changed"),
                    ));
                }
                _ if !new.contains_key(word) => {
                    self.tell(harmless(
                        "constraint-loosened",
                        format!("{place}: {word} removed"),
                    ));
                }
                _ => self.tell(breaking(
                    "schema-changed",
                    format!("{place}: {word} changed"),
                )),
            }
        }
    }

    fn tell(&mut self, change: ToolChange) {
        if self.changes.contains(&change) {
            return;
        }
        if self.changes.len() >= MAX_CHANGES {
            self.left_out = true;
            return;
        }
        self.changes.push(change);
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()
}

/// Follows references within the document, and no further than there can be any.
fn resolved<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let mut schema = schema;
    for _ in 0..MAX_DEPTH {
        let target = reference(schema).and_then(|it| root.pointer(it.strip_prefix('#')?));
        match target {
            Some(target) => schema = target,
            None => return schema,
        }
    }
    schema
}

/// Reads a schema as an object; `true` is one that says nothing.
fn open<'s>(schema: &'s Value, nothing: &'s Map<String, Value>) -> Option<&'s Map<String, Value>> {
    match schema {
        Value::Bool(true) => Some(nothing),
        schema => schema.as_object(),
    }
}

fn type_names(schema: &Map<String, Value>) -> BTreeSet<String> {
    match schema.get("type") {
        Some(Value::String(name)) => BTreeSet::from([name.clone()]),
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str);
            names.map(str::to_owned).collect()
        }
        _ => BTreeSet::new(),
    }
}

fn listed(schema: &Map<String, Value>) -> Option<Vec<Value>> {
    let constant = schema.get("const").map(|value| vec![value.clone()]);
    constant.or_else(|| schema.get("enum")?.as_array().cloned())
}

fn required(schema: &Map<String, Value>) -> BTreeSet<&str> {
    let names = schema.get("required").and_then(Value::as_array);
    names
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn within(place: &str, name: &str) -> String {
    match place {
        "" => name.to_owned(),
        place => format!("{place}.{name}"),
    }
}

fn shown_place(place: &str) -> String {
    match place {
        "" => "the list of arguments".to_owned(),
        place => format!("argument `{}`", cut(&place.escape_debug().to_string())),
    }
}

/// Writes a value so that a terminal can do nothing but show it.
fn shown(value: &Value) -> String {
    cut(&value
        .to_string()
        .escape_debug()
        .to_string()
        .replace("\\\"", "\""))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn or_none(value: Option<&Value>) -> String {
    value.map_or_else(|| "none".to_owned(), shown)
}

fn or_any(names: &BTreeSet<String>) -> String {
    match names.len() {
        0 => "of any type".to_owned(),
        _ => names.iter().cloned().collect::<Vec<_>>().join(" or "),
    }
}
