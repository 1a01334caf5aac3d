//! The crowd that calls, refreshes and signs in while something is broken, and what it says that it met.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::clock;
use super::programs::Soak;
use super::site::Site;

/// A crowd at work.
pub(crate) struct Crowd {
    child: Child,
    output: BufReader<ChildStdout>,
    begun: Instant,
}

/// What the crowd met.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Met {
    pub(crate) calls: u64,
    pub(crate) refreshes: u64,
    pub(crate) sign_ins: u64,
    pub(crate) sign_ins_again: u64,
    pub(crate) repeated: u64,
    pub(crate) given_up: u64,
    pub(crate) signed_out: u64,
    pub(crate) answers: BTreeMap<String, u64>,
    pub(crate) without_retry_after: u64,
    /// In tenths of a second since the beginning.
    failed_at: Vec<u64>,
    pub(crate) longest_ms: u64,
}

impl Crowd {
    /// Signs the crowd in and lets it go.
    pub(crate) fn start(soak: &Soak, site: &Site<'_>, arguments: &[&str]) -> Result<Self> {
        let mut command = soak.play("soak-crowd");
        let mut child = command
            .args(&site.call)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the crowd")?;
        let output = child.stdout.take().context("no standard output")?;
        let mut crowd = Self {
            child,
            output: BufReader::new(output),
            begun: Instant::now(),
        };
        crowd.line()?;
        crowd.begun = Instant::now();
        Ok(crowd)
    }

    /// Returns how long the crowd has been at work.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Waits until the crowd has been at work for so long.
    pub(crate) fn wait_until(&self, moment: Duration) {
        std::thread::sleep(moment.saturating_sub(self.elapsed()));
    }

    /// Waits for its end, and for what it met.
    pub(crate) fn met(mut self) -> Result<Met> {
        let line = self.line()?;
        Ok(serde_json::from_str(&line)?)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        ensure!(!line.is_empty(), "the crowd has ended");
        Ok(line)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
        clock::forget(self.child.id());
    }
}

impl Met {
    /// Fails where somebody was signed out, or something that is safe to repeat came to nothing.
    pub(crate) fn is_unharmed(&self) -> Result<()> {
        ensure!(self.signed_out == 0, "people were signed out: {self:?}");
        ensure!(self.given_up == 0, "something came to nothing: {self:?}");
        Ok(())
    }

    /// Returns how long after `moment` the last failure before `end` came.
    pub(crate) fn recovery(&self, moment: Duration, end: Duration) -> Duration {
        let failures = self.failed_at.iter();
        let failures = failures.map(|tenths| Duration::from_millis(100 * (tenths + 1)));
        let last = failures.filter(|at| *at < end).max().unwrap_or_default();
        last.saturating_sub(moment)
    }

    /// Tells how often what went wrong.
    pub(crate) fn failures(&self) -> String {
        if self.answers.is_empty() {
            return "no failure".to_owned();
        }
        let answers = self.answers.iter().map(|(how, count)| {
            let first = how.lines().next().unwrap_or_default();
            format!("{first} × {count}")
        });
        let answers: Vec<String> = answers.collect();
        answers.join(", ")
    }
}
