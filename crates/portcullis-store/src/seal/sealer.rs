//! Data keys at work: which one seals, and opening with whichever a record names.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use portcullis_base::{DataKeyId, Plain, RefreshToken, Rng, Secret, Timestamp};
use zeroize::Zeroizing;

use super::key::{KEY_BYTES, Keyring, MasterKey};
use super::record::{Cipher, Place, Record, SealError};
use super::successor::Successors;
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_all, fetch_optional};
use crate::error::{InvalidRow, StoreError};

/// The master keys at hand and the data keys that they opened.
pub(crate) struct Sealer {
    keyring: RwLock<Keyring>,
    data_keys: RwLock<HashMap<String, DataKey>>,
    rng: Arc<dyn Rng>,
}

/// A data key; its bytes are kept so that it can be sealed under another master key.
#[derive(Clone)]
struct DataKey {
    cipher: Arc<Cipher>,
    successors: Arc<Successors>,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

row! {
    /// A data key under one master key, as stored.
    struct WrapRow {
        data_key_id: String,
        master_key_id: String,
        sealed: Vec<u8>,
    }
}

/// What one transaction seals with.
pub(crate) struct Seal {
    cipher: Arc<Cipher>,
    successors: Arc<Successors>,
    rng: Arc<dyn Rng>,
}

impl Seal {
    /// Returns the id to store beside what is sealed.
    pub(crate) fn data_key_id(&self) -> &str {
        self.cipher.id()
    }

    pub(crate) fn seal(&self, secret: &Secret, place: Place<'_>) -> Vec<u8> {
        self.cipher
            .seal(secret.expose().as_bytes(), place, &*self.rng)
    }

    /// Returns the refresh token that comes after another.
    pub(crate) fn successor(&self, token: &Plain<RefreshToken>) -> Plain<RefreshToken> {
        self.successors.after(token)
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer")
            .field("keyring", &*self.keyring.read().expect("no writer panics"))
            .finish_non_exhaustive()
    }
}

impl Sealer {
    pub(crate) fn new(keyring: Keyring, rng: Arc<dyn Rng>) -> Self {
        Self {
            keyring: RwLock::new(keyring),
            data_keys: RwLock::default(),
            rng,
        }
    }

    pub(crate) fn rng(&self) -> &dyn Rng {
        &*self.rng
    }

    /// Takes another master key to hand, which opens what no other opens.
    pub(crate) fn accept(&self, key: MasterKey) {
        let mut keyring = self.keyring.write().expect("no writer panics");
        if keyring.find(key.id().as_str()).is_none() {
            keyring.former.push(key);
        }
    }

    pub(crate) fn keyring(&self) -> Keyring {
        self.keyring.read().expect("no writer panics").clone()
    }

    /// Opens every stored data key that is not at hand yet; each must open. Gives their number.
    pub(crate) async fn load(&self, connection: &mut Connection<'_>) -> Result<usize, StoreError> {
        let rows = fetch_all!(
            connection,
            WrapRow,
            "SELECT data_key_id, master_key_id, sealed FROM data_key_wraps ORDER BY data_key_id"
        )?;
        let keyring = self.keyring();
        let mut found = 0;
        for wraps in rows.chunk_by(|a, b| a.data_key_id == b.data_key_id) {
            found += 1;
            let Some(WrapRow {
                data_key_id: id, ..
            }) = wraps.first()
            else {
                continue;
            };
            if self.find(id).is_some() {
                continue;
            }
            let fitting = wraps
                .iter()
                .find_map(|wrap| Some((wrap, keyring.find(&wrap.master_key_id)?)));
            let Some((wrap, master_key)) = fitting else {
                return Err(mismatch(wraps, &keyring).into());
            };
            let bytes = unwrap(wrap, master_key)?;
            self.remember(id.clone(), bytes);
        }
        Ok(found)
    }

    /// Returns what this transaction seals with: the data key that is not retired.
    pub(crate) async fn current(
        &self,
        connection: &mut Connection<'_>,
    ) -> Result<Seal, StoreError> {
        let (id,) = active_id(connection)
            .await?
            .ok_or_else(|| StoreError::Statement("no data key is active".to_owned()))?;
        if self.find(&id).is_none() {
            self.load(connection).await?;
        }
        let key = self.find(&id).ok_or_else(|| {
            let place = wrap_place(&id);
            StoreError::Seal(place.unknown_key(&id))
        })?;
        Ok(Seal {
            cipher: key.cipher,
            successors: key.successors,
            rng: Arc::clone(&self.rng),
        })
    }

    /// Seals a value for `place` where there is one: its record and the id of its data key.
    pub(crate) async fn seal_option(
        &self,
        value: Option<&Secret>,
        place: Place<'_>,
        connection: &mut Connection<'_>,
    ) -> Result<(Option<Vec<u8>>, Option<String>), StoreError> {
        let Some(value) = value else {
            return Ok((None, None));
        };
        let seal = self.current(connection).await?;
        let record = seal.seal(value, place);
        Ok((Some(record), Some(seal.data_key_id().to_owned())))
    }

