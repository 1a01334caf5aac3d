//! Documents over time, on either engine.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "these are tests, and so are the functions that they share"
)]

mod remote;
mod revisions;

use std::collections::HashMap;
use std::sync::Arc;

use portcullis_base::{Clock as _, Slug};
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::config::apply::{self, Prepared};
use portcullis_server::config::{
    Configuration, ConfigurationError, Difference, Overrides, Settings,
};
use portcullis_server::document::history::History;
use portcullis_server::document::load::{LoadError, Loader};
use portcullis_server::storage;
use portcullis_store::{Document, Store};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::database::new_database;

#[derive(Clone, Copy)]
enum Engine {
    Sqlite,
    Postgres,
}

/// Runs each body on both engines; the database bears the name of the test.
macro_rules! on_both_engines {
    ($($name:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::document::Place::new($crate::document::Engine::Sqlite, "").await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $name() {
                let name = concat!("document_", stringify!($name));
                super::$name($crate::document::Place::new($crate::document::Engine::Postgres, name).await).await;
            })*
        }
    };
}

use on_both_engines;

/// A folder with a configuration, and the store that it is applied to.
struct Place {
    folder: TempDir,
    storage: String,
    store: Store,
}

impl Place {
    /// A place whose document `pets` is the file `pets.json`, which is not there yet.
    async fn new(engine: Engine, test: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let storage = match engine {
            Engine::Sqlite => String::new(),
            Engine::Postgres => {
                let name = test.get(..test.len().min(63)).unwrap();
                format!("[storage]\nurl = \"{}\"\n", new_database(name))
            }
        };
        std::fs::write(folder.path().join("portcullis.toml"), &storage).unwrap();
        let store = open(&folder).await;
        let place = Self {
            folder,
            storage,
            store,
        };
        place.describe("file = \"pets.json\"");
        place
    }

    /// Has the configuration describe the document so.
    fn describe(&self, document: &str) {
        let text = format!(
            "{}\n[listener]\nlisten = [\"127.0.0.1:0\"]\n[upstream]\nallow = [\"127.0.0.0/8\"]\n[documents.pets]\n{document}\n[toolsets.pets]\ndocuments = [\"pets\"]\ninbound = [\"open\"]\n",
            self.storage
        );
        std::fs::write(self.folder.path().join("portcullis.toml"), text).unwrap();
    }

    fn write(&self, document: &Value) {
        let path = self.folder.path().join("pets.json");
        std::fs::write(path, document.to_string()).unwrap();
    }

    /// Reads the configuration; the store counts.
    async fn load(&self) -> Result<Configuration, ConfigurationError> {
        let loader = Loader {
            path: &self.folder.path().join("portcullis.toml"),
            overrides: Overrides::default(),
            process: HashMap::new(),
        };
        match loader.load().await {
            Err(LoadError::Configuration(error)) => Err(error),
            configuration => Ok(configuration.unwrap()),
        }
    }

    async fn prepare(&self) -> Prepared {
        let configuration = self.load().await.unwrap();
        let now = SystemClock.now();
        let prepared = apply::prepare(&self.store, &configuration, now, &SystemRng).await;
        prepared.unwrap()
    }

    async fn apply(&self, document: &Value) -> Difference {
        self.write(document);
        let prepared = self.prepare().await;
        prepared
            .commit(&self.store, SystemClock.now())
            .await
            .unwrap()
    }

    async fn document(&self) -> Document {
        self.store.snapshot().await.unwrap().documents.remove(0)
    }

    async fn history(&self) -> History {
        let slug = Slug::parse("pets").unwrap();
        History::read(&self.store, &slug).await.unwrap()
    }
}

/// Opens the store that the configuration in a folder names, as each replica does.
async fn open(folder: &TempDir) -> Store {
    let path = folder.path().join("portcullis.toml");
    let settings = Settings::load(&path, Overrides::default(), HashMap::new()).unwrap();
    let store = storage::open(&settings.storage, SystemClock.now(), Arc::new(SystemRng));
    store.await.unwrap()
}

/// A document whose operations are those of `paths`.
fn pets(paths: &Value) -> Value {
    json!({
        "openapi": "3.1.0", "info": {"title": "Pets", "version": "1"},
        "servers": [{"url": "https://pets.example"}], "paths": paths
    })
}

/// A document with one operation, which is described so.
fn described(description: &str) -> Value {
    let operation = json!({"operationId": "listPets", "description": description});
    pets(&json!({"/pets": {"get": operation}}))
}
