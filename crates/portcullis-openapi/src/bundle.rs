//! Makes one self-contained document of a document and the files that it refers to.
//!
//! Reads nothing itself: [`Bundler::wanted`] names the files, whoever can reach them gives their bytes, and [`Bundler::finish`] puts the pieces together.
//! A caller that has a folder, an archive or an origin follows the names in it and nowhere else; a name never leads out of it, since [`FileName`] cannot say so.
//!
//! Only what tools are made of is followed: no examples, extensions, links or callbacks.
//! What several places refer to becomes a component that bears the file's name, what stands for a part of the document itself (a path, an operation, a map of schemas) is put in its place, and `x-portcullis-origins` keeps where each piece came from.
//! The same files give the same bytes, and a document that refers to no file stays as it is, byte for byte.

mod emit;
mod files;
mod homes;
mod kind;
mod name;
pub(crate) mod origins;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;
use url::Url;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::limits::Limits;
use crate::read::{ReadError, read};
use emit::Emission;
use files::{Files, Miss, Spot};
use kind::{Follow, Kind};

pub use name::{FileName, InvalidFileName};

/// Where the files are that a document may refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// In a folder or an archive: only relative references are followed.
    Folder,
    /// At an origin: relative references are followed, those that begin with a slash, and those that name the origin.
    Origin(Url),
}

/// A document that needs no other file.
#[derive(Debug)]
pub struct Bundle {
    /// The document: as it came where it refers to no file, else JSON.
    pub bytes: Vec<u8>,
    /// The files that were asked for, whether or not they were there, without the document's own.
    pub files: Vec<FileName>,
    /// Remarks about files and references; those about the document itself come with [`crate::Document`].
    pub diagnostics: Vec<Diagnostic>,
}

/// Collects the files of a document.
#[derive(Debug)]
pub struct Bundler(State);

#[derive(Debug)]
enum State {
    /// No file is referred to.
    Alone(Vec<u8>),
    Several(Box<Several>),
}

impl Bundler {
    /// Begins with the document itself; `main` is its place in `tree`.
    ///
    /// # Errors
    /// When the document refers to other files and cannot be read itself.
    pub fn new(
        main: FileName,
        tree: Tree,
        bytes: Vec<u8>,
        limits: &Limits,
    ) -> Result<Self, ReadError> {
        if !refers_beyond(&bytes) {
            return Ok(Self(State::Alone(bytes)));
        }
        let mut diagnostics = Diagnostics::new(limits.max_diagnostics);
        let root = read(&bytes, limits, &mut diagnostics)?;
        let files = Files::new(main, tree, root);
        let several = Several::new(files, bytes, limits, diagnostics)?;
        Ok(Self(State::Several(Box::new(several))))
    }

    /// Names the files that are needed and were neither given nor withheld yet.
    #[must_use]
    pub fn wanted(&self) -> Vec<FileName> {
        match &self.0 {
            State::Alone(_) => Vec::new(),
            State::Several(several) => several.parked.keys().cloned().collect(),
        }
    }

    /// Takes the bytes of a file that is wanted; one that cannot be read as JSON or YAML becomes a remark.
    ///
    /// # Errors
    /// When all files together exceed a limit.
    pub fn give(&mut self, name: &FileName, bytes: &[u8]) -> Result<(), ReadError> {
        match &mut self.0 {
            State::Alone(_) => Ok(()),
            State::Several(several) => several.give(name, bytes),
        }
    }

    /// Says that a file that is wanted cannot be had, and why.
    ///
    /// # Errors
    /// When the files exceed a limit.
    pub fn withhold(
        &mut self,
        name: &FileName,
        reason: impl Into<String>,
    ) -> Result<(), ReadError> {
        match &mut self.0 {
            State::Alone(_) => Ok(()),
            State::Several(several) => {
                several.files.withhold(name.clone(), reason.into());
                several.resume(name)
            }
        }
    }

    /// Puts the document together; files that are still wanted count as withheld.
    ///
    /// # Errors
    /// When the whole exceeds a limit.
    pub fn finish(self) -> Result<Bundle, ReadError> {
        match self.0 {
            State::Alone(bytes) => Ok(Bundle {
                bytes,
                files: Vec::new(),
                diagnostics: Vec::new(),
            }),
            State::Several(several) => several.finish(),
        }
    }
}

