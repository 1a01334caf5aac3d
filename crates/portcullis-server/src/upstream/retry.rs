//! When a request is sent once more.
//!
//! Only requests that change nothing (RFC 9110 §9.2.1), only after failures that pass, and only a few times.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, header};
use jiff::fmt::rfc2822::DateTimeParser;
use portcullis_base::Timestamp;

/// How many times one request is sent again.
const MAX_RETRIES: u32 = 2;

/// The wait before the first repetition where the server names none; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// The longest wait that a server can ask for; longer ones are the caller's to decide upon.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What came of an attempt.
#[derive(Clone, Copy, Debug)]
pub(super) enum Attempt<'a> {
    /// No connection came about.
    Unconnected,
    /// The server answered.
    Answered(StatusCode, &'a HeaderMap),
}

/// Says how long to wait before a request is sent again; nothing where it is not sent again.
pub(super) fn wait(
    method: &Method,
    attempt: Attempt<'_>,
    retries: u32,
    now: Timestamp,
) -> Option<Duration> {
    if !method.is_safe() || retries >= MAX_RETRIES {
        return None;
    }
    let own = FIRST_WAIT * 2_u32.pow(retries);
    let (status, headers) = match attempt {
        Attempt::Unconnected => return Some(own),
        Attempt::Answered(status, headers) => (status, headers),
    };
    let asked = asked_pause(headers, now);
    let wait = match (status, asked) {
        (StatusCode::TOO_MANY_REQUESTS, asked) => asked?,
        (
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT,
            asked,
        ) => asked.unwrap_or(own),
        _ => return None,
    };
    (wait <= LONGEST_WAIT).then_some(wait)
}

/// Returns how long a server asks to be left alone.
pub(super) fn asked_pause(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    retry_after(value, now)
}

/// Reads `Retry-After` (RFC 9110 §10.2.3): seconds or a date.
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Timestamp::from_millis(date.as_millisecond()).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_792_000_000_000);

    fn answered(
        method: &Method,
        status: u16,
        retry_after: Option<&str>,
        retries: u32,
    ) -> Option<u128> {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(header::RETRY_AFTER, value.parse().expect("a value"));
        }
        let status = StatusCode::from_u16(status).expect("a status");
        let attempt = Attempt::Answered(status, &headers);
        wait(method, attempt, retries, NOW).map(|wait| wait.as_millis())
    }

    #[test]
    fn only_what_changes_nothing_is_sent_again() {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            assert_eq!(answered(&method, 503, None, 0), Some(250), "{method}");
            assert!(wait(&method, Attempt::Unconnected, 0, NOW).is_some());
        }
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert_eq!(answered(&method, 503, Some("1"), 0), None, "{method}");
            assert_eq!(wait(&method, Attempt::Unconnected, 0, NOW), None);
        }
    }

    #[test]
    fn only_failures_that_pass_are_tried_again() {
        for status in [502, 503, 504] {
            assert_eq!(
                answered(&Method::GET, status, None, 1),
                Some(500),
                "{status}"
            );
        }
        for status in [200, 302, 400, 401, 404, 500, 501] {
            assert_eq!(
                answered(&Method::GET, status, Some("1"), 0),
                None,
                "{status}"
            );
        }
        assert_eq!(answered(&Method::GET, 429, None, 0), None);
        assert_eq!(answered(&Method::GET, 429, Some("2"), 0), Some(2000));
    }

    #[test]
    fn it_ends() {
        assert_eq!(answered(&Method::GET, 503, None, 2), None);
        assert_eq!(answered(&Method::GET, 503, Some("6"), 0), None);
        assert_eq!(
            answered(&Method::GET, 503, Some("99999999999999999999"), 0),
            Some(250)
        );
    }

    #[test]
    fn a_date_is_a_time_from_now() {
        let date = "Thu, 01 Jan 1970 00:01:40 GMT";
        let at = |millis| retry_after(date, Timestamp::from_millis(millis));
        assert_eq!(at(97_000), Some(Duration::from_secs(3)));
        assert_eq!(at(200_000), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", NOW), None);
    }
}
