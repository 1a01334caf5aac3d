//! The definitions of one document, converted once and shared by all its tools.

use super::fragment::Fragment;

/// Identifies a schema that others refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Definition(pub(super) u32);

/// What the schemas of a document's tools refer to.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    pub(super) all: Vec<Named>,
    /// Bytes of a tool's schema as models are shown it.
    pub(super) budget: usize,
}

/// A definition under its name.
#[derive(Debug)]
pub(crate) struct Named {
    pub(super) name: Box<str>,
    pub(super) fragment: Fragment,
}

impl Definitions {
    pub(super) fn get(&self, definition: Definition) -> Option<&Named> {
        self.all.get(definition.0 as usize)
    }
}

/// A set of definitions.
#[derive(Debug)]
pub(super) struct Reached(Vec<u64>);

impl Reached {
    pub(super) fn none_of(definitions: &Definitions) -> Self {
        Self(vec![0; definitions.all.len().div_ceil(64)])
    }

    /// Adds a definition; returns whether it is new.
    pub(super) fn insert(&mut self, definition: Definition) -> bool {
        let bit = 1 << (definition.0 % 64);
        match self.0.get_mut(definition.0 as usize / 64) {
            Some(bits) if *bits & bit == 0 => {
                *bits |= bit;
                true
            }
            _ => false,
        }
    }

    /// Takes a definition out again.
    pub(super) fn remove(&mut self, definition: Definition) {
        if let Some(bits) = self.0.get_mut(definition.0 as usize / 64) {
            *bits &= !(1 << (definition.0 % 64));
        }
    }
}
