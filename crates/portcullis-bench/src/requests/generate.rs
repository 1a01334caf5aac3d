//! A JSON Schema becomes a value that it allows: the same one every time for a schema, a variant and a seed.
//!
//! It knows what input schemas of tools are made of; what it makes has to be held against the schema all the same,
//! since `not`, `if` and the like are not looked at.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::merge::merged;
use super::random::Random;
use super::text;

/// How much of what is allowed is made use of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// What is required, and nothing else.
    Required,
    /// All there is.
    All,
    /// All there is, each as small as it may be.
    Smallest,
    /// All there is, each as large as it may be, with characters that have to be encoded.
    Largest,
}

impl Variant {
    pub(crate) const EACH: [Self; 4] = [Self::Required, Self::All, Self::Smallest, Self::Largest];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::All => "all",
            Self::Smallest => "smallest",
            Self::Largest => "largest",
        }
    }
}

/// Which characters a text may have where the schema does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// Any.
    Any,
    /// Those of a header or a cookie.
    Header,
    /// Those that stay one segment of a path wherever they are decoded.
    Segment,
}

/// Why there is no value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotGenerated(String);

/// Below so many objects and lists, nothing optional is made.
const MAX_OPTIONAL_DEPTH: usize = 3;
/// Below so many there is nothing.
const MAX_DEPTH: usize = 24;
/// How many schemas are visited for one value.
const MAX_VISITS: usize = 20_000;
/// How many optional members an object gets.
const MAX_MEMBERS: usize = 40;

/// Makes values for the schemas of one tool.
pub(crate) struct Generator<'a> {
    /// The whole input schema, for its `$defs`.
    root: &'a Value,
    variant: Variant,
    alphabet: Alphabet,
    random: Random,
    visits: usize,
}

impl<'a> Generator<'a> {
    pub(crate) fn new(root: &'a Value, variant: Variant, alphabet: Alphabet, seed: u64) -> Self {
        Self {
            root,
            variant,
            alphabet,
            random: Random::new(seed),
            visits: 0,
        }
    }

    /// Makes a value.
    pub(crate) fn value(&mut self, schema: &Value) -> Result<Value, NotGenerated> {
        self.at(schema, 0)
    }

