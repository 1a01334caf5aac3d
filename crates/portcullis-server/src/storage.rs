//! Opens the store with the master key that the configuration names.
//!
//! The embedded default makes a key for itself; it never makes a second one beside a database that was sealed under a first.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_base::{Rng, Timestamp};
use portcullis_store::{
    Actor, InvalidMasterKey, KeyFileError, Keyring, LostSecrets, MasterKey, OpenDatabaseError,
    Store, create_key_file, read_key_file,
};
use thiserror::Error;
use tokio::task::spawn_blocking;

use crate::config::{MasterKeySource, StorageSettings};

/// Why the store cannot be opened.
#[derive(Debug, Error)]
pub enum StorageError {
    /// The folder for the database and its key cannot be made.
    #[error("the folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The key file cannot be read or made.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The text from the environment is no key.
    #[error("the master key from the environment: {0}")]
    KeyText(#[from] InvalidMasterKey),
    /// There is no key, and the database was sealed under one.
    #[error(
        "there is no master key at {}, and the database was sealed under one; what cannot be read without it: {lost}; put the key back; where it is lost for good, `portcullis key abandon` makes a new one, gives that up and keeps the rest",
        key.display()
    )]
    KeyMissing {
        /// Where the key should be.
        key: PathBuf,
        /// How much it sealed.
        lost: Box<LostSecrets>,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] OpenDatabaseError),
}

/// Opens the store; makes the folder, the database and the key where the configuration lets it.
///
/// # Errors
///
/// When the key is missing, is no key or does not fit, or the database cannot be opened.
pub async fn open(
    settings: &StorageSettings,
    now: Timestamp,
    rng: Arc<dyn Rng>,
) -> Result<Store, StorageError> {
    if database(settings).and_then(Path::parent) == Some(&settings.data_dir) {
        make_folder(&settings.data_dir)?;
    }
    // Held until the tables are made, too: whoever comes second finds the first one's work complete.
    let _turn = first_start_turn(settings).await?;
    let key = match &settings.master_key {
        MasterKeySource::FileOrNew(path) if !path.exists() => {
            first_key(settings, path, &*rng).await?
        }
        _ => master_key(settings)?,
    };
    Ok(Store::open(settings.url.expose(), Keyring::new(key), now, rng).await?)
}

/// Opens the store for those who only look; nothing where there is none yet.
///
/// # Errors
///
/// As [`open`], and when an earlier version made the schema.
pub async fn look(
    settings: &StorageSettings,
    rng: Arc<dyn Rng>,
) -> Result<Option<Store>, StorageError> {
    if !may_exist(settings) {
        return Ok(None);
    }
    let keyring = Keyring::new(master_key(settings)?);
    match Store::look(settings.url.expose(), keyring, rng).await {
        Err(OpenDatabaseError::OlderSchema { stored: 0, .. }) => Ok(None),
        opened => Ok(Some(opened?)),
    }
}

/// Gives up what the configured master key does not open, and keeps the rest; makes the key where it is missing and the configuration lets it.
///
/// # Errors
///
/// When the key is no key, or the database cannot be opened or written.
pub async fn abandon(
    settings: &StorageSettings,
    actor: Actor,
    now: Timestamp,
    rng: Arc<dyn Rng>,
) -> Result<LostSecrets, StorageError> {
    let key = match &settings.master_key {
        MasterKeySource::FileOrNew(path) if !path.exists() => create_key_file(path, &*rng)?,
        _ => master_key(settings)?,
    };
    let url = settings.url.expose();
    Ok(Store::abandon(url, Keyring::new(key), actor, now, rng).await?)
}

/// Tells whether a store may be there, so that those who only look need not make one.
#[must_use]
pub fn may_exist(settings: &StorageSettings) -> bool {
    database(settings).is_none_or(Path::exists)
}

/// Reads the master key.
///
/// # Errors
///
/// When the key is missing, unreadable or no key.
pub fn master_key(settings: &StorageSettings) -> Result<MasterKey, StorageError> {
    match &settings.master_key {
        MasterKeySource::File(path) | MasterKeySource::FileOrNew(path) => Ok(read_key_file(path)?),
        MasterKeySource::Text(text) => Ok(MasterKey::parse(text.expose())?),
    }
}

/// Makes the master key, unless the database was sealed under another.
async fn first_key(
    settings: &StorageSettings,
    path: &Path,
    rng: &dyn Rng,
) -> Result<MasterKey, StorageError> {
    if may_exist(settings)
        && let Some(lost) = Store::sealed(settings.url.expose()).await?
    {
        return Err(StorageError::KeyMissing {
            key: path.to_owned(),
            lost: Box::new(lost),
        });
    }
    make_folder(&settings.data_dir)?;
    let key = create_key_file(path, rng)?;
    tracing::info!(
        path = %path.display(),
        key = key.id().as_str(),
        "made a master key; keep a copy of it apart from the database, without it no secret can be read"
    );
    Ok(key)
}

/// Returns the path of the database, where it is a file.
fn database(settings: &StorageSettings) -> Option<&Path> {
    settings.url.expose().strip_prefix("sqlite:").map(Path::new)
}

/// Waits while another process makes the key and the database in the same folder.
///
/// `portcullis serve` and `portcullis key create` may well be started for the first time together.
async fn first_start_turn(settings: &StorageSettings) -> Result<Option<File>, StorageError> {
    if !matches!(settings.master_key, MasterKeySource::FileOrNew(_)) {
        return Ok(None);
    }
    make_folder(&settings.data_dir)?;
    let Ok(folder) = File::open(&settings.data_dir) else {
        return Ok(None);
    };
    // Where the file system knows no locks, nobody waits.
    let locked = spawn_blocking(move || folder.lock().is_ok().then_some(folder));
    Ok(locked.await.ok().flatten())
}

fn make_folder(path: &Path) -> Result<(), StorageError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.map_err(|source| StorageError::Folder {
        path: path.to_owned(),
        source,
    })
}
