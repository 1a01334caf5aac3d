//! `cargo xtask`: the checks of this project; what CI runs, nothing more, nothing less.
//!
//! Knows: which tools, packages and programs a run needs, where they are put, and in which order the steps go.
//! Does not know: anything about OAuth, OpenAPI or MCP beyond what the tests print.
//!
//! To add a rule about the sources, add a function beside its siblings in `tidy/`.
//! To add a step of `check` or `test`, add a line in the file of that name.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool of the developers: it reads the environment, times its steps and talks to a person"
)]

mod bench;
mod check;
mod command;
mod corpus;
mod examples;
mod fuzz;
mod node;
mod peers;
mod postgres;
mod program;
mod soak;
mod steps;
mod system;
mod test;
mod tidy;
mod tools;
mod workspace;

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

use crate::postgres::Cluster;
use crate::steps::Steps;
use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The checks of this project", version = None)]
struct Cli {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Formatting, lints, documentation, dependencies, spelling and house rules
    Check,
    /// The house rules alone: dependency directions, invariants, file lengths, mentions in documents
    Tidy {
        /// Write the tests of each threat and rule into their documents first
        #[arg(long)]
        fix: bool,
    },
    /// `check` and every test there is
    Test(test::Options),
    /// People sign in by every client at every provider, beyond the pairs that `test` has
    Matrix,
    /// Measures what `docs/performance.md` speaks of, as ratios within one run
    Bench(bench::BenchArguments),
    /// What folders full of real documents become: tools, losses, findings, time and memory
    Corpus(corpus::CorpusArguments),
    /// People stay signed in for weeks, through lost answers, killed processes and a database that is away
    Soak(soak::SoakArguments),
    /// libFuzzer on what strangers write: documents, arguments and answers
    Fuzz(fuzz::FuzzArguments),
    /// Run a command with a throw-away PostgreSQL whose URL is in its environment
    Postgres {
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().action) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(action: Action) -> Result<()> {
    let workspace = Workspace::find()?;
    match action {
        Action::Check => {
            let mut steps = Steps::all();
            check::run(&workspace, &mut steps);
            steps.finish()
        }
        Action::Tidy { fix } => {
            if fix {
                tidy::fix(&workspace)?;
            }
            tidy::run(&workspace)
        }
        Action::Test(options) => test::run(&workspace, &options),
        Action::Matrix => matrix(&workspace),
        Action::Bench(arguments) => bench::run(&workspace, &arguments),
        Action::Corpus(arguments) => {
            system::require(&[system::NPM, system::PYTHON], false)?;
            corpus::run(&workspace, &arguments)
        }
        Action::Soak(arguments) => soak::run(&workspace, &arguments),
        Action::Fuzz(arguments) => fuzz::run(&workspace, &arguments),
        Action::Postgres { command } => with_postgres(&command),
    }
}

fn matrix(workspace: &Workspace) -> Result<()> {
    system::require(&[system::PYTHON, system::NPM], false)?;
    peers::sign_in::matrix(workspace)
}

fn with_postgres(command: &[OsString]) -> Result<()> {
    system::require(&[system::POSTGRES], false)?;
    let cluster = Cluster::start()?;
    let (program, arguments) = command.split_first().context("no command was given")?;
    command::run(
        Command::new(program)
            .args(arguments)
            .env(postgres::URL_VARIABLE, cluster.url()),
    )
}
