//! What was found in a document: each place, and the kinds of findings with what to do about them.

use std::collections::{BTreeMap, HashSet};

use portcullis_openapi::findings::finding;
use portcullis_openapi::{Diagnostic, Severity, dialect};
use serde::Serialize;

use crate::config::DocumentObject;

/// A remark about one place of a document.
#[derive(Debug, Serialize)]
pub struct Remark {
    /// `note`, `warning`, or `error` where an operation is no tool.
    pub severity: String,
    /// A stable word for programs.
    pub code: &'static str,
    /// JSON Pointer into the document, after the file's name where the document has several.
    pub pointer: String,
    /// What was found and what came of it.
    pub message: String,
}

/// All remarks of one code and severity.
#[derive(Debug, Serialize)]
pub struct CheckedFinding {
    /// The remarks' severity.
    pub severity: String,
    /// The remarks' code.
    pub code: &'static str,
    /// How many there are.
    pub count: usize,
    /// What the code means.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

impl CheckedFinding {
    /// Tells whether operations were lost by it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error.to_string()
    }

    /// Tells whether a remark is one of these.
    #[must_use]
    pub fn covers(&self, remark: &Remark) -> bool {
        self.code == remark.code && self.severity == remark.severity
    }
}

/// Lists the remarks about a document's files, then those about the document, each place and code once, then what vendors of models refuse.
pub(super) fn remarks(object: &DocumentObject) -> Vec<Remark> {
    let mut seen = HashSet::new();
    let of_vendors = dialect::remarks(&object.compiled.tools);
    let all = object.remarks.iter().chain(&object.compiled.diagnostics);
    all.chain(&of_vendors)
        .filter(|it| seen.insert((it.code, it.severity, it.pointer.as_str())))
        .map(remark)
        .collect()
}

fn remark(diagnostic: &Diagnostic) -> Remark {
    Remark {
        severity: diagnostic.severity.to_string(),
        code: diagnostic.code,
        pointer: diagnostic.pointer.clone(),
        message: diagnostic.message.clone(),
    }
}

/// Groups remarks by severity and code, the gravest first.
pub(super) fn grouped(remarks: &[Remark]) -> Vec<CheckedFinding> {
    let gravity = |severity: &str| {
        let all = [Severity::Error, Severity::Warning, Severity::Note];
        all.iter().position(|it| it.to_string() == severity)
    };
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for remark in remarks {
        let severity = remark.severity.as_str();
        *counts
            .entry((gravity(severity), remark.code, severity))
            .or_default() += 1;
    }
    counts
        .into_iter()
        .map(|((_, code, severity), count)| {
            let known = finding(code);
            CheckedFinding {
                severity: severity.to_owned(),
                code,
                count,
                meaning: known.map_or("", |it| it.meaning),
                remedy: known.map_or("", |it| it.remedy),
            }
        })
        .collect()
}
