//! Flows: bound to a browser, limited in number, and ended once.

use portcullis_base::{Digest, FlowId, Slug, SubjectId, Timestamp};
use portcullis_oauth::issuer::flow::{AtProvider, Flow, FlowState};
use thiserror::Error;

use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_all, fetch_optional};
use crate::error::{InvalidRow, StoreError};
use crate::rows::{parse, parse_digest, parse_json, parse_scopes, required, to_json};
use crate::seal::{Place, Sealer};
use crate::store::Store;

const TABLE: &str = "flows";

/// The flows that may be open at the same time: whoever opens them needs no more than a registration.
pub const MAX_OPEN_FLOWS: u32 = 10_000;

/// Why a flow was not stored.
#[derive(Clone, Debug, Error)]
pub enum InsertFlowError {
    /// There are [`MAX_OPEN_FLOWS`] already.
    #[error("{MAX_OPEN_FLOWS} people are signing in already; try again in some minutes")]
    FlowsFull,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

row! {
    struct Row {
        id: String,
        /// `tests/fixtures/` holds a text of each form that was ever written.
        request: String,
        browser: Vec<u8>,
        status: String,
        provider: Option<String>,
        upstream_state: Option<Vec<u8>>,
        verifier: Option<Vec<u8>>,
        nonce: Option<Vec<u8>>,
        toolset: Option<String>,
        scopes: Option<String>,
        consent_of: Option<String>,
        created_at_ms: i64,
        expires_at_ms: i64,
    }
}

impl Store {
    /// Stores a flow, unless [`MAX_OPEN_FLOWS`] are open at the time of its creation.
    ///
    /// On PostgreSQL, flows that are stored at the same moment do not count each other.
    ///
    /// # Errors
    ///
    /// When there are too many, the client does not exist, or the database cannot be written.
    pub async fn insert_flow(&self, flow: Flow) -> Result<(), InsertFlowError> {
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move { insert(&sealer, &flow, &mut connection).await })
            })
            .await
    }

    /// Finds a flow, whether or not it can still go on.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or a sealed value does not open.
    pub async fn flow(&self, id: &FlowId) -> Result<Option<Flow>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let connection = &mut reader.connection();
        let row = fetch_optional!(
            connection,
            Row,
            "SELECT id, request, browser, status, provider, upstream_state, verifier, nonce, \
             toolset, scopes, consent_of, created_at_ms, expires_at_ms FROM flows WHERE id = $1",
            id.to_string()
        )?;
        let Some(row) = row else { return Ok(None) };
        let state = match row.status.as_str() {
            "pending" => FlowState::Pending,
            "at_provider" => {
                FlowState::AtProvider(at_provider(&row, &self.sealer(), connection).await?)
            }
            "ended" => FlowState::Ended,
            _ => parse(TABLE, "status", &row.id, Err("there is no such status"))?,
        };
        Ok(Some(flow(&row, state)?))
    }

    /// Notes that the person approved and is sent to the provider; says whether the flow was open in this browser.
    ///
    /// Where the person had approved before, the provider's answer to that is no longer awaited.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn approve_flow(
        &self,
        id: &FlowId,
        browser: &Digest,
        approved: AtProvider,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sealer = self.sealer();
        let (id, browser) = (id.to_string(), *browser);
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let approval = Approval {
                        flow: &id,
                        browser: &browser,
                        approved: &approved,
                        expires_at,
                    };
                    approve(&approval, &sealer, now, &mut connection).await
                })
            })
            .await
    }

    /// Ends a flow without a code; says whether it was open in this browser.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn end_flow(
        &self,
        id: &FlowId,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, browser) = (id.to_string(), *browser);
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let ended = execute!(
                        &mut connection,
                        "UPDATE flows SET status = 'ended' \
                         WHERE id = $1 AND browser = $2 AND status <> 'ended' \
                         AND expires_at_ms > $3",
                        id,
                        browser.as_bytes().as_slice(),
                        now.as_millis()
                    )?;
                    Ok(ended > 0)
                })
            })
            .await
    }

    /// Ends the flow that awaits a provider's answer with this `state`, and gives it as it was; of several callers one gets it.
    ///
    /// # Errors
    ///
    /// When the database cannot be written, or a sealed value does not open.
    pub async fn take_flow_by_state(
        &self,
        state: &Digest,
        now: Timestamp,
    ) -> Result<Option<Flow>, StoreError> {
        let sealer = self.sealer();
        let state = *state;
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move { take(&sealer, &state, now, &mut connection).await })
            })
            .await
    }
}

