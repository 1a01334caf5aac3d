//! The sealed record: AES-256-GCM-SIV, with the key's name in the clear and the place bound to it.
//!
//! `version (1) | length of key id (1) | key id | nonce (12) | ciphertext and tag`.
//! Nonces are random: GCM-SIV stays safe far beyond 2³² records under one key, and even where a nonce repeats.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use portcullis_base::{Rng, Secret};
use thiserror::Error;
use zeroize::Zeroizing;

use super::key::KEY_BYTES;

/// The version that is written.
const VERSION: u8 = 1;

/// Where a sealed value lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    pub(crate) row: &'a str,
}

/// Why a sealed value does not open.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SealError {
    /// No master key at hand is one that the database was written under.
    #[error(
        "the master key does not fit this database: it was written under {stored}, and {presented} was given; give the key that it was written under, or restore the database that belongs to this key"
    )]
    MasterKeyMismatch {
        /// The ids of the master keys that would open it.
        stored: String,
        /// The ids of the master keys at hand.
        presented: String,
    },
    /// The record is none.
    #[error("table {table}, column {column}, row {row}: not a sealed record")]
    Malformed {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's id.
        row: String,
    },
    /// The record does not belong where it lies, or was changed.
    #[error(
        "table {table}, column {column}, row {row}: the sealed value was not written there under key {key}; set it again"
    )]
    Foreign {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's id.
        row: String,
        /// The key that the record names.
        key: String,
    },
    /// The key that the record names is not at hand.
    #[error(
        "the sealed value in table {table}, row {row} needs key {key}, which the master keys at hand do not open; reload the gateway with the new master key"
    )]
    UnknownKey {
        /// The table.
        table: &'static str,
        /// The row's id.
        row: String,
        /// The key that the record names.
        key: String,
    },
}

/// A key, ready to seal and open.
pub(super) struct Cipher {
    id: String,
    key: LessSafeKey,
}

impl Cipher {
    pub(super) fn new(id: String, bytes: &[u8; KEY_BYTES]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM_SIV, bytes).expect("the key has the length");
        Self {
            id,
            key: LessSafeKey::new(key),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Seals `plain` for `place`.
    pub(super) fn seal(&self, plain: &[u8], place: Place<'_>, rng: &dyn Rng) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        rng.fill(&mut nonce);
        let mut text = Zeroizing::new(plain.to_vec());
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.associated_data(&self.id)),
                &mut text,
            )
            .expect("values are far shorter than the cipher's limit");
        let id_length = u8::try_from(self.id.len()).expect("key ids are short");
        [
            &[VERSION, id_length],
            self.id.as_bytes(),
            &nonce,
            &text,
            tag.as_ref(),
        ]
        .concat()
    }

    /// Opens `record`, which must name this key and have been sealed for `place`.
    pub(super) fn open(
        &self,
        record: &Record<'_>,
        place: Place<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let mut text = Zeroizing::new(record.ciphertext.to_vec());
        let length = self
            .key
            .open_in_place(
                Nonce::assume_unique_for_key(record.nonce),
                Aad::from(place.associated_data(&self.id)),
                &mut text,
            )
            .map_err(|_| place.foreign(&self.id))?
            .len();
        text.truncate(length);
        Ok(text)
    }
}

/// A record, taken apart.
pub(super) struct Record<'a> {
    pub(super) key: &'a str,
    nonce: [u8; NONCE_LEN],
    ciphertext: &'a [u8],
}

impl<'a> Record<'a> {
    pub(super) fn read(bytes: &'a [u8], place: Place<'_>) -> Result<Self, SealError> {
        Self::split(bytes).ok_or_else(|| SealError::Malformed {
            table: place.table,
            column: place.column,
            row: place.row.to_owned(),
        })
    }

    fn split(bytes: &'a [u8]) -> Option<Self> {
        let (&[version, id_length], rest) = bytes.split_first_chunk()?;
        if version != VERSION {
            return None;
        }
        let (id, rest) = rest.split_at_checked(id_length.into())?;
        let (&nonce, ciphertext) = rest.split_first_chunk()?;
        Some(Self {
            key: std::str::from_utf8(id).ok()?,
            nonce,
            ciphertext,
        })
    }
}

impl Place<'_> {
    /// What the cipher binds the value to.
    ///
    /// Tables, columns and ids have no `|` in them, so two places never share a text.
    fn associated_data(&self, key: &str) -> Vec<u8> {
        format!(
            "v{VERSION}|{}|{}|{}|{key}",
            self.table, self.column, self.row
        )
        .into_bytes()
    }

    fn foreign(&self, key: &str) -> SealError {
        SealError::Foreign {
            table: self.table,
            column: self.column,
            row: self.row.to_owned(),
            key: key.to_owned(),
        }
    }

    pub(super) fn unknown_key(&self, key: &str) -> SealError {
        SealError::UnknownKey {
            table: self.table,
            row: self.row.to_owned(),
            key: key.to_owned(),
        }
    }

    /// Makes a text of what was opened.
    pub(super) fn text(&self, plain: &[u8], key: &str) -> Result<Secret, SealError> {
        std::str::from_utf8(plain)
            .map(|text| Secret::new(text.to_owned()))
            .map_err(|_| self.foreign(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Rng for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    const HERE: Place<'_> = Place {
        table: "variables",
        column: "sealed",
        row: "var_1",
    };

    fn open(key: &Cipher, record: &[u8], place: Place<'_>) -> Result<Vec<u8>, SealError> {
        let record = Record::read(record, place)?;
        key.open(&record, place).map(|plain| plain.to_vec())
    }

    #[test]
    fn a_value_opens_where_it_was_sealed() {
        let key = Cipher::new("dk_1".to_owned(), &[1; 32]);
        let record = key.seal(b"hunter2", HERE, &Fixed);
        assert_eq!(open(&key, &record, HERE).unwrap(), b"hunter2");
        assert_eq!(Record::read(&record, HERE).unwrap().key, "dk_1");
        assert!(!record.windows(7).any(|window| window == b"hunter2"));
    }

    #[test]
    fn l_02_a_value_moved_to_another_place_does_not_open() {
        let key = Cipher::new("dk_1".to_owned(), &[1; 32]);
        let record = key.seal(b"hunter2", HERE, &Fixed);
        for place in [
            Place {
                row: "var_2",
                ..HERE
            },
            Place {
                column: "value",
                ..HERE
            },
            Place {
                table: "connections",
                ..HERE
            },
        ] {
            let error = open(&key, &record, place).unwrap_err();
            assert!(matches!(error, SealError::Foreign { .. }), "{error}");
        }
    }

    #[test]
    fn a_changed_or_cut_record_does_not_open() {
        let key = Cipher::new("dk_1".to_owned(), &[1; 32]);
        let record = key.seal(b"hunter2", HERE, &Fixed);
        for at in 0..record.len() {
            let mut changed = record.clone();
            changed[at] ^= 1;
            let opened = Record::read(&changed, HERE).map(|read| {
                // A changed key id finds no key; here the same key is tried regardless.
                read.key != "dk_1" || key.open(&read, HERE).is_err()
            });
            assert!(opened.unwrap_or(true), "byte {at}");
            assert!(open(&key, &record[..at], HERE).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn another_key_of_the_same_name_does_not_open() {
        let record = Cipher::new("dk_1".to_owned(), &[1; 32]).seal(b"x", HERE, &Fixed);
        let other = Cipher::new("dk_1".to_owned(), &[2; 32]);
        assert!(matches!(
            open(&other, &record, HERE),
            Err(SealError::Foreign { .. })
        ));
    }
}
