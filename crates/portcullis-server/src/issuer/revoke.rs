//! `/revoke`: a client gives up a token (RFC 7009).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::response::Response;
use http::HeaderMap;
use portcullis_oauth::issuer::revoke::{Revocation, revoke as decide};
use portcullis_store::Actor;

use super::client_request::{ClientRequest, Failure};
use super::{IssuerState, answer};
use crate::http::request_log::Particulars;

pub(super) async fn revoke(
    State(state): State<Arc<IssuerState>>,
    Extension(particulars): Extension<Particulars>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match revoked(&state, &particulars, &headers, body).await {
        Ok(()) => answer::done(),
        // RFC 7009 §2.2.1: "If the server responds with HTTP status code 503, the client must assume the token still exists".
        Err(failure) => failure.answer(&particulars),
    }
}

async fn revoked(
    state: &IssuerState,
    particulars: &Particulars,
    headers: &HeaderMap,
    body: Body,
) -> Result<(), Failure> {
    let request = ClientRequest::read(state, headers, body).await?;
    let token = request.token(state).await?;
    let (store, now) = (&state.parts.store, state.parts.clock.now());
    let actor = Actor::new(request.client.id.as_str());
    match decide(token.as_ref(), &request.client) {
        Revocation::Nothing => {}
        Revocation::OtherClient(grant) => {
            particulars.cause("the token was issued to another client");
            store.note_foreign_revocation(grant, actor, now).await?;
        }
        Revocation::AccessToken(digest) => {
            store.revoke_access_token(digest, actor, now).await?;
        }
        Revocation::Grant(grant) => {
            store.revoke_grants(vec![grant], actor, now).await?;
        }
    }
    Ok(())
}
