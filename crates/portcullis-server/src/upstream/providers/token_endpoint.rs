//! A provider's token endpoint, asked with our own credentials: for a code, and for a refresh token.
//!
//! Where nobody says how our secret is sent, the form is tried, and the header after a refusal of the client; a refused client spends nothing, so that a second attempt finds it good.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use portcullis_base::Blame;
use portcullis_oauth::client::profile::SecretMethod;
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_oauth::client::ready::ReadyProvider;
use portcullis_oauth::client_auth::{client_id_alone, client_secret_basic, client_secret_post};
use portcullis_oauth::wire::token::granted::{TokenAnswer, read};
use portcullis_oauth::wire::token::{Refusal, TokenAnswerError};

use super::Providers;
use super::error::{AnswerProblem, Endpoint, ProviderError};
use super::exchange::Asked;
use crate::upstream::retry::asked_pause;

/// How token endpoints take our secret, as far as that had to be found out.
#[derive(Default)]
pub(super) struct KnownMethods(Mutex<HashMap<String, SecretMethod>>);

impl Providers {
    /// Asks for tokens, with our secret as the provider takes it.
    pub(super) async fn ask_for_tokens(
        &self,
        ready: &ReadyProvider,
        fields: &[(&'static str, &str)],
    ) -> Result<TokenAnswer, Unanswered> {
        let place = ready.token().as_url().as_str();
        let known = self.secret_method(ready);
        match known {
            Some(method) => self.attempt(ready, fields, method).await,
            None => match self.attempt(ready, fields, SecretMethod::Post).await {
                Err(Unanswered::Refused { refusal, .. }) if is_about_the_client(&refusal) => {
                    let basic = self.attempt(ready, fields, SecretMethod::Basic).await;
                    if basic.is_ok() {
                        self.methods.note(place, SecretMethod::Basic);
                    }
                    basic
                }
                outcome => outcome,
            },
        }
    }

    /// Returns how a provider takes our secret, where that is known.
    pub(super) fn secret_method(&self, ready: &ReadyProvider) -> Option<SecretMethod> {
        let place = ready.token().as_url().as_str();
        ready.secret_method().or_else(|| self.methods.find(place))
    }

    async fn attempt(
        &self,
        ready: &ReadyProvider,
        fields: &[(&'static str, &str)],
        method: SecretMethod,
    ) -> Result<TokenAnswer, Unanswered> {
        let provider = ready.provider();
        let profile = provider.profile();
        let asked = Asked {
            provider: provider.slug(),
            endpoint: Endpoint::Token,
            url: ready.token(),
        };
        let further = profile.token_parameters.iter();
        let further = further.map(|(name, value)| (name.as_str(), value.as_str()));
        let request = posted(&asked, provider, method, fields, further)?;
        let answer = asked.exchange(&self.http, request).await?;
        let retry_after = asked_pause(&answer.headers, self.clock.now());
        match read(answer.status.as_u16(), &answer.body, &profile.answer) {
            Ok(answer) => Ok(answer),
            Err(TokenAnswerError::Refused(refusal)) => {
                asked.log(&told(&refusal));
                Err(Unanswered::Refused {
                    refusal,
                    retry_after,
                })
            }
            Err(error) => Err(Unanswered::Failed {
                error: asked.useless(AnswerProblem::NoToken(error)),
                retry_after,
            }),
        }
    }
}

/// Makes a request that posts a form, with our secret.
pub(super) fn posted<'a>(
    asked: &Asked<'_>,
    provider: &ResolvedProvider,
    method: SecretMethod,
    fields: &[(&'static str, &'a str)],
    further: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Request<Full<Bytes>>, ProviderError> {
    let client = provider.client();
    let authentication = match (&client.secret, method) {
        (None, _) => client_id_alone(&client.id),
        (Some(secret), SecretMethod::Post) => client_secret_post(&client.id, secret),
        (Some(secret), SecretMethod::Basic) => client_secret_basic(&client.id, secret),
    };
    asked.form(fields.iter().copied(), Some(authentication), further)
}

/// Why one attempt brought nothing, and for how long the provider wants to be left alone.
pub(super) enum Unanswered {
    Refused {
        refusal: Refusal,
        retry_after: Option<Duration>,
    },
    Failed {
        error: ProviderError,
        retry_after: Option<Duration>,
    },
}

impl From<ProviderError> for Unanswered {
    fn from(error: ProviderError) -> Self {
        Self::Failed {
            error,
            retry_after: None,
        }
    }
}

/// Tells whether another way of sending our secret may help; narrower than for client credentials, since a code or a refresh token may be spent by then.
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
pub(in crate::upstream) fn told(refusal: &Refusal) -> String {
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
