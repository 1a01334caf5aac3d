//! `portcullis key rotate`: a new master key, and every secret sealed anew under it.
//!
//! Each step may be interrupted; running the command again goes on where it stopped.
//! With a key file: the new key is written beside it, the database is made to open with both, the files change places, and then the secrets are sealed anew.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use portcullis_base::{Clock as _, Secret};
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::config::{MasterKeySource, StorageSettings};
use portcullis_store::{
    Actor, BeginRotationError, MasterKey, RotationProgress, Store, create_key_file, read_key_file,
};

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
    let _turn = turn(path);
    let present = read_key_file(path)?;
    // Another command may have put it there since this one opened the database.
    store.accept_master_key(present.clone());
    let taken_up = next.exists();
    if !taken_up && store.rotation_is_unfinished(&present).await? {
        // The files have changed places already.
        seal_anew(store, &present).await?;
        println!("done: the change of the master key that was begun before is complete");
        return Ok(());
    }
    if !taken_up && *present.id() != store.master_key_id() {
        println!("done: another command has changed the master key at the same time");
        return Ok(());
    }
    let key = if taken_up {
        read_key_file(&next)?
    } else {
        create_key_file(&next, &SystemRng)?
    };
    let begun = begin(store, &key).await;
    if let Err(BeginRotationError::UnderWay { .. }) = begun
        && !taken_up
    {
        // It seals nothing; after any other error the database may have it already.
        let _ = std::fs::remove_file(&next);
    }
    begun.map_err(|error| may_have_begun(error, &next))?;
    put_in_place(&next, path, &present)?;
    seal_anew(store, &key).await?;
    println!("done: {} holds the new master key", path.display());
    println!(
        "{} holds the former one; backups of the database from before need it",
        beside(path, present.id().as_str()).display()
    );
    Ok(())
}

/// Says what to do where nobody can tell whether the change has begun.
fn may_have_begun(error: BeginRotationError, next: &Path) -> anyhow::Error {
    let is_known = matches!(error, BeginRotationError::UnderWay { .. });
    let error = anyhow::Error::from(error);
    if is_known {
        return error;
    }
    error.context(format!(
        "the change may have begun; {} is kept: run the command again, which goes on with it",
        next.display()
    ))
}

/// Lets the new key change places with the present one, which is kept.
fn put_in_place(next: &Path, path: &Path, present: &MasterKey) -> anyhow::Result<()> {
    let former = beside(path, present.id().as_str());
    if !former.exists() {
        std::fs::hard_link(path, &former)
            .with_context(|| format!("cannot keep the former key as {}", former.display()))?;
    }
    std::fs::rename(next, path)
        .with_context(|| format!("cannot put the new key at {}", path.display()))
}

/// Waits while another command changes the key in the same folder; where the file system knows no locks, nobody waits.
fn turn(path: &Path) -> Option<File> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new("."))).ok()?;
    if let Err(TryLockError::WouldBlock) = folder.try_lock() {
        eprintln!("waiting for another command that changes the master key");
    }
    folder.lock().ok().map(|()| folder)
}

async fn begin(store: &Store, key: &MasterKey) -> Result<(), BeginRotationError> {
    let now = SystemClock.now();
    store
        .begin_rotation(key.clone(), Actor::new(ACTOR), now)
        .await
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