/// A document with files, while they are collected.
#[derive(Debug)]
struct Several {
    files: Files,
    /// The document as it came.
    bytes: Vec<u8>,
    limits: Limits,
    bytes_left: usize,
    /// Values that may still be looked at.
    work_left: usize,
    queue: Vec<Task>,
    /// What waits for a file.
    parked: BTreeMap<FileName, Vec<Task>>,
    /// References that were followed.
    seen: HashSet<(FileName, String, Kind)>,
    /// What was walked, by file and pointer.
    walked: BTreeMap<Spot, Kind>,
    /// What is referred to and stands in no typed part of the document: it becomes a component.
    pieces: BTreeMap<Spot, Kind>,
    diagnostics: Diagnostics,
}

#[derive(Debug)]
enum Task {
    Walk(Spot, Kind),
    Follow {
        file: FileName,
        reference: String,
        kind: Kind,
    },
}

impl Several {
    fn new(
        files: Files,
        bytes: Vec<u8>,
        limits: &Limits,
        diagnostics: Diagnostics,
    ) -> Result<Self, ReadError> {
        let main = Spot {
            file: files.main().clone(),
            pointer: String::new(),
        };
        let mut several = Self {
            files,
            bytes_left: limits.max_bytes.saturating_sub(bytes.len()),
            bytes,
            limits: limits.clone(),
            work_left: limits.max_nodes.saturating_mul(4),
            queue: vec![Task::Walk(main, Kind::Document)],
            parked: BTreeMap::new(),
            seen: HashSet::new(),
            walked: BTreeMap::new(),
            pieces: BTreeMap::new(),
            diagnostics,
        };
        several.run()?;
        Ok(several)
    }

    fn give(&mut self, name: &FileName, bytes: &[u8]) -> Result<(), ReadError> {
        self.bytes_left =
            self.bytes_left
                .checked_sub(bytes.len())
                .ok_or(ReadError::FilesTooLarge {
                    limit: self.limits.max_bytes,
                })?;
        let mut remarks = Diagnostics::new(self.limits.max_diagnostics);
        let read = if name.is_prose() {
            Ok(Value::String(String::from_utf8_lossy(bytes).into_owned()))
        } else {
            read(bytes, &self.limits, &mut remarks)
        };
        match read {
            Ok(value) => {
                self.spend_nodes(&value)?;
                self.files.give(name.clone(), value);
            }
            // A file may be a bomb as well as the document may.
            Err(error @ ReadError::TooManyValues { .. }) => return Err(error),
            Err(error) => {
                let reason = format!("it cannot be read: {error}");
                self.files.withhold(name.clone(), reason);
            }
        }
        for remark in remarks.finish() {
            let place = format!("{name}#{}", remark.pointer);
            self.diagnostics
                .add(remark.severity, remark.code, place, remark.message);
        }
        self.resume(name)
    }

    /// Takes a file's values from what all files together may have.
    fn spend_nodes(&mut self, value: &Value) -> Result<(), ReadError> {
        let too_many = ReadError::TooManyValues {
            limit: self.limits.max_nodes,
        };
        let left = self.limits.max_nodes.checked_sub(count(value));
        self.limits.max_nodes = left.ok_or(too_many)?;
        Ok(())
    }

    /// Goes on with what waited for a file.
    fn resume(&mut self, name: &FileName) -> Result<(), ReadError> {
        self.queue
            .extend(self.parked.remove(name).into_iter().flatten());
        self.run()
    }

    fn run(&mut self) -> Result<(), ReadError> {
        while let Some(task) = self.queue.pop() {
            match task {
                Task::Walk(spot, kind) => self.walk(spot, kind)?,
                Task::Follow {
                    file,
                    reference,
                    kind,
                } => self.follow(file, reference, kind)?,
            }
        }
        Ok(())
    }

    /// Finds the references of one piece.
    fn walk(&mut self, spot: Spot, kind: Kind) -> Result<(), ReadError> {
        let Some(value) = self.files.value(&spot) else {
            return Ok(());
        };
        let mut found = BTreeSet::new();
        references(value, kind, &mut self.work_left, &mut found).ok_or(
            ReadError::TooManyValues {
                limit: self.limits.max_nodes,
            },
        )?;
        for (reference, kind) in found {
            let key = (spot.file.clone(), reference, kind);
            if self.seen.contains(&key) {
                continue;
            }
            self.queue.push(Task::Follow {
                file: key.0.clone(),
                reference: key.1.clone(),
                kind,
            });
            self.seen.insert(key);
        }
        self.walked.insert(spot, kind);
        Ok(())
    }

