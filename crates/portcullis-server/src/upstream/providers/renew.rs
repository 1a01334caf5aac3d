//! A refresh token traded for a person's next tokens.
//!
//! Tells apart what ends a connection from what does not: only the provider's word that the token is good no more does.

use std::time::Duration;

use portcullis_base::{Secret, Timestamp};
use portcullis_oauth::client::ready::ReadyProvider;
use portcullis_oauth::issuer::person::ConnectionTokens;
use portcullis_oauth::scope::Scopes;
use portcullis_oauth::wire::token::granted::RefreshTokenRequest;
use thiserror::Error;

use super::Providers;
use super::error::ProviderError;
use super::token_endpoint::{Unanswered, refused};

/// What providers say where only the person can help: RFC 6749 §5.2, OpenID Connect Core §3.1.2.6 (Entra says these at its token endpoint), and GitHub's own.
const ENDED: [&str; 5] = [
    "invalid_grant",
    "interaction_required",
    "login_required",
    "consent_required",
    "bad_refresh_token",
];

/// Why there are no next tokens.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RenewalError {
    /// The provider honours the refresh token no more (RFC 6749 §5.2, `invalid_grant`).
    #[error("the provider does not honour the refresh token any more")]
    Ended,
    /// Another time it may; what we have stays.
    #[error("{error}")]
    Later {
        /// Why not now.
        error: ProviderError,
        /// For how long the provider wants to be left alone.
        retry_after: Option<Duration>,
    },
}

impl Providers {
    /// Trades a refresh token; `held` are the scopes that the connection has, in the provider's words.
    ///
    /// # Errors
    ///
    /// When the provider gives no tokens.
    pub async fn renew(
        &self,
        ready: &ReadyProvider,
        refresh_token: &Secret,
        held: &Scopes,
    ) -> Result<ConnectionTokens, RenewalError> {
        // Neither scopes nor a resource: what the person granted holds on, and some providers refuse both here.
        let request = RefreshTokenRequest {
            refresh_token,
            scope: None,
            resource: None,
        };
        let fields: Vec<_> = request.fields().collect();
        let answer = match self.ask_for_tokens(ready, &fields).await {
            Ok(answer) => answer,
            Err(Unanswered::Refused { refusal, .. }) if ENDED.contains(&refusal.error.as_str()) => {
                return Err(RenewalError::Ended);
            }
            Err(Unanswered::Refused {
                refusal,
                retry_after,
            }) => {
                let error = refused(ready, &refusal);
                return Err(RenewalError::Later { error, retry_after });
            }
            Err(Unanswered::Failed { error, retry_after }) => {
                return Err(RenewalError::Later { error, retry_after });
            }
        };
        let now: Timestamp = self.clock.now();
        let scopes = answer.scope.as_deref().and_then(|told| {
            let separator = &ready.provider().profile().scopes.answer_separator;
            Scopes::parse(&told.replace(separator.as_str(), " ")).ok()
        });
        Ok(ConnectionTokens {
            access: answer.access_token,
            refresh: answer.refresh_token,
            expires_at: answer.expires_in.map(|life| now.after(life)),
            // Who says nothing of scopes has not changed them (RFC 6749 §5.1).
            scopes: scopes.unwrap_or_else(|| held.clone()),
        })
    }
}
