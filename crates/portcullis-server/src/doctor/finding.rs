//! What is found, and how grave it is.

use serde::Serialize;

/// The most characters of a text that somebody else wrote.
const LONGEST_QUOTE: usize = 200;

/// Something that was looked at.
#[derive(Debug, Serialize)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Its name: a slug, or the public URL.
    pub name: String,
    /// What was found, in the order of looking.
    pub findings: Vec<Finding>,
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// The gateway at its public URL.
    Gateway,
    /// A toolset that people sign in to.
    Toolset,
    /// A provider that they sign in at.
    Provider,
    /// The manifest of a provider whose own access tokens are a way in.
    Manifest,
}

/// One thing that was found.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// A stable word for programs.
    pub check: &'static str,
    /// How grave it is.
    pub verdict: Verdict,
    /// What was found.
    pub message: String,
    /// How to mend it, where there is something to mend.
    pub remedy: Option<String>,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is as it should be.
    Good,
    /// It is neither good nor bad, but good to know.
    Note,
    /// It may keep people from signing in, or from doing so safely.
    Doubtful,
    /// It keeps people from signing in.
    Wrong,
}

impl PartKind {
    /// Returns the word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Toolset => "toolset",
            Self::Provider => "provider",
            Self::Manifest => "manifest",
        }
    }
}

impl Part {
    pub(crate) fn new(kind: PartKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            findings: Vec::new(),
        }
    }

    /// Tells whether a check found anything that is not good.
    pub(crate) fn has(&self, check: &str) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|it| it.check == check && it.verdict != Verdict::Good)
    }

    pub(crate) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

impl Finding {
    pub(crate) fn good(check: &'static str, message: impl Into<String>) -> Self {
        Self::new(check, Verdict::Good, message, None)
    }

    pub(crate) fn note(check: &'static str, message: impl Into<String>) -> Self {
        Self::new(check, Verdict::Note, message, None)
    }

    pub(crate) fn doubtful(
        check: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(check, Verdict::Doubtful, message, Some(remedy.into()))
    }

    pub(crate) fn wrong(
        check: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(check, Verdict::Wrong, message, Some(remedy.into()))
    }

    fn new(
        check: &'static str,
        verdict: Verdict,
        message: impl Into<String>,
        remedy: Option<String>,
    ) -> Self {
        Self {
            check,
            verdict,
            message: message.into(),
            remedy,
        }
    }
}

/// Quotes what somebody else wrote, so that a terminal can do nothing but show it.
pub(crate) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(LONGEST_QUOTE).collect();
    let cut = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{cut}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_else_wrote_is_shown_and_does_nothing() {
        assert_eq!(
            quoted("a\u{1b}[31m\n\u{202e}b"),
            r#""a\u{1b}[31m\n\u{202e}b""#
        );
        let quote = quoted(&"x".repeat(1000));
        assert_eq!(quote.chars().count(), LONGEST_QUOTE + 3);
    }
}