    fn at(&mut self, schema: &Value, depth: usize) -> Result<Value, NotGenerated> {
        self.visits += 1;
        if depth > MAX_DEPTH || self.visits > MAX_VISITS {
            return Err(NotGenerated("the schema does not end".to_owned()));
        }
        let schema = match schema {
            Value::Bool(false) => return Err(NotGenerated("nothing is allowed".to_owned())),
            Value::Object(members) => members,
            _ => return Ok(json!("anything")),
        };
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = self.target(reference)?;
            return self.at(&merged(target, &without(schema, "$ref")), depth + 1);
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            let mut whole = without(schema, "allOf");
            for part in parts {
                whole = merged(&whole, &self.resolved(part)?);
            }
            return self.at(&whole, depth + 1);
        }
        if let Some(value) = schema.get("const") {
            return Ok(value.clone());
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return self.one_of(values);
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(branches) = schema.get(key).and_then(Value::as_array) {
                return self.branch(&without(schema, key), schema, branches, depth);
            }
        }
        match kind(schema) {
            Kind::Object => self.object(schema, depth),
            Kind::Array => self.array(schema, depth),
            Kind::Text => self.text(schema),
            Kind::Integer => Ok(self.number(schema, true)),
            Kind::Number => Ok(self.number(schema, false)),
            Kind::Boolean => Ok(json!(self.variant != Variant::Smallest)),
            Kind::Null => Ok(Value::Null),
        }
    }

    fn target(&self, reference: &str) -> Result<&'a Value, NotGenerated> {
        let root = self.root;
        let pointer = reference.strip_prefix('#');
        pointer
            .and_then(|pointer| root.pointer(pointer))
            .ok_or_else(|| NotGenerated(format!("{reference} leads nowhere")))
    }

    /// Follows the references of a part that is to be merged with others.
    fn resolved(&self, part: &Value) -> Result<Value, NotGenerated> {
        let mut part = part.clone();
        for _ in 0..MAX_DEPTH {
            let Some(reference) = part.get("$ref").and_then(Value::as_str) else {
                return Ok(part);
            };
            let target = self.target(reference)?;
            let rest = part.as_object().map(|members| without(members, "$ref"));
            part = merged(target, &rest.unwrap_or_default());
        }
        Err(NotGenerated("references go in a circle".to_owned()))
    }

    fn one_of(&mut self, values: &[Value]) -> Result<Value, NotGenerated> {
        let given: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
        let chosen = match self.variant {
            Variant::Required | Variant::Smallest => given.first(),
            Variant::All => given.get(self.random.below(given.len())),
            Variant::Largest => given.last(),
        };
        let chosen = chosen.copied().or(values.first()).cloned();
        chosen.ok_or_else(|| NotGenerated("an enum has no value".to_owned()))
    }

    /// Takes the first branch whose value the whole allows; of an argument itself with nothing but what is required, where more of one branch is some of another.
    fn branch(
        &mut self,
        rest: &Value,
        whole: &Map<String, Value>,
        branches: &[Value],
        depth: usize,
    ) -> Result<Value, NotGenerated> {
        let made = self.first_branch(rest, whole, branches, depth);
        if made.is_ok() || depth > 0 {
            return made;
        }
        let variant = std::mem::replace(&mut self.variant, Variant::Required);
        let bare = self.first_branch(rest, whole, branches, depth);
        self.variant = variant;
        bare.or(made)
    }

    fn first_branch(
        &mut self,
        rest: &Value,
        whole: &Map<String, Value>,
        branches: &[Value],
        depth: usize,
    ) -> Result<Value, NotGenerated> {
        let mut order: Vec<&Value> = branches.iter().collect();
        if self.variant == Variant::Largest {
            order.reverse();
        }
        let mut cause = NotGenerated("there is no branch".to_owned());
        let allows = self.validator(whole);
        for branch in order {
            if is_only_null(branch) && branches.len() > 1 {
                continue;
            }
            let candidate = merged(rest, &self.resolved(branch)?);
            match self.at(&candidate, depth + 1) {
                Ok(value) if allows.as_ref().is_none_or(|it| it.is_valid(&value)) => {
                    return Ok(value);
                }
                Ok(_) => cause = NotGenerated("no branch alone allows its value".to_owned()),
                Err(error) => cause = error,
            }
        }
        Err(cause)
    }

    fn validator(&self, schema: &Map<String, Value>) -> Option<jsonschema::Validator> {
        let mut schema = schema.clone();
        if let Some(definitions) = self.root.get("$defs") {
            schema.insert("$defs".to_owned(), definitions.clone());
        }
        super::validator(&Value::Object(schema)).ok()
    }

    fn object(&mut self, schema: &Map<String, Value>, depth: usize) -> Result<Value, NotGenerated> {
        let mut made = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        let required: Vec<&str> = strings(schema.get("required"));
        for &name in &required {
            let declared = properties.and_then(|it| it.get(name));
            let open = schema.get("additionalProperties");
            let of_member = declared.or(open).unwrap_or(&Value::Bool(true));
            let value = self.at(of_member, depth + 1)?;
            made.insert(name.to_owned(), value);
        }
        let wanted = self.variant != Variant::Required && depth < MAX_OPTIONAL_DEPTH;
        let most = bound(schema, "maxProperties").unwrap_or(MAX_MEMBERS);
        for (name, of_member) in properties.into_iter().flatten() {
            if !wanted || made.len() >= most || made.contains_key(name) {
                continue;
            }
            if let Ok(value) = self.at(of_member, depth + 1)
                && !value.is_null()
            {
                made.insert(name.clone(), value);
            }
        }
        let least =
            bound(schema, "minProperties").unwrap_or(usize::from(wanted && made.is_empty()));
        self.more_members(schema, &mut made, least.min(most), depth)?;
        Ok(Value::Object(made))
    }

    /// Fills an object up with members that it does not name.
    fn more_members(
        &mut self,
        schema: &Map<String, Value>,
        made: &mut Map<String, Value>,
        least: usize,
        depth: usize,
    ) -> Result<(), NotGenerated> {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, of_member) in properties.into_iter().flatten() {
            if made.len() < least && !made.contains_key(name) {
                let value = self.at(of_member, depth + 1)?;
                made.insert(name.clone(), value);
            }
        }
        let open = match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => return Ok(()),
            Some(open) => open,
            // Members of which nothing is known say nothing, unless they are asked for.
            None if bound(schema, "minProperties").is_none() => return Ok(()),
            None => &Value::Bool(true),
        };
        let names = schema.get("propertyNames").and_then(Value::as_object);
        for number in 0..least {
            if made.len() >= least {
                break;
            }
            let name = match names {
                Some(names) => match self.text(names)? {
                    Value::String(name) => name,
                    _ => continue,
                },
                None => format!("key{number}"),
            };
            let value = self.at(open, depth + 1)?;
            made.insert(name, value);
        }
        Ok(())
    }

    fn array(&mut self, schema: &Map<String, Value>, depth: usize) -> Result<Value, NotGenerated> {
        let least = bound(schema, "minItems").unwrap_or_default();
        let most = bound(schema, "maxItems").unwrap_or(usize::MAX);
        let wanted = match self.variant {
            Variant::Required | Variant::Smallest => 1,
            Variant::All => 2,
            Variant::Largest => 3,
        };
        let optional = if depth < MAX_OPTIONAL_DEPTH {
            wanted
        } else {
            0
        };
        let count = optional.min(most).max(least);
        let first = schema.get("prefixItems").and_then(Value::as_array);
        let items = schema.get("items").unwrap_or(&Value::Bool(true));
        let is_unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
        let mut made: Vec<Value> = Vec::new();
        for number in 0..count {
            let of_item = first.and_then(|first| first.get(number)).unwrap_or(items);
            let value = match self.at(of_item, depth + 1) {
                Ok(value) => value,
                Err(_) if made.len() >= least => break,
                Err(error) => return Err(error),
            };
            if !is_unique || !made.contains(&value) {
                made.push(value);
            } else if let Some(other) = self.another(of_item, &made, depth) {
                made.push(other);
            }
        }
        Ok(Value::Array(made))
    }

    /// An item that is not there yet.
    fn another(&mut self, schema: &Value, taken: &[Value], depth: usize) -> Option<Value> {
        let schema = self.resolved(schema).ok()?;
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return values.iter().find(|it| !taken.contains(it)).cloned();
        }
        let value = self.at(&schema, depth + 1).ok()?;
        let other = match value {
            Value::String(mut text) => {
                match schema.get("format").and_then(Value::as_str) {
                    None => {}
                    Some("uuid" | "guid") => text.truncate(text.len() - 1),
                    Some(_) => return None,
                }
                write!(text, "{}", taken.len() + 1).ok()?;
                json!(text)
            }
            Value::Number(number) => json!(number.as_i64()? + i64::try_from(taken.len()).ok()?),
            _ => return None,
        };
        (!taken.contains(&other)).then_some(other)
    }

    fn text(&mut self, schema: &Map<String, Value>) -> Result<Value, NotGenerated> {
        let asked = text::Asked {
            least: bound(schema, "minLength").unwrap_or_default(),
            most: bound(schema, "maxLength").unwrap_or(usize::MAX),
            format: schema.get("format").and_then(Value::as_str),
            pattern: schema.get("pattern").and_then(Value::as_str),
            is_base64: schema.get("contentEncoding").is_some(),
        };
        text::write(&asked, self.variant, self.alphabet, &mut self.random)
            .map(Value::String)
            .ok_or_else(|| {
                let pattern = asked.pattern.unwrap_or_default();
                NotGenerated(format!("no text was found for the pattern {pattern}"))
            })
    }

    fn number(&self, schema: &Map<String, Value>, whole: bool) -> Value {
        let at = |key: &str| schema.get(key).and_then(Value::as_f64);
        let step = at("multipleOf").unwrap_or(if whole { 1.0 } else { 0.5 });
        let low = at("minimum").or_else(|| Some(at("exclusiveMinimum")? + step));
        let high = at("maximum").or_else(|| Some(at("exclusiveMaximum")? - step));
        let usual: f64 = match (self.variant, schema.get("format").and_then(Value::as_str)) {
            (Variant::Required, _) => 1.0,
            (Variant::All, _) => 10.0,
            (Variant::Smallest, _) => low.unwrap_or(0.0),
            // The largest integer that every reader of JSON reads as it is.
            (Variant::Largest, Some("int64")) => high.unwrap_or(9_007_199_254_740_991.0),
            (Variant::Largest, Some("int32")) => high.unwrap_or(2_147_483_647.0),
            (Variant::Largest, _) => high.unwrap_or(1_000_000.0),
        };
        let mut number = (usual / step).floor() * step;
        if let Some(low) = low
            && number < low
        {
            number = (low / step).ceil() * step;
        }
        if let Some(high) = high
            && number > high
        {
            number = (high / step).floor() * step;
        }
        let is_whole = number.fract() == 0.0 && number.abs() < 1e15 || whole;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "saturates, and is held against the schema"
        )]
        if is_whole {
            json!(number as i64)
        } else {
            json!(number)
        }
    }
}

