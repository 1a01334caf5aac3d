//! The house rules that a machine can see, each a small function over the text of the sources.
//!
//! Reads files only. What needs a compiler is a lint in `Cargo.toml` or a ban in `clippy.toml` instead.

mod cases;
mod documents;
mod layers;
mod manifests;
mod modules;
mod source;
mod sources;

use anyhow::{Result, bail};

use crate::tidy::source::Source;
use crate::workspace::Workspace;

/// A place that breaks a rule, and the rule in words that say what to do.
pub(crate) struct Finding {
    /// Path relative to the root.
    path: String,
    /// Line, from 1; 0 means the file as a whole.
    line: usize,
    message: String,
}

impl Finding {
    fn at(source: &Source, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: source.path.clone(),
            line,
            message: message.into(),
        }
    }
}

/// Reads every text file of the project and prints all findings; fails if there is one.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let sources = source::read_all(workspace)?;
    let mut findings = Vec::new();
    manifests::judge(&sources, &mut findings)?;
    layers::judge(&sources, &mut findings);
    sources::judge(&sources, &mut findings);
    documents::judge(&sources, &mut findings);
    modules::judge(&sources, &mut findings);
    let sources = modules::compiled(sources);
    cases::judge(&sources, &mut findings);
    for Finding {
        path,
        line,
        message,
    } in &findings
    {
        println!("{path}:{line}: {message}");
    }
    if !findings.is_empty() {
        bail!("{} house rules are broken", findings.len());
    }
    println!("{} files keep the house rules", sources.len());
    Ok(())
}

/// Writes what can be written by a machine: the tests of each threat and rule.
pub(crate) fn fix(workspace: &Workspace) -> Result<()> {
    for (path, text) in cases::mended(&modules::compiled(source::read_all(workspace)?)) {
        std::fs::write(workspace.root().join(path), text)?;
        println!("{path} is up to date");
    }
    Ok(())
}
