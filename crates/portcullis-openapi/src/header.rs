//! Which headers a document may let a model or a credential write.
//!
//! A header that says where a request goes, how its bytes are framed or on whose behalf it is made is never an argument.

/// Headers that frame or route the request, or that name other parties; neither arguments nor credentials write them.
const DIRECTING: [&str; 29] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "cookie2",
    "date",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "proxy-connection",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-host",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
    "true-client-ip",
];

/// Families of such headers.
const DIRECTING_PREFIXES: [&str; 3] = ["x-forwarded-", "mcp-", "sec-"];

/// Tells whether a name is one that HTTP allows (RFC 9110 §5.6.2, `token`).
pub(crate) fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Tells whether a header frames or routes the request.
pub(crate) fn directs_request(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    DIRECTING.contains(&name.as_str())
        || DIRECTING_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// Tells whether a header must not be written from a model's arguments.
pub(crate) fn carries_authority(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower == "authorization" || lower.starts_with("proxy-") || directs_request(&lower)
}

/// Tells whether `OpenAPI` itself ignores a header parameter of this name, since other parts of the operation say it.
pub(crate) fn is_said_elsewhere(name: &str) -> bool {
    ["accept", "content-type", "authorization"]
        .iter()
        .any(|header| name.eq_ignore_ascii_case(header))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o_04_headers_with_authority_are_known_whatever_their_case() {
        for name in [
            "Host",
            "authorization",
            "COOKIE",
            "Proxy-Authorization",
            "Connection",
            "Content-Length",
            "Transfer-Encoding",
            "X-Forwarded-For",
            "x-forwarded-host",
            "Forwarded",
            "X-HTTP-Method-Override",
            "Mcp-Session-Id",
            "Sec-Fetch-Site",
        ] {
            assert!(carries_authority(name), "{name}");
        }
        for name in [
            "X-Request-Id",
            "If-Match",
            "Idempotency-Key",
            "Accept-Language",
            "X-Forward",
        ] {
            assert!(!carries_authority(name), "{name}");
        }
    }
}
