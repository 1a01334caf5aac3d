//! The name that an API gives a file (RFC 6266), as a part of a resource's URI.

use super::media::MediaType;
use crate::plan::{encoded, percent_decoded};
use crate::text::clean;

/// The longest name, in characters.
const MAX_NAME: usize = 100;

/// Returns the URI of what a tool answered: `answer:{tool}`, and the file's name where `Content-Disposition` has one.
pub(super) fn uri(base: &str, disposition: Option<&str>) -> String {
    match disposition.and_then(file_name) {
        Some(name) => format!("{base}/{}", encoded(&name)),
        None => base.to_owned(),
    }
}

/// Returns the last segment of the name, without what a folder or a terminal could mistake.
fn file_name(disposition: &str) -> Option<String> {
    let parameters = MediaType::parse(disposition);
    let name = parameters
        .parameter("filename*")
        .and_then(|value| extended(&value))
        .or_else(|| parameters.parameter("filename"))?;
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let last = last.trim_matches(|c: char| c == '.' || c.is_whitespace());
    let name = clean(last, MAX_NAME).replace(['\n', '\t'], " ");
    (!name.is_empty()).then_some(name)
}

/// Reads the value of RFC 8187: charset, language and percent-encoded text.
fn extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_, text) = rest.split_once('\'')?;
    charset
        .eq_ignore_ascii_case("utf-8")
        .then(|| String::from_utf8(percent_decoded(text)).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_is_a_segment_of_the_uri() {
        for (disposition, expected) in [
            ("attachment; filename=\"a b.pdf\"", "answer:x/a%20b.pdf"),
            ("attachment; filename=plain.csv", "answer:x/plain.csv"),
            (
                "inline; filename=\"old.pdf\"; filename*=UTF-8''%e2%82%ac.pdf",
                "answer:x/%E2%82%AC.pdf",
            ),
            (
                "attachment; filename*=latin1'en'x; filename=y",
                "answer:x/y",
            ),
            ("attachment; filename=\"..\\\\..\\\\x/..\"", "answer:x"),
            (
                "attachment; filename=\"../../etc/passwd\"",
                "answer:x/passwd",
            ),
            (
                "attachment; filename=\"\u{202e}fdp.exe\"",
                "answer:x/fdp.exe",
            ),
            ("attachment", "answer:x"),
            ("", "answer:x"),
        ] {
            assert_eq!(
                uri("answer:x", Some(disposition)),
                expected,
                "{disposition}"
            );
        }
    }
}
