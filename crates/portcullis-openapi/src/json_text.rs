//! Sound JSON text, read byte by byte without building a value: numbers keep their digits, and strings their escapes.

use std::borrow::Cow;

use serde::Deserialize;

/// A member's name, borrowed unless it has escapes.
#[derive(Deserialize)]
pub(crate) struct Name<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Leaves out the white space between tokens.
pub(crate) fn compact(json: &str) -> Cow<'_, str> {
    const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];
    if !json.contains(SPACE) {
        return json.into();
    }
    let mut compact = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find(['"', ' ', '\t', '\n', '\r']) {
        let (before, from) = rest.split_at(at);
        compact.push_str(before);
        let end = if from.starts_with('"') {
            string_end(from.as_bytes())
        } else {
            from.len() - from.trim_start_matches(SPACE).len()
        };
        let (token, after) = from.split_at(end);
        if token.starts_with('"') {
            compact.push_str(token);
        }
        rest = after;
    }
    compact.push_str(rest);
    compact.into()
}

/// Shows every byte outside strings.
pub(crate) fn scan(json: &str, mut see: impl FnMut(usize, u8)) {
    let bytes = json.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' {
            at += string_end(bytes.get(at..).unwrap_or_default());
        } else {
            see(at, byte);
            at += 1;
        }
    }
}

/// Returns where the string ends that the bytes begin with, its quotes included.
fn string_end(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_and_everything_else_stays() {
        let text = "{ \"a b\\\" c\" :\n[ 1.10 , \"\\\\\" , true ] }";
        assert_eq!(compact(text), r#"{"a b\" c":[1.10,"\\",true]}"#);
        assert_eq!(compact("[1]"), "[1]");
    }
}
