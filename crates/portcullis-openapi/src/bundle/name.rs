//! Names of files, relative to a folder, an archive or an origin, and references to them.

use std::fmt;

use crate::pointer::from_fragment;

/// The longest name, in bytes.
const MAX_BYTES: usize = 1_024;

/// A file's place below a folder, such as `models/pet.yml`: no segment of it is empty, `.` or `..`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

/// A name that leads nowhere, or out of the folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no file below the folder")]
pub struct InvalidFileName(String);

impl FileName {
    /// Reads a path with slashes; `.` and `..` are worked out, as long as they stay below the folder.
    ///
    /// # Errors
    /// When the path is absolute or empty, leads out of the folder, or has control characters.
    pub fn parse(path: &str) -> Result<Self, InvalidFileName> {
        let invalid = || InvalidFileName(path.chars().take(100).collect());
        if path.starts_with('/') || path.len() > MAX_BYTES || path.contains(char::is_control) {
            return Err(invalid());
        }
        let mut segments = Vec::new();
        for segment in path.split('/') {
            match segment {
                "" | "." => {}
                ".." => {
                    segments.pop().ok_or_else(invalid)?;
                }
                segment => segments.push(segment),
            }
        }
        if segments.is_empty() {
            return Err(invalid());
        }
        Ok(Self(segments.join("/")))
    }

    /// Returns the name with slashes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a path that is relative to the folder of this file.
    pub(super) fn beside(&self, path: &str) -> Result<Self, InvalidFileName> {
        match self.0.rsplit_once('/') {
            Some((folder, _)) => Self::parse(&format!("{folder}/{path}")),
            None => Self::parse(path),
        }
    }

    /// Returns the name without folders and without what follows the first dot.
    pub(super) fn stem(&self) -> &str {
        let file = self.0.rsplit('/').next().unwrap_or_default();
        file.split('.').next().unwrap_or_default()
    }

    /// Tells whether the file holds text for people.
    pub(super) fn is_prose(&self) -> bool {
        let ending = self.0.rsplit('.').next().unwrap_or_default();
        ["md", "markdown", "txt"]
            .iter()
            .any(|prose| ending.eq_ignore_ascii_case(prose))
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A reference, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// What stands before the fragment; empty for the same file.
    pub(super) path: &'a str,
    /// What stands behind `#`, as it is written.
    pub(super) fragment: &'a str,
}

impl<'a> Parts<'a> {
    pub(super) fn of(reference: &'a str) -> Self {
        let (path, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        Self { path, fragment }
    }
}

/// Tells whether a path is a URL, or names a host.
pub(super) fn is_url(path: &str) -> bool {
    let scheme = path.split_once(':').map(|(scheme, _)| scheme);
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    };
    is_slashed(path) || scheme.is_some_and(is_scheme)
}

/// Two slashes in front, of either direction, name a host.
fn is_slashed(path: &str) -> bool {
    let mut chars = path.chars();
    let slash = |c: Option<char>| matches!(c, Some('/' | '\\'));
    slash(chars.next()) && slash(chars.next())
}

/// Reads the path of a reference: percent-decoded, with the slashes of Windows turned round.
pub(super) fn decoded(path: &str) -> Option<String> {
    let path = from_fragment(path).unwrap_or_else(|| path.to_owned());
    (!path.contains(['?', '\0'])).then(|| path.replace('\\', "/"))
}

/// Tells whether a text that may be a bare name is a reference.
pub(super) fn is_reference(text: &str) -> bool {
    let Parts { path, .. } = Parts::of(text);
    text.contains('#')
        || [".json", ".yaml", ".yml"]
            .iter()
            .any(|ending| path.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_07_a_file_name_never_leads_out_of_its_folder() {
        for path in [
            "",
            ".",
            "..",
            "/etc/passwd",
            "../a",
            "a/../../b",
            "a/..",
            "a\0b",
            "a\nb",
        ] {
            assert!(FileName::parse(path).is_err(), "{path:?}");
        }
        let main = FileName::parse("api/v1/openapi.yaml").expect("a name");
        for (path, expected) in [
            ("a.yml", "api/v1/a.yml"),
            ("./a//b.yml", "api/v1/a/b.yml"),
            ("../../c.yml", "c.yml"),
        ] {
            assert_eq!(main.beside(path).expect("a name").as_str(), expected);
        }
        assert!(main.beside("../../../c.yml").is_err());
    }

    #[test]
    fn urls_and_hosts_are_told_from_files() {
        for url in [
            "http://a/b",
            "file:///etc/passwd",
            "//host/a",
            "\\\\host\\a",
            "C:\\a",
            "urn:x",
        ] {
            assert!(is_url(url), "{url}");
        }
        for path in ["a.yml", "./a:b.yml", "../a", "/a", "a/b:c.yml"] {
            assert!(!is_url(path), "{path}");
        }
    }

    #[test]
    fn a_path_is_decoded_once_and_has_no_query() {
        assert_eq!(decoded("a%20b\\c.yml").as_deref(), Some("a b/c.yml"));
        assert_eq!(decoded("%252e").as_deref(), Some("%2e"));
        assert_eq!(decoded("100%.yml").as_deref(), Some("100%.yml"));
        assert_eq!(decoded("a.yml?x=1"), None);
    }

    #[test]
    fn a_stem_is_the_name_of_what_a_file_holds() {
        let stem = |name: &str| FileName::parse(name).expect("a name").stem().to_owned();
        assert_eq!(stem("models/pet.yml"), "pet");
        assert_eq!(stem("pet.schema.json"), "pet");
        assert_eq!(stem("Pet"), "Pet");
    }
}
