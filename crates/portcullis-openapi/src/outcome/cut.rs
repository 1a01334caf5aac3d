//! JSON that is larger than its limit is cut between whole items and members, so that it stays JSON.
//!
//! Lists lose their last items; of several large members each gets an equal share, and those that need less leave the rest to the others.
//! A text is cut at a character only where it alone is too large.
//! Works on the API's own text: numbers keep their digits and members their order.

use std::fmt;

use super::opened::{items, members};
use crate::json_text::scan;
use crate::text::clean;

/// How deep an answer is cut; what lies deeper is left out whole.
const MAX_DEPTH: usize = 16;
/// How many members of an object are weighed against each other; what comes after them is left out.
const MAX_MEMBERS: usize = 1000;
/// The least share that is worth having of a member; below it, the last members are left out instead.
const MIN_SHARE: usize = 40;
/// How many places of a cut are told.
const MAX_PLACES: usize = 3;
/// The longest text that a number may have.
const MAX_NUMBER: usize = 64;
/// How much of a member's name is told.
const MAX_NAME: usize = 40;

/// What is left of a JSON text, and what is not.
#[derive(Debug)]
pub(super) struct Cut {
    /// Valid JSON, about as large as was asked for.
    pub(super) json: String,
    /// Where something is missing, the outermost places first.
    pub(super) places: Places,
}

/// Where something is missing.
#[derive(Debug, Default)]
pub(super) struct Places {
    told: Vec<Place>,
    untold: usize,
}

#[derive(Debug)]
struct Place {
    at: String,
    of: usize,
    unit: &'static str,
    kept: usize,
}

/// Cuts a JSON text without white space around its values; nothing where it cannot be opened, such as for half a surrogate pair in a name.
pub(super) fn cut(json: &str, max_bytes: usize) -> Option<Cut> {
    let mut cutter = Cutter {
        json: String::with_capacity(max_bytes),
        places: Places::default(),
    };
    cutter.value(json, max_bytes, &Spot::root())?;
    Some(Cut {
        json: cutter.json,
        places: cutter.places,
    })
}

/// Ends a JSON text that breaks off: after the last whole item or member, every list and object is closed.
pub(super) fn closed(broken: &str) -> Option<String> {
    let mut comma = None;
    scan(broken, |at, byte| {
        if byte == b',' {
            comma = Some(at);
        }
    });
    let mut json = broken.get(..comma?)?.to_owned();
    let mut open = Vec::new();
    scan(&json, |_, byte| match byte {
        b'{' => open.push('}'),
        b'[' => open.push(']'),
        b'}' | b']' => {
            open.pop();
        }
        _ => {}
    });
    json.extend(open.iter().rev());
    Some(json)
}

/// A place in the answer, as people write it: `items[0].name`.
struct Spot {
    path: String,
    depth: usize,
}

impl Spot {
    fn root() -> Self {
        Self {
            path: String::new(),
            depth: 0,
        }
    }

    fn first_item(&self) -> Self {
        Self {
            path: format!("{}[0]", self.path),
            depth: self.depth + 1,
        }
    }

    fn member(&self, name: &str) -> Self {
        let name = clean(name, MAX_NAME);
        let path = match self.path.as_str() {
            "" => name.into_owned(),
            path => format!("{path}.{name}"),
        };
        Self {
            path,
            depth: self.depth + 1,
        }
    }
}

struct Cutter {
    json: String,
    places: Places,
}

impl Cutter {
    fn value(&mut self, json: &str, room: usize, spot: &Spot) -> Option<()> {
        if json.len() <= room {
            self.json.push_str(json);
            return Some(());
        }
        match json.as_bytes().first() {
            Some(b'[') => self.array(json, room, spot),
            Some(b'{') => self.object(json, room, spot),
            Some(b'"') => self.string(&serde_json::from_str::<String>(json).ok()?, room, spot),
            _ if json.len() > MAX_NUMBER => self.string(json, room, spot),
            _ => {
                self.json.push_str(json);
                Some(())
            }
        }
    }

    fn array(&mut self, json: &str, room: usize, spot: &Spot) -> Option<()> {
        let opened = items(json, room.saturating_sub(1))?;
        let first = opened
            .first
            .filter(|_| opened.kept.is_empty() && spot.is_worth_opening(room));
        let kept = opened.kept.len() + usize::from(first.is_some());
        self.places.add(spot, "items", kept, opened.count);
        self.json.push('[');
        if let Some(first) = first {
            self.value(first, room - 2, &spot.first_item())?;
        }
        self.json.push_str(&opened.kept.join(","));
        self.json.push(']');
        Some(())
    }

