//! The master key that is made at the first start, and never at a later one.

use std::sync::Arc;

use portcullis_base::{Clock as _, Secret};
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::config::{MasterKeySource, StorageSettings};
use portcullis_server::storage::{self, StorageError};

use crate::database::new_database;

#[tokio::test]
async fn no_second_key_is_made_for_a_server_that_knows_a_first() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("master.key");
    let settings = StorageSettings {
        url: Secret::new(new_database("portcullis_first_key")),
        data_dir: folder.path().to_owned(),
        master_key: MasterKeySource::FileOrNew(key.clone()),
    };
    let open = || storage::open(&settings, SystemClock.now(), Arc::new(SystemRng));
    open().await.unwrap().close().await;
    open().await.unwrap().close().await;
    std::fs::remove_file(&key).unwrap();
    let refused = open().await.unwrap_err();
    assert!(
        matches!(&refused, StorageError::KeyMissing { key: missing, .. } if *missing == key),
        "{refused}"
    );
    assert!(!key.exists());
}
