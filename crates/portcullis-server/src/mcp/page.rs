//! What a person sees who opens a URL of ours in a browser: what this is, and how to connect a client.
//!
//! Says nothing that needs a credential: no tools, no instructions, and not which toolsets there are.

use askama::Template;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode};
use portcullis_base::Origin;
use portcullis_openapi::variables::header_name;
use portcullis_store::Inbound;

use crate::catalogue::PublishedToolset;
use crate::page::{Forms, STYLE, html};

#[derive(Template)]
#[template(path = "endpoint.html")]
struct EndpointPage<'a> {
    style: &'static str,
    title: &'a str,
    slug: &'a str,
    url: String,
    /// People sign in, by a browser that their client opens.
    signs_in: bool,
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
    let accepts = |modes: &[Inbound]| modes.iter().any(|mode| toolset.inbound.contains(mode));
    let people = [Inbound::OAuth, Inbound::External];
    let keyless = [
        Inbound::Open,
        Inbound::Headers,
        Inbound::OAuth,
        Inbound::External,
    ];
    let page = EndpointPage {
        style: STYLE,
        title: &toolset.title,
        slug: toolset.slug.as_str(),
        url: format!("{}/{}/mcp", public_url.as_str(), toolset.slug),
        signs_in: accepts(&people),
        needs_key: !accepts(&keyless),
        headers: toolset
            .caller_supplied
            .iter()
            .map(|variable| header_name(variable))
            .collect(),
    };
    html(StatusCode::OK, &page, Forms::None)
}

#[derive(Template)]
#[template(path = "not_found.html")]
struct NotFoundPage<'a> {
    style: &'static str,
    origin: &'a str,
}

/// Shows that there is nothing.
pub(super) fn not_found(public_url: &Origin) -> Response {
    let page = NotFoundPage {
        style: STYLE,
        origin: public_url.as_str(),
    };
    html(StatusCode::NOT_FOUND, &page, Forms::None)
}