    fn follow(&mut self, file: FileName, reference: String, kind: Kind) -> Result<(), ReadError> {
        match self.files.find(&file, &reference) {
            Ok(spot) => {
                let is_covered = self.is_covered(&spot);
                if kind.follow() == Follow::Refer
                    && !(is_covered && spot.file == *self.files.main())
                {
                    let first = self.pieces.entry(spot.clone()).or_insert(kind);
                    *first = kind.min(*first);
                }
                if !is_covered {
                    self.queue.push(Task::Walk(spot, kind));
                }
            }
            Err(Miss::Unread(name)) => {
                let waiting = self.parked.len();
                if !self.parked.contains_key(&name)
                    && self.files.count() + waiting > self.limits.max_files
                {
                    return Err(ReadError::TooManyFiles {
                        limit: self.limits.max_files,
                    });
                }
                self.parked.entry(name).or_default().push(Task::Follow {
                    file,
                    reference,
                    kind,
                });
            }
            // It is told where the document is put together.
            Err(_) => {}
        }
        Ok(())
    }

    /// Tells whether a place was walked as a part of what is around it.
    fn is_covered(&self, spot: &Spot) -> bool {
        spot.and_outwards().any(|around| {
            self.walked.get(&around).is_some_and(|&kind| {
                self.files.kind_within(&around, kind, spot) != Some(Kind::Literal)
            })
        })
    }

    fn finish(mut self) -> Result<Bundle, ReadError> {
        for name in std::mem::take(&mut self.parked).into_keys() {
            self.files.withhold(name, "nobody has it".to_owned());
        }
        let files = self.files.asked().cloned().collect();
        let emission = Emission::new(&self.files, &self.pieces, &self.limits);
        let (root, is_changed) = emission.run(&mut self.diagnostics)?;
        let bytes = if is_changed {
            serde_json::to_vec(&root).expect("a JSON value is written into memory")
        } else {
            self.bytes
        };
        Ok(Bundle {
            bytes,
            files,
            diagnostics: self.diagnostics.finish(),
        })
    }
}

/// Collects the references in a value that are followed; `None` where that took more steps than are left.
fn references(
    value: &Value,
    kind: Kind,
    work_left: &mut usize,
    found: &mut BTreeSet<(String, Kind)>,
) -> Option<()> {
    *work_left = work_left.checked_sub(1)?;
    match value {
        _ if kind == Kind::Literal => {}
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                found.insert((reference.to_owned(), kind));
            }
            for (key, member) in members {
                references(member, kind.child(key), work_left, found)?;
            }
        }
        Value::Array(items) => {
            for item in items {
                references(item, kind.item(), work_left, found)?;
            }
        }
        Value::String(text) if kind == Kind::Mapped && name::is_reference(text) => {
            found.insert((text.clone(), Kind::Schema));
        }
        _ => {}
    }
    Some(())
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Object(members) => members.values().map(count).sum(),
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

/// Tells whether a document may refer to something outside of itself, without reading it: most documents do not, and are large.
fn refers_beyond(bytes: &[u8]) -> bool {
    const KEY: &str = "$ref";
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let unquoted = |text: &str| -> Option<char> {
        let text = text.trim_start();
        // A block of YAML begins behind its mark, on the next line.
        let blocks = [">-\n", ">\n", "|-\n", "|\n"];
        let block = blocks.iter().find_map(|mark| text.strip_prefix(mark));
        let text = block.map_or(text, str::trim_start);
        text.trim_start_matches(['"', '\'']).chars().next()
    };
    text.match_indices(KEY).any(|(at, _)| {
        let rest = text.get(at + KEY.len()..).unwrap_or_default();
        let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest).trim_start();
        let value = rest.strip_prefix(':').and_then(unquoted);
        value.is_some_and(|first| !matches!(first, '#' | '{' | '['))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_documents_that_refer_beyond_themselves_are_taken_apart() {
        for text in [
            r##"{"$ref": "#/a"}"##,
            "$ref: '#/a'",
            "$ref :\n  \"#/a\"",
            "$ref: >-\n  #/a\n",
            "properties: {$ref: {type: string}}",
            "description: see $ref and more",
            "",
        ] {
            assert!(!refers_beyond(text.as_bytes()), "{text}");
        }
        for text in [
            r#"{"$ref": "a.json"}"#,
            "a: {$ref: '#/a'}\n$ref: a.yml#/b",
            "$ref:\n  a.yml",
            "$ref: >-\n  a.yml\n",
            "'$ref' : 'http://a/'",
        ] {
            assert!(refers_beyond(text.as_bytes()), "{text}");
        }
    }
}
