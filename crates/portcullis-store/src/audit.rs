//! Who changed what, and when; written in the transaction of the change.

use portcullis_base::{AuditId, Rng, Timestamp};

use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_all};
use crate::error::StoreError;
use crate::rows::parse;
use crate::store::Store;

/// The most rows that one call lists.
const MAX_LISTED: u32 = 1000;

/// Who acts, in a word that an auditor understands: `file:/etc/portcullis.toml`, `cli`, `key_…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor(String);

/// An audit row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// The row's id; later rows have greater ones.
    pub id: AuditId,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: String,
    /// What was done: a noun, a dot and a participle, such as `document.put`.
    pub action: String,
    /// To what: a slug or an id; never a secret.
    pub target: String,
}

/// What an audit row is made of.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    actor: Actor,
    action: &'static str,
    target: String,
}

impl Actor {
    /// Names an actor.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl AuditEntry {
    /// Says that `actor` did `action` to `target`.
    #[must_use]
    pub fn new(actor: Actor, action: &'static str, target: String) -> Self {
        Self {
            actor,
            action,
            target,
        }
    }

    pub(crate) async fn insert(
        self,
        connection: &mut Connection<'_>,
        rng: &dyn Rng,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        execute!(
            connection,
            "INSERT INTO audit (id, at_ms, actor, action, target) VALUES ($1, $2, $3, $4, $5)",
            AuditId::new(now, rng).to_string(),
            now.as_millis(),
            &self.actor.0,
            self.action,
            &self.target
        )?;
        Ok(())
    }
}

row! {
    struct Row {
        id: String,
        at_ms: i64,
        actor: String,
        action: String,
        target: String,
    }
}

impl Store {
    /// Records what changes no object, such as a refused sign-in.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn insert_audit(&self, entry: AuditEntry, now: Timestamp) -> Result<(), StoreError> {
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move { entry.insert(&mut connection, sealer.rng(), now).await })
            })
            .await
    }

    /// Lists the latest `limit` rows (1000 at most) that came before `before`, the latest first.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn list_audit(
        &self,
        before: Option<AuditId>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        // `~` sorts after every id.
        let before = before.map_or_else(|| "~".to_owned(), |id| id.to_string());
        let mut reader = self.engine().reader().await?;
        let rows = fetch_all!(
            &mut reader.connection(),
            Row,
            "SELECT id, at_ms, actor, action, target FROM audit \
             WHERE id < $1 ORDER BY id DESC LIMIT $2",
            before,
            i64::from(limit.min(MAX_LISTED))
        )?;
        rows.into_iter().map(AuditRow::try_from).collect()
    }
}

impl TryFrom<Row> for AuditRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: parse("audit", "id", &row.id, AuditId::parse(&row.id))?,
            at: Timestamp::from_millis(row.at_ms),
            actor: row.actor,
            action: row.action,
            target: row.target,
        })
    }
}
