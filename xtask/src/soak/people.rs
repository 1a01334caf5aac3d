//! The processes of people, each told what to do by a word a line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::clock;
use super::programs::Soak;
use super::site::Site;

/// One process of a person.
pub(crate) struct Person {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// What came of a word.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Report {
    pub(crate) outcome: String,
    pub(crate) detail: String,
    pub(crate) refreshes: u64,
    pub(crate) lost: u64,
    pub(crate) left_ms: u64,
    pub(crate) answers: std::collections::BTreeMap<String, u64>,
    pub(crate) odd: String,
    pub(crate) successors: u64,
    pub(crate) slowest_ms: u64,
}

impl Person {
    /// Starts a process, which says nothing until it is told something.
    pub(crate) fn start(soak: &Soak, site: &Site<'_>, arguments: &[&str]) -> Result<Self> {
        let mut command = soak.play("soak-process");
        command
            .args(&site.call)
            .arg(format!("--file={}", site.folder.join("tokens").display()))
            .args(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a process of a person")?;
        let input = child.stdin.take().context("no standard input")?;
        let output = child.stdout.take().context("no standard output")?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    /// Tells it to do something.
    pub(crate) fn tell(&mut self, word: &str) -> Result<()> {
        writeln!(self.input, "{word}").context("a process of a person has ended")
    }

    /// Waits for what came of it.
    pub(crate) fn hear(&mut self) -> Result<Report> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        ensure!(!line.is_empty(), "a process of a person has ended");
        Ok(serde_json::from_str(&line)?)
    }

    /// Tells it to do something, and waits for what came of it.
    pub(crate) fn asked(&mut self, word: &str) -> Result<Report> {
        self.tell(word)?;
        self.hear()
    }

    /// As [`Person::asked`], of what cannot come to anything else.
    pub(crate) fn does(&mut self, word: &str) -> Result<Report> {
        let report = self.asked(word)?;
        ensure!(report.outcome == "ok", "`{word}` came to {report:?}");
        Ok(report)
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
        clock::forget(self.child.id());
    }
}
