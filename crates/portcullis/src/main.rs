//! The program: the command line, signals and exit codes around `portcullis-server`.
//!
//! Exit codes: 0 where all is well, 1 where something failed, or `check`, `doctor` or `manifest` found something wrong, 2 where the command line cannot be read.
//!
//! To add a command: its arguments in `cli.rs`, its work in a file of `command/`.
#![expect(
    clippy::print_stderr,
    reason = "the commands tell failures on standard error"
)]

#[macro_use]
mod print;
mod cli;
mod command;

use std::collections::HashMap;
use std::process::ExitCode;

use clap::Parser as _;
use portcullis_base::Secret;
use portcullis_server::config::ConfigurationError;
use portcullis_server::document::load::LoadError;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    keep_memory_private();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            tell(error);
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(arguments: cli::Arguments) -> anyhow::Result<ExitCode> {
    let installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    installed.map_err(|_| anyhow::anyhow!("another TLS provider is installed already"))?;
    let process = process_environment();
    match arguments.command {
        cli::Command::Check(arguments) => command::check::run(&arguments, process).await,
        cli::Command::Doctor(arguments) => command::doctor::run(&arguments, process).await,
        cli::Command::Serve(arguments) => command::serve::run(&arguments, process).await,
        cli::Command::Apply(arguments) => command::apply::run(arguments, process).await,
        cli::Command::Key(arguments) => command::key::run(arguments, process).await,
        cli::Command::Grants(arguments) => command::grants::run(arguments, process).await,
        cli::Command::Document(arguments) => command::document::run(arguments, process).await,
        cli::Command::Audit(arguments) => command::audit::run(arguments, process).await,
        cli::Command::Manifest(arguments) => command::manifest::run(arguments, process).await,
        cli::Command::Completions { shell } => {
            cli::print_completions(shell);
            Ok(ExitCode::SUCCESS)
        }
        cli::Command::Reference => {
            print!("{}", portcullis_server::config::markdown());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Keeps secrets out of core files and out of other processes' sight.
///
/// Failure is no reason not to start: a container may forbid it.
fn keep_memory_private() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{
            DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit,
        };
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        let _ = setrlimit(Resource::Core, none);
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Reads the environment of the process once; what is not UTF-8 cannot be a variable's value.
fn process_environment() -> HashMap<String, Secret> {
    std::env::vars_os()
        .filter_map(|(name, value)| {
            let value = value.into_string().ok()?;
            Some((name.into_string().ok()?, Secret::new(value)))
        })
        .collect()
}

fn tell(error: anyhow::Error) {
    let of_configuration = error.downcast().or_else(|error| match error.downcast() {
        Ok(LoadError::Configuration(error)) => Ok(error),
        Ok(error) => Err(error.into()),
        Err(error) => Err(error),
    });
    match of_configuration {
        Ok(error) => eprintln!("{:?}", miette::Report::new::<ConfigurationError>(error)),
        Err(error) => eprintln!("error: {}", with_causes(&error)),
    }
}

/// Writes an error and its causes, without those that it tells itself.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}
