//! The three headers that MCP mirrors from the body, and how their values compare.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// One header field of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field<'a> {
    /// The request does not have it.
    #[default]
    Absent,
    /// The request has it once.
    One(&'a [u8]),
    /// The request has it several times, which agrees with nothing.
    Repeated,
}

/// The headers that the protocol's rules look at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    /// `MCP-Protocol-Version`
    pub protocol_version: Field<'a>,
    /// `Mcp-Method`
    pub method: Field<'a>,
    /// `Mcp-Name`
    pub name: Field<'a>,
}

impl<'a> Field<'a> {
    /// Returns the value without surrounding white space (RFC 9110 §5.5), where there is exactly one and it is text.
    pub(crate) fn text(self) -> Option<&'a str> {
        match self {
            Self::One(value) => std::str::from_utf8(value)
                .ok()
                .map(|v| v.trim_matches([' ', '\t'])),
            Self::Absent | Self::Repeated => None,
        }
    }

    /// Tells whether the value is `expected`, after decoding the Base64 form that names outside ASCII take.
    ///
    /// "servers MUST decode an encoded `Mcp-Name` […] value before comparing it" (2026-07-28, streamable HTTP, "Value Encoding").
    pub(crate) fn names(self, expected: &str) -> bool {
        let Some(value) = self.text() else {
            return false;
        };
        let encoded = value
            .strip_prefix("=?base64?")
            .and_then(|rest| rest.strip_suffix("?="));
        match encoded {
            Some(encoded) => STANDARD
                .decode(encoded)
                .is_ok_and(|decoded| decoded == expected.as_bytes()),
            None => {
                value == expected
                    && value
                        .bytes()
                        .all(|b| b == b'\t' || (b' '..=b'~').contains(&b))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n_05_an_encoded_name_is_decoded_before_it_is_compared() {
        for (value, name, agrees) in [
            ("pets_list", "pets_list", true),
            (" \tpets_list\t ", "pets_list", true),
            ("Pets_list", "pets_list", false),
            ("=?base64?cGV0c19saXN0?=", "pets_list", true),
            ("=?base64?SGVsbG8sIOS4lueVjA==?=", "Hello, 世界", true),
            ("Hello, 世界", "Hello, 世界", false),
            // The padding is missing, superfluous, or the alphabet is another.
            ("=?base64?SGVsbG8sIOS4lueVjA?=", "Hello, 世界", false),
            ("=?base64?cGV0c19saXN0==?=", "pets_list", false),
            ("=?base64?_-8=?=", "\u{ff}\u{ef}", false),
            ("=?BASE64?cGV0c19saXN0?=", "pets_list", false),
            ("=?base64?=", "=?base64?=", true),
            ("=?base64?literal?=", "=?base64?literal?=", false),
            ("", "", true),
        ] {
            assert_eq!(Field::One(value.as_bytes()).names(name), agrees, "{value}");
        }
    }

    #[test]
    fn a_missing_or_repeated_header_names_nothing() {
        assert!(!Field::Absent.names(""));
        assert!(!Field::Repeated.names(""));
        assert!(!Field::One(&[0xff]).names("\u{ff}"));
    }
}
