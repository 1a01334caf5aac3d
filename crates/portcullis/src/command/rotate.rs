//! `portcullis key rotate`: a new master key, and every secret sealed anew under it.
//!
//! Each step may be interrupted; running the command again goes on where it stopped.
//! With a key file: the new key is written beside it, the database is made to open with both, the files change places, and then the secrets are sealed anew.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use portcullis_base::{Clock as _, Secret};
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::config::{MasterKeySource, StorageSettings};
use portcullis_store::{Actor, MasterKey, RotationProgress, Store, create_key_file, read_key_file};

use super::key::ACTOR;

/// Changes the master key of an open store.
pub(crate) async fn run(
    store: &Store,
    settings: &StorageSettings,
    new_key_env: Option<&str>,
    process: &HashMap<String, Secret>,
) -> anyhow::Result<()> {
    match (&settings.master_key, new_key_env) {
        (MasterKeySource::File(path) | MasterKeySource::FileOrNew(path), None) => {
            rotate_file(store, path).await
        }
        (MasterKeySource::Text(_), Some(variable)) => {
            let text = process
                .get(variable)
                .with_context(|| format!("the environment variable `{variable}` is not set"))?;
            let key = MasterKey::parse(text.expose())?;
            begin(store, &key).await?;
            seal_anew(store, &key).await?;
            println!("done: start Portcullis with the new master key from now on");
            Ok(())
        }
        (MasterKeySource::Text(_), None) => {
            bail!(
                "the master key comes from the environment; name the variable of the new one by `--new-key-env`"
            )
        }
        (_, Some(_)) => {
            bail!(
                "the master key comes from a file, where the new one is made; leave out `--new-key-env`"
            )
        }
    }
}

async fn rotate_file(store: &Store, path: &Path) -> anyhow::Result<()> {
    let next = beside(path, "next");
    let opened = read_key_file(path)?;
    let _turn = turn(path);
    let present = read_key_file(path)?;
    if present.id() != opened.id() {
        println!("done: another command has changed the master key at the same time");
        return Ok(());
    }
    let taken_up = next.exists();
    let key = if taken_up {
        read_key_file(&next)?
    } else if store.rotation_is_unfinished().await? {
        // The files have changed places already.
        seal_anew(store, &present).await?;
        println!("done: the change of the master key that was begun before is complete");
        return Ok(());
    } else {
        create_key_file(&next, &SystemRng)?
    };
    if let Err(error) = begin(store, &key).await {
        if !taken_up {
            // It seals nothing, and the next attempt makes another.
            let _ = std::fs::remove_file(&next);
        }
        return Err(error);
    }
    let former = beside(path, present.id().as_str());
    if !former.exists() {
        std::fs::hard_link(path, &former)
            .with_context(|| format!("cannot keep the former key as {}", former.display()))?;
    }
    std::fs::rename(&next, path)
        .with_context(|| format!("cannot put the new key at {}", path.display()))?;
    seal_anew(store, &key).await?;
    println!("done: {} holds the new master key", path.display());
    println!(
        "{} holds the former one; backups of the database from before need it",
        former.display()
    );
    Ok(())
}

/// Waits while another command changes the key in the same folder; where the file system knows no locks, nobody waits.
fn turn(path: &Path) -> Option<File> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new("."))).ok()?;
    folder.lock().ok().map(|()| folder)
}

async fn begin(store: &Store, key: &MasterKey) -> anyhow::Result<()> {
    let now = SystemClock.now();
    store
        .begin_rotation(key.clone(), Actor::new(ACTOR), now)
        .await?;
    Ok(())
}

async fn seal_anew(store: &Store, key: &MasterKey) -> anyhow::Result<()> {
    loop {
        let now = SystemClock.now();
        let progress = store.continue_rotation(key, Actor::new(ACTOR), now).await?;
        match progress {
            RotationProgress::Remaining(count) => println!("{count} secrets to go"),
            RotationProgress::Done => return Ok(()),
        }
    }
}

/// Returns the path with another suffix behind its name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}
