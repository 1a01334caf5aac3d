//! What a store does on either engine: each test once per engine, from one body.

mod api_keys;
mod documents;
mod fixtures;
mod objects;
mod opening;
mod sealing;
mod sign_in;

/// Runs each body on both engines; the database bears the name of the test.
macro_rules! on_both_engines {
    ($($name:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                let name = stringify!($name);
                super::$name($crate::engines::Database::new($crate::engines::Engine::Sqlite, name).await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $name() {
                let name = stringify!($name);
                super::$name($crate::engines::Database::new($crate::engines::Engine::Postgres, name).await).await;
            })*
        }
    };
}

use on_both_engines;
