//! Where the pieces of other files stand in the bundled document: among its components, under a name of their own.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::files::{Files, Spot, lone_reference};
use super::kind::Kind;
use crate::pointer::escape;

/// References of references to a map of components that are followed.
const MAX_HOPS: usize = 32;

/// The places of the pieces.
#[derive(Debug)]
pub(super) struct Homes {
    by_spot: HashMap<Spot, String>,
    /// Pieces that the document does not list among its components, and is given.
    pub(super) added: Vec<Added>,
}

/// A component that the document is given.
#[derive(Debug)]
pub(super) struct Added {
    pub(super) container: &'static [&'static str],
    pub(super) name: String,
    pub(super) spot: Spot,
    pub(super) kind: Kind,
}

impl Homes {
    pub(super) fn new(files: &Files, pieces: &BTreeMap<Spot, Kind>) -> Self {
        let version = Version::of(files);
        let mut homes = Self {
            by_spot: HashMap::new(),
            added: Vec::new(),
        };
        let kinds: BTreeSet<Kind> = pieces.values().copied().collect();
        let mut taken: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
        for &kind in &kinds {
            let names = taken.entry(kind).or_default();
            homes.settle(files, pieces, container(kind, version), names);
        }
        homes.add_others(files, pieces, version, &taken);
        homes
    }

    /// Gives the pieces that the document lists among its components their places there.
    fn settle(
        &mut self,
        files: &Files,
        pieces: &BTreeMap<Spot, Kind>,
        container: &[&str],
        taken: &mut BTreeSet<String>,
    ) {
        let place = format!("/{}", container.join("/"));
        let Ok(map) = files.find(files.main(), &format!("#{place}")) else {
            return;
        };
        for (name, spot) in entries(files, &map, MAX_HOPS) {
            let home = format!("{place}/{}", escape(&name));
            taken.insert(name);
            let reference = files.value(&spot).and_then(lone_reference);
            let target = reference.and_then(|it| files.find(&spot.file, it).ok());
            let target = target.filter(|target| pieces.contains_key(target));
            let own = Some(spot).filter(|spot| spot.file != *files.main());
            for spot in own.into_iter().chain(target) {
                self.by_spot.entry(spot).or_insert_with(|| home.clone());
            }
        }
    }

    /// Makes components of the pieces that have no place yet, and are no part of one that has.
    fn add_others(
        &mut self,
        files: &Files,
        pieces: &BTreeMap<Spot, Kind>,
        version: Version,
        taken: &BTreeMap<Kind, BTreeSet<String>>,
    ) {
        let is_part = |spot: &Spot| {
            spot.and_outwards().skip(1).any(|around| {
                pieces.get(&around).is_some_and(|&kind| {
                    files.kind_within(&around, kind, spot) != Some(Kind::Literal)
                })
            })
        };
        let others: Vec<_> = pieces
            .iter()
            .filter(|(spot, _)| !self.by_spot.contains_key(spot) && !is_part(spot))
            .collect();
        let mut uses: HashMap<(Kind, String), usize> = HashMap::new();
        for &(spot, &kind) in &others {
            *uses.entry((kind, word(spot))).or_default() += 1;
        }
        for (spot, &kind) in others {
            let container = container(kind, version);
            let mut name = word(spot);
            let is_taken = taken.get(&kind).is_some_and(|names| names.contains(&name));
            if is_taken || uses.get(&(kind, name.clone())) != Some(&1) {
                name = told_apart(&name, spot);
            }
            let home = format!("/{}/{}", container.join("/"), escape(&name));
            self.by_spot.insert(spot.clone(), home);
            self.added.push(Added {
                container,
                name,
                spot: spot.clone(),
                kind,
            });
        }
    }

    /// Returns where a place of a file stands in the document, where it does.
    pub(super) fn of(&self, spot: &Spot) -> Option<String> {
        spot.and_outwards().find_map(|around| {
            let home = self.by_spot.get(&around)?;
            let rest = spot.pointer.strip_prefix(around.pointer.as_str())?;
            Some(format!("{home}{rest}"))
        })
    }

    /// Tells whether a place stands at `pointer`, itself and not as a part.
    pub(super) fn is_at(&self, spot: &Spot, pointer: &str) -> bool {
        self.by_spot.get(spot).is_some_and(|home| home == pointer)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// Swagger 2.0.
    Two,
    Three,
}

impl Version {
    fn of(files: &Files) -> Self {
        let root = Spot {
            file: files.main().clone(),
            pointer: String::new(),
        };
        let has = |key: &str| files.value(&root).is_some_and(|it| it.get(key).is_some());
        if has("swagger") && !has("openapi") {
            Self::Two
        } else {
            Self::Three
        }
    }
}

/// Returns the path of the map that components of a kind stand in.
fn container(kind: Kind, version: Version) -> &'static [&'static str] {
    match (version, kind) {
        (Version::Three, Kind::Schema) => &["components", "schemas"],
        (Version::Three, Kind::Parameter) => &["components", "parameters"],
        (Version::Three, Kind::Response) => &["components", "responses"],
        (Version::Three, Kind::Header) => &["components", "headers"],
        (Version::Three, Kind::RequestBody) => &["components", "requestBodies"],
        (Version::Two, Kind::Schema) => &["definitions"],
        (Version::Two, Kind::Parameter) => &["parameters"],
        (Version::Two, Kind::Response) => &["responses"],
        _ => &["x-portcullis-pieces"],
    }
}

/// Lists the members of a map that may be a reference itself: those that it refers to, then its own.
fn entries(files: &Files, map: &Spot, hops_left: usize) -> Vec<(String, Spot)> {
    let Some(members) = files.value(map).and_then(Value::as_object) else {
        return Vec::new();
    };
    let reference = members.get("$ref").and_then(Value::as_str);
    let target = reference.and_then(|it| files.find(&map.file, it).ok());
    let mut entries = match (target, hops_left.checked_sub(1)) {
        (Some(target), Some(left)) => entries(files, &target, left),
        _ => Vec::new(),
    };
    for key in members.keys().filter(|key| *key != "$ref") {
        entries.retain(|(name, _)| name != key);
        let pointer = format!("{}/{}", map.pointer, escape(key));
        let file = map.file.clone();
        entries.push((key.clone(), Spot { file, pointer }));
    }
    entries
}

/// Returns a piece's own name: the last word of its pointer, or its file's.
fn word(spot: &Spot) -> String {
    let last = spot.pointer.rsplit('/').next().unwrap_or_default();
    let last = if last.is_empty() {
        spot.file.stem()
    } else {
        last
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let word: String = last.chars().filter(|&c| plain(c)).take(60).collect();
    if word.is_empty() {
        "piece".to_owned()
    } else {
        word
    }
}

fn told_apart(word: &str, spot: &Spot) -> String {
    let digest = Sha256::digest(spot.to_string());
    let digest = digest.iter().take(4);
    digest.fold(format!("{word}_"), |name, byte| format!("{name}{byte:02x}"))
}
