//! `cargo xtask test`: `check`, then every test there is, real clients and real APIs included.
//!
//! Nothing is skipped: what a step needs and cannot get makes the step fail with the command that gets it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::peers::{clients, conformance, documents, emulate, github, requests, sign_in};
use crate::postgres::{self, Cluster};
use crate::steps::Steps;
use crate::workspace::Workspace;
use crate::{check, command, corpus, examples, system, tools};

/// What a run of the tests can be told.
#[derive(Args)]
pub(crate) struct Options {
    /// Install what is missing from the operating system's packages; CI=true means the same
    #[arg(long)]
    install: bool,
    /// Run only the named step; may be repeated
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Write photographs of the pages that people see into this folder
    #[arg(long, value_name = "FOLDER")]
    photographs: Option<PathBuf>,
}

/// Runs the steps and fails if one of them does.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let install = options.install || std::env::var_os("CI").is_some_and(|value| value == "true");
    system::require(&[system::POSTGRES, system::PYTHON, system::NPM], install)?;
    let mut steps = Steps::only(options.only.clone());
    check::run(workspace, &mut steps);
    steps.run("unit", || unit(workspace));
    steps.run("doctests", || doctests(workspace));
    steps.run("examples", || examples::run(workspace, install));
    steps.run("demo", || demo(workspace));
    steps.run("clients", || clients::run(workspace));
    let sign_in = sign_in::Options {
        install,
        photographs: options.photographs.as_deref(),
    };
    steps.run("sign-in", || sign_in::run(workspace, &sign_in));
    steps.run("documents", || documents::run(workspace));
    steps.run("corpus", || corpus::sample(workspace));
    steps.run("requests", || requests::sample(workspace));
    steps.run("github", || github::run(workspace));
    steps.run("emulate", || emulate::run(workspace));
    steps.run("conformance", || conformance::run(workspace));
    steps.finish()
}

/// All tests of all crates, the store's on both engines.
fn unit(workspace: &Workspace) -> Result<()> {
    let tools = tools::cargo_tools(workspace)?;
    let cluster = Cluster::start()?;
    let references = tempfile::NamedTempFile::new()?;
    command::run(
        workspace
            .cargo()
            .args(["nextest", "run", "--workspace", "--locked", "--cargo-quiet"])
            .env("PATH", command::path_with(&tools)?)
            .env(postgres::URL_VARIABLE, cluster.url())
            .env("INSTA_UPDATE", "no")
            .env("INSTA_SNAPSHOT_REFERENCES_FILE", references.path()),
    )?;
    no_orphaned_snapshots(workspace, references.path())
}

/// The examples in the documentation, in the whole workspace: fewer crates would have other features, and be built again.
fn doctests(workspace: &Workspace) -> Result<()> {
    command::run(
        workspace
            .cargo()
            .args(["test", "--doc", "--workspace", "--locked", "--quiet"]),
    )
}

/// The demo calls its own sample API through the gateway with the Rust SDK's client.
fn demo(workspace: &Workspace) -> Result<()> {
    workspace.build()?;
    let demo = workspace.target().join("debug/portcullis-demo");
    command::run(Command::new(demo).arg("--self-test"))
}

/// Fails if a snapshot file exists that no test of the run has read.
fn no_orphaned_snapshots(workspace: &Workspace, references: &Path) -> Result<()> {
    let read: BTreeSet<PathBuf> = fs::read_to_string(references)?
        .lines()
        .map(|line| fs::canonicalize(line).unwrap_or_else(|_| line.into()))
        .collect();
    for file in workspace.files()? {
        if Path::new(&file)
            .extension()
            .is_some_and(|extension| extension == "snap")
        {
            let path =
                fs::canonicalize(workspace.root().join(&file)).context("a listed file vanished")?;
            if !read.contains(&path) {
                bail!("{file} is a snapshot that no test reads; delete it");
            }
        }
    }
    Ok(())
}
