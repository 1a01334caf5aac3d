//! Named steps: each is timed, a failed one does not stop the next, and the end tells all of them.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The steps of one run.
pub(crate) struct Steps {
    only: Vec<String>,
    seen: Vec<&'static str>,
    done: Vec<Step>,
}

struct Step {
    name: &'static str,
    took: Duration,
    failure: Option<String>,
}

impl Steps {
    /// Every step runs.
    pub(crate) fn all() -> Self {
        Self::only(Vec::new())
    }

    /// Only the named steps run; no name means all.
    pub(crate) fn only(only: Vec<String>) -> Self {
        Self {
            only,
            seen: Vec::new(),
            done: Vec::new(),
        }
    }

    /// Whether a step of this name would run.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == name)
    }

    /// Runs one step, unless it was not asked for.
    pub(crate) fn run(&mut self, name: &'static str, action: impl FnOnce() -> Result<()>) {
        self.seen.push(name);
        if !self.wants(name) {
            return;
        }
        println!("\n── {name}");
        let start = Instant::now();
        let failure = action().err().map(|error| format!("{error:#}"));
        if let Some(failure) = &failure {
            println!("{failure}");
        }
        self.done.push(Step {
            name,
            took: start.elapsed(),
            failure,
        });
    }

    /// Prints what ran and how long it took, and fails if a step failed or a wanted one does not exist.
    pub(crate) fn finish(self) -> Result<()> {
        println!();
        for step in &self.done {
            let verdict = if step.failure.is_none() {
                "ok"
            } else {
                "FAILED"
            };
            println!(
                "{:>7.1} s  {:<14} {verdict}",
                step.took.as_secs_f64(),
                step.name
            );
        }
        let total: Duration = self.done.iter().map(|step| step.took).sum();
        println!("{:>7.1} s  in all", total.as_secs_f64());
        if let Some(unknown) = self
            .only
            .iter()
            .find(|name| !self.seen.contains(&name.as_str()))
        {
            bail!(
                "there is no step `{unknown}`; the steps are: {}",
                self.seen.join(", ")
            );
        }
        let failed: Vec<&str> = self
            .done
            .iter()
            .filter(|step| step.failure.is_some())
            .map(|step| step.name)
            .collect();
        if !failed.is_empty() {
            bail!("failed: {}", failed.join(", "));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_does_not_stop_the_next_and_fails_the_run() {
        let mut steps = Steps::all();
        let mut second_ran = false;
        steps.run("first", || bail!("broken"));
        steps.run("second", || {
            second_ran = true;
            Ok(())
        });
        assert!(second_ran);
        assert_eq!(steps.finish().unwrap_err().to_string(), "failed: first");
    }

    #[test]
    fn a_step_that_does_not_exist_is_named() {
        let mut steps = Steps::only(vec!["third".to_owned()]);
        steps.run("first", || bail!("does not run"));
        let error = steps.finish().unwrap_err().to_string();
        assert_eq!(error, "there is no step `third`; the steps are: first");
    }
}
