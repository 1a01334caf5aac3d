//! Stands where the API is, keeps the last request, and has Prism judge it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Serialize, Serializer};
use serde_json::json;
use tokio::net::TcpListener;

use super::prism::Prism;
use crate::provider::json_answer;

/// A request that arrived, and what Prism said of it.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Recorded {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    #[serde(serialize_with = "base64")]
    pub(super) body: Bytes,
    /// What Prism found.
    pub(super) violations: Vec<String>,
    /// Whether Prism refuses a JSON body that no object's schema allows; nothing where there was no such body.
    pub(super) judges_bodies: Option<bool>,
}

impl Recorded {
    pub(super) fn header(&self, name: &HeaderName) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(it, _)| it == name.as_str());
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn has_json(&self) -> bool {
        let kind = self.header(&header::CONTENT_TYPE);
        kind.is_some_and(|it| it.contains("json"))
    }
}

/// What arrived last.
#[derive(Clone, Default)]
pub(super) struct Recorder {
    last: Arc<Mutex<Option<Recorded>>>,
}

impl Recorder {
    /// Serves on a port of loopback.
    pub(super) async fn serve(port: u16, prism: Option<Prism>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .with_context(|| format!("port {port} cannot be listened at"))?;
        let recorder = Self::default();
        let serving = recorder.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let recorder = serving.clone();
                let service = service_fn(move |request| {
                    let recorder = recorder.clone();
                    async move { Ok::<_, Infallible>(recorder.answer(request, prism).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(recorder)
    }

    /// Takes what arrived since the call before.
    pub(super) fn last(&self) -> Option<Recorded> {
        self.last.lock().ok()?.take()
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        prism: Option<Prism>,
    ) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return json_answer(StatusCode::BAD_REQUEST, &json!({})),
        };
        let target = parts.uri.path_and_query().map_or("/", |it| it.as_str());
        let mut recorded = Recorded {
            method: parts.method.to_string(),
            target: target.to_owned(),
            headers: readable(&parts.headers),
            body,
            ..Recorded::default()
        };
        if let Some(prism) = prism {
            prism.judge(&mut recorded).await;
        }
        if let Ok(mut last) = self.last.lock() {
            *last = Some(recorded);
        }
        json_answer(StatusCode::OK, &json!({}))
    }
}

fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.to_string(), value)
    };
    headers.iter().map(pair).collect()
}

fn base64<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}