    /// Opens what was sealed for `place`, with a data key at hand.
    pub(crate) fn open(&self, record: &[u8], place: Place<'_>) -> Result<Secret, StoreError> {
        let record = Record::read(record, place)?;
        let key = self
            .find(record.key)
            .ok_or_else(|| place.unknown_key(record.key))?;
        let plain = key.cipher.open(&record, place)?;
        Ok(place.text(&plain, record.key)?)
    }

    /// Opens what was sealed for `place`, even where another process has made the data key meanwhile.
    pub(crate) async fn open_fresh(
        &self,
        record: &[u8],
        place: Place<'_>,
        connection: &mut Connection<'_>,
    ) -> Result<Secret, StoreError> {
        match self.open(record, place) {
            Err(StoreError::Seal(SealError::UnknownKey { .. })) => {
                self.load(connection).await?;
                self.open(record, place)
            }
            opened => opened,
        }
    }

    /// Makes a data key under `master_keys` and lets it be the active one.
    pub(super) async fn create_data_key(
        &self,
        connection: &mut Connection<'_>,
        master_keys: &[&MasterKey],
        born_under: &MasterKey,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = DataKeyId::new(now, &*self.rng).to_string();
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        self.rng.fill(bytes.as_mut_slice());
        execute!(
            connection,
            "UPDATE data_keys SET retired_at_ms = $1 WHERE retired_at_ms IS NULL",
            now.as_millis()
        )?;
        execute!(
            connection,
            "INSERT INTO data_keys (id, master_key_id, created_at_ms) VALUES ($1, $2, $3)",
            &id,
            born_under.id().as_str(),
            now.as_millis()
        )?;
        for master_key in master_keys {
            self.wrap(connection, &id, &bytes, master_key).await?;
        }
        self.remember(id, bytes);
        Ok(())
    }

    /// Seals a data key at hand under `master_key` too, where it is not yet.
    pub(super) async fn wrap_again(
        &self,
        connection: &mut Connection<'_>,
        id: &str,
        master_key: &MasterKey,
    ) -> Result<(), StoreError> {
        let key = self
            .find(id)
            .ok_or_else(|| StoreError::Seal(wrap_place(id).unknown_key(id)))?;
        self.wrap(connection, id, &key.bytes, master_key).await
    }

    async fn wrap(
        &self,
        connection: &mut Connection<'_>,
        id: &str,
        bytes: &[u8; KEY_BYTES],
        master_key: &MasterKey,
    ) -> Result<(), StoreError> {
        let sealed = master_key.cipher().seal(bytes, wrap_place(id), &*self.rng);
        execute!(
            connection,
            "INSERT INTO data_key_wraps (data_key_id, master_key_id, sealed) VALUES ($1, $2, $3) \
             ON CONFLICT (data_key_id, master_key_id) DO NOTHING",
            id,
            master_key.id().as_str(),
            sealed
        )?;
        Ok(())
    }

    fn find(&self, id: &str) -> Option<DataKey> {
        let data_keys = self.data_keys.read().expect("no writer panics");
        data_keys.get(id).cloned()
    }

    fn remember(&self, id: String, bytes: Zeroizing<[u8; KEY_BYTES]>) {
        let cipher = Arc::new(Cipher::new(id.clone(), &bytes));
        let mut data_keys = self.data_keys.write().expect("no writer panics");
        let key = DataKey {
            cipher,
            successors: Arc::new(Successors::of(&bytes)),
            bytes,
        };
        data_keys.insert(id, key);
    }

    /// Makes the first data key of a new database.
    pub(crate) async fn ensure_data_key(
        &self,
        connection: &mut Connection<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if active_id(connection).await?.is_some() {
            return Ok(());
        }
        let key = self.keyring().current;
        self.create_data_key(connection, &[&key], &key, now).await
    }
}

async fn active_id(connection: &mut Connection<'_>) -> Result<Option<(String,)>, StoreError> {
    fetch_optional!(
        connection,
        (String,),
        "SELECT id FROM data_keys WHERE retired_at_ms IS NULL"
    )
}

fn wrap_place(data_key: &str) -> Place<'_> {
    Place {
        table: "data_key_wraps",
        column: "sealed",
        row: data_key,
    }
}

fn unwrap(
    wrap: &WrapRow,
    master_key: &MasterKey,
) -> Result<Zeroizing<[u8; KEY_BYTES]>, StoreError> {
    let place = wrap_place(&wrap.data_key_id);
    let record = Record::read(&wrap.sealed, place)?;
    let plain = master_key.cipher().open(&record, place)?;
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    if plain.len() != KEY_BYTES {
        return Err(StoreError::InvalidRow(InvalidRow {
            table: place.table,
            column: place.column,
            row: wrap.data_key_id.clone(),
            reason: format!("a data key has {KEY_BYTES} bytes"),
        }));
    }
    bytes.copy_from_slice(&plain);
    Ok(bytes)
}

/// Says which master keys would have opened a data key, and which were there.
fn mismatch(wraps: &[WrapRow], keyring: &Keyring) -> SealError {
    let stored: Vec<&str> = wraps
        .iter()
        .map(|wrap| wrap.master_key_id.as_str())
        .collect();
    let presented: Vec<&str> = keyring.keys().map(|key| key.id().as_str()).collect();
    SealError::MasterKeyMismatch {
        stored: stored.join(" or "),
        presented: presented.join(" and "),
    }
}
