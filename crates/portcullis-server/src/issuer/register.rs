//! `/register`: clients that nobody knows register themselves (RFC 7591).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use portcullis_oauth::issuer::register::{RegistrationPolicy, register as registered, verify};
use portcullis_oauth::scope::Scopes;
use portcullis_oauth::wire::error::{OAuthError, OAuthErrorCode};
use portcullis_oauth::wire::registration::{ClientMetadataRequest, RegistrationResponse};

use super::{IssuerState, answer};
use crate::http::body;
use crate::http::request_log::{ClientAddress, Particulars};

pub(super) async fn register(
    State(state): State<Arc<IssuerState>>,
    Extension(particulars): Extension<Particulars>,
    address: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if !state
        .registrations
        .takes(address.map(|Extension(ClientAddress(it))| it))
    {
        particulars.cause("too many registrations from this address");
        let mut response = answer::json(
            StatusCode::TOO_MANY_REQUESTS,
            &OAuthError::new(
                OAuthErrorCode::TemporarilyUnavailable,
                "too many registrations; try again in a minute",
            ),
        );
        answer::set(&mut response, header::RETRY_AFTER, "60");
        return response;
    }
    match answer(&state, &headers, body).await {
        Ok(response) => response,
        Err(error) => {
            particulars.cause(&error.to_string());
            answer::error(error)
        }
    }
}

async fn answer(
    state: &IssuerState,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, OAuthError> {
    let invalid = |description| OAuthError::new(OAuthErrorCode::InvalidClientMetadata, description);
    // A web page can have a browser send `text/plain` without asking first.
    if !body::is_declared_as(headers, "application/json") {
        return Err(invalid("the body must be declared as application/json"));
    }
    let bytes = body::collect(body, state.parts.body_limits)
        .await
        .map_err(|_| invalid("the body is too large, too slow or broke off"))?;
    let request = ClientMetadataRequest::read(&bytes)?;
    let published = state.published();
    let scopes = published
        .toolsets
        .iter()
        .fold(Scopes::default(), |all, (_, scopes)| all.union(scopes));
    let policy = RegistrationPolicy {
        private_use_schemes: &state.parts.settings.private_use_schemes,
        scopes: &scopes,
    };
    let metadata = verify(&request, &policy)?;
    let now = state.parts.clock.now();
    let (client, secret) = registered(metadata, now, &*state.parts.rng);
    let stored = state.parts.store.insert_client(&client, now).await;
    stored.map_err(|error| answer::unavailable(&error))?;
    let response = RegistrationResponse {
        client: &client,
        secret: secret.as_ref(),
    };
    Ok(answer::secret_json(
        StatusCode::CREATED,
        &response.to_json(),
    ))
}
