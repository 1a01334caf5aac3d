//! What can be wrong with a configuration, where it stands, and what to do about it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use thiserror::Error;

/// A configuration that cannot be used: everything that is wrong with it, as one report.
#[derive(Debug)]
pub struct ConfigurationError {
    path: PathBuf,
    source: Option<NamedSource<Arc<str>>>,
    problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct Problem {
    /// What is wrong.
    message: String,
    /// What to do about it.
    advice: String,
    /// Where it stands in the file; absent where it comes from the command line or from a document.
    span: Option<Range<usize>>,
}

impl Problem {
    /// Says what is wrong and what to do about it.
    pub(super) fn new(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            advice: advice.into(),
            span: None,
        }
    }

    /// Says where it stands.
    pub(super) fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    /// Returns what to do about it.
    #[must_use]
    pub fn advice(&self) -> &str {
        &self.advice
    }

    /// Returns the bytes of the file that it is about.
    #[must_use]
    pub fn span(&self) -> Option<Range<usize>> {
        self.span.clone()
    }
}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(&self.advice))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}

impl ConfigurationError {
    /// Says what is wrong with the file at `path`, whose text is `text`.
    pub(super) fn new(path: &Path, text: Option<Arc<str>>, problems: Vec<Problem>) -> Self {
        Self {
            path: path.to_owned(),
            source: text.map(|text| {
                NamedSource::new(path.display().to_string(), text).with_language("TOML")
            }),
            problems,
        }
    }

    /// Returns everything that is wrong.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl std::fmt::Display for ConfigurationError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path.display();
        match self.problems.as_slice() {
            [problem] => write!(f, "cannot use `{path}`: {problem}"),
            problems => write!(f, "cannot use `{path}`: {} problems", problems.len()),
        }
    }
}

impl std::error::Error for ConfigurationError {}

/// One problem is told as the report's own; several are told one after the other.
impl Diagnostic for ConfigurationError {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        match self.problems.as_slice() {
            [problem] => problem.help(),
            _ => None,
        }
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        match self.problems.as_slice() {
            [problem] => problem.labels(),
            _ => None,
        }
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        match self.problems.as_slice() {
            [_] => None,
            problems => Some(Box::new(
                problems.iter().map(|problem| problem as &dyn Diagnostic),
            )),
        }
    }
}

/// Returns the candidate that `word` was probably meant to be.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| {
            let similarity = strsim::jaro_winkler(&word.to_lowercase(), &candidate.to_lowercase());
            (similarity, candidate)
        })
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// Writes the advice for a name that is not one of `candidates`.
pub(super) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    if let Some(candidate) = nearest(word, candidates.clone()) {
        return format!("did you mean `{candidate}`?");
    }
    let all: Vec<String> = candidates
        .into_iter()
        .map(|name| format!("`{name}`"))
        .collect();
    match all.as_slice() {
        [] => "there is none to choose from".to_owned(),
        [only] => format!("the only one there is is {only}"),
        all => format!("choose one of {}", all.join(", ")),
    }
}

/// Turns what the TOML reader says into a problem, with advice where it named the choices.
pub(super) fn of_toml(error: &toml::de::Error, text: &str) -> Problem {
    let message = error.message().trim().replace('\n', ", ");
    let (message, advice) = match message.split_once(", expected ") {
        Some((unknown, choices)) if unknown.starts_with("unknown ") => {
            let word = unknown.split('`').nth(1).unwrap_or_default();
            let choices: Vec<&str> = choices.split('`').skip(1).step_by(2).collect();
            let unknown = unknown.replace("field", "key").replace("variant", "value");
            (unknown, did_you_mean(word, choices))
        }
        _ => {
            let example = error.span().and_then(|span| example_for(text, span.start));
            let reference = "docs/configuration.md shows every key with an example";
            (message, example.unwrap_or_else(|| reference.to_owned()))
        }
    };
    let problem = Problem::new(message, advice);
    match error.span() {
        Some(span) => problem.at(span),
        None => problem,
    }
}

/// Returns the example of the key on the line at `offset`.
fn example_for(text: &str, offset: usize) -> Option<String> {
    let before = text.get(..offset)?;
    let line = before.rsplit('\n').next()?;
    let name = line.split('=').next()?.trim();
    let mut keys = super::file::TABLES.iter().flat_map(|table| table.keys);
    let key = keys.find(|key| key.name == name)?;
    Some(format!("for example `{} = {}`", key.name, key.example))
}
