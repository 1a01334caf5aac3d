//! `portcullis grants`: what people granted to clients.

use std::collections::{BTreeSet, HashMap};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use portcullis_base::{Clock as _, GrantId, Secret};
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::config::{Overrides, Settings};
use portcullis_server::storage;
use portcullis_store::{Actor, GrantSelection, ListedGrant, Store};

use super::apply::is_confirmed;
use super::key::{ACTOR, date};
use crate::cli::{Grants, GrantsCommand, SelectionArguments};

/// How many grants end in one transaction.
const BATCH: usize = 100;

/// Runs the command.
pub(crate) async fn run(
    arguments: Grants,
    process: HashMap<String, Secret>,
) -> anyhow::Result<ExitCode> {
    let overrides = Overrides {
        data_dir: arguments.data_dir,
        ..Overrides::default()
    };
    let settings = Settings::load(&arguments.config, overrides, process)?;
    let now = SystemClock.now();
    let store = storage::open(&settings.storage, now, Arc::new(SystemRng)).await?;
    let outcome = match arguments.command {
        GrantsCommand::List { selection } => list(&store, &of(None, selection)).await,
        GrantsCommand::Revoke {
            grant,
            selection,
            yes,
        } => revoke(&store, &of(grant, selection), yes).await,
    };
    store.close().await;
    outcome
}

fn of(id: Option<GrantId>, arguments: SelectionArguments) -> GrantSelection {
    GrantSelection {
        id,
        client: arguments.client,
        subject: arguments.subject,
        toolset: arguments.toolset,
        provider: arguments.provider,
    }
}

async fn list(store: &Store, selection: &GrantSelection) -> anyhow::Result<ExitCode> {
    each(store, selection, print).await?;
    Ok(ExitCode::SUCCESS)
}

async fn revoke(store: &Store, selection: &GrantSelection, yes: bool) -> anyhow::Result<ExitCode> {
    if *selection == GrantSelection::default() {
        bail!(
            "say which grants: by the id of one, or by `--client`, `--subject`, `--toolset` or `--provider`"
        );
    }
    let (mut ids, mut subjects) = (Vec::new(), BTreeSet::new());
    each(store, selection, |listed| {
        ids.push(listed.grant.id);
        subjects.insert(listed.grant.subject);
    })
    .await?;
    if ids.is_empty() {
        bail!("no such grant stands; `portcullis grants list` shows those that do");
    }
    println!(
        "{} and every token under {}: {}",
        counted(ids.len(), "grant"),
        if ids.len() == 1 { "it" } else { "them" },
        counted(subjects.len(), "subject")
    );
    if !yes && !is_confirmed("revoke?")? {
        println!("nothing was changed");
        return Ok(ExitCode::FAILURE);
    }
    let mut ended = 0;
    for batch in ids.chunks(BATCH) {
        let actor = Actor::new(ACTOR);
        let now = SystemClock.now();
        ended += store.revoke_grants(batch.to_vec(), actor, now).await?;
    }
    println!("revoked {ended}");
    Ok(ExitCode::SUCCESS)
}

/// Goes through all grants that are meant.
async fn each(
    store: &Store,
    selection: &GrantSelection,
    mut visit: impl FnMut(&ListedGrant),
) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let page = store.list_grants(selection, after).await?;
        page.grants.iter().for_each(&mut visit);
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

fn print(listed: &ListedGrant) {
    let grant = &listed.grant;
    println!("{}", grant.id);
    println!("    to {} ({})", listed.client_name, grant.client);
    match &listed.label {
        Some(label) => println!("    by {label} ({})", grant.subject),
        None => println!("    by {}", grant.subject),
    }
    match &listed.provider {
        Some(provider) => println!("    at {}, signed in at {provider}", grant.toolset),
        None => println!("    at {}", grant.toolset),
    }
    println!("    scopes {}", grant.scopes);
    println!("    made {}", date(grant.created_at));
}

fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}
