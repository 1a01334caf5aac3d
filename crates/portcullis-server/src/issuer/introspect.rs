//! `/introspect`: a client asks what becomes of its tokens (RFC 7662).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use portcullis_oauth::issuer::authenticate::may_introspect;
use portcullis_oauth::issuer::introspect::introspect as tell;
use portcullis_oauth::wire::introspected::Introspection;

use super::client_request::{ClientRequest, Failure};
use super::{IssuerState, answer};
use crate::http::request_log::Particulars;

pub(super) async fn introspect(
    State(state): State<Arc<IssuerState>>,
    Extension(particulars): Extension<Particulars>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let told = told(&state, &headers, body).await;
    told.unwrap_or_else(|failure| failure.answer(&particulars))
}

async fn told(state: &IssuerState, headers: &HeaderMap, body: Body) -> Result<Response, Failure> {
    let request = ClientRequest::read(state, headers, body).await?;
    may_introspect(&request.presented, &request.client)?;
    let token = request.token(state).await?;
    let parts = &state.parts;
    let published = state.published();
    let lifetimes = token.as_ref().map_or(parts.settings.lifetimes, |token| {
        state.lifetimes(&published, &token.grant().toolset)
    });
    let told = tell(
        token.as_ref(),
        &request.client,
        &parts.public_url,
        lifetimes,
        parts.clock.now(),
    );
    Ok(answer::json(StatusCode::OK, &Introspection::from(told)))
}
