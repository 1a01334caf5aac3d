//! Writes the bundled document: the document's own value with references rewritten, pieces put in their places, and what could not be found reported.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::files::{Files, Miss, Spot, lone_reference};
use super::homes::{Added, Homes};
use super::kind::{Follow, Kind};
use super::name::{FileName, is_reference};
use super::origins::Origins;
use crate::diagnostic::Diagnostics;
use crate::limits::Limits;
use crate::pointer::escape;
use crate::read::ReadError;

/// The work of writing one document.
pub(super) struct Emission<'a> {
    files: &'a Files,
    pieces: &'a BTreeMap<Spot, Kind>,
    homes: Homes,
    limits: &'a Limits,
    nodes_left: usize,
    bytes_left: usize,
    /// The place in the bundled document, as a pointer.
    out: String,
    depth: usize,
    /// What is being put in the place of a reference.
    splicing: Vec<Spot>,
    /// Files that were reported as missing.
    missed: HashSet<FileName>,
    origins: Origins,
    is_changed: bool,
    remarks: Vec<Remark>,
}

struct Remark {
    code: &'static str,
    pointer: String,
    message: String,
}

impl<'a> Emission<'a> {
    pub(super) fn new(
        files: &'a Files,
        pieces: &'a BTreeMap<Spot, Kind>,
        limits: &'a Limits,
    ) -> Self {
        Self {
            files,
            pieces,
            homes: Homes::new(files, pieces),
            limits,
            nodes_left: limits.max_nodes,
            bytes_left: limits.max_bytes,
            out: String::new(),
            depth: 0,
            splicing: Vec::new(),
            missed: HashSet::new(),
            origins: Origins::default(),
            is_changed: false,
            remarks: Vec::new(),
        }
    }

    /// Writes the document, and tells whether it differs from the one that came.
    pub(super) fn run(mut self, diagnostics: &mut Diagnostics) -> Result<(Value, bool), ReadError> {
        let main = self.files.main().clone();
        let spot = Spot {
            file: main.clone(),
            pointer: String::new(),
        };
        let root = self.files.value(&spot).unwrap_or(&Value::Null);
        let mut root = self.value(&main, root, Kind::Document)?;
        for added in std::mem::take(&mut self.homes.added) {
            self.add(&mut root, added)?;
        }
        for remark in self.remarks {
            let place = self.origins.place(&remark.pointer);
            diagnostics.warn(remark.code, place, remark.message);
        }
        if let (Value::Object(members), true) = (&mut root, self.is_changed) {
            self.origins.write(members);
        }
        Ok((root, self.is_changed))
    }

    /// Gives the document a component.
    fn add(&mut self, root: &mut Value, added: Added) -> Result<(), ReadError> {
        let Some(value) = self.files.value(&added.spot) else {
            return Ok(());
        };
        self.is_changed = true;
        let container = added.container.join("/");
        self.out = format!("/{container}/{}", escape(&added.name));
        self.depth = added.container.len() + 1;
        self.origins
            .insert(self.out.clone(), added.spot.to_string());
        let value = self.value(&added.spot.file, value, added.kind)?;
        let mut map = root;
        for key in added.container {
            if !map.is_object() {
                *map = Value::Object(Map::new());
            }
            let members = map.as_object_mut().expect("it was made an object");
            map = members.entry(*key).or_insert(Value::Object(Map::new()));
        }
        if !map.is_object() {
            *map = Value::Object(Map::new());
        }
        let members = map.as_object_mut().expect("it was made an object");
        members.insert(added.name, value);
        Ok(())
    }

    /// Writes a value of a file.
    fn value(&mut self, file: &FileName, value: &Value, kind: Kind) -> Result<Value, ReadError> {
        self.spend(value)?;
        match value {
            Value::Object(members) => self.object(file, value, members, kind),
            Value::Array(items) => {
                let items = items.iter().enumerate().map(|(index, item)| {
                    self.within(&index.to_string(), |it| it.value(file, item, kind.item()))
                });
                Ok(Value::Array(items.collect::<Result<_, _>>()?))
            }
            Value::String(text) if kind == Kind::Mapped && is_reference(text) => {
                let rewritten = self.rewritten(file, text);
                Ok(Value::String(rewritten.unwrap_or_else(|| text.clone())))
            }
            other => Ok(other.clone()),
        }
    }

    fn object(
        &mut self,
        file: &FileName,
        value: &Value,
        members: &Map<String, Value>,
        kind: Kind,
    ) -> Result<Value, ReadError> {
        let reference = members.get("$ref").and_then(Value::as_str);
        let Some(reference) = reference.filter(|_| kind != Kind::Literal) else {
            return self.members(file, members, kind, Map::new());
        };
        if kind.follow() == Follow::Splice {
            return self.spliced(file, reference, members, kind);
        }
        if lone_reference(value).is_some()
            && let Ok(spot) = self.files.find(file, reference)
            && self.homes.is_at(&spot, &self.out)
        {
            return self.spliced(file, reference, members, kind);
        }
        let rewritten = self.rewritten(file, reference);
        let reference = rewritten.unwrap_or_else(|| reference.to_owned());
        let start = Map::from_iter([("$ref".to_owned(), Value::String(reference))]);
        self.members(file, members, kind, start)
    }

