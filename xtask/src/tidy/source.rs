//! A text file of the project, with what most rules ask of it.

use std::fs;

use anyhow::Result;

use crate::workspace::Workspace;

/// A text file.
pub(crate) struct Source {
    /// Path relative to the root.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

/// Reads the files that git tracks or would track; binary ones are left out.
pub(crate) fn read_all(workspace: &Workspace) -> Result<Vec<Source>> {
    let files = workspace.files()?;
    Ok(files
        .into_iter()
        .filter_map(|path| {
            let text = fs::read_to_string(workspace.root().join(&path)).ok()?;
            Some(Source { path, text })
        })
        .collect())
}

impl Source {
    /// Whether this is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.has_extension("rs")
    }

    /// Whether the file's name ends so.
    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        self.path
            .rsplit_once('.')
            .is_some_and(|(_, found)| found == extension)
    }

    /// The last part of the path.
    pub(crate) fn file_name(&self) -> &str {
        let last = self.path.rsplit('/').next();
        last.unwrap_or(&self.path)
    }

    /// The name of the crate the file belongs to: the folder under `crates/`, `client-rmcp` or `xtask`.
    pub(crate) fn crate_name(&self) -> Option<&str> {
        match self.path.split_once('/')? {
            ("crates", rest) => Some(rest.split_once('/')?.0),
            ("xtask", _) => Some("xtask"),
            ("tests", rest) if rest.starts_with("clients/rmcp/") => Some("client-rmcp"),
            _ => None,
        }
    }

    /// The lines with their numbers from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }

    /// The lines of a Rust file that end up in the program: no tests, no comments.
    ///
    /// House rule 3 puts the tests last, so all that follows `#[cfg(test)]` on a `mod` is tests.
    pub(crate) fn program_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let outside = !self.path.contains("/src/") || self.is_test_module();
        let tests_from = self.start_of_tests().unwrap_or(usize::MAX);
        self.lines().filter(move |(number, line)| {
            !outside && *number < tests_from && !line.trim_start().starts_with("//")
        })
    }

    fn is_test_module(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    fn start_of_tests(&self) -> Option<usize> {
        self.lines()
            .zip(self.text.lines().skip(1))
            .find(|((_, line), next)| {
                line.trim() == "#[cfg(test)]" && next.trim_start().starts_with("mod tests {")
            })
            .map(|((number, _), _)| number)
    }
}

#[cfg(test)]
pub(crate) fn rust(path: &str, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}
