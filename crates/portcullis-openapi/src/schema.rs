//! `OpenAPI` schemas become JSON Schema 2020-12.
//!
//! Each schema is converted once per [`Flow`] and kept as text, and what schemas refer to is kept once for all tools of the document; a tool's schema is put together from those texts when it is asked for (`schema/input.rs`), so recursion costs nothing and shared schemas are never copied.
//! Keyword by keyword rules are in `schema/convert.rs`; keywords that it does not know, `x-…` extensions among them, are left out.

mod convert;
mod cycle;
mod definitions;
mod fragment;
pub(crate) mod input;
mod keyword;
mod output;
mod pattern;
mod trim;
mod writer;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

pub(crate) use convert::Property;
pub(crate) use definitions::{Definition, Definitions};
pub(crate) use fragment::{Detail, Fragment};
pub(crate) use keyword::{holds_binary, is_object_like, properties};
pub(crate) use output::output;

use crate::diagnostic::Diagnostics;
use crate::document::Dialect;
use crate::pointer::Place;
use crate::reference::{Base, Found, ReferenceError, Target, reference, target_near};
use convert::Converter;
use cycle::{Circles, Schema as Applied, applied};
use definitions::Named;
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

/// A schema that others refer to.
#[derive(Clone, Debug)]
struct Entry<'d> {
    name: String,
    pointer: String,
    schema: &'d Value,
    base: Rc<Base<'d>>,
    flow: Flow,
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
    by_address: HashMap<(Address, Flow), Definition>,
    by_reference: HashMap<(&'d str, Flow), Definition>,
    fragments: HashMap<(Address, Flow), Arc<Fragment>>,
    /// Those that are alike, which many parameters of one name are, are kept once.
    distinct: HashSet<Arc<Fragment>>,
    patterns: Patterns,
    /// Where the references of a schema that others refer to are tried that name nothing in the document: the first that it was found from counts.
    bases: HashMap<Address, Rc<Base<'d>>>,
    circles: Circles<Applied<'d>>,
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
            distinct: HashSet::new(),
            patterns: Patterns::default(),
            bases: HashMap::new(),
            circles: Circles::default(),
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
    ) -> Arc<Fragment> {
        self.remembered(owner, flow, |schemas| {
            let base = Rc::new(Base {
                schema: property.schema.unwrap_or(owner),
                pointer: place.to_string(),
            });
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
    ) -> Arc<Fragment> {
        self.remembered(owner, flow, |_| convert::text(property, note, is_base64))
    }

    /// Converts what was referred to and what that refers to, until `budget` bytes are spent; those beyond accept anything.
    ///
    /// `shown` is the budget of one tool's schema as models are shown it.
    pub(crate) fn definitions(
        mut self,
        budget: usize,
        shown: usize,
        diagnostics: &mut Diagnostics,
    ) -> Definitions {
        let mut all = Vec::new();
        let mut left = budget;
        while let Some(entry) = self.entries.get(all.len()).cloned() {
            let definition = definition(all.len());
            let place = Place::at(&entry.pointer);
            let mut fragment = Converter::new(
                &mut self,
                diagnostics,
                entry.flow,
                entry.base,
                Some(definition),
            )
            .root(entry.schema, &place);
            let size = entry.name.len() + fragment.size(Detail::Whole);
            if let Some(rest) = left.checked_sub(size) {
                left = rest;
            } else {
                let message = format!(
                    "the schemas that the document's tools refer to exceed {budget} bytes; any value is accepted where the rest is referred to"
                );
                diagnostics.warn("schemas-too-large", "", message);
                fragment = Fragment::plain("{}").opened(true);
            }
            all.push(Named {
                name: entry.name.into(),
                fragment,
            });
        }
        all.shrink_to_fit();
        Definitions::new(all, shown)
    }

    fn remembered(
        &mut self,
        key: &'d Value,
        flow: Flow,
        convert: impl FnOnce(&mut Self) -> Fragment,
    ) -> Arc<Fragment> {
        let key = (Address::of(key), flow);
        if let Some(fragment) = self.fragments.get(&key) {
            return Arc::clone(fragment);
        }
        let fragment = Arc::new(convert(self));
        let fragment = self.distinct.get(&fragment).cloned().unwrap_or_else(|| {
            self.distinct.insert(Arc::clone(&fragment));
            fragment
        });
        self.fragments.insert(key, Arc::clone(&fragment));
        fragment
    }

    /// Finds the schema that a reference names, in the document or in `base`.
    fn refer(
        &mut self,
        text: &'d str,
        base: &Rc<Base<'d>>,
        flow: Flow,
    ) -> Result<Definition, ReferenceError> {
        if let Some(&definition) = self.by_reference.get(&(text, flow)) {
            return Ok(definition);
        }
        let (target, found) = target_near(self.root, base, text)?;
        let own = based(&mut self.bases, &target, found, base);
        let Target {
            value: schema,
            pointer,
        } = target;
        let next = definition(self.entries.len());
        let address = (Address::of(schema), flow);
        let definition = *self.by_address.entry(address).or_insert(next);
        if definition == next {
            let name = definition_name(&pointer, self.dialect);
            self.entries.push(Entry {
                name,
                pointer,
                schema,
                base: own,
                flow,
            });
        }
        if found == Found::InDocument {
            self.by_reference.insert((text, flow), definition);
        }
        Ok(definition)
    }

    /// Tells whether applying one definition to a value applies another to the same value, and that the first again.
    fn circle(&mut self, one: Definition, other: Definition) -> bool {
        let [one, other] = [one, other].map(|definition| {
            let entry = self.entry(definition);
            Applied {
                value: entry.schema,
                base: Rc::clone(&entry.base),
            }
        });
        let Self {
            root,
            dialect,
            bases,
            circles,
            ..
        } = self;
        circles.joins(&one, &other, |schema| {
            let within = |value| Applied {
                value,
                base: Rc::clone(&schema.base),
            };
            let referred = reference(schema.value)
                .and_then(|text| target_near(root, &schema.base, text).ok())
                .map(|(target, found)| Applied {
                    value: target.value,
                    base: based(bases, &target, found, &schema.base),
                });
            let is_alone = *dialect != Dialect::V31 && reference(schema.value).is_some();
            let applied = if is_alone {
                Vec::new()
            } else {
                applied(schema.value)
            };
            referred
                .into_iter()
                .chain(applied.into_iter().map(within))
                .collect()
        })
    }

    fn entry(&self, definition: Definition) -> &Entry<'d> {
        self.entries
            .get(definition.0 as usize)
            .expect("definitions are only made by refer()")
    }
}

/// Remembers the base of a schema that was found from another.
fn based<'d>(
    bases: &mut HashMap<Address, Rc<Base<'d>>>,
    target: &Target<'d>,
    found: Found,
    base: &Rc<Base<'d>>,
) -> Rc<Base<'d>> {
    let own = || match found {
        Found::InBase => Rc::clone(base),
        Found::InDocument => Rc::new(Base {
            schema: target.value,
            pointer: target.pointer.clone(),
        }),
    };
    Rc::clone(bases.entry(Address::of(target.value)).or_insert_with(own))
}

/// Identifies the entry at an index.
fn definition(index: usize) -> Definition {
    Definition(u32::try_from(index).expect("a document has fewer values than that"))
}

/// Names a definition by its pointer alone: a component by its own name, anything else with a digest that keeps it apart.
fn definition_name(pointer: &str, dialect: Dialect) -> String {
    let last = pointer.rsplit('/').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let components = match dialect {
        Dialect::V20 => "/definitions/",
        Dialect::V30 | Dialect::V31 => "/components/schemas/",
    };
    if pointer.strip_prefix(components) == Some(last) && !last.is_empty() && last.chars().all(plain)
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
