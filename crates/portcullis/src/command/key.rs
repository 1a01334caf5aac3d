//! `portcullis key`: the API keys of callers.

use std::collections::{BTreeSet, HashMap};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use portcullis_base::{ApiKey, ApiKeyId, Clock as _, Plain, Secret, Slug, Timestamp};
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::config::{Overrides, Settings, StorageSettings};
use portcullis_server::storage::{self, StorageError};
use portcullis_store::{Actor, ApiKeyRow, KeyFileError, OpenDatabaseError, Store};

use crate::cli::{Key, KeyCommand};
use crate::command::apply::is_confirmed;
use crate::command::rotate;

/// Who acts, in the audit.
pub(crate) const ACTOR: &str = "cli";

/// Runs the command.
pub(crate) async fn run(
    arguments: Key,
    process: HashMap<String, Secret>,
) -> anyhow::Result<ExitCode> {
    let overrides = Overrides {
        data_dir: arguments.data_dir,
        ..Overrides::default()
    };
    let settings = Settings::load(&arguments.config, overrides, process.clone())?;
    let storage = &settings.storage;
    let now = SystemClock.now();
    if let KeyCommand::Abandon { yes } = arguments.command {
        return abandon(storage, yes, now).await;
    }
    let store = storage::open(storage, now, Arc::new(SystemRng)).await?;
    match arguments.command {
        KeyCommand::Create {
            name,
            toolsets,
            expires_in_days,
        } => {
            refuse_unknown(&toolsets, &store).await?;
            let days = expires_in_days.map(|days| Duration::from_hours(24 * u64::from(days)));
            let expires_at = days.map(|days| now.after(days));
            create(
                &store,
                name,
                toolsets.into_iter().collect(),
                expires_at,
                now,
            )
            .await?;
        }
        KeyCommand::List => list(&store).await?,
        KeyCommand::Revoke { key } => revoke(&store, &key, now).await?,
        KeyCommand::Rotate { new_key_env } => {
            let variable = new_key_env.as_deref();
            rotate::run(&store, storage, variable, &process).await?;
        }
        KeyCommand::Abandon { .. } => {}
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn abandon(
    settings: &StorageSettings,
    yes: bool,
    now: Timestamp,
) -> anyhow::Result<ExitCode> {
    match storage::open(settings, now, Arc::new(SystemRng)).await {
        Ok(store) => {
            store.close().await;
            println!("the master key fits; nothing is lost and nothing was changed");
            return Ok(ExitCode::SUCCESS);
        }
        Err(StorageError::Database(OpenDatabaseError::KeyLost { mismatch, lost })) => {
            println!("{mismatch}");
            println!("to be given up: {lost}");
        }
        Err(StorageError::KeyMissing { key, lost }) => {
            println!(
                "there is no master key at {}; a new one will be made",
                key.display()
            );
            println!("to be given up: {lost}");
        }
        Err(StorageError::KeyFile(KeyFileError::Missing { path })) => {
            let path = path.display();
            bail!(
                "there is no master key file {path}; put it back; where it is lost for good, make a new one by `(umask 077; openssl rand -hex 32 > {path})` and run this again"
            )
        }
        Err(error) => return Err(error.into()),
    }
    if !yes && !is_confirmed("give it up?")? {
        println!("nothing was changed");
        return Ok(ExitCode::FAILURE);
    }
    let rng = Arc::new(SystemRng);
    let lost = storage::abandon(settings, Actor::new(ACTOR), now, rng).await?;
    println!("given up: {lost}");
    println!("secrets of the configuration file come back at the next start");
    Ok(ExitCode::SUCCESS)
}

async fn create(
    store: &Store,
    name: String,
    toolsets: BTreeSet<Slug>,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> anyhow::Result<()> {
    if name.trim().is_empty() || name.contains(char::is_control) {
        bail!("the name of a key is a line of text");
    }
    let key = Plain::<ApiKey>::new(&SystemRng);
    let row = ApiKeyRow {
        id: ApiKeyId::new(now, &SystemRng),
        name,
        digest: key.digest(),
        toolsets,
        created_at: now,
        expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    let made = format!("{}; it opens {}", row.id, opened(&row.toolsets));
    store.insert_api_key(row, Actor::new(ACTOR), now).await?;
    eprintln!("{made}");
    eprintln!("callers send it as `Authorization: Bearer …`; it is not shown again:");
    println!("{}", key.expose());
    Ok(())
}

async fn refuse_unknown(toolsets: &[Slug], store: &Store) -> anyhow::Result<()> {
    if toolsets.is_empty() {
        return Ok(());
    }
    let stored = store.snapshot().await?.toolsets;
    let known: BTreeSet<&Slug> = stored.iter().map(|toolset| &toolset.slug).collect();
    match toolsets.iter().find(|slug| !known.contains(slug)) {
        Some(unknown) if known.is_empty() => {
            bail!(
                "there is no toolset `{unknown}` yet; `portcullis apply` or `serve` writes it first"
            )
        }
        Some(unknown) => {
            let known: Vec<&str> = known.into_iter().map(Slug::as_str).collect();
            bail!(
                "there is no toolset `{unknown}`, only: {}",
                known.join(", ")
            )
        }
        None => Ok(()),
    }
}

async fn list(store: &Store) -> anyhow::Result<()> {
    for key in store.list_api_keys().await? {
        println!("{}  {}", key.id, key.name);
        println!("    opens {}", opened(&key.toolsets));
        println!("    made {}", date(key.created_at));
        let events = [
            ("last used", key.last_used_at),
            ("expires", key.expires_at),
            ("revoked", key.revoked_at),
        ];
        for (event, at) in events {
            if let Some(at) = at {
                println!("    {event} {}", date(at));
            }
        }
    }
    Ok(())
}

async fn revoke(store: &Store, wanted: &str, now: Timestamp) -> anyhow::Result<()> {
    let keys = store.list_api_keys().await?;
    let key = keys
        .iter()
        .find(|key| key.name == wanted || key.id.to_string() == wanted)
        .with_context(|| format!("there is no key `{wanted}`; `portcullis key list` shows all"))?;
    let revoked = store.revoke_api_key(key.id, Actor::new(ACTOR), now).await?;
    let outcome = if revoked {
        "revoked"
    } else {
        "was revoked before:"
    };
    println!("{outcome} {} {}", key.id, key.name);
    Ok(())
}

fn opened(toolsets: &BTreeSet<Slug>) -> String {
    if toolsets.is_empty() {
        return "all toolsets".to_owned();
    }
    let slugs: Vec<&str> = toolsets.iter().map(Slug::as_str).collect();
    slugs.join(", ")
}

/// Writes an instant as RFC 3339 does.
pub(super) fn date(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| "at an unknown time".to_owned(), |at| at.to_string())
}
