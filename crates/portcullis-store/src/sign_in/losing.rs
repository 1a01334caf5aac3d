//! What people signed in to, where the key that it was sealed under is gone.

use portcullis_base::{ConnectionId, Timestamp};
use portcullis_oauth::issuer::grant::EndReason;

use super::connections::TABLE;
use super::grants;
use crate::engine::{Connection, execute, fetch_all};
use crate::error::StoreError;
use crate::rows::parse;
use crate::seal::Sealer;

/// What cannot go on without data key `$1`; codes that rest on a connection go with it.
const OF_SIGN_IN: [&str; 3] = [
    "DELETE FROM connections WHERE access_key_id = $1 OR refresh_key_id = $1",
    "DELETE FROM flows WHERE verifier_key_id = $1 OR nonce_key_id = $1",
    "DELETE FROM revocations WHERE token_key_id = $1",
];

/// Deletes what is sealed under a data key, and ends the grants that rest on it.
pub(crate) async fn lose(
    data_key: &str,
    sealer: &Sealer,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    let lost = fetch_all!(
        connection,
        (String,),
        "SELECT id FROM connections WHERE access_key_id = $1 OR refresh_key_id = $1",
        data_key
    )?;
    for (id,) in lost {
        let id = parse(TABLE, "id", &id, ConnectionId::parse(&id))?;
        grants::end_on(id, EndReason::ConnectionLost, sealer, now, connection).await?;
    }
    for statement in OF_SIGN_IN {
        execute!(connection, statement, data_key)?;
    }
    Ok(())
}
