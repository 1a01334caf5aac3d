//! What people signed in to and is something else now, or gone: everything that came of it ends.

use std::collections::BTreeSet;

use portcullis_base::{Slug, Timestamp};
use portcullis_oauth::issuer::grant::EndReason;

use crate::audit::{Actor, AuditEntry};
use crate::engine::{Connection, execute, fetch_all};
use crate::error::StoreError;
use crate::notices::Notice;
use crate::rows::word;
use crate::seal::Sealer;

/// What is displaced, by slug.
#[derive(Debug, Default)]
pub(crate) struct Displaced {
    /// Toolsets.
    pub(crate) toolsets: BTreeSet<Slug>,
    /// Providers.
    pub(crate) providers: BTreeSet<Slug>,
}

/// How what came of one kind ends.
struct Ending {
    /// Ends the grants of slug `$1` at `$2` for the reason `$3`, and gives their ids.
    grants: &'static str,
    /// Deletes the connections of slug `$1`, and gives their ids; codes that rest on one go with it.
    connections: &'static str,
    /// Delete what could still become a grant of slug `$1`.
    rest: &'static [&'static str],
}

const OF_TOOLSET: Ending = Ending {
    grants: "UPDATE grants SET ended_at_ms = $2, end_reason = $3 \
         WHERE toolset = $1 AND ended_at_ms IS NULL RETURNING id",
    connections: "DELETE FROM connections WHERE toolset = $1 RETURNING id",
    rest: &[
        "DELETE FROM flows WHERE toolset = $1",
        "DELETE FROM authorization_codes WHERE toolset = $1 AND redeemed_at_ms IS NULL",
        "DELETE FROM consents WHERE toolset = $1",
    ],
};

const OF_PROVIDER: Ending = Ending {
    grants: "UPDATE grants SET ended_at_ms = $2, end_reason = $3 \
         WHERE connection_id IN (SELECT id FROM connections WHERE provider = $1) \
         AND ended_at_ms IS NULL RETURNING id",
    connections: "DELETE FROM connections WHERE provider = $1 RETURNING id",
    rest: &[
        "DELETE FROM flows WHERE provider = $1",
        "DELETE FROM browser_sessions WHERE provider = $1",
        "DELETE FROM revocations WHERE provider = $1",
    ],
};

impl Displaced {
    /// Ends the grants and deletes the connections, with an audit row for each, and whatever could still become one of them.
    pub(crate) async fn end(
        &self,
        actor: &Actor,
        sealer: &Sealer,
        now: Timestamp,
        connection: &mut Connection<'_>,
    ) -> Result<(), StoreError> {
        let of_toolsets = self.toolsets.iter().map(|slug| (slug, &OF_TOOLSET));
        let of_providers = self.providers.iter().map(|slug| (slug, &OF_PROVIDER));
        for (slug, ending) in of_toolsets.chain(of_providers) {
            let grants = fetch_all!(
                connection,
                (String,),
                ending.grants,
                slug.as_str(),
                now.as_millis(),
                word(&EndReason::Reconfigured)
            )?;
            if !grants.is_empty() {
                // One for all of them: there may be very many.
                Notice::Missed.tell(connection).await?;
            }
            let connections = fetch_all!(connection, (String,), ending.connections, slug.as_str())?;
            for statement in ending.rest {
                execute!(connection, *statement, slug.as_str())?;
            }
            let ended = grants.into_iter().map(|(id,)| ("grant.ended", id));
            let removed = connections.into_iter();
            let removed = removed.map(|(id,)| ("connection.removed", id));
            for (action, id) in ended.chain(removed) {
                AuditEntry::new(actor.clone(), action, id)
                    .insert(connection, sealer.rng(), now)
                    .await?;
            }
        }
        Ok(())
    }
}
