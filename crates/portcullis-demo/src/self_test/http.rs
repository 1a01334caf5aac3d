//! Requests of the client and of the browser, one at a time: nothing follows a redirect by itself.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, StatusCode, redirect};
use serde_json::Value;

/// How a form is written.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// An answer, read whole.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Reads a JSON document that was answered with `status`.
    pub(super) fn json(&self, status: StatusCode) -> anyhow::Result<Value> {
        ensure!(
            self.status == status,
            "{} instead of {status}: {}",
            self.status,
            self.text
        );
        serde_json::from_str(&self.text).context("the answer is not JSON")
    }
}

/// Sends requests.
#[derive(Clone)]
pub(super) struct Http(Client);

impl Http {
    #[expect(
        clippy::disallowed_methods,
        reason = "the demo is no part of the released program"
    )]
    pub(super) fn new() -> anyhow::Result<Self> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(5))
            .build()?;
        Ok(Self(client))
    }

    pub(super) async fn get(&self, url: &str, headers: HeaderMap) -> anyhow::Result<Answer> {
        let request = self.0.request(Method::GET, url).headers(headers).build()?;
        self.execute(request).await
    }

    /// Posts a body of the media type `kind`.
    pub(super) async fn post(
        &self,
        url: &str,
        kind: &'static str,
        body: String,
        headers: HeaderMap,
    ) -> anyhow::Result<Answer> {
        let request = self.0.request(Method::POST, url).headers(headers);
        let request = request.header(CONTENT_TYPE, kind).body(body).build()?;
        self.execute(request).await
    }

    async fn execute(&self, request: reqwest::Request) -> anyhow::Result<Answer> {
        let what = format!("{} {}", request.method(), request.url());
        let response = self
            .0
            .execute(request)
            .await
            .with_context(|| what.clone())?;
        Ok(Answer {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.context(what)?,
        })
    }
}

/// Writes a form.
pub(super) fn form<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    form.finish()
}
