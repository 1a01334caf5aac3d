//! What the endpoints that clients speak to have in common: a form, the client that authenticates in it, and how a failure is told.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};
use portcullis_oauth::issuer::authenticate::{
    ClientRefused, PresentedClient, authenticate, present,
};
use portcullis_oauth::issuer::client::Client;
use portcullis_oauth::issuer::grant::StoredToken;
use portcullis_oauth::wire::error::{OAuthError, OAuthErrorCode};
use portcullis_oauth::wire::form::Parameters;
use portcullis_oauth::wire::presented::PresentedToken;
use portcullis_store::StoreError;

use super::{IssuerState, answer};
use crate::http::body;
use crate::http::request_log::Particulars;

/// A request of a client that is who it says.
pub(super) struct ClientRequest {
    pub(super) parameters: Parameters,
    pub(super) presented: PresentedClient,
    pub(super) client: Client,
}

/// Why a client does not get what it asks for.
pub(super) enum Failure {
    Client(ClientRefused),
    /// What the client is told, and what the log says.
    Refused(OAuthError, String),
    Store(StoreError),
}

impl From<ClientRefused> for Failure {
    fn from(error: ClientRefused) -> Self {
        Self::Client(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<OAuthError> for Failure {
    fn from(error: OAuthError) -> Self {
        Self::Refused(error, error.to_string())
    }
}

impl Failure {
    /// Tells the client, and the log.
    pub(super) fn answer(self, particulars: &Particulars) -> Response {
        match self {
            Self::Refused(error, cause) => {
                particulars.cause(&cause);
                answer::error(error)
            }
            Self::Client(error) => {
                particulars.cause(&error.to_string());
                let mut response = answer::error(error.outward());
                if let Some(challenge) = error.challenge() {
                    let value = HeaderValue::from_static(challenge);
                    response
                        .headers_mut()
                        .insert(header::WWW_AUTHENTICATE, value);
                }
                response
            }
            Self::Store(error) => {
                particulars.blame(error.blame());
                let told = answer::unavailable(&error);
                particulars.cause(told.description);
                answer::error(told)
            }
        }
    }
}

impl ClientRequest {
    /// Reads a form, and authenticates the client that sent it.
    pub(super) async fn read(
        state: &IssuerState,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Self, Failure> {
        let parameters = form(state, headers, body).await?;
        let authorization = headers.get_all(header::AUTHORIZATION).iter();
        let presented = present(authorization.map(HeaderValue::as_bytes), &parameters)?;
        let mut found = None;
        for id in presented.ids() {
            found = state.parts.store.client(id).await?;
            if found.is_some() {
                break;
            }
        }
        authenticate(&presented, found.as_ref())?;
        let client = found.expect("only a client that was found authenticates");
        state
            .parts
            .store
            .touch_client(&client.id, state.parts.clock.now());
        Ok(Self {
            parameters,
            presented,
            client,
        })
    }

    /// Looks up the token that the request is about.
    pub(super) async fn token(&self, state: &IssuerState) -> Result<Option<StoredToken>, Failure> {
        let store = &state.parts.store;
        Ok(match PresentedToken::read(&self.parameters)? {
            PresentedToken::Access(token) => {
                let row = store.access_token(&token.digest()).await?;
                row.map(StoredToken::Access)
            }
            PresentedToken::Refresh(token) => {
                let row = store.refresh_token(&token.digest()).await?;
                row.map(StoredToken::Refresh)
            }
            PresentedToken::Foreign => None,
        })
    }
}

async fn form(
    state: &IssuerState,
    headers: &HeaderMap,
    body: Body,
) -> Result<Parameters, OAuthError> {
    let invalid = |description| OAuthError::new(OAuthErrorCode::InvalidRequest, description);
    if !body::is_declared_as(headers, "application/x-www-form-urlencoded") {
        return Err(invalid(
            "the body must be declared as application/x-www-form-urlencoded",
        ));
    }
    let bytes = body::collect(body, state.parts.body_limits)
        .await
        .map_err(|_| invalid("the body is too large, too slow or broke off"))?;
    Ok(Parameters::read(&bytes)?)
}
