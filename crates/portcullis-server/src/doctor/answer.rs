//! Answers of our own gateway, and whether something on the way has changed them.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use serde_json::Value;
use tokio::time::timeout;

use super::finding::{Finding, quoted};
use crate::upstream::http::{Http, HttpAnswer};

/// The time for one answer.
const TIME: Duration = Duration::from_secs(10);

/// The largest answer that is read.
const MAX_BYTES: usize = 256 * 1024;

/// The longest time, in seconds, for which a client may go on with an old document.
const LONGEST_AGE: u64 = 3600;

/// Sends a request; of a failure, gives the reason.
pub(super) async fn exchange(
    http: &Http,
    url: &str,
    body: Option<&Value>,
) -> Result<HttpAnswer, String> {
    let body_text = body.map(Value::to_string).unwrap_or_default();
    let mut request = Request::new(Full::new(Bytes::from(body_text)));
    *request.uri_mut() = Uri::try_from(url).map_err(|error| error.to_string())?;
    let headers = request.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::ACCEPT, "application/json, text/event-stream");
    if body.is_some() {
        set(header::CONTENT_TYPE, "application/json");
        *request.method_mut() = Method::POST;
    }
    match timeout(TIME, http.exchange(request, MAX_BYTES)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", TIME.as_secs())),
    }
}

/// Reads an answer that must be JSON with a status, as the gateway wrote it.
pub(super) fn json(
    check: &'static str,
    url: &str,
    answer: &HttpAnswer,
    expected: u16,
) -> Result<Value, Finding> {
    let status = answer.status.as_u16();
    let wrong = |message: String, remedy: &str| Err(Finding::wrong(check, message, remedy));
    match status {
        300..=399 => {
            return wrong(
                format!("{url} sends elsewhere (status {status})"),
                "let the proxy pass this path on to the gateway as it is, without a redirect; where `http` is sent to `https` or one name to another, make `public_url` the last of them",
            );
        }
        421 => {
            return wrong(
                format!("{url} answers that it is not known under this name (status 421)"),
                "let the proxy pass the `Host` header on, or add the name that it sends to `allowed_hosts` in `[listener]`",
            );
        }
        _ => {}
    }
    let kind = text(answer, &header::CONTENT_TYPE);
    let is_json = kind
        .split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        return wrong(
            format!(
                "{url} answers with {} instead of JSON (status {status})",
                quoted(kind)
            ),
            "something in front answers with a page or an error of its own; let it pass this path on to the gateway, without asking for a sign-in before it",
        );
    }
    if status != expected {
        return wrong(
            format!("{url} answers with status {status} instead of {expected}"),
            "see that the gateway runs with this configuration file, and that the proxy passes this path on to it",
        );
    }
    serde_json::from_slice(&answer.body).or_else(|_| {
        wrong(
            format!("{url} answers with what is no JSON, though it says so"),
            "let the proxy leave the gateway's answers as they are",
        )
    })
}

/// Judges for how long a document may be kept: a client that keeps an old one does not find its way.
pub(super) fn caching(check: &'static str, url: &str, answer: &HttpAnswer) -> Finding {
    let told = text(answer, &header::CACHE_CONTROL);
    let mut directives = told.split(',').map(str::trim);
    let is_short = directives.any(|directive| {
        let age = directive.strip_prefix("max-age=");
        let age = age.and_then(|age| age.parse::<u64>().ok());
        matches!(directive, "no-store" | "no-cache") || age.is_some_and(|age| age <= LONGEST_AGE)
    });
    if is_short {
        return Finding::good(check, format!("{url} may be kept for a short time only"));
    }
    let found = if told.is_empty() {
        "without `Cache-Control`".to_owned()
    } else {
        format!("with `Cache-Control: {}`", quoted(told))
    };
    Finding::doubtful(
        check,
        format!("{url} arrives {found}, so that clients may keep it when it has changed"),
        "let the proxy leave `Cache-Control` as the gateway writes it, which is five minutes",
    )
}

/// Returns a header's value; nothing where it is absent or no text.
pub(super) fn text<'a>(answer: &'a HttpAnswer, name: &HeaderName) -> &'a str {
    let value = answer.headers.get(name);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Returns a member that is text.
pub(super) fn member<'a>(document: &'a Value, name: &str) -> &'a str {
    document
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}
