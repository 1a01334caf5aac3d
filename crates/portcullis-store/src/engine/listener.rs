//! A connection to PostgreSQL that notices come on: made again whenever it breaks, and tried out before it is believed.
//!
//! A pooler that hands connections on after each transaction takes `LISTEN` and delivers nothing, and a network may lose a connection without a word.
//! So the listener has itself told something from another connection, at the beginning and whenever it was quiet for a while; where that does not arrive, it begins anew.

use std::time::Duration;

use portcullis_base::Rng;
use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgPoolOptions};
use thiserror::Error;
use tokio::time::timeout;

use super::dialect;
use crate::notices::Notice;

/// How long it may be quiet before the connection is tried out.
const QUIET: Duration = Duration::from_secs(30);

/// How long a connection may take to be made, and what it was told to arrive.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait after the first attempt that failed; each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// How long to wait between attempts at most.
const LAST_PAUSE: Duration = Duration::from_mins(1);

/// Why notices do not come.
#[derive(Debug, Error)]
enum ListenError {
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    #[error("the connection was lost")]
    Lost,
    #[error("the database does not answer")]
    Late,
    #[error(
        "what the database is asked to notify does not arrive; a pooler in between has to keep a session together"
    )]
    Deaf,
}

/// The notices that arrive.
#[derive(Debug)]
pub(crate) struct Listener {
    /// What says that something changed, and where the server is.
    pool: PgPool,
    /// A channel that nobody else listens to.
    own: String,
    line: Option<Line>,
    pause: Duration,
    /// Whether the log knows that notices do not come.
    told: bool,
}

/// A connection that was tried out.
struct Line {
    listener: PgListener,
    /// Whether something was sent to it that has not arrived yet.
    asked: bool,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

impl Listener {
    pub(crate) fn new(pool: PgPool, rng: &dyn Rng) -> Self {
        let mut random = [0; 8];
        rng.fill(&mut random);
        Self {
            pool,
            own: format!("portcullis_{:016x}", u64::from_be_bytes(random)),
            line: None,
            pause: FIRST_PAUSE,
            told: false,
        }
    }

    pub(crate) async fn next(&mut self) -> Notice {
        loop {
            let Some(line) = &mut self.line else {
                self.line = Some(self.connected().await);
                return Notice::Missed;
            };
            match line.next(&self.pool, &self.own).await {
                Ok(notice) => return notice,
                Err(error) => {
                    tracing::debug!(%error, "listening for changes anew");
                    self.line = None;
                }
            }
        }
    }

    /// Tries until there is a connection that carries notices.
    async fn connected(&mut self) -> Line {
        loop {
            let error = match Line::new(&self.pool, &self.own).await {
                Ok(line) => {
                    if std::mem::take(&mut self.told) {
                        tracing::info!("changes by other processes arrive at once again");
                    }
                    self.pause = FIRST_PAUSE;
                    return line;
                }
                Err(error) => error,
            };
            if !std::mem::replace(&mut self.told, true) {
                tracing::warn!(
                    reason = %error,
                    "changes by other processes are noticed within two seconds and not at once"
                );
            }
            pause(self.pause).await;
            self.pause = (self.pause * 2).min(LAST_PAUSE);
        }
    }
}

impl Line {
    async fn new(pool: &PgPool, own: &str) -> Result<Self, ListenError> {
        let listener = timeout(PATIENCE, listen(pool, own));
        let mut line = Self {
            listener: listener.await.map_err(|_| ListenError::Late)??,
            asked: false,
        };
        line.ask(pool, own).await?;
        // Whatever arrives will do: who is connected looks at everything anew.
        line.arrived(own).await?;
        Ok(line)
    }

    async fn next(&mut self, pool: &PgPool, own: &str) -> Result<Notice, ListenError> {
        loop {
            match self.arrived(own).await {
                Ok(Some(notice)) => return Ok(notice),
                Ok(None) => {}
                Err(ListenError::Deaf) if !self.asked => self.ask(pool, own).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for what arrives; that is nothing where it was only asked whether something does.
    async fn arrived(&mut self, own: &str) -> Result<Option<Notice>, ListenError> {
        let patience = if self.asked { PATIENCE } else { QUIET };
        let arrived = timeout(patience, self.listener.try_recv()).await;
        let arrived = arrived.map_err(|_| ListenError::Deaf)??;
        let arrived = arrived.ok_or(ListenError::Lost)?;
        if arrived.channel() == own {
            self.asked = false;
            return Ok(None);
        }
        Ok(Some(Notice::parse(arrived.payload())))
    }

    /// Has another connection send something to this one.
    async fn ask(&mut self, pool: &PgPool, own: &str) -> Result<(), ListenError> {
        let sent = sqlx::query(dialect::POSTGRES_NOTIFY)
            .bind(own)
            .bind("")
            .execute(pool);
        timeout(PATIENCE, sent)
            .await
            .map_err(|_| ListenError::Late)??;
        self.asked = true;
        Ok(())
    }
}

async fn listen(pool: &PgPool, own: &str) -> Result<PgListener, sqlx::Error> {
    let options = pool.connect_options().as_ref().clone();
    // Not of the pool itself, which would have one connection less for everybody else.
    let alone = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_with(options.application_name(dialect::POSTGRES_LISTENER))
        .await?;
    let mut listener = PgListener::connect_with(&alone).await?;
    listener.eager_reconnect(false);
    listener
        .listen_all([dialect::POSTGRES_CHANNEL, own])
        .await?;
    Ok(listener)
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever could not connect has nothing to wait on but time"
)]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
