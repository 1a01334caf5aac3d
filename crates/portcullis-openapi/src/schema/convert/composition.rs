//! Keywords that hold schemas: references, properties, items, alternatives.

use serde_json::{Map, Value};

use super::{Around, Converter};
use crate::dialect::is_portable;
use crate::pointer::Place;
use crate::reference::{reference, target};
use crate::schema::fragment::Kind;
use crate::schema::keyword::{is_hidden, properties};

impl<'d> Converter<'_, 'd> {
    /// Writes one keyword; returns whether it is one of this kind.
    pub(super) fn composition(
        &mut self,
        key: &'d str,
        value: &'d Value,
        schema: &'d Map<String, Value>,
        hidden: &[&'d str],
        place: &Place<'_>,
    ) -> bool {
        match (key, value) {
            ("properties", Value::Object(properties)) => self.properties(properties, hidden, place),
            ("required", Value::Array(names)) => self.required(names, hidden),
            ("required", Value::Bool(_)) => self.diagnostics.note(
                "boolean-required",
                place,
                "`required` of a schema is a list of property names; the boolean is left out",
            ),
            ("items", Value::Array(_)) if schema.contains_key("prefixItems") => {}
            ("items" | "prefixItems", Value::Array(items)) => {
                self.list("prefixItems", items, hidden, place);
            }
            // Before 2020-12: what comes after the items that are listed.
            ("additionalItems", Value::Object(_) | Value::Bool(_))
                if schema.get("items").is_some_and(Value::is_array) =>
            {
                self.out.key("items");
                self.below(value, place);
            }
            ("items" | "contains" | "propertyNames", Value::Object(_) | Value::Bool(_)) => {
                self.out.key(key);
                self.below(value, place);
            }
            ("additionalProperties", Value::Object(_) | Value::Bool(_)) => {
                self.additional_properties(value, schema, place);
            }
            ("unevaluatedProperties" | "unevaluatedItems", Value::Object(_) | Value::Bool(_)) => {
                let start = self.out.len();
                self.others(key, value, place);
                self.out.mark(Kind::Fragile, start);
            }
            ("not" | "if" | "then" | "else", Value::Object(_) | Value::Bool(_)) => {
                self.condition(key, value, place);
            }
            ("allOf", Value::Array(members)) => self.list("allOf", members, hidden, place),
            ("anyOf" | "oneOf", Value::Array(members)) => {
                self.alternatives(key, members, schema, place);
            }
            ("patternProperties", Value::Object(patterns)) => {
                self.pattern_properties(patterns, place);
            }
            ("dependentSchemas", Value::Object(dependent)) => {
                self.map("dependentSchemas", dependent, place);
            }
            _ => return false,
        }
        true
    }

    /// Writes `$ref` to a definition, or leaves the schema open where the reference leads nowhere.
    pub(super) fn reference(&mut self, text: &'d str, place: &Place<'_>) {
        match self.schemas.refer(text, &self.base, self.flow) {
            Ok(definition) => self.refer_to(definition, &place.key("$ref")),
            Err(error) => {
                let message = format!("{error}; any value is accepted here");
                self.leave_open(error.code(), &place.key("$ref"), message);
            }
        }
    }

    /// Writes 2019-09's `$recursiveRef: "#"` and its kin: the schema that is being converted.
    pub(super) fn recursive_reference(&mut self, key: &str, value: &Value, place: &Place<'_>) {
        let recursive = matches!(key, "$recursiveRef" | "$dynamicRef")
            && value.as_str().is_some_and(|text| text.starts_with('#'));
        if let Some(origin) = self.origin.filter(|_| recursive) {
            self.refer_to(origin, place);
        }
    }

    fn refer_to(&mut self, definition: super::Definition, place: &Place<'_>) {
        if self.same_value
            && let Some(origin) = self.origin
            && self.schemas.circle(definition, origin)
        {
            let message = "the schema applies itself to the same value; the reference is left out";
            self.leave_open("circular-reference", place, message);
            return;
        }
        self.definitions.insert(definition);
        let target = format!("#/$defs/{}", self.schemas.entry(definition).name);
        self.out.member("$ref", &target);
    }

    fn properties(
        &mut self,
        properties: &'d Map<String, Value>,
        hidden: &[&'d str],
        place: &Place<'_>,
    ) {
        self.out.key("properties");
        self.out.open(b'{');
        for (name, property) in properties {
            if !hidden.contains(&name.as_str())
                && !is_hidden(self.schemas.root, property, self.flow)
            {
                self.out.key(name);
                self.below(property, &place.key(name));
            }
        }
        self.out.close(b'}');
    }

    fn required(&mut self, names: &'d [Value], hidden: &[&'d str]) {
        let mut required: Vec<&str> = Vec::with_capacity(names.len());
        for name in names.iter().filter_map(Value::as_str) {
            if !hidden.contains(&name) && !required.contains(&name) {
                required.push(name);
            }
        }
        if !required.is_empty() {
            self.out.member("required", &required);
        }
    }

    fn list(&mut self, key: &str, members: &'d [Value], hidden: &[&'d str], place: &Place<'_>) {
        if members.is_empty() {
            return;
        }
        self.out.key(key);
        self.out.open(b'[');
        for (index, member) in members.iter().enumerate() {
            let place = place.index(index);
            if key == "allOf" {
                self.schema(
                    member,
                    &place,
                    Around {
                        hidden,
                        ..Around::default()
                    },
                );
            } else {
                self.below(member, &place);
            }
        }
        self.out.close(b']');
    }

    fn alternatives(
        &mut self,
        key: &str,
        members: &'d [Value],
        schema: &'d Map<String, Value>,
        place: &Place<'_>,
    ) {
        if members.is_empty() {
            return;
        }
        let start = self.out.len();
        let is_beside = key == "oneOf" && schema.contains_key("anyOf");
        if key == "oneOf" && !is_beside {
            self.out.one_of();
        } else {
            self.out.key(key);
        }
        self.out.open(b'[');
        for (index, member) in members.iter().enumerate() {
            let place = place.index(index);
            match self.discriminated(member, schema) {
                Some((property, values)) => {
                    self.out.open(b'{');
                    self.out.key("allOf");
                    self.out.open(b'[');
                    self.schema(member, &place, Around::default());
                    let tagged = serde_json::json!({"properties": {property: {"enum": values}}, "required": [property]});
                    self.out.value(&tagged);
                    self.out.close(b']');
                    self.out.close(b'}');
                }
                None => self.schema(member, &place, Around::default()),
            }
        }
        self.out.close(b']');
        // There it cannot become another `anyOf`.
        if is_beside {
            self.out.mark(Kind::Fragile, start);
        }
    }

    /// Finds the values by which an explicit `discriminator.mapping` tells an alternative from its siblings, unless the alternative says so itself.
    fn discriminated(
        &self,
        member: &'d Value,
        schema: &'d Map<String, Value>,
    ) -> Option<(&'d str, Vec<&'d str>)> {
        let discriminator = schema.get("discriminator")?;
        let property = discriminator.get("propertyName")?.as_str()?;
        let mapping = discriminator.get("mapping")?.as_object()?;
        let text = reference(member)?;
        let name = text.strip_prefix("#/components/schemas/").unwrap_or(text);
        let names_member = |value: &&Value| {
            value
                .as_str()
                .is_some_and(|value| value == text || value == name)
        };
        let values: Vec<&str> = mapping
            .iter()
            .filter(|(_, value)| names_member(value))
            .map(|(key, _)| key.as_str())
            .collect();
        let root = self.schemas.root;
        let alternative = target(root, text).ok()?.value;
        let own = properties(root, alternative)
            .into_iter()
            .filter(|(name, _)| *name == property);
        let says_so = own.into_iter().any(|(_, own)| {
            own.get("enum").is_some() || own.get("const").is_some() || reference(own).is_some()
        });
        (!values.is_empty() && !says_so).then_some((property, values))
    }

    /// Writes a schema that what is around it, or within it, must not make stricter.
    fn condition(&mut self, key: &str, value: &'d Value, place: &Place<'_>) {
        let (start, left_open) = (self.out.len(), self.left_open);
        self.out.key(key);
        self.schema(value, place, Around::default());
        if self.left_open > left_open {
            // The opposite of what accepts too much would refuse too much.
            self.out.take_back(start);
        } else if !self.out.is_fixed(start) {
            self.out.mark(Kind::Fragile, start);
        }
    }

    /// Writes what members are that have no schema by their names; a pattern that is left out may be that of any.
    fn additional_properties(
        &mut self,
        value: &'d Value,
        schema: &'d Map<String, Value>,
        place: &Place<'_>,
    ) {
        let named = schema.get("patternProperties").and_then(Value::as_object);
        let patterns = || named.into_iter().flatten().map(|(pattern, _)| pattern);
        if !patterns().all(|pattern| self.schemas.patterns.compiles(pattern)) {
            return;
        }
        let start = self.out.len();
        self.others("additionalProperties", value, place);
        if !patterns().all(|pattern| is_portable(pattern)) {
            self.out.mark(Kind::Foreign, start);
        }
    }

    /// Writes a schema of what no other schema is for.
    fn others(&mut self, key: &str, value: &'d Value, place: &Place<'_>) {
        if value.is_boolean() {
            self.out.member(key, value);
        } else {
            self.out.key(key);
            self.below(value, place);
        }
    }

    fn pattern_properties(&mut self, patterns: &'d Map<String, Value>, place: &Place<'_>) {
        self.out.key("patternProperties");
        self.out.open(b'{');
        for (pattern, schema) in patterns {
            let place = place.key(pattern);
            if self.schemas.patterns.compiles(pattern) {
                let start = self.out.len();
                self.out.key(pattern);
                self.below(schema, &place);
                if !is_portable(pattern) {
                    self.out.mark(Kind::Foreign, start);
                }
            } else {
                self.drop_pattern(&place);
            }
        }
        self.out.close(b'}');
    }

    fn map(&mut self, key: &str, schemas: &'d Map<String, Value>, place: &Place<'_>) {
        self.out.key(key);
        self.out.open(b'{');
        for (name, schema) in schemas {
            self.out.key(name);
            self.schema(schema, &place.key(name), Around::default());
        }
        self.out.close(b'}');
    }

    /// Converts a schema that applies to a part of the value.
    fn below(&mut self, schema: &'d Value, place: &Place<'_>) {
        let same_value = std::mem::replace(&mut self.same_value, false);
        self.schema(schema, place, Around::default());
        self.same_value = same_value;
    }
}
