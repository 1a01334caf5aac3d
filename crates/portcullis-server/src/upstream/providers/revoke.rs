//! A token of a person's that a provider is asked to revoke (RFC 7009).

use portcullis_base::Secret;
use portcullis_oauth::client::profile::SecretMethod;
use portcullis_oauth::client::ready::ReadyProvider;
use serde_json::Value;

use super::Providers;
use super::error::{AnswerProblem, Endpoint, ProviderError};
use super::exchange::Asked;
use super::token_endpoint::posted;
use crate::upstream::http::HttpAnswer;

impl Providers {
    /// Asks a provider to revoke a token; `hint` is what RFC 7009 §2.1 calls it.
    ///
    /// Gives `false` where the provider has no endpoint for that.
    ///
    /// # Errors
    ///
    /// When it cannot be told that the token is good no more.
    pub async fn revoke(
        &self,
        ready: &ReadyProvider,
        token: &Secret,
        hint: &'static str,
    ) -> Result<bool, ProviderError> {
        let provider = ready.provider();
        let Some(url) = ready.revocation() else {
            return Ok(false);
        };
        let asked = Asked {
            provider: provider.slug(),
            endpoint: Endpoint::Revocation,
            url,
        };
        let fields = [("token", token.expose()), ("token_type_hint", hint)];
        let ask = async |method| {
            let request = posted(&asked, provider, method, &fields, [])?;
            asked.exchange(&self.http, request).await
        };
        let known = self.secret_method(ready);
        let mut answer = ask(known.unwrap_or(SecretMethod::Post)).await?;
        if known.is_none() && answer.status == http::StatusCode::UNAUTHORIZED {
            answer = ask(SecretMethod::Basic).await?;
        }
        if is_gone(&answer) {
            return Ok(true);
        }
        Err(asked.useless(AnswerProblem::Status(answer.status.as_u16())))
    }
}

/// Tells whether the token is good no more, as far as the provider can say.
///
/// By RFC 7009 §2.2 "invalid tokens do not cause an error response", but at some providers they do; and what a provider does not revoke at all it is not asked for again.
fn is_gone(answer: &HttpAnswer) -> bool {
    if answer.status.is_success() {
        return true;
    }
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let error = body.as_ref().and_then(|body| body.get("error")?.as_str());
    answer.status == http::StatusCode::BAD_REQUEST
        && matches!(
            error,
            Some("invalid_token" | "invalid_grant" | "unsupported_token_type")
        )
}
