//! `portcullis apply`: shows what a configuration file would change, and changes it.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use portcullis_base::{Clock as _, Secret};
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::config::apply;
use portcullis_server::document::load::Loader;
use portcullis_server::storage;

use crate::cli::Apply;

/// Runs the command.
pub(crate) async fn run(
    arguments: Apply,
    process: HashMap<String, Secret>,
) -> anyhow::Result<ExitCode> {
    let loader = Loader {
        path: &arguments.file,
        overrides: arguments.overrides.overrides(),
        process,
    };
    let configuration = loader.load().await?;
    let (clock, rng) = (SystemClock, SystemRng);
    let store = storage::open(
        &configuration.settings.storage,
        clock.now(),
        Arc::new(SystemRng),
    )
    .await?;
    let prepared = apply::prepare(&store, &configuration, clock.now(), &rng).await?;
    if prepared.difference.is_empty() {
        println!("nothing changes");
        return Ok(ExitCode::SUCCESS);
    }
    for line in prepared.difference.lines().chain(prepared.consequences()) {
        println!("{line}");
    }
    for (document, tools) in &prepared.tools {
        println!("tools of {document}: {}", tools.summary());
        print!("{tools}");
    }
    if !arguments.yes && !is_confirmed("apply?")? {
        println!("nothing was changed");
        return Ok(ExitCode::FAILURE);
    }
    prepared.commit(&store, clock.now()).await?;
    store.close().await;
    println!("applied");
    Ok(ExitCode::SUCCESS)
}

/// Asks whoever sits at the terminal.
pub(super) fn is_confirmed(question: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("pass `--yes` where nobody can be asked");
    }
    print!("{question} [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
