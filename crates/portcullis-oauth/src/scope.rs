//! Scopes: case-sensitive tokens, separated by spaces, in no order ([RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)).

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The scope by which clients ask for a refresh token; it opens nothing at a resource.
pub const OFFLINE_ACCESS: &str = "offline_access";

/// A set of scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scopes(BTreeSet<String>);

/// The text is no list of scopes.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "a scope consists of visible ASCII characters without `\"` and `\\`; scopes are separated by single spaces"
)]
pub struct InvalidScopes;

impl Scopes {
    /// Reads scopes; an empty text has none, and what stands twice counts once.
    ///
    /// # Errors
    ///
    /// When a scope holds a character that RFC 6749 does not allow.
    pub fn parse(text: &str) -> Result<Self, InvalidScopes> {
        // `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`
        let lawful = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\');
        text.split(' ')
            .filter(|scope| !scope.is_empty())
            .map(|scope| {
                let is_lawful = scope.chars().all(lawful);
                is_lawful.then(|| scope.to_owned()).ok_or(InvalidScopes)
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Returns [`OFFLINE_ACCESS`] alone.
    #[must_use]
    pub fn offline() -> Self {
        Self(BTreeSet::from([OFFLINE_ACCESS.to_owned()]))
    }

    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether a scope is among them.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Tells whether every one of these is among `others`.
    #[must_use]
    pub fn is_subset(&self, others: &Self) -> bool {
        self.0.is_subset(&others.0)
    }

    /// Returns those that are among `others` too.
    #[must_use]
    pub fn intersection(&self, others: &Self) -> Self {
        Self(self.0.intersection(&others.0).cloned().collect())
    }

    /// Returns those for which `keeps` is true.
    #[must_use]
    pub fn filter(&self, mut keeps: impl FnMut(&str) -> bool) -> Self {
        let kept = self.0.iter().filter(|scope| keeps(scope));
        Self(kept.cloned().collect())
    }

    /// Returns those that are not among `others`.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        Self(self.0.difference(&others.0).cloned().collect())
    }

    /// Returns these and `others`.
    #[must_use]
    pub fn union(&self, others: &Self) -> Self {
        Self(self.0.union(&others.0).cloned().collect())
    }

    /// Returns each scope, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for scope in &self.0 {
            write!(f, "{separator}{scope}")?;
            separator = " ";
        }
        Ok(())
    }
}

impl TryFrom<String> for Scopes {
    type Error = InvalidScopes;

    fn try_from(text: String) -> Result<Self, InvalidScopes> {
        Self::parse(&text)
    }
}

impl From<Scopes> for String {
    fn from(scopes: Scopes) -> Self {
        scopes.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_a_set() {
        let scopes = Scopes::parse("b a  b").unwrap();
        assert_eq!(scopes.to_string(), "a b");
        assert!(scopes.is_subset(&Scopes::parse("a b c").unwrap()));
        assert!(!scopes.contains("A"));
        assert!(Scopes::parse("").unwrap().is_empty());
    }

    #[test]
    fn other_characters_are_refused() {
        for text in ["a\"b", "a\\b", "a\tb", "a\nb", "é", "a\u{0}"] {
            assert_eq!(Scopes::parse(text), Err(InvalidScopes), "{text:?}");
        }
    }
}
