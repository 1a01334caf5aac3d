//! `OpenAPI` schemas become JSON Schema 2020-12.
//!
//! Each schema is converted once per [`Flow`] and kept as text; a tool's schema is spliced from those texts, with what they refer to under `$defs`, so recursion costs nothing and shared schemas are never copied through a tree.
//! Keyword by keyword rules are in `schema/convert.rs`; keywords that it does not know, `x-…` extensions among them, are left out.

mod convert;
mod cycle;
mod keyword;
mod output;
mod pattern;
pub(crate) mod published;
mod writer;

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use indexmap::IndexMap;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

pub(crate) use convert::Property;
pub(crate) use keyword::{holds_binary, is_object_like, properties};
pub(crate) use output::output;

use crate::diagnostic::Diagnostics;
use crate::document::Dialect;
use crate::pointer::Place;
use crate::reference::{Base, Found, ReferenceError, Target, target_near};
use convert::Converter;
use pattern::Patterns;

/// Which way a schema's values travel, which decides what of it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Flow {
    /// Into a request: properties that are `readOnly` are left out.
    Request,
    /// Into a multipart request: as [`Flow::Request`], and binary strings are Base64 text.
    Multipart,
    /// Out of a response: properties that are `writeOnly` are left out. Such schemas are not converted but described, by `schema/output.rs`.
    Response,
}

/// A converted schema: its text, and the definitions that its `#/$defs/…` references need.
#[derive(Debug)]
pub(crate) struct Fragment {
    pub(crate) text: Box<RawValue>,
    pub(crate) definitions: Vec<Definition>,
}

/// The definitions that a schema needs, by name.
#[derive(Debug, Default)]
pub(crate) struct Closure {
    pub(crate) definitions: IndexMap<String, Rc<Fragment>>,
    /// How many of them accept anything because they did not fit.
    pub(crate) cut: usize,
}

/// Identifies a schema that others refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Definition(usize);

/// A schema that others refer to.
#[derive(Clone, Debug)]
struct Entry<'d> {
    name: String,
    pointer: String,
    schema: &'d Value,
    base: Base<'d>,
}

/// Identifies a value of the document, which does not move while its schemas are converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Address(usize);

impl Address {
    pub(crate) fn of(value: &Value) -> Self {
        Self(std::ptr::from_ref(value).addr())
    }
}

/// The schemas of one document, converted on first use.
#[derive(Debug)]
pub(crate) struct Schemas<'d> {
    root: &'d Value,
    dialect: Dialect,
    entries: Vec<Entry<'d>>,
    by_address: HashMap<Address, Definition>,
    by_reference: HashMap<&'d str, Definition>,
    fragments: HashMap<(Address, Flow), Rc<Fragment>>,
    patterns: Patterns,
}

impl<'d> Schemas<'d> {
    pub(crate) fn new(root: &'d Value, dialect: Dialect) -> Self {
        Self {
            root,
            dialect,
            entries: Vec::new(),
            by_address: HashMap::new(),
            by_reference: HashMap::new(),
            fragments: HashMap::new(),
            patterns: Patterns::default(),
        }
    }

    /// Converts a property of a tool's arguments; `owner` is the parameter or media type that it is made of.
    pub(crate) fn property(
        &mut self,
        owner: &'d Value,
        property: &Property<'d>,
        place: &Place<'_>,
        flow: Flow,
        diagnostics: &mut Diagnostics,
    ) -> Rc<Fragment> {
        self.remembered(owner, flow, |schemas| {
            let base = Base {
                schema: property.schema.unwrap_or(owner),
                pointer: place.to_string(),
            };
            Converter::new(schemas, diagnostics, flow, base, None).property(property, place)
        })
    }

    /// Describes an argument that is one text, whatever the document's schema of it is: the note says what of.
    pub(crate) fn text(
        &mut self,
        owner: &'d Value,
        property: &Property<'d>,
        note: &str,
        is_base64: bool,
        flow: Flow,
    ) -> Rc<Fragment> {
        self.remembered(owner, flow, |_| convert::text(property, note, is_base64))
    }

