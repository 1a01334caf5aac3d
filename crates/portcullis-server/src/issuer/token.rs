//! `/token`: a client trades its code or its refresh token for tokens.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use portcullis_base::{AccessToken, Plain, Secret, Timestamp};
use portcullis_oauth::issuer::client::Client;
use portcullis_oauth::issuer::grant::{EndReason, Renewal};
use portcullis_oauth::issuer::redeem::{Issued, RedeemError, grant, issue, redeem};
use portcullis_oauth::issuer::refresh::{RefreshError, refresh};
use portcullis_oauth::wire::grant::{CodeRequest, RefreshRequest, TokenRequest};
use portcullis_oauth::wire::issued::IssuedTokens;

use super::client_request::{ClientRequest, Failure};
use super::{IssuerState, answer};
use crate::http::request_log::Particulars;

pub(super) async fn token(
    State(state): State<Arc<IssuerState>>,
    Extension(particulars): Extension<Particulars>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match tokens(&state, &headers, body).await {
        Ok(tokens) => answer::secret_json(StatusCode::OK, &tokens),
        Err(failure) => failure.answer(&particulars),
    }
}

async fn tokens(state: &IssuerState, headers: &HeaderMap, body: Body) -> Result<Secret, Failure> {
    let request = ClientRequest::read(state, headers, body).await?;
    let client = &request.client;
    match TokenRequest::read(&request.parameters)? {
        TokenRequest::AuthorizationCode(code) => of_code(state, client, &code).await,
        TokenRequest::RefreshToken(token) => of_refresh_token(state, client, &token).await,
    }
}

async fn of_code(
    state: &IssuerState,
    client: &Client,
    request: &CodeRequest,
) -> Result<Secret, Failure> {
    let parts = &state.parts;
    let now = parts.clock.now();
    let refuse = |error: &RedeemError| Failure::Refused(error.outward(), error.to_string());
    let digest = request.code.digest();
    let code = parts.store.code(&digest).await?;
    let published = state.published();
    let policy = state.policy(&published);
    if let Err(error) = redeem(code.as_ref(), request, client, &policy, now) {
        match error {
            RedeemError::Replayed(grant) => {
                let reason = EndReason::CodeReplayed;
                parts.store.end_grant(grant, reason, now).await?;
            }
            RedeemError::Repeated(grant) | RedeemError::ReplayedByOther(grant) => {
                parts.store.note_replayed_code(grant, now).await?;
            }
            _ => {}
        }
        return Err(refuse(&error));
    }
    let code = code.ok_or_else(|| refuse(&RedeemError::Unknown))?;
    let lifetimes = state.lifetimes(&published, &code.toolset);
    let issued = issue(code.scopes.clone(), client, lifetimes, now, &*parts.rng);
    let grant = grant(&code, now, &*parts.rng);
    let stored = issued.stored.clone();
    if !parts.store.redeem_code(&digest, grant, stored, now).await? {
        // Somebody was faster, with the same right proof.
        return Err(refuse(&RedeemError::Raced));
    }
    Ok(answered(&issued, now))
}

async fn of_refresh_token(
    state: &IssuerState,
    client: &Client,
    request: &RefreshRequest,
) -> Result<Secret, Failure> {
    let parts = &state.parts;
    let now = parts.clock.now();
    let refuse = |error: &RefreshError| Failure::Refused(error.outward(), error.to_string());
    let digest = request.refresh_token.digest();
    let row = parts.store.refresh_token(&digest).await?;
    let published = state.published();
    let policy = state.policy(&published);
    let toolset = row.as_ref().map(|row| &row.grant.toolset);
    let lifetimes = toolset.map_or(parts.settings.lifetimes, |toolset| {
        state.lifetimes(&published, toolset)
    });
    let refreshed = match refresh(row.as_ref(), request, client, &policy, lifetimes, now) {
        Ok(refreshed) => refreshed,
        Err(error) => {
            if let RefreshError::Replayed(id) = error {
                let reason = EndReason::RefreshTokenReplayed;
                if parts.store.end_grant(id, reason, now).await? {
                    parts.metrics.refresh_token_replayed();
                    tracing::warn!(grant.id = %id, "a refresh token came back after its successor was in use; the grant has ended, and the person signs in again");
                }
            }
            return Err(refuse(&error));
        }
    };
    let until = |life| {
        let end = now.after(life);
        refreshed.ends_at.map_or(end, |last| end.min(last))
    };
    let access = Plain::<AccessToken>::new(&*parts.rng);
    let renewal = Renewal {
        access: access.digest(),
        scopes: refreshed.scopes.clone(),
        access_expires_at: until(lifetimes.access),
        refresh_expires_at: until(lifetimes.refresh),
        replaced: lifetimes.replaced,
    };
    let presented = request.refresh_token.clone();
    let renewed = parts.store.renew(presented, renewal, now).await?;
    let renewed = renewed.ok_or_else(|| refuse(&RefreshError::Ended))?;
    let issued = IssuedTokens {
        access: &access,
        expires_in: renewed.access_expires_at.since(now),
        refresh: Some(&renewed.successor),
        scope: &refreshed.scopes,
    };
    Ok(issued.to_json())
}

fn answered(issued: &Issued, now: Timestamp) -> Secret {
    IssuedTokens {
        access: &issued.access,
        expires_in: issued.stored.access_expires_at.since(now),
        refresh: issued.refresh.as_ref(),
        scope: &issued.stored.scopes,
    }
    .to_json()
}
