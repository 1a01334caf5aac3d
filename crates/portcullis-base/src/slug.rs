//! Slugs: the names of documents, toolsets and environments in URLs, headers and variables.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest slug, in characters.
const MAX_LENGTH: usize = 63;

/// A short name of lower-case letters, digits and dashes, starting with a letter.
///
/// Which slugs would collide with a route or a header is for the crates to say that own those.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

/// Why a text is no slug.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "`{0}` is no slug: use 1 to 63 lower-case letters, digits and single dashes, starting with a letter and not ending in a dash"
)]
pub struct InvalidSlug(String);

impl Slug {
    /// Reads a slug.
    ///
    /// # Errors
    ///
    /// When `text` is empty, longer than 63 characters, has other characters than `a-z`, `0-9` and `-`, does not start with a letter, ends in a dash, or has two dashes in a row.
    pub fn parse(text: &str) -> Result<Self, InvalidSlug> {
        let lawful = text.len() <= MAX_LENGTH
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.ends_with('-')
            && !text.contains("--")
            && text
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if lawful {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSlug(text.chars().take(80).collect()))
        }
    }

    /// Makes the nearest slug of any text, for a default that a person can change.
    ///
    /// Returns `None` when nothing of the text can stay.
    #[must_use]
    pub fn nearest(text: &str) -> Option<Self> {
        let mut slug = String::new();
        for c in text.chars() {
            if c.is_ascii_alphanumeric() && !(slug.is_empty() && c.is_ascii_digit()) {
                slug.push(c.to_ascii_lowercase());
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
            if slug.len() == MAX_LENGTH {
                break;
            }
        }
        Self::parse(slug.trim_end_matches('-')).ok()
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Slug {
    type Error = InvalidSlug;

    fn try_from(text: String) -> Result<Self, InvalidSlug> {
        Self::parse(&text)
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

impl std::fmt::Display for Slug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_what_urls_and_variables_can_carry() {
        for good in ["a", "my-api", "v2"] {
            assert!(Slug::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "A",
            "2v",
            "a_b",
            "a-",
            "a--b",
            "a/b",
            "é",
            &"a".repeat(64),
        ] {
            assert!(Slug::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_nearest_slug_keeps_what_it_can() {
        let nearest = |text| Slug::nearest(text).map(String::from);
        assert_eq!(
            nearest("Swagger Petstore - OpenAPI 3.0").as_deref(),
            Some("swagger-petstore-openapi-3-0")
        );
        assert_eq!(nearest("3scale_API.v2").as_deref(), Some("scale-api-v2"));
        assert_eq!(nearest("日本"), None);
    }
}