async fn insert(
    sealer: &Sealer,
    flow: &Flow,
    connection: &mut Connection<'_>,
) -> Result<(), InsertFlowError> {
    let id = flow.id.to_string();
    let status = match &flow.state {
        FlowState::Pending | FlowState::AtProvider(_) => "pending",
        FlowState::Ended => "ended",
    };
    let inserted = execute!(
        connection,
        "INSERT INTO flows \
         (id, client_id, request, browser, status, created_at_ms, expires_at_ms) \
         SELECT $1, $2, $3, $4, $5, $6, $7 WHERE $8 > (SELECT COUNT(*) FROM \
         (SELECT 1 FROM flows WHERE status <> 'ended' AND expires_at_ms > $6 LIMIT $8) AS open)",
        &id,
        flow.request.client.as_str(),
        to_json(&flow.request),
        flow.browser.as_bytes().as_slice(),
        status,
        flow.created_at.as_millis(),
        flow.expires_at.as_millis(),
        i64::from(MAX_OPEN_FLOWS)
    )?;
    if inserted == 0 {
        return Err(InsertFlowError::FlowsFull);
    }
    if let FlowState::AtProvider(approved) = &flow.state {
        let approval = Approval {
            flow: &id,
            browser: &flow.browser,
            approved,
            expires_at: flow.expires_at,
        };
        approve(&approval, sealer, flow.created_at, connection).await?;
    }
    Ok(())
}

/// That a person approved in a browser.
struct Approval<'a> {
    flow: &'a str,
    browser: &'a Digest,
    approved: &'a AtProvider,
    expires_at: Timestamp,
}

/// Writes what came of the approval, where the flow is open in that browser; says whether it is.
async fn approve(
    approval: &Approval<'_>,
    sealer: &Sealer,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<bool, StoreError> {
    let Approval {
        flow: id, approved, ..
    } = approval;
    let seal = sealer.current(connection).await?;
    let open = execute!(
        connection,
        "UPDATE flows SET status = 'at_provider', expires_at_ms = $1, provider = $2, \
         upstream_state = $3, verifier = $4, verifier_key_id = $5, nonce = $6, \
         nonce_key_id = $5, toolset = $7, scopes = $8, consent_of = $9 \
         WHERE id = $10 AND browser = $11 AND status <> 'ended' AND expires_at_ms > $12",
        approval.expires_at.as_millis(),
        approved.provider.as_str(),
        approved.state.as_bytes().as_slice(),
        seal.seal(&approved.verifier, place("verifier", id)),
        seal.data_key_id(),
        seal.seal(&approved.nonce, place("nonce", id)),
        approved.toolset.as_str(),
        approved.scopes.to_string(),
        approved.consent_of.map(|subject| subject.to_string()),
        *id,
        approval.browser.as_bytes().as_slice(),
        now.as_millis()
    )?;
    Ok(open > 0)
}

async fn take(
    sealer: &Sealer,
    state: &Digest,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<Option<Flow>, StoreError> {
    let taken = fetch_all!(
        connection,
        Row,
        "UPDATE flows SET status = 'ended' \
         WHERE upstream_state = $1 AND status = 'at_provider' AND expires_at_ms > $2 \
         RETURNING id, request, browser, status, provider, upstream_state, verifier, nonce, \
         toolset, scopes, consent_of, created_at_ms, expires_at_ms",
        state.as_bytes().as_slice(),
        now.as_millis()
    )?;
    let Some(row) = taken.first() else {
        return Ok(None);
    };
    let at_provider = at_provider(row, sealer, connection).await?;
    Ok(Some(flow(row, FlowState::AtProvider(at_provider))?))
}

fn flow(row: &Row, state: FlowState) -> Result<Flow, InvalidRow> {
    Ok(Flow {
        id: parse(TABLE, "id", &row.id, FlowId::parse(&row.id))?,
        request: parse_json(TABLE, "request", &row.id, &row.request)?,
        browser: parse_digest(TABLE, "browser", &row.id, &row.browser)?,
        state,
        created_at: Timestamp::from_millis(row.created_at_ms),
        expires_at: Timestamp::from_millis(row.expires_at_ms),
    })
}

async fn at_provider(
    row: &Row,
    sealer: &Sealer,
    connection: &mut Connection<'_>,
) -> Result<AtProvider, StoreError> {
    let id = row.id.as_str();
    let slug = |column, text: &Option<String>| {
        let text = required(TABLE, column, id, text.as_deref())?;
        parse(TABLE, column, id, Slug::parse(text))
    };
    let state = required(TABLE, "upstream_state", id, row.upstream_state.as_deref())?;
    let scopes = required(TABLE, "scopes", id, row.scopes.as_deref())?;
    let verifier = required(TABLE, "verifier", id, row.verifier.as_deref())?;
    let nonce = required(TABLE, "nonce", id, row.nonce.as_deref())?;
    let consent_of = row.consent_of.as_deref().map(SubjectId::parse);
    Ok(AtProvider {
        provider: slug("provider", &row.provider)?,
        state: parse_digest(TABLE, "upstream_state", id, state)?,
        verifier: sealer
            .open_fresh(verifier, place("verifier", id), connection)
            .await?,
        nonce: sealer
            .open_fresh(nonce, place("nonce", id), connection)
            .await?,
        toolset: slug("toolset", &row.toolset)?,
        scopes: parse_scopes(TABLE, id, scopes)?,
        consent_of: parse(TABLE, "consent_of", id, consent_of.transpose())?,
    })
}

fn place<'a>(column: &'static str, id: &'a str) -> Place<'a> {
    Place {
        table: TABLE,
        column,
        row: id,
    }
}