    fn object(&mut self, json: &str, room: usize, spot: &Spot) -> Option<()> {
        let opened = members(json, MAX_MEMBERS)?;
        let named: Vec<(String, &str, &str)> = opened
            .kept
            .iter()
            .map(|(name, value)| (quoted(name), &**name, *value))
            .collect();
        let overhead: usize = named.iter().map(|(quoted, ..)| quoted.len() + 2).sum();
        let sizes = named.iter().map(|(.., value)| value.len()).collect();
        let share = share(sizes, room.saturating_sub(overhead + 2));
        if opened.count > named.len() || share < MIN_SHARE || !spot.is_worth_opening(room) {
            return self.first_members(&named, opened.count, room, spot);
        }
        self.json.push('{');
        for (index, (quoted, name, value)) in named.iter().enumerate() {
            self.name(index, quoted);
            self.value(value, share, &spot.member(name))?;
        }
        self.json.push('}');
        Some(())
    }

    /// Keeps an object's first members whole, as many as there is room for; of the first of all as much as there is room for.
    fn first_members(
        &mut self,
        named: &[(String, &str, &str)],
        count: usize,
        room: usize,
        spot: &Spot,
    ) -> Option<()> {
        let mut left = room.saturating_sub(2);
        let fitting = named.iter().take_while(|(quoted, _, value)| {
            let size = quoted.len() + value.len() + 2;
            let fits = size <= left;
            left = left.saturating_sub(size);
            fits
        });
        let fitting = fitting.count();
        let room = room.saturating_sub(2);
        let first = named.first().filter(|(quoted, ..)| {
            let room = room.saturating_sub(quoted.len() + 2);
            fitting == 0 && spot.is_worth_opening(room)
        });
        let kept = fitting + usize::from(first.is_some());
        self.places.add(spot, "members", kept, count);
        self.json.push('{');
        for (index, (quoted, _, value)) in named.iter().take(fitting).enumerate() {
            self.name(index, quoted);
            self.json.push_str(value);
        }
        if let Some((quoted, name, value)) = first {
            self.name(0, quoted);
            self.value(value, room - quoted.len() - 2, &spot.member(name))?;
        }
        self.json.push('}');
        Some(())
    }

    fn name(&mut self, index: usize, quoted: &str) {
        if index > 0 {
            self.json.push(',');
        }
        self.json.push_str(quoted);
        self.json.push(':');
    }

    fn string(&mut self, text: &str, room: usize, spot: &Spot) -> Option<()> {
        // The API's own escapes may be all that there was no room for.
        let whole = quoted(text);
        if whole.len() <= room {
            self.json.push_str(&whole);
            return Some(());
        }
        let mut left = room.saturating_sub(quoted("…").len());
        let mut kept = 0;
        let end = text.char_indices().find_map(|(at, c)| {
            let size = size_in_json(c);
            if size > left {
                return Some(at);
            }
            left -= size;
            kept += 1;
            None
        });
        let shown = text.get(..end?)?;
        self.json.push_str(&quoted(&format!("{shown}…")));
        self.places
            .add(spot, "characters", kept, text.chars().count());
        Some(())
    }
}

impl Spot {
    /// Tells whether something is shown of what does not fit as a whole.
    fn is_worth_opening(&self, room: usize) -> bool {
        self.depth < MAX_DEPTH && room >= MIN_SHARE
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn size_in_json(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if c.is_ascii_control() => 6,
        c => c.len_utf8(),
    }
}

/// Returns the size that members may have, so that all of them fit: what is smaller stays whole, what is larger is cut to it.
fn share(mut sizes: Vec<usize>, room: usize) -> usize {
    sizes.sort_unstable();
    let (mut left, mut count) = (room, sizes.len());
    for size in sizes {
        if size > left / count {
            return left / count;
        }
        left -= size;
        count -= 1;
    }
    room
}

impl Places {
    /// Tells whether everything is there after all, in fewer bytes.
    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    fn add(&mut self, spot: &Spot, unit: &'static str, kept: usize, of: usize) {
        if kept == of {
            return;
        }
        if self.told.len() < MAX_PLACES {
            let at = clean(&spot.path, 4 * MAX_NAME).into_owned();
            self.told.push(Place { at, of, unit, kept });
        } else {
            self.untold += 1;
        }
    }

    /// Returns how many items are left of the outermost list, where it is a list that was cut.
    pub(super) fn items_kept(&self) -> Option<usize> {
        let place = self.told.iter().find(|place| place.unit == "items")?;
        Some(place.kept).filter(|kept| *kept > 0)
    }
}

impl fmt::Display for Places {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Place { at, of, unit, kept }) in self.told.iter().enumerate() {
            let before = if index > 0 { "; " } else { "" };
            match at.as_str() {
                "" => write!(formatter, "{before}it has {of} {unit}, ")?,
                at => write!(formatter, "{before}`{at}` has {of} {unit}, ")?,
            }
            match kept {
                0 => formatter.write_str("none is here")?,
                1 => formatter.write_str("the first is here")?,
                kept => write!(formatter, "the first {kept} are here")?,
            }
        }
        match self.untold {
            0 => Ok(()),
            untold => write!(formatter, "; {untold} more places are cut"),
        }
    }
}
