//! Writes what is wrong with a configuration as log lines: one per problem, each with its place in the file.

use std::path::Path;

use miette::{Diagnostic as _, SourceSpan};

use crate::config::{ConfigurationError, Problem};

/// Returns a line for each problem: where it stands, what is wrong, and what to do.
pub(super) fn lines(error: &ConfigurationError, path: &Path) -> Vec<String> {
    let line = |problem: &Problem| {
        let place = place(error, problem).unwrap_or_default();
        let (path, advice) = (path.display(), problem.advice());
        format!("{path}{place}: {problem}; {advice}")
    };
    error.problems().iter().map(line).collect()
}

/// Returns `:LINE:COLUMN`, both counted from 1, where the problem has a place in the file.
fn place(error: &ConfigurationError, problem: &Problem) -> Option<String> {
    let span = SourceSpan::from(problem.span()?);
    let contents = error.source_code()?.read_span(&span, 0, 0).ok()?;
    Some(format!(
        ":{}:{}",
        contents.line() + 1,
        contents.column() + 1
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::config::{Configuration, Overrides};

    #[test]
    fn every_problem_is_a_line_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portcullis.toml");
        std::fs::write(
            &path,
            "[listener]\nlisten = [\"nowhere\"]\n\n[toolsets.pets]\ndocuments = [\"pets\"]\n",
        )
        .unwrap();
        let loaded = Configuration::load(&path, Overrides::default(), HashMap::new());
        let lines = lines(&loaded.unwrap_err(), Path::new("portcullis.toml"));
        let starts = ["portcullis.toml:2:11: `nowhere`", "portcullis.toml:5:14: "];
        assert_eq!(lines.len(), starts.len(), "{lines:?}");
        for (line, start) in lines.iter().zip(starts) {
            assert!(line.starts_with(start), "{line}");
        }
    }
}
