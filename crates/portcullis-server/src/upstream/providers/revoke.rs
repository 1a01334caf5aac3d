//! A token of a person's that a provider is asked to revoke: as RFC 7009 has it, or as its profile says.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Full;
use portcullis_base::Secret;
use portcullis_oauth::client::profile::{RevocationRequest, SecretMethod};
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_oauth::client::ready::ReadyProvider;
use portcullis_oauth::client_auth::{ClientAuthentication, client_secret_basic};
use serde_json::{Value, json};

use super::Providers;
use super::error::{AnswerProblem, Endpoint, ProviderError};
use super::exchange::Asked;
use super::token_endpoint::posted;
use crate::upstream::form::basic;
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
        let answer = match &provider.profile().revocation {
            RevocationRequest::Form => self.post(&asked, ready, token, hint).await?,
            // Nothing but access tokens can be named there.
            RevocationRequest::Delete(_) if hint != "access_token" => return Ok(false),
            RevocationRequest::Delete(member) => {
                let request = deletion(&asked, provider, member, token)?;
                let answer = asked.exchange(&self.http, request).await?;
                if answer.status == StatusCode::NOT_FOUND {
                    return Ok(true);
                }
                answer
            }
        };
        if is_gone(&answer) {
            return Ok(true);
        }
        Err(asked.useless(AnswerProblem::Status(answer.status.as_u16())))
    }

    async fn post(
        &self,
        asked: &Asked<'_>,
        ready: &ReadyProvider,
        token: &Secret,
        hint: &'static str,
    ) -> Result<HttpAnswer, ProviderError> {
        let fields = [("token", token.expose()), ("token_type_hint", hint)];
        let ask = async |method| {
            let request = posted(asked, ready.provider(), method, &fields, [])?;
            asked.exchange(&self.http, request).await
        };
        let known = self.secret_method(ready);
        let answer = ask(known.unwrap_or(SecretMethod::Post)).await?;
        if known.is_none() && answer.status == StatusCode::UNAUTHORIZED {
            return ask(SecretMethod::Basic).await;
        }
        Ok(answer)
    }
}

/// Makes a request as GitHub takes it.
fn deletion(
    asked: &Asked<'_>,
    provider: &ResolvedProvider,
    member: &str,
    token: &Secret,
) -> Result<Request<Full<Bytes>>, ProviderError> {
    let body = json!({ member: token.expose() }).to_string();
    let mut request = asked.request(Bytes::from(body))?;
    *request.method_mut() = Method::DELETE;
    let headers = request.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    let client = provider.client();
    if let Some(secret) = &client.secret
        && let ClientAuthentication::Header(value) = client_secret_basic(&client.id, secret)
    {
        headers.insert(header::AUTHORIZATION, basic(&value));
    }
    Ok(request)
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
    answer.status == StatusCode::BAD_REQUEST
        && matches!(
            error,
            Some("invalid_token" | "invalid_grant" | "unsupported_token_type")
        )
}
