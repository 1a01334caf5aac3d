//! Takes the credentials of a call out of what comes back.
//!
//! APIs repeat what they were sent: in debug answers, in error messages, in copies of the request.
//! A credential is found as it is and as it is written in Base64, in URLs and in JSON.
//! Short values are left alone: they would be found where they are not meant.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem::Finder;
use portcullis_base::Secret;
use portcullis_openapi::encoded;

/// What stands in a credential's place.
const REDACTED: &[u8] = b"[redacted]";

/// The shortest value that is looked for, in bytes.
const SHORTEST: usize = 6;

/// The credentials of one call, in every spelling that they are looked for in.
#[derive(Debug)]
pub(super) struct Redactor(Vec<Secret>);

impl Redactor {
    pub(super) fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let spellings: BTreeSet<String> = secrets
            .into_iter()
            .map(Secret::expose)
            .filter(|secret| secret.len() >= SHORTEST)
            .flat_map(spellings)
            .collect();
        let mut spellings: Vec<_> = spellings.into_iter().map(Secret::new).collect();
        // The longest first: one spelling may contain another.
        spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.expose().len()));
        Self(spellings)
    }

    /// Takes the credentials out of bytes.
    pub(super) fn redact(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.0.iter().fold(bytes, |bytes, spelling| {
            without(bytes, spelling.expose().as_bytes())
        })
    }

    /// Takes the beginning of a credential off the end of bytes that were cut there.
    pub(super) fn redact_cut(&self, bytes: &mut Vec<u8>) {
        let longest = self
            .0
            .iter()
            .filter_map(|spelling| {
                let spelling = spelling.expose().as_bytes();
                (SHORTEST..spelling.len())
                    .rev()
                    .find(|length| bytes.ends_with(spelling.get(..*length).unwrap_or_default()))
            })
            .max();
        bytes.truncate(bytes.len() - longest.unwrap_or(0));
    }

    /// Takes the credentials out of a text.
    pub(super) fn redact_text(&self, text: String) -> String {
        let bytes = self.redact(text.into_bytes());
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn spellings(secret: &str) -> impl Iterator<Item = String> {
    let in_form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let in_url = in_form.replace('+', "%20");
    let in_plan = encoded(secret);
    let in_json = serde_json::Value::from(secret).to_string();
    let in_json = in_json.trim_matches('"').to_owned();
    let slashed = in_json.replace('/', "\\/");
    [
        secret.to_owned(),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        lower_hex(&in_plan),
        in_plan,
        lower_hex(&in_form),
        in_form,
        lower_hex(&in_url),
        in_url,
        in_json,
        slashed,
    ]
    .into_iter()
}

/// Writes the digits of percent-encodings small, as some servers do.
fn lower_hex(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut lower = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        lower.push('%');
        lower.push_str(&digits.to_ascii_lowercase());
        lower.push_str(rest);
    }
    lower
}

fn without(bytes: Vec<u8>, needle: &[u8]) -> Vec<u8> {
    let finder = Finder::new(needle);
    let mut found = finder.find_iter(&bytes).peekable();
    if found.peek().is_none() {
        return bytes;
    }
    let mut kept = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for at in found {
        kept.extend_from_slice(bytes.get(from..at).unwrap_or_default());
        kept.extend_from_slice(REDACTED);
        from = at + needle.len();
    }
    kept.extend_from_slice(bytes.get(from..).unwrap_or_default());
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(secret: &str, text: &str) -> String {
        let secret = Secret::new(secret.to_owned());
        Redactor::new([&secret]).redact_text(text.to_owned())
    }

    #[test]
    fn o_11_a_credential_is_found_in_every_spelling() {
        let secret = "s3cr3t/+ \"ü";
        for text in [
            "you sent s3cr3t/+ \"ü!".to_owned(),
            format!("Basic {}==", STANDARD_NO_PAD.encode(secret)),
            format!("jwt {}", URL_SAFE_NO_PAD.encode(secret)),
            "?key=s3cr3t%2F%2B+%22%C3%BC&a=b".to_owned(),
            "?key=s3cr3t%2F%2B%20%22%C3%BC&a=b".to_owned(),
            r#"{"key":"s3cr3t/+ \"ü"}"#.to_owned(),
            r#"{"key":"s3cr3t\/+ \"ü"}"#.to_owned(),
        ] {
            let result = redacted(secret, &text);
            assert!(result.contains("[redacted]"), "{text}: {result}");
            assert!(!result.contains("s3cr3t"), "{text}: {result}");
        }
    }

    #[test]
    fn o_11_what_is_no_credential_stays() {
        assert_eq!(redacted("a", "a banana"), "a banana");
        assert_eq!(
            redacted("abcdef", "abcdef abcdefg abcde"),
            "[redacted] [redacted]g abcde"
        );
    }

    #[test]
    fn o_11_a_longer_credential_is_taken_out_before_a_part_of_it() {
        let secrets = ["abcdef", "abcdefghi"].map(|text| Secret::new(text.to_owned()));
        for secrets in [[&secrets[0], &secrets[1]], [&secrets[1], &secrets[0]]] {
            let redactor = Redactor::new(secrets);
            assert_eq!(redactor.redact_text("abcdefghi".to_owned()), "[redacted]");
        }
    }

    #[test]
    fn o_11_a_key_is_found_as_it_is_written_into_a_query() {
        for text in ["?k=ab~cd%2A%2Fefgh", "?k=ab~cd%2a%2fefgh"] {
            assert_eq!(redacted("ab~cd*/efgh", text), "?k=[redacted]");
        }
    }

    #[test]
    fn o_11_half_a_credential_at_a_cut_is_taken_off() {
        let secret = Secret::new("0123456789".to_owned());
        let redactor = Redactor::new([&secret]);
        let mut bytes = b"you sent 01234567".to_vec();
        redactor.redact_cut(&mut bytes);
        assert_eq!(bytes, b"you sent ");
    }
}
