//! A code redeemed for a person's tokens.
//!
//! Where nobody says how our secret is sent, the form is tried, and the header after a refusal of the client; a refused client redeems no code, so that a second attempt finds it good.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use portcullis_base::{Blame, Secret};
use portcullis_oauth::client::begin::{SignInPurpose, requested_scopes};
use portcullis_oauth::client::identity::Testimony;
use portcullis_oauth::client::profile::{IdentityWitness, SecretMethod};
use portcullis_oauth::client::ready::ReadyProvider;
use portcullis_oauth::client_auth::{
    ClientAuthentication, client_id_alone, client_secret_basic, client_secret_post,
};
use portcullis_oauth::issuer::person::ConnectionTokens;
use portcullis_oauth::scope::Scopes;
use portcullis_oauth::wire::token::granted::{AuthorizationCodeRequest, TokenAnswer, read};
use portcullis_oauth::wire::token::{Refusal, TokenAnswerError, form};

use super::Providers;
use super::error::{AnswerProblem, Endpoint, ProviderError};
use super::exchange::Asked;

/// A code, and the request that brought it.
#[derive(Clone, Copy, Debug)]
pub struct CodeRedemption<'a> {
    /// What the sign-in is for.
    pub purpose: SignInPurpose,
    /// The code.
    pub code: &'a Secret,
    /// The callback that it came to.
    pub redirect_uri: &'a str,
    /// The verifier of the request's challenge.
    pub verifier: &'a Secret,
    /// The scopes that the person approved, in our documents' words.
    pub scopes: &'a Scopes,
    /// The API that the token is for; sent only where the profile says so.
    pub resource: Option<&'a str>,
}

/// What a code brought.
#[derive(Clone, Debug)]
pub struct ProviderTokens {
    /// The tokens, to be kept where the sign-in is for calling the API.
    pub tokens: ConnectionTokens,
    /// The scopes that our own token may carry: those approved that the provider granted.
    pub granted: Scopes,
    pub(super) id_token: Option<Secret>,
    pub(super) from_answer: Option<Testimony>,
}

/// How token endpoints take our secret, as far as that had to be found out.
#[derive(Default)]
pub(super) struct KnownMethods(Mutex<HashMap<String, SecretMethod>>);

impl Providers {
    /// Redeems a code.
    ///
    /// # Errors
    ///
    /// When the provider refuses, cannot be reached, or answers without a token.
    pub async fn redeem_code(
        &self,
        ready: &ReadyProvider,
        redemption: &CodeRedemption<'_>,
    ) -> Result<ProviderTokens, ProviderError> {
        match self.present_code(ready, redemption).await {
            Ok(answer) => Ok(self.tokens(ready, redemption, answer)),
            Err(Unredeemed::Failed(error)) => Err(error),
            Err(Unredeemed::Refused(refusal)) => Err(refused(ready, &refusal)),
        }
    }

    /// Presents a code, with our secret as the provider takes it.
    pub(super) async fn present_code(
        &self,
        ready: &ReadyProvider,
        redemption: &CodeRedemption<'_>,
    ) -> Result<TokenAnswer, Unredeemed> {
        let place = ready.token().as_url().as_str();
        let known = ready.secret_method().or_else(|| self.methods.find(place));
        match known {
            Some(method) => self.attempt(ready, redemption, method).await,
            None => match self.attempt(ready, redemption, SecretMethod::Post).await {
                Err(Unredeemed::Refused(refusal)) if is_about_the_client(&refusal) => {
                    let basic = self.attempt(ready, redemption, SecretMethod::Basic).await;
                    if basic.is_ok() {
                        self.methods.note(place, SecretMethod::Basic);
                    }
                    basic
                }
                outcome => outcome,
            },
        }
    }

