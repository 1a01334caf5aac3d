//! Places in a document: JSON Pointers (RFC 6901) that cost nothing until one is written out.

use std::fmt;

use serde_json::Value;

/// A place in the document, as the way there from a known pointer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    /// A pointer that is already written.
    Pointer(&'a str),
    Key(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    /// The place that a written pointer names; the empty pointer is the document.
    pub(crate) fn at(pointer: &'a str) -> Self {
        Self {
            parent: None,
            step: Step::Pointer(pointer),
        }
    }

    /// The member `key` of this place.
    pub(crate) fn key(&'a self, key: &'a str) -> Place<'a> {
        Place {
            parent: Some(self),
            step: Step::Key(key),
        }
    }

    /// The item `index` of this place.
    pub(crate) fn index(&'a self, index: usize) -> Place<'a> {
        Place {
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    /// The last key on the way here, `steps` steps back; 0 is the key of this place itself.
    pub(crate) fn key_back(&self, steps: usize) -> Option<&'a str> {
        let mut place = self;
        for _ in 0..steps {
            place = place.parent?;
        }
        match place.step {
            Step::Key(key) => Some(key),
            Step::Pointer(_) | Step::Index(_) => None,
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Pointer(pointer) => f.write_str(pointer),
            Step::Key(key) => write!(f, "/{}", escape(key)),
            Step::Index(index) => write!(f, "/{index}"),
        }
    }
}

/// Writes a key as a reference token of a pointer.
pub(crate) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Reads an escaped key again.
pub(crate) fn unescape(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

/// Reads the fragment of a local reference as a JSON Pointer: percent-decoded, as RFC 6901 §6 has it.
pub(crate) fn from_fragment(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes().iter();
    while let Some(&byte) = rest.next() {
        if byte == b'%' {
            let pair = [*rest.next()?, *rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Looks a pointer up; one that documents wrote without escaping `/` in a path key is found too.
pub(crate) fn resolve<'d>(root: &'d Value, pointer: &str) -> Option<&'d Value> {
    root.pointer(pointer).or_else(|| {
        let path = pointer.strip_prefix("/paths/")?;
        let paths = root.get("paths")?.as_object()?;
        let (key, rest) = paths
            .keys()
            .filter_map(|key| Some((key, path.strip_prefix(key.as_str())?)))
            .find(|(_, rest)| rest.is_empty() || rest.starts_with('/'))?;
        paths.get(key)?.pointer(rest)
    })
}

/// Counts the values in a value, at most up to a limit.
pub(crate) fn size(value: &Value, limit: usize) -> usize {
    let members = |size: usize, value: &Value| {
        if size >= limit {
            size
        } else {
            size + self::size(value, limit - size)
        }
    };
    match value {
        Value::Array(items) => items.iter().fold(1, members),
        Value::Object(object) => object.values().fold(1, members),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_place_is_written_as_an_escaped_pointer() {
        let root = Place::at("");
        let paths = root.key("paths");
        let path = paths.key("/a~b/{c}");
        let parameters = path.key("parameters");
        assert_eq!(
            parameters.index(3).to_string(),
            "/paths/~1a~0b~1{c}/parameters/3"
        );
    }

    #[test]
    fn percent_encoded_fragments_are_decoded() {
        assert_eq!(
            from_fragment("/paths/~1a~1%7Bb%7D").as_deref(),
            Some("/paths/~1a~1{b}")
        );
        assert_eq!(from_fragment("/%"), None);
        assert_eq!(from_fragment("/%zz"), None);
        assert_eq!(from_fragment("/%ff"), None);
    }

    #[test]
    fn a_reference_into_paths_is_found_with_and_without_escapes() {
        let document = json!({"paths": {"/a/{b}": {"get": 1}}});
        assert_eq!(resolve(&document, "/paths/~1a~1{b}/get"), Some(&json!(1)));
        assert_eq!(resolve(&document, "/paths//a/{b}/get"), Some(&json!(1)));
        assert_eq!(resolve(&document, "/paths//a/{c}/get"), None);
    }
}
