//! Writes JSON text member by member, so that a schema is converted without building a second tree.

use serde::Serialize;

use super::fragment::{Kind, Span};

/// JSON text under construction; commas are its own business, matching brackets the caller's.
#[derive(Debug, Default)]
pub(super) struct JsonWriter {
    text: Vec<u8>,
    spans: Vec<Span>,
}

impl JsonWriter {
    pub(super) fn open(&mut self, bracket: u8) {
        self.separate();
        self.text.push(bracket);
    }

    pub(super) fn close(&mut self, bracket: u8) {
        self.text.push(bracket);
    }

    pub(super) fn key(&mut self, key: &str) {
        self.value(key);
        self.text.push(b':');
    }

    pub(super) fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        self.separate();
        serde_json::to_writer(&mut self.text, value)
            .expect("strings and JSON values serialise into memory");
    }

    pub(super) fn member<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        self.key(key);
        self.value(value);
    }

    /// Writes a member that may be left out.
    pub(super) fn optional<T: Serialize + ?Sized>(&mut self, kind: Kind, key: &str, value: &T) {
        let start = self.len();
        self.member(key, value);
        self.mark(kind, start);
    }

    /// Returns how much has been written.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Says what was written from `start` on: whole members of an object only.
    pub(super) fn mark(&mut self, kind: Kind, start: usize) {
        let span = (u32::try_from(start), u32::try_from(self.text.len()));
        if let (Ok(start), Ok(end)) = span {
            self.spans.push(Span { start, end, kind });
        }
    }

    /// Writes the key of alternatives of which exactly one fits.
    pub(super) fn one_of(&mut self) {
        self.key("oneOf");
        let end = self.text.len() - "\":".len();
        let span = (u32::try_from(end - "oneOf".len()), u32::try_from(end));
        if let (Ok(start), Ok(end)) = span {
            let kind = Kind::OneOf;
            self.spans.push(Span { start, end, kind });
        }
    }

    /// Tells whether what was written from `start` on means the same to all: it refers to no definition, and nothing that constrains is left out for anybody.
    pub(super) fn is_fixed(&self, start: usize) -> bool {
        let written = self.text.get(start..).unwrap_or_default();
        let mut within = self.since(start);
        within.all(|span| matches!(span.kind, Kind::Head | Kind::Lore))
            && !written.windows(7).any(|window| window == b"\"$ref\":")
    }

    /// Takes back what was written from `start` on.
    pub(super) fn take_back(&mut self, start: usize) {
        let count = self.since(start).count();
        self.spans.truncate(self.spans.len() - count);
        self.text.truncate(start);
    }

    /// Returns the spans that were written from `start` on, the last first: what is around them is marked only once it is whole.
    fn since(&self, start: usize) -> impl Iterator<Item = &Span> {
        let is_within = move |span: &&Span| span.start as usize >= start;
        self.spans.iter().rev().take_while(is_within)
    }

    pub(super) fn finish(self) -> (String, Vec<Span>) {
        let text = String::from_utf8(self.text).expect("serde_json writes UTF-8");
        (text, self.spans)
    }

    /// Writes a comma where a value or member is not the first of its kind.
    fn separate(&mut self) {
        if !matches!(self.text.last(), None | Some(b'{' | b'[' | b':')) {
            self.text.push(b',');
        }
    }
}
