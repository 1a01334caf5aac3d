//! `cargo xtask soak`: people stay signed in for weeks, through lost answers, killed processes and a database that is away.
//!
//! Everything is the released program in processes of its own, on real databases; its clock is turned by `libfaketime`, and nothing in the program knows of it.
//! docs/soak.md says what each step proves, and what it cannot show.

mod clock;
mod clocks;
mod crowd;
mod database;
mod http;
mod killed;
mod one_refresh;
mod people;
mod programs;
mod proxied;
mod replicas16;
mod shared_token;
mod site;

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use self::programs::Soak;
use crate::postgres::Cluster;
use crate::steps::Steps;
use crate::workspace::Workspace;

/// How long the soak is to be, and what of it is wanted.
#[derive(clap::Args)]
pub(crate) struct SoakArguments {
    /// Run only the named step; may be repeated
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Days that the processes of `shared-token` live
    #[arg(long, default_value_t = 30)]
    days: u64,
    /// How often a gateway is killed in `killed`; thieves, and other rounds, are fewer in proportion
    #[arg(long, default_value_t = 500)]
    rounds: u64,
    /// Use the development profile, which is built sooner and runs slower
    #[arg(long)]
    debug: bool,
    /// Leave configurations, databases and logs in this folder
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Install what is missing from the operating system's packages
    #[arg(long)]
    install: bool,
}

/// Runs the steps and fails if one of them does.
pub(crate) fn run(workspace: &Workspace, arguments: &SoakArguments) -> Result<()> {
    let soak = Soak::prepare(workspace, arguments).context("preparing the soak")?;
    let cluster = Cluster::by_clock(&soak.clock.variables())?;
    let mut steps = Steps::only(arguments.only.clone());
    steps.run("shared-token", || shared_token::run(&soak, &cluster));
    steps.run("one-refresh", || one_refresh::run(&soak, &cluster));
    steps.run("killed", || killed::run(&soak, &cluster));
    steps.run("proxied", || proxied::run(&soak, &cluster));
    steps.run("database", || database::run(&soak));
    steps.run("clocks", || clocks::run(&soak, &cluster));
    steps.run("replicas16", || replicas16::run(&soak, &cluster));
    steps.finish()
}
