//! What is worth telling the operator about a document: which place, which rule, which consequence.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::findings::finding;

/// A remark about one place of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much was lost.
    pub severity: Severity,
    /// A stable word for programs, such as `external-reference`.
    pub code: &'static str,
    /// JSON Pointer into the document, empty for the document itself; with the file in front where the document has several, as `models/pet.yml#/type`.
    pub pointer: String,
    /// What was found and what came of it, for people.
    pub message: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            severity,
            code,
            pointer,
            message,
        } = self;
        let place = if pointer.is_empty() {
            "document"
        } else {
            pointer
        };
        write!(f, "{severity}[{code}] {place}: {message}")
    }
}

/// How much a diagnostic's cause has cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing was lost.
    Note,
    /// A part was left out or read leniently; the tool is there.
    Warning,
    /// An operation did not become a tool.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Collects diagnostics: each place and code once, and at most so many.
#[derive(Debug)]
pub(crate) struct Diagnostics {
    kept: Vec<Diagnostic>,
    seen: HashSet<(&'static str, String)>,
    /// How many did not fit, by code.
    left_out: BTreeMap<&'static str, usize>,
    max: usize,
}

impl Diagnostics {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            kept: Vec::new(),
            seen: HashSet::new(),
            left_out: BTreeMap::new(),
            max,
        }
    }

    pub(crate) fn note(
        &mut self,
        code: &'static str,
        pointer: impl fmt::Display,
        message: impl Into<String>,
    ) {
        self.add(Severity::Note, code, pointer.to_string(), message.into());
    }

    pub(crate) fn warn(
        &mut self,
        code: &'static str,
        pointer: impl fmt::Display,
        message: impl Into<String>,
    ) {
        self.add(Severity::Warning, code, pointer.to_string(), message.into());
    }

    pub(crate) fn error(
        &mut self,
        code: &'static str,
        pointer: impl fmt::Display,
        message: impl Into<String>,
    ) {
        self.add(Severity::Error, code, pointer.to_string(), message.into());
    }

    pub(crate) fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        pointer: String,
        message: String,
    ) {
        debug_assert!(
            finding(code).is_some_and(|known| known.severities.contains(&severity)),
            "src/findings.rs does not have `{code}` as {severity}"
        );
        if self.kept.len() >= self.max {
            *self.left_out.entry(code).or_default() += 1;
        } else if self.seen.insert((code, pointer.clone())) {
            self.kept.push(Diagnostic {
                severity,
                code,
                pointer,
                message,
            });
        }
    }

    /// Returns what was collected, with a last line that counts what did not fit.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        if !self.left_out.is_empty() {
            let counts = self.left_out.iter();
            let counts: Vec<_> = counts
                .map(|(code, count)| format!("{count} {code}"))
                .collect();
            self.kept.push(Diagnostic {
                severity: Severity::Note,
                code: "more-diagnostics",
                pointer: String::new(),
                message: format!("more were left out: {}", counts.join(", ")),
            });
        }
        self.kept
    }
}
