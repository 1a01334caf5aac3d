//! What other processes on the same database changed, told at once where the engine can.
//!
//! A notice saves waiting and decides nothing: it may be lost, come late or come twice, so that whoever heeds it also looks by itself from time to time.
//! It is sent in the transaction that makes the change, bears an id or the first digits of a digest, and never a secret.
//! PostgreSQL carries notices (`engine/listener.rs`); SQLite carries none.

use portcullis_base::{ApiKeyId, Digest, GrantId};

use crate::engine::listener::Listener;
use crate::engine::{Connection, Engine, Telling, dialect, execute};
use crate::error::StoreError;
use crate::store::Store;

/// What another process changed, or this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The revision is another one: see [`Store::revision`].
    Revised,
    /// An API key was revoked.
    ApiKeyRevoked(ApiKeyId),
    /// A grant ended, and with it all of its tokens.
    GrantEnded(GrantId),
    /// An access token ended before its time; what is given is the fingerprint of its digest, which others may share.
    AccessTokenEnded(String),
    /// Anything may have changed: notices may have been lost, or one came that only a later version understands.
    Missed,
}

/// The notices of a store, as they come.
#[derive(Debug)]
pub struct Notices(Option<Listener>);

impl Store {
    /// Begins to listen for what other processes change; holds one connection of its own to the database.
    ///
    /// Nothing comes where the engine carries no notices.
    #[must_use]
    pub fn notices(&self) -> Notices {
        Notices(match self.engine() {
            Engine::Sqlite { .. }
            | Engine::Postgres {
                telling: Telling::Never,
                ..
            } => None,
            Engine::Postgres { pool, .. } => Some(Listener::new(pool.clone(), self.sealer().rng())),
        })
    }
}

impl Notices {
    /// Waits for the next notice; [`Notice::Missed`] comes first, and again whenever the connection had to be made anew.
    ///
    /// A connection that cannot be made or does not carry notices is tried again for ever, and the log says so once.
    /// A call that is given up loses nothing.
    pub async fn next(&mut self) -> Notice {
        match &mut self.0 {
            Some(listener) => listener.next().await,
            None => std::future::pending().await,
        }
    }
}

impl Notice {
    pub(crate) fn of_token(digest: &Digest) -> Self {
        Self::AccessTokenEnded(digest.fingerprint())
    }

    /// Tells the other processes once the transaction is committed.
    ///
    /// PostgreSQL lets transactions that tell something commit one after another: this is for what happens seldom.
    pub(crate) async fn tell(&self, connection: &mut Connection<'_>) -> Result<(), StoreError> {
        if let Connection::Postgres(_, Telling::Always) = connection {
            execute!(
                connection,
                dialect::POSTGRES_NOTIFY,
                dialect::POSTGRES_CHANNEL,
                self.to_text()
            )?;
        }
        Ok(())
    }

    fn to_text(&self) -> String {
        match self {
            Self::Revised => "revised".to_owned(),
            Self::ApiKeyRevoked(id) => format!("revoked {id}"),
            Self::GrantEnded(id) => format!("ended {id}"),
            Self::AccessTokenEnded(fingerprint) => format!("token {fingerprint}"),
            Self::Missed => "anything".to_owned(),
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        let parsed = match text.split_once(' ') {
            None if text == "revised" => Some(Self::Revised),
            Some(("revoked", id)) => ApiKeyId::parse(id).ok().map(Self::ApiKeyRevoked),
            Some(("ended", id)) => GrantId::parse(id).ok().map(Self::GrantEnded),
            Some(("token", fingerprint)) => Some(Self::AccessTokenEnded(fingerprint.to_owned())),
            _ => None,
        };
        parsed.unwrap_or(Self::Missed)
    }
}

#[cfg(test)]
mod tests {
    use portcullis_base::{Rng, Timestamp};

    use super::*;

    struct Zero;
    impl Rng for Zero {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    #[test]
    fn a_notice_reads_back_and_what_is_not_understood_may_be_anything() {
        let now = Timestamp::from_millis(1);
        for notice in [
            Notice::Revised,
            Notice::ApiKeyRevoked(ApiKeyId::new(now, &Zero)),
            Notice::GrantEnded(GrantId::new(now, &Zero)),
            Notice::of_token(&Digest::of(b"a token")),
            Notice::Missed,
        ] {
            assert_eq!(Notice::parse(&notice.to_text()), notice);
        }
        for text in ["", "revised 2", "ended key_1", "of a later version"] {
            assert_eq!(Notice::parse(text), Notice::Missed, "{text}");
        }
    }
}
