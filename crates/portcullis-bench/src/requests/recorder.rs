//! Stands where the API is, keeps the last request, and has Prism judge it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::load;
use crate::provider::json_answer;

/// Headers that are a matter between two neighbours.
const OF_THE_WAY: [header::HeaderName; 3] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::HOST];

/// How long Prism may take for a request.
const PATIENCE: Duration = Duration::from_secs(5);

/// A request that arrived, and what Prism said of it.
#[derive(Clone, Serialize)]
pub(super) struct Recorded {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    /// In Base64.
    body: String,
    /// What Prism found.
    violations: Vec<String>,
    /// Whether Prism refuses a JSON body that no object's schema allows; nothing where there was no such body.
    judges_bodies: Option<bool>,
}

/// What arrived last.
#[derive(Clone, Default)]
pub(super) struct Recorder {
    last: Arc<Mutex<Option<Recorded>>>,
}

impl Recorder {
    /// Serves on a port of loopback.
    pub(super) async fn serve(port: u16, prism: Option<u16>) -> anyhow::Result<Self> {
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
        prism: Option<u16>,
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
            body: STANDARD.encode(&body),
            violations: Vec::new(),
            judges_bodies: None,
        };
        if let Some(port) = prism {
            let judge = Prism {
                port,
                method: parts.method,
                target: target.to_owned(),
                headers: parts.headers,
            };
            recorded.violations = judge.violations(body.clone()).await;
            if judge.has_json() && body.starts_with(b"{") {
                let found = judge.violations(Bytes::from_static(b"7")).await;
                recorded.judges_bodies = Some(!found.is_empty());
            }
        }
        if let Ok(mut last) = self.last.lock() {
            *last = Some(recorded);
        }
        json_answer(StatusCode::OK, &json!({}))
    }
}

fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let pair = |(name, value): (&header::HeaderName, &HeaderValue)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.to_string(), value)
    };
    headers.iter().map(pair).collect()
}

/// A request to be judged by Prism.
struct Prism {
    port: u16,
    method: Method,
    target: String,
    headers: HeaderMap,
}

impl Prism {
    fn has_json(&self) -> bool {
        let kind = self.headers.get(header::CONTENT_TYPE);
        kind.and_then(|it| it.to_str().ok())
            .is_some_and(|it| it.contains("json"))
    }

    /// Returns what Prism finds; that it does not answer counts too.
    async fn violations(&self, body: Bytes) -> Vec<String> {
        match timeout(PATIENCE, self.ask(body)).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => vec![format!("Prism does not answer: {error:#}")],
            Err(_) => vec![format!("Prism does not answer in {PATIENCE:?}")],
        }
    }

    async fn ask(&self, body: Bytes) -> anyhow::Result<Vec<String>> {
        let address = format!("127.0.0.1:{}", self.port);
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.target)
            .header(header::HOST, &address);
        for (name, value) in &self.headers {
            let is_length = name == header::CONTENT_LENGTH;
            if !is_length && !OF_THE_WAY.contains(name) {
                request = request.header(name, value);
            }
        }
        let mut wire = load::connect(&address).await?;
        let answer = wire.send_request(request.body(Full::from(body))?).await?;
        let mut found = Vec::new();
        if let Some(header) = answer.headers().get("sl-violations") {
            let violations: Vec<Value> = serde_json::from_slice(header.as_bytes())?;
            // A warning is that something is deprecated.
            let is_fault = |it: &&Value| {
                it.pointer("/location/0") == Some(&json!("request"))
                    && it.get("severity") == Some(&json!("Error"))
            };
            found.extend(violations.iter().filter(is_fault).map(Value::to_string));
        }
        let body = answer.into_body().collect().await?.to_bytes();
        // What Prism itself has to say is a problem of its own kind, such as that no path matches.
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        let kind = problem.get("type").and_then(Value::as_str);
        if let Some(kind) = kind.filter(|kind| kind.contains("prism/errors")) {
            let detail = problem.get("detail").and_then(Value::as_str);
            found.push(format!("{kind}: {}", detail.unwrap_or_default()));
        }
        Ok(found)
    }
}
