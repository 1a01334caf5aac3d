//! Reads single values, and collects what is wrong with them, so that one report says everything.

use std::collections::HashMap;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use portcullis_base::{Digest, Secret};
use toml::Spanned;

use super::objects::remote::RemoteContents;
use super::problem::Problem;
use crate::compiled::KnownDocuments;

/// The most bytes of a file that holds one secret.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// The shortest secret that somebody presents to us, in characters: its digest is a fast one, so that nobody may be able to guess it.
const MIN_SECRET: usize = 32;

/// What a file shall hold, to see what a change would make of the configuration.
#[derive(Clone, Copy)]
pub(super) struct Draft<'a> {
    /// The file.
    pub(super) path: &'a Path,
    /// What it is read as, whatever it holds.
    pub(super) text: &'a str,
}

impl<'a> Draft<'a> {
    /// Returns the text where `path` is the file.
    pub(super) fn at(self, path: &Path) -> Option<&'a str> {
        (self.path == path).then_some(self.text)
    }
}

/// A configuration in the making.
pub(super) struct Reading<'a> {
    /// What relative paths are relative to.
    pub(super) folder: &'a Path,
    /// The environment variables of the process.
    pub(super) process: &'a HashMap<String, Secret>,
    /// What is read in place of a file's own content.
    pub(super) draft: Option<Draft<'a>>,
    /// Documents that need not be compiled.
    pub(super) known: &'a KnownDocuments,
    /// What documents from URLs hold.
    pub(super) remote: &'a RemoteContents,
    /// The files that were read, to be watched.
    pub(super) files: Vec<PathBuf>,
    /// What was found wrong so far.
    pub(super) problems: Vec<Problem>,
}

impl Reading<'_> {
    /// Says what is wrong at `span`, and what to do about it.
    pub(super) fn refuse(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.problems.push(Problem::new(message, advice).at(span));
    }

    /// Reads a value whose form `read` judges.
    pub(super) fn parsed<T, E: Display>(
        &mut self,
        value: &Spanned<String>,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        read(value.get_ref())
            .map_err(|error| {
                let message = format!("`{}` cannot be used here", value.get_ref());
                self.refuse(value.span(), message, error.to_string());
            })
            .ok()
    }

    /// Reads every value of a list.
    pub(super) fn all_parsed<T, E: Display>(
        &mut self,
        values: &[Spanned<String>],
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        values
            .iter()
            .filter_map(|value| self.parsed(value, &read))
            .collect()
    }

    /// Reads a time between a second and a day.
    pub(super) fn seconds(&mut self, value: Option<&Spanned<u64>>, default: u64) -> Duration {
        Duration::from_secs(self.number(value, default, 1..=86_400))
    }

    /// Reads a time of so many seconds.
    pub(super) fn seconds_within(
        &mut self,
        value: Option<&Spanned<u64>>,
        default: Duration,
        range: RangeInclusive<u64>,
    ) -> Duration {
        Duration::from_secs(self.number(value, default.as_secs(), range))
    }

    /// Reads a count of bytes or things that fits into memory.
    pub(super) fn count(&mut self, value: Option<&Spanned<u64>>, default: u64) -> usize {
        let count = self.number(value, default, 1..=1 << 31);
        usize::try_from(count).unwrap_or(usize::MAX)
    }

    fn number(
        &mut self,
        value: Option<&Spanned<u64>>,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> u64 {
        let Some(value) = value else { return default };
        let number = *value.get_ref();
        if !range.contains(&number) {
            let help = format!("choose between {} and {}", range.start(), range.end());
            self.refuse(value.span(), format!("{number} is out of range"), help);
        }
        number
    }

    /// Returns a path of the file as the process sees it.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// Reads the file that holds a secret.
    pub(super) fn secret_in_file(&mut self, file: &Path, span: Range<usize>) -> Option<Secret> {
        let path = self.path(file);
        self.files.push(path.clone());
        read_secret(&path)
            .map_err(|problem| self.problems.push(problem.at(span)))
            .ok()
    }

    /// Reads a client secret from the one place that is named, if any is, and says where that is.
    pub(super) fn client_secret(
        &mut self,
        file: Option<&Spanned<PathBuf>>,
        variable: Option<&Spanned<String>>,
    ) -> Option<(Secret, Range<usize>)> {
        self.secret("client_secret", file, variable)
    }

    /// Reads the secret `name` from the one place that is named, if any is, and says where that is.
    pub(super) fn secret(
        &mut self,
        name: &str,
        file: Option<&Spanned<PathBuf>>,
        variable: Option<&Spanned<String>>,
    ) -> Option<(Secret, Range<usize>)> {
        let (secret, span) = match (file, variable) {
            (Some(_), Some(second)) => {
                self.refuse(
                    second.span(),
                    "this value is given twice",
                    format!("keep one of `{name}_file` and `{name}_env`"),
                );
                return None;
            }
            (Some(file), None) => (
                self.secret_in_file(file.get_ref(), file.span())?,
                file.span(),
            ),
            (None, Some(variable)) => (
                self.secret_in_process(variable.get_ref(), variable.span())?,
                variable.span(),
            ),
            (None, None) => return None,
        };
        let text = secret.expose();
        if text.is_empty() || text.contains(char::is_control) {
            let what = name.replace('_', " ");
            self.refuse(
                span,
                format!(
                    "the {what} is empty, or contains a line break or another control character"
                ),
                "give the secret itself and nothing else",
            );
            return None;
        }
        Some((secret, span))
    }

    /// Takes a secret that somebody presents to us for what nobody guesses, and keeps its digest.
    pub(super) fn unguessable(
        &mut self,
        name: &str,
        secret: &Secret,
        span: Range<usize>,
    ) -> Option<Digest> {
        let text = secret.expose();
        if text.chars().count() < MIN_SECRET || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let what = name.replace('_', " ");
            self.refuse(
                span,
                format!("the {what} must have {MIN_SECRET} visible ASCII characters at least"),
                "make one that nobody guesses, for example by `openssl rand -hex 32`",
            );
            return None;
        }
        Some(Digest::of(text.as_bytes()))
    }

    /// Reads the environment variable that holds a secret.
    pub(super) fn secret_in_process(
        &mut self,
        variable: &str,
        span: Range<usize>,
    ) -> Option<Secret> {
        let value = self.process.get(variable).cloned();
        if value.is_none() {
            self.refuse(
                span,
                format!("the environment variable `{variable}` is not set"),
                "set it before Portcullis starts, or name another",
            );
        }
        value
    }
}

fn read_secret(path: &Path) -> Result<Secret, Problem> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| {
        Problem::new(
            format!("cannot read `{shown}`: {error}"),
            "relative paths are relative to the configuration file's folder",
        )
    };
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > MAX_SECRET_BYTES {
        return Err(Problem::new(
            format!("`{shown}` is too long for a secret: {length} bytes"),
            "name the file that holds nothing but the secret",
        ));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(Secret::new(text.to_owned()))
}
