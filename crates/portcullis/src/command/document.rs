//! `portcullis document`: what documents were, what they may become, and which revision is served.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use portcullis_base::{Clock as _, Secret, Slug};
use portcullis_openapi::ToolDifference;
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::config::{Overrides, Settings};
use portcullis_server::document::arrival::summary;
use portcullis_server::document::fetch::Fetcher;
use portcullis_server::document::history::{History, HistoryError};
use portcullis_server::document::load::Loader;
use portcullis_server::document::refresh::{DocumentRefresher, Judge, Looked, shown};
use portcullis_server::document::switch::Switch;
use portcullis_server::storage;
use portcullis_server::telemetry::metrics::Metrics;
use portcullis_store::{Actor, ChangePolicy, Document, DocumentRevision, RemoteSettings, Store};
use serde_json::json;

use super::apply::is_confirmed;
use super::key::{ACTOR, date};
use crate::cli::{self, DocumentCommand, OutputFormat};

/// Runs the command.
pub(crate) async fn run(
    arguments: cli::Document,
    process: HashMap<String, Secret>,
) -> anyhow::Result<ExitCode> {
    let overrides = Overrides {
        data_dir: arguments.data_dir,
        allow_upstream: arguments.allow_upstream,
        ..Overrides::default()
    };
    let settings = Settings::load(&arguments.config, overrides.clone(), process.clone())?;
    let storage = &settings.storage;
    if !storage::may_exist(storage) {
        bail!("there is no store yet; `portcullis apply` or `serve` makes it");
    }
    let store = storage::open(storage, SystemClock.now(), Arc::new(SystemRng)).await?;
    let loader = Loader {
        path: &arguments.config,
        overrides,
        process,
    };
    let outcome = match arguments.command {
        DocumentCommand::List => list(&store).await,
        DocumentCommand::Revisions { document } => revisions(&store, &document).await,
        DocumentCommand::Diff {
            document,
            from,
            to,
            format,
        } => diff(&store, &document, (from, to), format).await,
        DocumentCommand::Restore {
            document,
            number,
            yes,
        } => restore(&store, &loader, &document, number, yes).await,
        DocumentCommand::Accept { document, yes } => accept(&store, &loader, &document, yes).await,
        DocumentCommand::Refresh { document, yes } => {
            refresh(&store, &loader, &document, yes).await
        }
    };
    store.close().await;
    outcome
}

