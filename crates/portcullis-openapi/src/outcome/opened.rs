//! One level of a JSON text with its values unopened: what is kept of it is bounded, the rest is counted.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::json_text::{Name, scan};

/// The items of an array.
#[derive(Debug, Default)]
pub(crate) struct Items<'a> {
    /// As many items from the beginning as there was room for.
    pub(crate) kept: Vec<&'a str>,
    /// The first item, whatever its size.
    pub(crate) first: Option<&'a str>,
    /// The last item, whatever its size.
    pub(crate) last: Option<&'a str>,
    /// How many items there are.
    pub(crate) count: usize,
}

/// The members of an object, in their order.
#[derive(Debug, Default)]
pub(crate) struct Members<'a> {
    /// As many members from the beginning as were asked for.
    pub(crate) kept: Vec<(Cow<'a, str>, &'a str)>,
    /// How many members there are.
    pub(crate) count: usize,
}

/// Opens an array; of its items as many are kept as fit into `room` bytes, commas included.
pub(crate) fn items(json: &str, room: usize) -> Option<Items<'_>> {
    serde_json::Deserializer::from_str(json)
        .deserialize_seq(ItemsVisitor { room })
        .ok()
}

/// Opens an object; of its members no more than `most` are kept.
pub(crate) fn members(json: &str, most: usize) -> Option<Members<'_>> {
    serde_json::Deserializer::from_str(json)
        .deserialize_map(MembersVisitor { most })
        .ok()
}

/// How much there is in a JSON text, as far as its punctuation tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Items of lists, and one for each list.
    pub(crate) items: usize,
    /// Items and members, and one for each list and object.
    pub(crate) values: usize,
}

/// Counts the items and members of all lists and objects of a JSON text.
pub(crate) fn count(json: &str) -> Count {
    let mut count = Count {
        items: 1,
        values: 1,
    };
    let mut open = Vec::new();
    scan(json, |_, byte| match byte {
        b'[' | b'{' => {
            open.push(byte);
            count.values += 1;
            count.items += usize::from(byte == b'[');
        }
        b']' | b'}' => {
            open.pop();
        }
        b',' => {
            count.values += 1;
            count.items += usize::from(open.last() == Some(&b'['));
        }
        _ => {}
    });
    count
}

struct ItemsVisitor {
    room: usize,
}

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Items<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items<'de>, A::Error> {
        let mut items = Items::default();
        let mut room = Some(self.room);
        while let Some(item) = seq.next_element::<&RawValue>()? {
            let item = item.get();
            items.first.get_or_insert(item);
            items.last = Some(item);
            items.count += 1;
            room = room.and_then(|room| room.checked_sub(item.len() + 1));
            if room.is_some() {
                items.kept.push(item);
            }
        }
        Ok(items)
    }
}

struct MembersVisitor {
    most: usize,
}

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Members::default();
        while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &RawValue>()? {
            members.count += 1;
            if members.kept.len() < self.most {
                members.kept.push((name, value.get()));
            }
        }
        Ok(members)
    }
}
