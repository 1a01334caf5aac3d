//! How secrets are kept: envelope encryption, bound to the place where the value lies.
//!
//! The *master key* comes from a file or the environment and is never in the database.
//! It seals *data keys*, random and stored in `data_keys` and `data_key_wraps`; a data key seals values.
//! Both use the record of `record.rs`, whose associated data names table, column and row: a record moved elsewhere does not open.
//!
//! To add a sealed column: give it a column beside it for the id of its data key, list it in `rotate.rs` and `lost.rs`, and open it with its own [`Place`].

mod file;
mod key;
mod lost;
mod record;
mod rotate;
mod sealer;
mod successor;

pub use file::{KeyFileError, create_key_file, read_key_file};
pub use key::{InvalidMasterKey, Keyring, MasterKey, MasterKeyId};
pub use lost::LostSecrets;
pub(crate) use record::Place;
pub use record::SealError;
pub use rotate::{BeginRotationError, RotationProgress};
pub(crate) use sealer::{Seal, Sealer};