    /// Gathers the definitions that are reached from `first`, nearest first, until `budget` bytes are spent; those beyond accept anything.
    pub(crate) fn closure(
        &mut self,
        first: impl IntoIterator<Item = Definition>,
        flow: Flow,
        budget: usize,
        diagnostics: &mut Diagnostics,
    ) -> Closure {
        let mut queue: VecDeque<Definition> = first.into_iter().collect();
        let mut closure = Closure::default();
        let mut left = budget;
        while let Some(definition) = queue.pop_front() {
            let Some(entry) = self.entries.get(definition.0) else {
                continue;
            };
            if closure.definitions.contains_key(&entry.name) {
                continue;
            }
            let Entry {
                name,
                pointer,
                schema,
                base,
            } = entry.clone();
            let fragment = self.remembered(schema, flow, |schemas| {
                Converter::new(schemas, diagnostics, flow, base, Some(definition))
                    .root(schema, &Place::at(&pointer))
            });
            let size = name.len() + fragment.text.get().len();
            if let Some(rest) = left.checked_sub(size) {
                left = rest;
                queue.extend(&fragment.definitions);
                closure.definitions.insert(name, fragment);
            } else {
                closure.definitions.insert(name, Rc::new(Fragment::open()));
                closure.cut += 1;
            }
        }
        closure
    }

    fn remembered(
        &mut self,
        key: &'d Value,
        flow: Flow,
        convert: impl FnOnce(&mut Self) -> Fragment,
    ) -> Rc<Fragment> {
        let key = (Address::of(key), flow);
        if let Some(fragment) = self.fragments.get(&key) {
            return Rc::clone(fragment);
        }
        let fragment = Rc::new(convert(self));
        self.fragments.insert(key, Rc::clone(&fragment));
        fragment
    }

    /// Finds the schema that a reference names, in the document or in `base`.
    fn refer(&mut self, text: &'d str, base: &Base<'d>) -> Result<Definition, ReferenceError> {
        if let Some(&definition) = self.by_reference.get(text) {
            return Ok(definition);
        }
        let (target, found) = target_near(self.root, base, text)?;
        let Target {
            value: schema,
            pointer,
        } = target;
        let next = Definition(self.entries.len());
        let definition = *self.by_address.entry(Address::of(schema)).or_insert(next);
        if definition == next {
            let name = definition_name(&pointer);
            let base = if found == Found::InBase {
                base.clone()
            } else {
                Base {
                    schema,
                    pointer: pointer.clone(),
                }
            };
            self.entries.push(Entry {
                name,
                pointer,
                schema,
                base,
            });
        }
        if found == Found::InDocument {
            self.by_reference.insert(text, definition);
        }
        Ok(definition)
    }

    fn entry(&self, definition: Definition) -> &Entry<'d> {
        self.entries
            .get(definition.0)
            .expect("definitions are only made by refer()")
    }
}

impl Fragment {
    /// A schema that accepts anything.
    pub(crate) fn open() -> Self {
        let text = RawValue::from_string("{}".to_owned()).expect("this is JSON");
        Self {
            text,
            definitions: Vec::new(),
        }
    }
}

/// Names a definition by its pointer alone: a component by its own name, anything else with a digest that keeps it apart.
fn definition_name(pointer: &str) -> String {
    let last = pointer.rsplit('/').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if pointer.strip_prefix("/components/schemas/") == Some(last)
        && !last.is_empty()
        && last.chars().all(plain)
    {
        return last.to_owned();
    }
    let digest = Sha256::digest(pointer);
    let word: String = last.chars().filter(|&c| plain(c)).take(40).collect();
    digest
        .iter()
        .take(4)
        .fold(format!("{word}_"), |name, byte| format!("{name}{byte:02x}"))
}
