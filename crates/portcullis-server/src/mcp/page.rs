//! What a person sees who opens an endpoint's URL in a browser: what this is, and how to connect a client.
//!
//! Says nothing that needs a credential: no tools, no instructions.

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, header};
use portcullis_base::Origin;
use portcullis_openapi::variables::header_name;
use portcullis_store::Inbound;

use super::response;
use crate::catalogue::PublishedToolset;

/// The page needs nothing from anywhere.
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "endpoint.html")]
struct EndpointPage<'a> {
    title: &'a str,
    slug: &'a str,
    url: String,
    /// Without a key nobody comes in.
    needs_key: bool,
    /// The headers that carry the caller's own credentials.
    headers: Vec<String>,
}

/// Tells whether a request is a person's visit: a browser says so, and an old one asks for HTML.
pub(super) fn is_navigation(headers: &HeaderMap) -> bool {
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
    let html = page.render().expect("a template of texts always renders");
    let mut response = Response::new(Body::from(html));
    response::set(
        &mut response,
        header::CONTENT_TYPE,
        "text/html; charset=utf-8",
    );
    response::set(&mut response, header::CONTENT_SECURITY_POLICY, POLICY);
    response::set(&mut response, header::X_FRAME_OPTIONS, "DENY");
    response::set(&mut response, header::REFERRER_POLICY, "no-referrer");
    response
}
