//! Writes JSON text member by member, so that a schema is converted without building a second tree.

use serde::Serialize;
use serde_json::value::RawValue;

/// JSON text under construction; commas are its own business, matching brackets the caller's.
#[derive(Debug, Default)]
pub(super) struct JsonWriter {
    text: Vec<u8>,
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

    pub(super) fn finish(self) -> Box<RawValue> {
        let text = String::from_utf8(self.text).expect("serde_json writes UTF-8");
        RawValue::from_string(text).expect("every bracket was closed")
    }

    /// Writes a comma where a value or member is not the first of its kind.
    fn separate(&mut self) {
        if !matches!(self.text.last(), None | Some(b'{' | b'[' | b':')) {
            self.text.push(b',');
        }
    }
}
