//! Connections that nobody has used for long, and that somebody still may.

use portcullis_base::{ConnectionId, Slug, Timestamp};
use portcullis_oauth::issuer::person::ConnectionStatus;

use super::connections::TABLE;
use crate::engine::fetch_all;
use crate::error::StoreError;
use crate::rows::{parse, word};
use crate::store::Store;

/// Which connections are asked for.
#[derive(Clone, Copy, Debug)]
pub struct IdleConnections<'a> {
    /// Those at this provider,
    pub provider: &'a Slug,
    /// whose tokens are older than this,
    pub before: Timestamp,
    /// and that come after this one.
    pub after: Option<ConnectionId>,
    /// No more than so many.
    pub limit: u32,
}

impl Store {
    /// Lists connections that can be renewed and have not been for long, by id; only those that a client could use once more.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn idle_connections(
        &self,
        wanted: IdleConnections<'_>,
        now: Timestamp,
    ) -> Result<Vec<ConnectionId>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let after = wanted.after.map(|id| id.to_string()).unwrap_or_default();
        let rows = fetch_all!(
            &mut reader.connection(),
            (String,),
            "SELECT c.id FROM connections c WHERE c.provider = $1 AND c.status = $2 \
             AND c.refresh_token IS NOT NULL AND c.updated_at_ms <= $3 AND c.id > $4 \
             AND EXISTS (SELECT 1 FROM grants g JOIN refresh_tokens r ON r.grant_id = g.id \
                 WHERE g.connection_id = c.id AND g.ended_at_ms IS NULL \
                 AND r.expires_at_ms > $5) \
             ORDER BY c.id LIMIT $6",
            wanted.provider.as_str(),
            word(&ConnectionStatus::Active),
            wanted.before.as_millis(),
            after,
            now.as_millis(),
            i64::from(wanted.limit)
        )?;
        rows.into_iter()
            .map(|(id,)| Ok(parse(TABLE, "id", &id, ConnectionId::parse(&id))?))
            .collect()
    }
}
