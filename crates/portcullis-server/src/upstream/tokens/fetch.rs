//! One request to a token endpoint, or two where it must be found out how the client authenticates.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use portcullis_base::{Blame, Rng, Secret, Timestamp};
use portcullis_oauth::client_auth::{
    AssertionKey, ClientAuthMethod, ClientAuthentication, client_secret_basic, client_secret_post,
    private_key_jwt,
};
use portcullis_oauth::wire::token::{
    ClientCredentialsRequest, IssuedToken, TokenAnswerError, read_answer,
};
use tokio::time::timeout;

use super::{TokenError, asked_pause};
use crate::upstream::credentials::{ChosenBy, ClientGrant, ClientProof};
use crate::upstream::form;
use crate::upstream::http::{Http, HttpError};
use crate::upstream::redact::Redactor;

/// The time for one answer.
const TIME: Duration = Duration::from_secs(15);

/// The largest answer that is read.
const MAX_BYTES: usize = 64 * 1024;

/// The entropy of an assertion's `jti`, in bytes.
const JTI_BYTES: usize = 16;

/// A token, and how the client authenticated to get it.
pub(super) struct Fetched {
    pub(super) token: IssuedToken,
    pub(super) method: ClientAuthMethod,
}

/// Why there is none, and how long the provider wants to be left alone.
pub(super) struct Failed {
    pub(super) error: TokenError,
    pub(super) retry_after: Option<Duration>,
}

/// Fetches a token.
///
/// Where neither the operator nor an earlier answer says how the client authenticates, it is `client_secret_post`, and `client_secret_basic` after a refusal that may be about that.
pub(super) async fn fetch(
    http: &Http,
    grant: &ClientGrant<'_>,
    known: Option<ClientAuthMethod>,
    now: Timestamp,
    rng: &dyn Rng,
) -> Result<Fetched, Failed> {
    let attempt = |method| attempt(http, grant, method, now, rng);
    let configured = match grant.proof {
        ClientProof::Secret { method, .. } => method,
        ClientProof::PrivateKey(_) => Some(ClientAuthMethod::PrivateKeyJwt),
    };
    let post = ClientAuthMethod::ClientSecretPost;
    let refused = match configured.or(known) {
        Some(method) => return attempt(method).await.map_err(|failed| failed.report(grant)),
        None => match attempt(post).await {
            Err(failed) if failed.is_about_the_client() => failed,
            outcome => return outcome.map_err(|failed| failed.report(grant)),
        },
    };
    let basic = attempt(ClientAuthMethod::ClientSecretBasic).await;
    basic.map_err(|failed| {
        if failed.is_about_the_client() {
            refused.log(grant);
        }
        failed.report(grant)
    })
}

/// What came of one request that brought no token.
struct Unanswered {
    cause: Cause,
    method: ClientAuthMethod,
    retry_after: Option<Duration>,
}

enum Cause {
    Assertion(String),
    Http(HttpError),
    Time,
    Answer(TokenAnswerError),
}

async fn attempt(
    http: &Http,
    grant: &ClientGrant<'_>,
    method: ClientAuthMethod,
    now: Timestamp,
    rng: &dyn Rng,
) -> Result<Fetched, Unanswered> {
    let failed = |cause| Unanswered {
        cause,
        method,
        retry_after: None,
    };
    let authentication = authenticate(grant, method, now, rng).map_err(failed)?;
    let request = request(grant, authentication).map_err(failed)?;
    let answer = timeout(TIME, http.exchange(request, MAX_BYTES))
        .await
        .map_err(|_| failed(Cause::Time))?
        .map_err(|error| failed(Cause::Http(error)))?;
    match read_answer(answer.status.as_u16(), &answer.body) {
        Ok(token) => Ok(Fetched { token, method }),
        Err(error) => Err(Unanswered {
            cause: Cause::Answer(error),
            method,
            retry_after: asked_pause(&answer.headers, now),
        }),
    }
}

