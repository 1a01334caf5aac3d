//! `portcullis manifest attach`: lets a toolset take a provider's own tokens, after showing what that changes.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use portcullis_base::{Clock as _, Slug};
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::config::Configuration;
use portcullis_server::manifest::proposal::{self, Proposal, ProposalError};
use portcullis_server::storage;

use super::Surroundings;
use crate::command::apply::is_confirmed;
use crate::command::doctor::print_finding;

/// What is attached to what.
pub(super) struct Wanted<'a> {
    pub(super) manifest: &'a str,
    pub(super) name: Option<Slug>,
    pub(super) republish: bool,
    pub(super) toolset: &'a Slug,
    /// Whether nobody is asked.
    pub(super) yes: bool,
}

/// Runs the command.
pub(super) async fn run(
    surroundings: &Surroundings,
    wanted: &Wanted<'_>,
) -> anyhow::Result<ExitCode> {
    let path = &surroundings.config;
    let proposal = propose(surroundings, wanted)?;
    if proposal.is_empty() {
        println!("nothing changes");
        return Ok(ExitCode::SUCCESS);
    }
    for change in proposal.changes() {
        println!("{change}");
    }
    tell_consequences(&proposal, wanted.toolset).await;
    for finding in proposal.findings(wanted.toolset, None) {
        print_finding(&mut std::io::stdout().lock(), &finding)?;
    }
    if !wanted.yes && !is_confirmed("write this?")? {
        println!("nothing was changed");
        return Ok(ExitCode::FAILURE);
    }
    proposal.write()?;
    println!(
        "written to {}; a gateway that serves it takes it up by itself",
        path.display()
    );
    println!(
        "`portcullis manifest check {}` says what clients would make of it",
        proposal.manifest()
    );
    Ok(ExitCode::SUCCESS)
}

fn propose(surroundings: &Surroundings, wanted: &Wanted<'_>) -> anyhow::Result<Proposal> {
    let slug = Surroundings::named(wanted.manifest);
    let attached = match &slug {
        Some(slug) if wanted.republish => {
            bail!("write `republish = true` into `[manifests.{slug}]`; the table is not changed")
        }
        Some(slug) => proposal::Wanted::Described(slug),
        None => proposal::Wanted::File {
            path: Path::new(wanted.manifest),
            name: wanted.name.clone(),
            republish: wanted.republish,
        },
    };
    let read = |text: &str| surroundings.configuration_of(text);
    let proposal = Proposal::of(&surroundings.config, &attached, wanted.toolset, read);
    proposal.map_err(|error| match error {
        // It knows where in the file it stands.
        ProposalError::Configuration(error) => error.into(),
        ProposalError::NoName => anyhow!("{}; pass `--name`", ProposalError::NoName),
        error => error.into(),
    })
}

/// Says what becomes of the clients that come in by a way that is closed.
async fn tell_consequences(proposal: &Proposal, toolset: &Slug) {
    for way in proposal.closed() {
        match way.as_str() {
            "oauth" => {
                let grants = match count(proposal.configuration(), toolset).await {
                    Ok(Some(1)) => "1 grant ends".to_owned(),
                    Ok(Some(count)) => format!("{count} grants end"),
                    Ok(None) => "there is no store yet, and no grant".to_owned(),
                    Err(error) => format!("how many grants end cannot be told ({error:#})"),
                };
                println!(
                    "clients that are signed in here: {grants}; their tokens answer 401, their refresh tokens `invalid_grant`, and they sign in again, at the provider"
                );
            }
            _ => println!("callers without a credential, whom `{way}` let in: they get 401"),
        }
    }
}

async fn count(configuration: &Configuration, toolset: &Slug) -> anyhow::Result<Option<u64>> {
    let settings = &configuration.settings.storage;
    if !storage::may_exist(settings) {
        return Ok(None);
    }
    let store = storage::open(settings, SystemClock.now(), Arc::new(SystemRng)).await?;
    let count = store.count_grants(toolset).await;
    store.close().await;
    Ok(Some(count?))
}
