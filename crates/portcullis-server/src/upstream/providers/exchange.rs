//! One exchange with a provider: sent, bounded in time and size, and its failure told twice, whole in the log and in safe words outside.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Uri, header};
use http_body_util::Full;
use portcullis_base::{SafeUrl, Secret, Slug};
use portcullis_oauth::client_auth::ClientAuthentication;
use tokio::time::timeout;

use super::error::{AnswerProblem, Endpoint, ProviderError};
use crate::upstream::form;
use crate::upstream::http::{Http, HttpAnswer, HttpError};

/// The time for one answer.
const TIME: Duration = Duration::from_secs(10);

/// The largest answer that is read: keys come with their certificates, lists with all that there is to say of an item.
const MAX_BYTES: usize = 256 * 1024;

/// Who is asked for what.
#[derive(Clone, Copy)]
pub(in crate::upstream) struct Asked<'a> {
    pub(in crate::upstream) provider: &'a Slug,
    pub(in crate::upstream) endpoint: Endpoint,
    pub(in crate::upstream) url: &'a SafeUrl,
}

impl Asked<'_> {
    /// Fetches a document, be it with a person's token.
    pub(in crate::upstream) async fn document(
        &self,
        http: &Http,
        bearer: Option<&Secret>,
    ) -> Result<Vec<u8>, ProviderError> {
        let request = match bearer {
            Some(token) => self.bearing(token)?,
            None => self.request(Bytes::new())?,
        };
        let answer = self.exchange(http, request).await?;
        let status = answer.status.as_u16();
        match status {
            200 => Ok(answer.body),
            300..=399 => Err(self.useless(AnswerProblem::Redirect(status))),
            _ => Err(self.useless(AnswerProblem::Status(status))),
        }
    }

    /// Begins a request that bears a token.
    pub(in crate::upstream) fn bearing(
        &self,
        token: &Secret,
    ) -> Result<Request<Full<Bytes>>, ProviderError> {
        let mut request = self.request(Bytes::new())?;
        let value = HeaderValue::try_from(format!("Bearer {}", token.expose()));
        let mut value = value.map_err(|_| self.unreachable("the token fits no header"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, value);
        Ok(request)
    }

    /// Begins a request; whatever it is, JSON is wanted.
    pub(in crate::upstream) fn request(
        &self,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, ProviderError> {
        let uri = Uri::try_from(self.url.as_url().as_str());
        let uri = uri.map_err(|_| self.unreachable("the URL is too long"))?;
        let mut request = Request::new(Full::new(body));
        *request.uri_mut() = uri;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::ACCEPT, json);
        Ok(request)
    }

    /// Makes a form of fields, our own credentials and further parameters.
    pub(in crate::upstream) fn form<'a>(
        &self,
        fields: impl IntoIterator<Item = (&'static str, &'a str)>,
        authentication: Option<ClientAuthentication>,
        further: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Request<Full<Bytes>>, ProviderError> {
        let request = form::post(self.url, fields, authentication, further);
        request.map_err(|_| self.unreachable("the URL is too long"))
    }

    /// Sends a request and reads the whole answer.
    pub(in crate::upstream) async fn exchange(
        &self,
        http: &Http,
        request: Request<Full<Bytes>>,
    ) -> Result<HttpAnswer, ProviderError> {
        let answer = match timeout(TIME, http.exchange(request, MAX_BYTES)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(HttpError::Refused(refusal))) => {
                self.log(&refusal.to_string());
                return Err(ProviderError::NotAllowed {
                    provider: self.provider.clone(),
                    endpoint: self.endpoint,
                    refusal,
                });
            }
            Ok(Err(error)) => return Err(self.unreachable(&error.to_string())),
            Err(_) => {
                let cause = format!("no answer within {} s", TIME.as_secs());
                return Err(self.unreachable(&cause));
            }
        };
        if answer.truncated_at.is_some() {
            return Err(self.useless(AnswerProblem::TooLarge(MAX_BYTES)));
        }
        Ok(answer)
    }

    /// Tells that there is no answer.
    fn unreachable(&self, cause: &str) -> ProviderError {
        self.log(cause);
        ProviderError::Unreachable {
            provider: self.provider.clone(),
            endpoint: self.endpoint,
            reason: cause.to_owned(),
        }
    }

    /// Tells that an answer is of no use.
    pub(in crate::upstream) fn useless(&self, problem: AnswerProblem) -> ProviderError {
        self.log(&problem.to_string());
        ProviderError::Answer {
            provider: self.provider.clone(),
            endpoint: self.endpoint,
            problem,
        }
    }

    /// Writes the whole reason into the log; it holds no secret, for the caller took out what may be one.
    pub(in crate::upstream) fn log(&self, cause: &str) {
        tracing::warn!(
            upstream.provider = %self.provider,
            endpoint = self.endpoint.as_str(),
            url = %self.url,
            cause,
            "a provider did not answer as it should"
        );
    }
}
