//! What a visitor sends and gets: requests over a connection to each place that it comes to.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use serde_json::Value;
use url::Url;

use crate::load;

/// The media type of forms.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Makes a GET.
pub(crate) fn get(url: &Url) -> anyhow::Result<Request<Full<Bytes>>> {
    request(Method::GET, url, String::new())
}

/// Makes a POST with a body of a kind.
pub(crate) fn post(
    url: &Url,
    kind: &'static str,
    body: String,
) -> anyhow::Result<Request<Full<Bytes>>> {
    let mut request = request(Method::POST, url, body)?;
    let kind = HeaderValue::from_static(kind);
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(request)
}

fn request(method: Method, url: &Url, body: String) -> anyhow::Result<Request<Full<Bytes>>> {
    let target = url.query().map_or_else(
        || url.path().to_owned(),
        |query| format!("{}?{query}", url.path()),
    );
    let request = Request::builder().method(method).uri(target);
    Ok(request
        .header(header::HOST, url.authority())
        .body(Full::from(body))?)
}

/// An answer, read whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
}

impl Answer {
    /// Returns the body of an answer that is no error.
    pub(crate) fn good(&self) -> anyhow::Result<&str> {
        ensure!(
            self.status.is_success(),
            "the server answered {}: {}",
            self.status,
            self.body
        );
        Ok(&self.body)
    }

    /// Reads the body of an answer that is no error as JSON.
    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        let body = self.good()?;
        serde_json::from_str(body).with_context(|| format!("no JSON: {body}"))
    }
}

/// Where a server is reached whose URLs name another address: at its replicas, in turn.
#[derive(Clone, Default)]
pub(crate) struct Detour {
    authority: String,
    addresses: Arc<[String]>,
    next: Arc<AtomicUsize>,
}

impl Detour {
    /// Leads to `addresses` what goes to `url`; nowhere else where there are none.
    pub(crate) fn of(url: &Url, addresses: &[String]) -> Self {
        Self {
            authority: url.authority().to_owned(),
            addresses: addresses.into(),
            next: Arc::default(),
        }
    }

    fn address<'a>(&'a self, authority: &'a str) -> &'a str {
        if authority != self.authority || self.addresses.is_empty() {
            return authority;
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.addresses.len();
        self.addresses.get(turn).map_or(authority, String::as_str)
    }
}

/// A connection to each place that the visitor comes to.
#[derive(Default)]
pub(crate) struct Wires {
    open: HashMap<String, SendRequest<Full<Bytes>>>,
    detour: Detour,
}

impl Wires {
    /// Goes by a detour.
    pub(crate) fn by(detour: Detour) -> Self {
        Self {
            open: HashMap::new(),
            detour,
        }
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(
        &mut self,
        url: &Url,
        request: Request<Full<Bytes>>,
    ) -> anyhow::Result<Answer> {
        let address = self.detour.address(url.authority()).to_owned();
        let mut open = self.open.remove(&address);
        if let Some(wire) = &mut open
            && wire.ready().await.is_err()
        {
            open = None;
        }
        let mut wire = match open {
            Some(wire) => wire,
            None => load::connect(&address).await?,
        };
        let response = wire.send_request(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        self.open.insert(address, wire);
        let location = parts.headers.get(header::LOCATION);
        let location = location.map(HeaderValue::to_str).transpose()?;
        Ok(Answer {
            status: parts.status,
            location: location.map(str::to_owned),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec())?,
        })
    }
}
