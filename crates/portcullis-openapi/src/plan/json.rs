//! JSON text as it goes into headers: in ASCII, where nothing else may be sent.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::json_text::compact;

/// Returns compact JSON text in which what is no ASCII is escaped.
pub(super) fn ascii(text: &str) -> Cow<'_, str> {
    let text = compact(text);
    if text.is_ascii() && !text.contains('\u{7f}') {
        return text;
    }
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if c.is_ascii() && c != '\u{7f}' {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn what_is_no_ascii_is_escaped_and_reads_the_same() {
        let value = json!({"é\u{7f}": ["😀", "a b"]});
        let text = value.to_string();
        let written = ascii(&text);
        assert_eq!(written, r#"{"\u00e9\u007f":["\ud83d\ude00","a b"]}"#);
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
    }
}
