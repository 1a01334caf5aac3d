//! How every page of ours looks and what it may do: nothing from anywhere, no script, no frame around it.

use std::sync::LazyLock;

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, StatusCode, header};
use portcullis_base::Digest;

/// The look of every page.
pub const STYLE: &str = include_str!("../templates/page.css");

/// Whether a page has a form, which may go to our own origin only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forms {
    /// It has none.
    None,
    /// It has one.
    Own,
}

static WITHOUT_FORMS: LazyLock<HeaderValue> = LazyLock::new(|| policy("'none'"));
static WITH_FORMS: LazyLock<HeaderValue> = LazyLock::new(|| policy("'self'"));

fn policy(form_action: &str) -> HeaderValue {
    let style = STANDARD.encode(Digest::of(STYLE.as_bytes()).as_bytes());
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action {form_action}; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("Base64 is visible ASCII")
}

/// Shows a page that nobody keeps.
///
/// # Panics
///
/// When the template does not render, which one of texts always does.
pub fn html(status: StatusCode, page: &impl Template, forms: Forms) -> Response {
    let html = page.render().expect("a template of texts always renders");
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    // A form of a page without referrer is sent with `Origin: null`, which is everybody's.
    let (policy, referrer) = match forms {
        Forms::None => (&WITHOUT_FORMS, "no-referrer"),
        Forms::Own => (&WITH_FORMS, "same-origin"),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, (*policy).clone());
    let fixed: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, referrer),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