    async fn attempt(
        &self,
        ready: &ReadyProvider,
        redemption: &CodeRedemption<'_>,
        method: SecretMethod,
    ) -> Result<TokenAnswer, Unredeemed> {
        let provider = ready.provider();
        let profile = provider.profile();
        let asked = Asked {
            provider: provider.slug(),
            endpoint: Endpoint::Token,
            url: ready.token(),
        };
        let authentication = match (&provider.client().secret, method) {
            (None, _) => client_id_alone(&provider.client().id),
            (Some(secret), SecretMethod::Post) => client_secret_post(&provider.client().id, secret),
            (Some(secret), SecretMethod::Basic) => {
                client_secret_basic(&provider.client().id, secret)
            }
        };
        let (authorization, fields) = match authentication {
            ClientAuthentication::Header(value) => (Some(value), Vec::new()),
            ClientAuthentication::Form(fields) => (None, fields),
        };
        let request = AuthorizationCodeRequest {
            code: redemption.code,
            redirect_uri: redemption.redirect_uri,
            code_verifier: profile.pkce.then_some(redemption.verifier),
            resource: redemption.resource.filter(|_| profile.forward_resource),
        };
        let further = profile.token_parameters.iter();
        let further = further.map(|(name, value)| (name.as_str(), value.as_str()));
        let body = form(request.fields(), &fields, further);
        let body = Bytes::copy_from_slice(body.expose().as_bytes());
        let mut request = asked.request(body)?;
        *request.method_mut() = Method::POST;
        let headers = request.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        if let Some(authorization) = authorization {
            // Base64 after `Basic `, whatever the halves are.
            let mut value = HeaderValue::from_str(authorization.expose())
                .expect("Base64 consists of what a header can carry");
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        let answer = asked.exchange(&self.http, request).await?;
        match read(answer.status.as_u16(), &answer.body, &profile.answer) {
            Ok(answer) => Ok(answer),
            Err(TokenAnswerError::Refused(refusal)) => {
                asked.log(&told(&refusal));
                Err(Unredeemed::Refused(refusal))
            }
            Err(error) => Err(asked.useless(AnswerProblem::NoToken(error)).into()),
        }
    }

    fn tokens(
        &self,
        ready: &ReadyProvider,
        redemption: &CodeRedemption<'_>,
        answer: TokenAnswer,
    ) -> ProviderTokens {
        let profile = ready.provider().profile();
        let requested = requested_scopes(ready, redemption.purpose, redemption.scopes);
        let granted =
            profile
                .scopes
                .granted(redemption.scopes, &requested, answer.scope.as_deref());
        let sources = profile.identity.iter();
        let mut sources = sources.filter(|source| source.from == IdentityWitness::TokenAnswer);
        let now = self.clock.now();
        ProviderTokens {
            granted: match redemption.purpose {
                // The API takes other credentials, of which the provider knows nothing.
                SignInPurpose::Identity => redemption.scopes.clone(),
                SignInPurpose::Tokens => granted.ours,
            },
            from_answer: sources
                .find_map(|source| Testimony::read(source, answer.members.expose())),
            id_token: answer.id_token,
            tokens: ConnectionTokens {
                access: answer.access_token,
                refresh: answer.refresh_token,
                expires_at: answer.expires_in.map(|lifetime| now.after(lifetime)),
                scopes: granted.theirs,
            },
        }
    }
}

/// Why one attempt brought nothing.
pub(super) enum Unredeemed {
    Refused(Refusal),
    Failed(ProviderError),
}

impl From<ProviderError> for Unredeemed {
    fn from(error: ProviderError) -> Self {
        Self::Failed(error)
    }
}

/// Tells whether another way of sending our secret may help; narrower than for client credentials, since a code may be spent by then.
fn is_about_the_client(refusal: &Refusal) -> bool {
    refusal.status == 401 || refusal.error == "invalid_client"
}

pub(super) fn refused(ready: &ReadyProvider, refusal: &Refusal) -> ProviderError {
    let provider = ready.provider();
    let hint = provider.profile().hint(&refusal.error);
    let advice = hint.unwrap_or(match refusal.error.as_str() {
        "invalid_client" => "compare `client_id` and the client secret with those at the provider",
        "invalid_grant" => "the code was used already or is too old; begin again",
        "invalid_scope" => "the provider knows other scopes",
        "redirect_uri_mismatch" => "enter the gateway's callback at the provider, letter by letter",
        _ => "what it said is in the gateway's log",
    });
    ProviderError::Refused {
        provider: provider.slug().clone(),
        code: refusal.known_code().unwrap_or("an error of its own"),
        advice: advice.to_owned(),
        blame: if refusal.is_about_the_client() {
            Blame::Operator
        } else {
            Blame::Upstream
        },
    }
}

/// Says for the log what the provider said: its code, and the number of the error where its text has one.
///
/// The rest of the text is the provider's and may name people, so that it goes nowhere.
fn told(refusal: &Refusal) -> String {
    let is_code = |text: &str| {
        let lawful = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        text.len() <= 64 && text.bytes().all(lawful)
    };
    let code = Some(refusal.error.as_str()).filter(|text| is_code(text));
    let code = code.unwrap_or("an error of its own");
    let text = refusal.error_description.as_deref().unwrap_or_default();
    let status = refusal.status;
    match error_number(text) {
        Some(number) => format!("status {status}, {code}, {number}"),
        None => format!("status {status}, {code}"),
    }
}

/// Finds what support asks for: capitals and then digits, such as `AADSTS50011`.
fn error_number(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .find(|word| {
            let digits = word.trim_start_matches(|c: char| c.is_ascii_uppercase());
            let capitals = word.len() - digits.len();
            capitals >= 3
                && (3..=9).contains(&digits.len())
                && digits.bytes().all(|digit| digit.is_ascii_digit())
        })
}

impl KnownMethods {
    fn find(&self, place: &str) -> Option<SecretMethod> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(place).copied()
    }

    fn note(&self, place: &str, method: SecretMethod) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(place.to_owned(), method);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(error: &str, description: &str) -> String {
        told(&Refusal {
            status: 400,
            error: error.to_owned(),
            error_description: Some(description.to_owned()),
            error_uri: None,
        })
    }

    #[test]
    fn c_22_the_log_gets_code_and_number_and_none_of_the_providers_text() {
        assert_eq!(
            logged(
                "invalid_client",
                "AADSTS7000215: ann@example.com has a bad secret"
            ),
            "status 400, invalid_client, AADSTS7000215"
        );
        assert_eq!(
            logged("<b>ann@example.com</b>", "code pc_ac_x SECRET"),
            "status 400, an error of its own"
        );
    }
}