fn authenticate(
    grant: &ClientGrant<'_>,
    method: ClientAuthMethod,
    now: Timestamp,
    rng: &dyn Rng,
) -> Result<ClientAuthentication, Cause> {
    let id = grant.client_id.expose();
    match (grant.proof, method) {
        (ClientProof::Secret { secret, .. }, ClientAuthMethod::ClientSecretBasic) => {
            Ok(client_secret_basic(id, secret))
        }
        (ClientProof::Secret { secret, .. }, _) => Ok(client_secret_post(id, secret)),
        (ClientProof::PrivateKey(pem), _) => {
            let settings = grant.settings;
            let key = AssertionKey {
                pem,
                algorithm: settings.and_then(|settings| settings.signing_algorithm.as_deref()),
                key_id: settings.and_then(|settings| settings.key_id.as_deref()),
            };
            let mut jti = [0; JTI_BYTES];
            rng.fill(&mut jti);
            let audience = grant.token_url.as_url().as_str();
            private_key_jwt(id, key, audience, &URL_SAFE_NO_PAD.encode(jti), now)
                .map_err(|error| Cause::Assertion(error.to_string()))
        }
    }
}

fn request(
    grant: &ClientGrant<'_>,
    authentication: ClientAuthentication,
) -> Result<Request<Full<Bytes>>, Cause> {
    let settings = grant.settings;
    let asked = ClientCredentialsRequest {
        scope: Some(&grant.scope),
        audience: grant.audience,
        resource: settings.and_then(|settings| settings.resource.as_deref()),
    };
    let further = settings
        .into_iter()
        .flat_map(|settings| &settings.parameters);
    let further = further.map(|(name, value)| (name.as_str(), value.as_str()));
    let request = form::post(
        &grant.token_url,
        asked.fields(),
        Some(authentication),
        further,
    );
    request.map_err(|_| Cause::Http(HttpError::Connect("the URL is too long".to_owned())))
}

impl Unanswered {
    fn is_about_the_client(&self) -> bool {
        matches!(&self.cause, Cause::Answer(TokenAnswerError::Refused(refusal)) if refusal.is_about_the_client())
    }

    /// Writes the whole reason into the log, and returns what the caller may know of it.
    fn report(self, grant: &ClientGrant<'_>) -> Failed {
        self.log(grant);
        let scheme = grant.scheme.to_owned();
        let blame = match grant.chosen_by {
            ChosenBy::Operator => Blame::Operator,
            ChosenBy::Caller => Blame::Caller,
        };
        let error = match self.cause {
            Cause::Assertion(reason) => TokenError::Assertion { scheme, reason },
            Cause::Http(HttpError::Refused(refusal)) if blame == Blame::Operator => {
                TokenError::NotAllowed { scheme, refusal }
            }
            // What is at an address that a caller chose is the same to him, whatever it is.
            Cause::Http(_) | Cause::Time => TokenError::Unreachable {
                scheme,
                blame: match grant.chosen_by {
                    ChosenBy::Operator => Blame::Upstream,
                    ChosenBy::Caller => Blame::Caller,
                },
            },
            Cause::Answer(TokenAnswerError::Refused(refusal)) => TokenError::Refused {
                scheme,
                code: refusal.known_code().unwrap_or("an error of its own"),
                blame,
            },
            Cause::Answer(_) => TokenError::Answer { scheme },
        };
        Failed {
            error,
            retry_after: self.retry_after,
        }
    }

    fn log(&self, grant: &ClientGrant<'_>) {
        let proof = match grant.proof {
            ClientProof::Secret { secret, .. } => secret,
            ClientProof::PrivateKey(key) => key,
        };
        let basic = match client_secret_basic(grant.client_id.expose(), proof) {
            ClientAuthentication::Header(value) => value
                .expose()
                .strip_prefix("Basic ")
                .map(|pair| Secret::new(pair.to_owned())),
            ClientAuthentication::Form(_) => None,
        };
        let redactor = Redactor::new([proof].into_iter().chain(&basic));
        let cause = redactor.redact_text(match &self.cause {
            Cause::Assertion(reason) => reason.clone(),
            Cause::Http(error) => error.to_string(),
            Cause::Time => format!("no answer within {} s", TIME.as_secs()),
            Cause::Answer(TokenAnswerError::Refused(refusal)) => {
                let description = refusal.error_description.as_deref().unwrap_or_default();
                let uri = refusal.error_uri.as_deref().unwrap_or_default();
                format!("{refusal}: {description:?} {uri:?}")
            }
            Cause::Answer(error) => error.to_string(),
        });
        tracing::warn!(
            scheme = grant.scheme,
            token_url = %grant.token_url,
            method = ?self.method,
            cause,
            "no token by client credentials"
        );
    }
}
