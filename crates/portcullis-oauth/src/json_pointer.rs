//! JSON pointers: where in an answer something stands ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)).

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// A pointer into a JSON document; the empty one is the document itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct JsonPointer(String);

/// The text is no pointer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is no JSON pointer: write each step after a slash, as in `/user/id`")]
pub struct InvalidJsonPointer(String);

impl JsonPointer {
    /// Reads a pointer.
    ///
    /// # Errors
    ///
    /// When it is neither empty nor begins with a slash.
    pub fn parse(text: &str) -> Result<Self, InvalidJsonPointer> {
        let lawful = text.is_empty() || text.starts_with('/');
        lawful
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| InvalidJsonPointer(text.to_owned()))
    }

    /// Makes the pointer to a member of the document.
    #[must_use]
    pub fn member(name: &str) -> Self {
        Self(format!("/{}", name.replace('~', "~0").replace('/', "~1")))
    }

    /// Returns what stands there.
    #[must_use]
    pub fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        document.pointer(&self.0)
    }

    /// Returns the text that stands there, unless it is empty.
    #[must_use]
    pub fn text<'a>(&self, document: &'a Value) -> Option<&'a str> {
        let text = self.find(document)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    /// Returns the text or the whole number that stands there, as text: providers use both as ids.
    #[must_use]
    pub fn id(&self, document: &Value) -> Option<String> {
        id(self.find(document)?)
    }

    /// Tells whether `true` stands there, be it as a text.
    #[must_use]
    pub fn is_true(&self, document: &Value) -> bool {
        match self.find(document) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }
}

/// Returns a text that is not empty or a whole number, as text.
pub(crate) fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

impl TryFrom<String> for JsonPointer {
    type Error = InvalidJsonPointer;

    fn try_from(text: String) -> Result<Self, InvalidJsonPointer> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pointer(text: &str) -> JsonPointer {
        JsonPointer::parse(text).unwrap()
    }

    #[test]
    fn a_pointer_begins_with_a_slash() {
        assert!(JsonPointer::parse("user/id").is_err());
        assert_eq!(JsonPointer::member("a/b~c"), pointer("/a~1b~0c"));
    }

    #[test]
    fn an_id_is_a_text_or_a_whole_number() {
        let document = json!({"a": {"id": 7}, "b": "x", "c": 1.5, "d": true, "e": "", "f": null});
        assert_eq!(pointer("/a/id").id(&document).as_deref(), Some("7"));
        assert_eq!(pointer("/b").id(&document).as_deref(), Some("x"));
        for path in ["/c", "/d", "/e", "/f", "/g", ""] {
            assert_eq!(pointer(path).id(&document), None, "{path}");
        }
    }

    #[test]
    fn only_true_is_true() {
        let document = json!({"a": true, "b": "true", "c": 1, "d": "yes", "e": false});
        let truth =
            ["/a", "/b", "/c", "/d", "/e", "/f"].map(|path| pointer(path).is_true(&document));
        assert_eq!(truth, [true, true, false, false, false, false]);
    }
}