    /// Writes the members of an object after those that are there, `$ref` excepted.
    fn members(
        &mut self,
        file: &FileName,
        members: &Map<String, Value>,
        kind: Kind,
        mut written: Map<String, Value>,
    ) -> Result<Value, ReadError> {
        let is_reference = |key: &str, value: &Value| key == "$ref" && value.is_string();
        for (key, member) in members {
            if kind != Kind::Literal && is_reference(key, member) {
                continue;
            }
            self.bytes_left = self.bytes_left.saturating_sub(key.len());
            let member = self.within(key, |it| it.value(file, member, kind.child(key)))?;
            written.insert(key.clone(), member);
        }
        Ok(Value::Object(written))
    }

    /// Writes what a reference names in the reference's place, with what stands beside the reference.
    fn spliced(
        &mut self,
        file: &FileName,
        reference: &str,
        members: &Map<String, Value>,
        kind: Kind,
    ) -> Result<Value, ReadError> {
        let target = self.files.find(file, reference).and_then(|spot| {
            if self.splicing.contains(&spot) {
                return Err(Miss::Circular);
            }
            let value = self.files.value(&spot).ok_or(Miss::Dangling)?;
            Ok((spot, value))
        });
        let (spot, value) = match target {
            Ok(target) => target,
            Err(miss) => {
                self.report(reference, miss);
                let start = Map::from_iter([("$ref".to_owned(), reference.into())]);
                return self.members(file, members, kind, start);
            }
        };
        self.is_changed = true;
        self.origins.insert(self.out.clone(), spot.to_string());
        self.splicing.push(spot.clone());
        self.depth += 1;
        let written = self.value(&spot.file, value, kind);
        self.depth -= 1;
        self.splicing.pop();
        match written? {
            Value::Object(written) if members.len() > 1 => {
                self.members(file, members, kind, written)
            }
            written => Ok(written),
        }
    }

    /// Returns a reference as it is written in the bundled document; `None` where it stays as it is.
    fn rewritten(&mut self, file: &FileName, reference: &str) -> Option<String> {
        let is_local = file == self.files.main() && reference.starts_with('#');
        let spot = match self.files.find(file, reference) {
            Ok(spot) => spot,
            // Compiling tells what it cost.
            Err(_) if is_local => return None,
            Err(miss) => {
                self.report(reference, miss);
                return None;
            }
        };
        if self.files.strays_into_main(file, reference) {
            self.remark(
                "reference-into-root",
                format!("`{reference}` names nothing in its own file; it is read as a part of the document"),
            );
        }
        let is_main = spot.file == *self.files.main();
        if is_main && is_local && !reference.starts_with("#/") {
            return Some(format!("#{}", spot.pointer));
        }
        if is_main && is_local {
            if !self.pieces.contains_key(&spot) {
                return None;
            }
        } else {
            self.is_changed = true;
        }
        let pointer = match self.homes.of(&spot) {
            Some(home) => home,
            None if is_main => spot.pointer,
            None => return None,
        };
        Some(format!("#{}", pointer.replace('%', "%25")))
    }

    /// Says why a reference leads nowhere; a file that is missing is told of once.
    fn report(&mut self, reference: &str, miss: Miss) {
        let (code, message) = match miss {
            Miss::Unread(name) | Miss::Withheld(name) => {
                let reason = self.files.reason(&name);
                let message = format!("the file `{name}` is not there: {reason}");
                if !self.missed.insert(name) {
                    return;
                }
                ("missing-file", message)
            }
            Miss::External => (
                "external-reference",
                format!("`{reference}` leads to another place and is not followed"),
            ),
            Miss::Outside => (
                "reference-outside",
                format!("`{reference}` leads out of the document's folder and is not followed"),
            ),
            Miss::Dangling => ("dangling-reference", format!("`{reference}` names nothing")),
            Miss::Circular => (
                "circular-reference",
                format!("`{reference}` leads back to itself"),
            ),
        };
        self.remark(code, message);
    }

    fn remark(&mut self, code: &'static str, message: String) {
        if self.remarks.len() < self.limits.max_diagnostics {
            self.remarks.push(Remark {
                code,
                pointer: self.out.clone(),
                message,
            });
        }
    }

    /// Writes what stands at the member or item `key`.
    fn within<T>(
        &mut self,
        key: &str,
        write: impl FnOnce(&mut Self) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let length = self.out.len();
        self.out.push('/');
        self.out.push_str(&escape(key));
        self.depth += 1;
        let written = write(self);
        self.depth -= 1;
        self.out.truncate(length);
        written
    }

    /// Takes one value from what the document may have.
    fn spend(&mut self, value: &Value) -> Result<(), ReadError> {
        if self.depth > self.limits.max_depth {
            return Err(ReadError::TooDeep {
                limit: self.limits.max_depth,
            });
        }
        let nodes = self.nodes_left.checked_sub(1);
        self.nodes_left = nodes.ok_or(ReadError::TooManyValues {
            limit: self.limits.max_nodes,
        })?;
        let length = value.as_str().map_or(0, str::len);
        let bytes = self.bytes_left.checked_sub(length);
        self.bytes_left = bytes.ok_or(ReadError::FilesTooLarge {
            limit: self.limits.max_bytes,
        })?;
        Ok(())
    }
}