async fn list(store: &Store) -> anyhow::Result<ExitCode> {
    for document in store.snapshot().await?.documents {
        let history = History::read(store, &document.slug).await?;
        println!("{}", document.slug);
        println!("    from {}", from(&document));
        match history.served() {
            Some(served) => println!("    serves revision {}", served.number),
            None => println!("    serves what an earlier version of Portcullis wrote"),
        }
        if let Some(remote) = document.remote {
            tell_source(store, &document, remote).await?;
        }
        if let Some(waiting) = history.waiting() {
            tell_waiting(&document, waiting);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Says where a document comes from.
fn from(document: &Document) -> &str {
    document.remote_source().map_or(&document.source, shown)
}

async fn tell_source(
    store: &Store,
    document: &Document,
    remote: RemoteSettings,
) -> anyhow::Result<()> {
    let seconds = remote.refresh_seconds;
    match remote.changes {
        ChangePolicy::Pin => println!("    its URL is not looked at"),
        ChangePolicy::Warn => {
            println!("    its URL is looked at every {seconds} s; a change of tools waits");
        }
        ChangePolicy::Follow => {
            println!("    its URL is looked at every {seconds} s; a change is taken up");
        }
    }
    let look = store.document_look(document.id).await?;
    if let Some(look) = look {
        if let Some(at) = look.looked_at {
            println!("    looked at last {}", date(at));
        }
        if let Some(failure) = look.failure {
            println!("    that failed: {failure}");
        }
    }
    Ok(())
}

fn tell_waiting(document: &Document, waiting: &DocumentRevision) {
    let (slug, number) = (&document.slug, waiting.number);
    println!(
        "    revision {number} waits: see `portcullis document diff {slug}`, and take it up by `portcullis document accept {slug}`"
    );
}

async fn revisions(store: &Store, slug: &Slug) -> anyhow::Result<ExitCode> {
    let history = History::read(store, slug).await?;
    for revision in &history.revisions {
        let state = match revision.digest {
            digest if digest == history.document.digest => "  served",
            digest if Some(digest) == history.document.waiting => "  waits",
            _ => "",
        };
        println!(
            "{}  {}  {} bytes  {}{state}",
            revision.number,
            date(revision.created_at),
            revision.size_bytes,
            revision.digest.fingerprint(),
        );
        let source = match history.document.remote_source() {
            Some(_) => shown(&revision.source),
            None => &revision.source,
        };
        println!("    from {source}, by {}", revision.actor);
    }
    Ok(ExitCode::SUCCESS)
}

async fn diff(
    store: &Store,
    slug: &Slug,
    numbers: (Option<u32>, Option<u32>),
    format: OutputFormat,
) -> anyhow::Result<ExitCode> {
    let history = History::read(store, slug).await?;
    let (from, to) = history.chosen(numbers.0, numbers.1)?;
    let difference = history.difference(store, from, to).await?;
    match format {
        OutputFormat::Text => {
            println!("revision {} -> {}", from.number, to.number);
            tell(&difference);
        }
        OutputFormat::Json => {
            let answer = json!({
                "document": slug,
                "from": from.number,
                "to": to.number,
                "breaks": difference.breaks(),
                "difference": difference,
            });
            println!("{answer:#}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn restore(
    store: &Store,
    loader: &Loader<'_>,
    slug: &Slug,
    number: u32,
    yes: bool,
) -> anyhow::Result<ExitCode> {
    let history = History::read(store, slug).await?;
    let revision = history.revision(number)?;
    switch(store, loader, &history, revision, yes).await
}

async fn accept(
    store: &Store,
    loader: &Loader<'_>,
    slug: &Slug,
    yes: bool,
) -> anyhow::Result<ExitCode> {
    let history = History::read(store, slug).await?;
    let waiting = history.waiting();
    let waiting = waiting.ok_or_else(|| HistoryError::NothingWaits(slug.clone()))?;
    switch(store, loader, &history, waiting, yes).await
}

/// Fetches a document now; what changes its tools is shown and taken up as `accept` does.
async fn refresh(
    store: &Store,
    loader: &Loader<'_>,
    slug: &Slug,
    yes: bool,
) -> anyhow::Result<ExitCode> {
    let configuration = loader.load().await?;
    let history = History::read(store, slug).await?;
    let due = store.document_source(history.document.id).await?;
    let Some(due) = due else {
        bail!("document `{slug}` comes from a file; `portcullis apply` reads it again");
    };
    let refresher = DocumentRefresher {
        store: store.clone(),
        fetcher: Fetcher::new(&configuration.settings.upstream),
        metrics: Arc::new(Metrics::new()),
        clock: Arc::new(SystemClock),
        revised: Arc::default(),
    };
    let judge = Judge::new(Arc::new(configuration));
    // Whatever the policy, whoever asks is shown what he takes.
    let looked = refresher
        .look_at(&due, Some(ChangePolicy::Warn), &judge)
        .await?;
    match looked {
        Looked::Failed(reason) => bail!("`{}` cannot be used: {reason}", shown(&due.source)),
        Looked::Overtaken => bail!(
            "a gateway has begun to look at `{}` meanwhile, or the configuration names another URL since, which `portcullis apply` writes; try again",
            shown(&due.source)
        ),
        Looked::Taken(_) => println!("the content changed, and no tool did; it is served"),
        Looked::Held(_) => return accept(store, loader, slug, yes).await,
        // What waits may have been set aside by a restore, which no look undoes.
        Looked::Same => {
            println!("nothing changed at `{}`", shown(&due.source));
            let history = History::read(store, slug).await?;
            if let Some(waiting) = history.waiting() {
                tell_waiting(&history.document, waiting);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Serves a revision that the configuration can be used with, after showing what that changes.
async fn switch(
    store: &Store,
    loader: &Loader<'_>,
    history: &History,
    revision: &DocumentRevision,
    yes: bool,
) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    let switch = Switch::to(store, history, revision, Actor::new(ACTOR), now).await?;
    let Some(switch) = switch else {
        println!("revision {} is served already", revision.number);
        return Ok(ExitCode::SUCCESS);
    };
    // A document from a file is read from the file, whatever the store serves.
    if let Some(url) = history.document.remote_source() {
        let document = (&history.document.slug, url);
        let bytes = Arc::clone(&switch.bytes);
        let problems = loader.spoiled_by(store, document, bytes).await?;
        if !problems.is_empty() {
            bail!(
                "the configuration cannot be used with revision {}, and nothing was changed: {}",
                revision.number,
                problems.join("; ")
            );
        }
    }
    match &switch.difference {
        Some(difference) => tell(difference),
        None => println!("{}", summary(None)),
    }
    if !yes && !is_confirmed(&format!("serve revision {}?", revision.number))? {
        println!("nothing was changed");
        return Ok(ExitCode::FAILURE);
    }
    let waits = switch.waiting.is_some();
    switch.commit(store, SystemClock.now()).await?;
    println!(
        "revision {} is served; a running gateway takes it up by itself",
        revision.number
    );
    if waits {
        let slug = &history.document.slug;
        println!(
            "what its source has waits until the source changes, or `portcullis document accept {slug}`"
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(difference: &ToolDifference) {
    println!("{}", difference.summary());
    print!("{difference}");
}
