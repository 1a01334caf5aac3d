//! The files of a document, and what the references in them name.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde_json::Value;

use super::Tree;
use super::kind::Kind;
use super::name::{FileName, Parts, decoded, is_url};
use crate::pointer::{escape, from_fragment, resolve};

/// References of references that are followed.
const MAX_HOPS: usize = 32;

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Spot {
    pub(super) file: FileName,
    /// JSON Pointer; empty for the whole file.
    pub(super) pointer: String,
}

/// Why a reference names nothing that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// Neither given nor withheld yet.
    Unread(FileName),
    /// Asked for, but not to be had.
    Withheld(FileName),
    /// At another origin, or of another scheme.
    External,
    /// Outside of the folder, the archive or the origin.
    Outside,
    /// Nothing is there.
    Dangling,
    /// It leads back to itself.
    Circular,
}

#[derive(Debug)]
enum File {
    Read(Value),
    Withheld(String),
}

/// The files that were given.
#[derive(Debug)]
pub(super) struct Files {
    main: FileName,
    tree: Tree,
    by_name: BTreeMap<FileName, File>,
    /// Schemas and files by the URL that they call themselves, and anchors by file and name.
    ids: HashMap<String, Spot>,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.file, self.pointer)
    }
}

impl Spot {
    fn new(file: &FileName, pointer: impl Into<String>) -> Self {
        Self {
            file: file.clone(),
            pointer: pointer.into(),
        }
    }

    /// Returns this place and each one around it, up to the whole file.
    pub(super) fn and_outwards(&self) -> impl Iterator<Item = Self> + '_ {
        let ends = self.pointer.rmatch_indices('/').map(|(end, _)| end);
        std::iter::once(self.pointer.len()).chain(ends).map(|end| {
            let pointer = self.pointer.get(..end).unwrap_or_default();
            Self::new(&self.file, pointer)
        })
    }
}

impl Files {
    pub(super) fn new(main: FileName, tree: Tree, root: Value) -> Self {
        let mut files = Self {
            main: main.clone(),
            tree,
            by_name: BTreeMap::new(),
            ids: HashMap::new(),
        };
        files.give(main, root);
        files
    }

    /// The document's own name.
    pub(super) fn main(&self) -> &FileName {
        &self.main
    }

    /// Names what was asked for, without the document itself.
    pub(super) fn asked(&self) -> impl Iterator<Item = &FileName> {
        self.by_name.keys().filter(|name| **name != self.main)
    }

    pub(super) fn count(&self) -> usize {
        self.by_name.len()
    }

    pub(super) fn give(&mut self, name: FileName, value: Value) {
        if let Some(own) = value.get("$self").and_then(Value::as_str) {
            self.ids
                .insert(Parts::of(own).path.to_owned(), Spot::new(&name, ""));
        }
        collect_ids(&value, &name, &mut String::new(), &mut self.ids);
        self.by_name.insert(name, File::Read(value));
    }

    pub(super) fn withhold(&mut self, name: FileName, reason: String) {
        self.by_name.insert(name, File::Withheld(reason));
    }

    /// Returns why a file is not to be had.
    pub(super) fn reason(&self, name: &FileName) -> &str {
        match self.by_name.get(name) {
            Some(File::Withheld(reason)) => reason,
            _ => "it was not asked for",
        }
    }

    pub(super) fn value(&self, spot: &Spot) -> Option<&Value> {
        resolve(self.root(&spot.file).ok()?, &spot.pointer)
    }

    fn root(&self, name: &FileName) -> Result<&Value, Miss> {
        match self.by_name.get(name) {
            Some(File::Read(value)) => Ok(value),
            Some(File::Withheld(_)) => Err(Miss::Withheld(name.clone())),
            None => Err(Miss::Unread(name.clone())),
        }
    }

    /// Finds what a reference in `file` names, through the references on the way there; what it names may be a reference only in the document itself.
    pub(super) fn find(&self, file: &FileName, reference: &str) -> Result<Spot, Miss> {
        let mut spot = self.target(file, reference)?;
        let mut is_first = true;
        for _ in 0..MAX_HOPS {
            match self.locate(&spot) {
                Ok(Landing::Here) => return Ok(spot),
                Ok(Landing::At(next)) => spot = next,
                // Some authors mean the document itself wherever they write `#`.
                Err(Miss::Dangling)
                    if is_first && reference.starts_with('#') && *file != self.main =>
                {
                    spot.file = self.main.clone();
                }
                Err(miss) => return Err(miss),
            }
            is_first = false;
        }
        Err(Miss::Circular)
    }

    /// Tells whether a reference was found in the document although its own file was meant.
    pub(super) fn strays_into_main(&self, file: &FileName, reference: &str) -> bool {
        reference.starts_with('#')
            && *file != self.main
            && self
                .target(file, reference)
                .is_ok_and(|spot| self.locate(&spot) == Err(Miss::Dangling))
    }

    /// Works out what a reference says, without looking whether it is there.
    fn target(&self, file: &FileName, reference: &str) -> Result<Spot, Miss> {
        let Parts { path, fragment } = Parts::of(reference);
        let base = if path.is_empty() {
            Spot::new(file, "")
        } else if let Some(spot) = self.ids.get(path) {
            spot.clone()
        } else {
            Spot::new(&self.named(file, path)?, "")
        };
        if fragment.is_empty() || fragment.starts_with('/') {
            let rest = from_fragment(fragment).ok_or(Miss::Dangling)?;
            return Ok(Spot::new(&base.file, base.pointer + &rest));
        }
        self.root(&base.file)?;
        let anchor = self.ids.get(&anchor_key(&base.file, fragment));
        anchor.cloned().ok_or(Miss::Dangling)
    }

