//! Where the pieces of a bundled document came from, kept in the document itself so that remarks name the file that people wrote.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::diagnostic::Diagnostic;

/// The member of the document that keeps them.
const KEY: &str = "x-portcullis-origins";

/// Files and pointers in them, by pointers into the bundled document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origins(BTreeMap<String, String>);

impl Origins {
    /// Reads what a document says of itself.
    pub(crate) fn of(root: &Value) -> Self {
        let members = root.get(KEY).and_then(Value::as_object);
        let texts = members.into_iter().flatten();
        Self(
            texts
                .filter_map(|(pointer, origin)| {
                    Some((pointer.clone(), origin.as_str()?.to_owned()))
                })
                .collect(),
        )
    }

    pub(super) fn insert(&mut self, pointer: String, origin: String) {
        self.0.insert(pointer, origin);
    }

    /// Writes them into the document, as its last member.
    pub(super) fn write(self, root: &mut Map<String, Value>) {
        let members = self
            .0
            .into_iter()
            .map(|(pointer, origin)| (pointer, origin.into()));
        root.insert(KEY.to_owned(), Value::Object(members.collect()));
    }

    /// Returns the place that people know: `models/pet.yml#/properties/x`, or the pointer itself for what stands in the document's own file.
    pub(crate) fn place(&self, pointer: &str) -> String {
        let ends = pointer.rmatch_indices('/').map(|(end, _)| end);
        let mut around = std::iter::once(pointer.len()).chain(ends);
        around
            .find_map(|end| {
                let (piece, rest) = pointer.split_at_checked(end)?;
                Some(format!("{}{rest}", self.0.get(piece)?))
            })
            .unwrap_or_else(|| pointer.to_owned())
    }

    /// Has remarks name the places that people know.
    pub(crate) fn translate(&self, diagnostics: &mut [Diagnostic]) {
        if self.0.is_empty() {
            return;
        }
        for diagnostic in diagnostics {
            diagnostic.pointer = self.place(&diagnostic.pointer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_place_is_told_by_the_nearest_piece_around_it() {
        let origins = Origins::of(&json!({KEY: {
            "/paths/~1a": "paths/a.yml#",
            "/paths/~1a/get/x": "x.yml#/y",
            "/bad": 1,
        }}));
        for (pointer, place) in [
            ("/paths/~1a/get", "paths/a.yml#/get"),
            ("/paths/~1a/get/x/0", "x.yml#/y/0"),
            ("/paths/~1a~1b", "/paths/~1a~1b"),
            ("/bad/x", "/bad/x"),
            ("", ""),
        ] {
            assert_eq!(origins.place(pointer), place);
        }
    }
}
