//! The definitions of one document, converted once and shared by all its tools.

use super::fragment::Fragment;

/// Identifies a schema that others refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Definition(pub(super) u32);

/// What the schemas of a document's tools refer to.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    pub(super) all: Vec<Named>,
    /// Those of which a part, or what a part refers to, accepts more than the document says.
    open: Reached,
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
    /// Puts the definitions of a document together.
    pub(super) fn new(all: Vec<Named>, budget: usize) -> Self {
        let open = open(&all);
        Self { all, open, budget }
    }

    /// Tells whether a schema accepts more than the document says.
    pub(super) fn is_open(&self, fragment: &Fragment) -> bool {
        let mut referred = fragment.definitions.iter();
        fragment.is_open || referred.any(|&it| self.open.contains(it))
    }

    pub(super) fn get(&self, definition: Definition) -> Option<&Named> {
        self.all.get(definition.0 as usize)
    }
}

/// Finds the definitions that accept more than the document says, and from them those that refer to such.
fn open(all: &[Named]) -> Reached {
    let mut referring = vec![Vec::new(); all.len()];
    let mut open = Reached::of(all.len());
    let mut next = Vec::new();
    for (index, named) in all.iter().enumerate() {
        let Ok(index) = u32::try_from(index) else {
            break;
        };
        if named.fragment.is_open && open.insert(Definition(index)) {
            next.push(index);
        }
        for referred in &named.fragment.definitions {
            if let Some(referring) = referring.get_mut(referred.0 as usize) {
                referring.push(index);
            }
        }
    }
    while let Some(index) = next.pop() {
        let referring = referring.get(index as usize).into_iter().flatten();
        next.extend(referring.filter(|&&it| open.insert(Definition(it))));
    }
    open
}

/// A set of definitions.
#[derive(Debug, Default)]
pub(super) struct Reached(Vec<u64>);

impl Reached {
    pub(super) fn none_of(definitions: &Definitions) -> Self {
        Self::of(definitions.all.len())
    }

    fn of(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn contains(&self, definition: Definition) -> bool {
        let bits = self.0.get(definition.0 as usize / 64);
        bits.is_some_and(|bits| bits & (1 << (definition.0 % 64)) != 0)
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