    /// Returns the file that the path of a reference names.
    fn named(&self, file: &FileName, path: &str) -> Result<FileName, Miss> {
        let outside = |_| Miss::Outside;
        if is_url(path) {
            if let Some(path) = self.below_own_url(file, path) {
                return file.beside(&path).map_err(outside);
            }
            return self.at_origin(path).ok_or(Miss::External);
        }
        let path = decoded(path).ok_or(Miss::External)?;
        match (path.strip_prefix('/'), &self.tree) {
            (Some(path), Tree::Origin(_)) => FileName::parse(path).map_err(outside),
            (Some(_), Tree::Folder) => Err(Miss::Outside),
            (None, _) => file.beside(&path).map_err(outside),
        }
    }

    /// Reads a URL that begins as the one that the file gives itself by `$self` or `$id`, as a path beside the file.
    fn below_own_url(&self, file: &FileName, url: &str) -> Option<String> {
        let root = self.root(file).ok()?;
        let own = root.get("$self").or_else(|| root.get("$id"))?.as_str()?;
        let (folder, _) = own
            .rsplit_once('/')
            .filter(|(folder, _)| folder.contains("://"))?;
        decoded(url.strip_prefix(folder)?.strip_prefix('/')?)
    }

    /// Reads a URL of the origin that the files come from.
    fn at_origin(&self, url: &str) -> Option<FileName> {
        let Tree::Origin(base) = &self.tree else {
            return None;
        };
        let url = base.join(url).ok()?;
        let is_there = url.origin() == base.origin()
            && url.query().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let path = decoded(url.path()).filter(|_| is_there)?;
        FileName::parse(path.strip_prefix('/')?).ok()
    }

    /// Walks to a place, as far as the files are there.
    fn locate(&self, spot: &Spot) -> Result<Landing, Miss> {
        let mut value = self.root(&spot.file)?;
        let mut rest = spot.pointer.as_str();
        while let Some(tail) = rest.strip_prefix('/') {
            let (token, after) = tail.find('/').map_or((tail, ""), |end| tail.split_at(end));
            let key = token.replace("~1", "/").replace("~0", "~");
            if let Some(next) = member(value, &key) {
                value = next;
            } else if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
                let mut next = self.target(&spot.file, reference)?;
                next.pointer.push_str(rest);
                return Ok(Landing::At(next));
            } else {
                let root = self.root(&spot.file)?;
                return resolve(root, &spot.pointer)
                    .map(|_| Landing::Here)
                    .ok_or(Miss::Dangling);
            }
            rest = after;
        }
        match lone_reference(value).filter(|_| spot.file != self.main) {
            Some(reference) => self.target(&spot.file, reference).map(Landing::At),
            None => Ok(Landing::Here),
        }
    }

    /// Returns what stands at `spot` where `kind` stands at `around`, which is around it.
    pub(super) fn kind_within(&self, around: &Spot, kind: Kind, spot: &Spot) -> Option<Kind> {
        let mut value = self.value(around)?;
        let mut kind = kind;
        let rest = spot.pointer.strip_prefix(around.pointer.as_str())?;
        for token in rest.split('/').skip(1) {
            let key = token.replace("~1", "/").replace("~0", "~");
            kind = if value.is_array() {
                kind.item()
            } else {
                kind.child(&key)
            };
            value = member(value, &key)?;
        }
        Some(kind)
    }
}

/// Where walking to a place ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Landing {
    Here,
    /// A reference leads on.
    At(Spot),
}

/// Returns the reference of an object that is nothing else.
pub(super) fn lone_reference(value: &Value) -> Option<&str> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    members.get("$ref")?.as_str()
}

fn member<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(key),
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => None,
    }
}

fn anchor_key(file: &FileName, name: &str) -> String {
    format!("{file}#{name}")
}

/// Collects what calls itself by a URL or has an anchor; of two with the same, the order of their places decides.
fn collect_ids(
    value: &Value,
    file: &FileName,
    pointer: &mut String,
    ids: &mut HashMap<String, Spot>,
) {
    let length = pointer.len();
    match value {
        Value::Object(members) => {
            let text = |key: &str| members.get(key).and_then(Value::as_str);
            let id = text("$id").map(|id| Parts::of(id).path.to_owned());
            let anchors = [text("$anchor"), text("$dynamicAnchor")]
                .into_iter()
                .flatten();
            let names = anchors.map(|name| anchor_key(file, name));
            for id in id.into_iter().filter(|id| is_url(id)).chain(names) {
                let spot = Spot::new(file, pointer.as_str());
                let first = ids.entry(id).or_insert_with(|| spot.clone());
                if spot < *first {
                    *first = spot;
                }
            }
            for (key, member) in members {
                if member.is_object() || member.is_array() {
                    pointer.push('/');
                    pointer.push_str(&escape(key));
                    collect_ids(member, file, pointer, ids);
                    pointer.truncate(length);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if item.is_object() || item.is_array() {
                    pointer.push('/');
                    pointer.push_str(&index.to_string());
                    collect_ids(item, file, pointer, ids);
                    pointer.truncate(length);
                }
            }
        }
        _ => {}
    }
}