/// What a schema describes, in this order of preference where it is open.
enum Kind {
    Object,
    Array,
    Text,
    Integer,
    Number,
    Boolean,
    Null,
}

fn kind(schema: &Map<String, Value>) -> Kind {
    let listed = match schema.get("type") {
        Some(Value::Array(types)) => {
            let mut types = types.iter().filter_map(Value::as_str);
            types.clone().find(|&it| it != "null").or(types.next_back())
        }
        Some(Value::String(one)) => Some(one.as_str()),
        _ => None,
    };
    let has = |keys: &[&str]| keys.iter().any(|&key| schema.contains_key(key));
    match listed {
        Some("object") => Kind::Object,
        Some("array") => Kind::Array,
        Some("string") => Kind::Text,
        Some("integer") => Kind::Integer,
        Some("number") => Kind::Number,
        Some("boolean") => Kind::Boolean,
        Some("null") => Kind::Null,
        _ if has(&[
            "properties",
            "required",
            "additionalProperties",
            "minProperties",
        ]) =>
        {
            Kind::Object
        }
        _ if has(&["items", "prefixItems", "minItems", "maxItems"]) => Kind::Array,
        _ if has(&["minimum", "maximum", "multipleOf"]) => Kind::Integer,
        _ => Kind::Text,
    }
}

fn is_only_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
        || schema.get("enum") == Some(&json!([null]))
        || schema.get("const") == Some(&Value::Null)
}

fn bound(schema: &Map<String, Value>, key: &str) -> Option<usize> {
    usize::try_from(schema.get(key)?.as_u64()?).ok()
}

fn strings(list: Option<&Value>) -> Vec<&str> {
    let list = list.and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn without(schema: &Map<String, Value>, key: &str) -> Value {
    let kept = schema.iter().filter(|(name, _)| *name != key);
    Value::Object(
        kept.map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}

#[cfg(test)]
mod tests;
