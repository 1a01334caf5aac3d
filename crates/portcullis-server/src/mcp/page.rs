//! What a person sees who opens a URL of ours in a browser: what this is, and how to connect a client.
//!
//! Says nothing that needs a credential: no tools, no instructions, and not which toolsets there are.

use std::sync::LazyLock;

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use portcullis_base::{Digest, Origin};
use portcullis_openapi::variables::header_name;
use portcullis_store::Inbound;

use super::response;
use crate::catalogue::PublishedToolset;

/// The look of every page.
const STYLE: &str = include_str!("../../templates/page.css");

/// A page needs nothing from anywhere, and no style but [`STYLE`].
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = STANDARD.encode(Digest::of(STYLE.as_bytes()).as_bytes());
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("Base64 is visible ASCII")
});

#[derive(Template)]
#[template(path = "endpoint.html")]
struct EndpointPage<'a> {
    style: &'static str,
    title: &'a str,
    slug: &'a str,
    url: String,
    /// Without a key nobody comes in.
    needs_key: bool,
    /// The headers that carry the caller's own credentials.
    headers: Vec<String>,
}

/// Tells whether a request is a person's visit: a browser says so, and an old one asks for HTML.
pub(super) fn is_visit(method: &Method, headers: &HeaderMap) -> bool {
    if method != Method::GET {
        return false;
    }
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match value("sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None => value("accept").is_some_and(|accept| accept.contains("text/html")),
    }
}

/// Shows the page.
pub(super) fn response(toolset: &PublishedToolset, public_url: &Origin) -> Response {
    let open = [Inbound::Open, Inbound::Headers];
    let page = EndpointPage {
        style: STYLE,
        title: &toolset.title,
        slug: toolset.slug.as_str(),
        url: format!("{}/{}/mcp", public_url.as_str(), toolset.slug),
        needs_key: !open.iter().any(|mode| toolset.inbound.contains(mode)),
        headers: toolset
            .caller_supplied
            .iter()
            .map(|variable| header_name(variable))
            .collect(),
    };
    html(&page)
}

#[derive(Template)]
#[template(path = "not_found.html")]
struct NotFoundPage<'a> {
    style: &'static str,
    origin: &'a str,
}

/// Shows that there is nothing.
pub(super) fn not_found(public_url: &Origin) -> Response {
    let mut response = html(&NotFoundPage {
        style: STYLE,
        origin: public_url.as_str(),
    });
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn html(page: &impl Template) -> Response {
    let html = page.render().expect("a template of texts always renders");
    let mut response = Response::new(Body::from(html));
    response::set(
        &mut response,
        header::CONTENT_TYPE,
        "text/html; charset=utf-8",
    );
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    response::set(&mut response, header::X_FRAME_OPTIONS, "DENY");
    response::set(&mut response, header::REFERRER_POLICY, "no-referrer");
    response
}
