//! Whether a request's `Host` and `Origin` may speak to this gateway, and what its CORS answer is.
//!
//! The first judgement of every request, before a credential is looked at: it keeps a web page that a person happens to visit from reaching a gateway that the person can reach (DNS rebinding, MCP "Security Warning").
//! Pure.
//! Knows of paths only who may read what is there; knows no credential, and believes no forwarded header.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use portcullis_base::Origin;

use super::settings::ListenerSettings;

/// The headers that any script of a lawful origin may send: those that MCP clients set.
const ALLOWED_HEADERS: &str = "authorization, content-type, accept, mcp-protocol-version, mcp-method, mcp-name, mcp-session-id, last-event-id";
/// The prefix of the headers that carry variables and MCP's parameters; allowed by name when asked for.
const OPEN_PREFIX: &str = "mcp-";
const ALLOWED_METHODS: &str = "POST, GET, DELETE, OPTIONS";
/// The response headers that a script may read: the challenge that starts a sign-in, and the session.
const EXPOSED_HEADERS: &str = "WWW-Authenticate, Mcp-Session-Id, X-Request-Id";
const PREFLIGHT_SECONDS: &str = "600";
const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");

/// The hosts by which this gateway answers, and the web origins that may call it.
#[derive(Clone, Debug)]
pub struct OriginPolicy {
    hosts: Vec<String>,
    origins: Vec<Origin>,
    loopback: bool,
}

impl OriginPolicy {
    /// Makes the policy of a listener: the public URL's own host and origin, loopback names and origins where the listener is bound to loopback, and what the operator adds.
    ///
    /// `hosts` are names or addresses; a port says nothing, for a proxy or a forwarded port may change it.
    #[must_use]
    pub fn new(
        listener: &ListenerSettings,
        public_url: &Origin,
        hosts: &[String],
        origins: &[Origin],
    ) -> Self {
        let own = authority_host(without_scheme(public_url.as_str()));
        Self {
            hosts: own
                .into_iter()
                .chain(
                    hosts
                        .iter()
                        .map(|host| authority_host(host).unwrap_or(host)),
                )
                .map(str::to_ascii_lowercase)
                .collect(),
            origins: std::iter::once(public_url)
                .chain(origins)
                .cloned()
                .collect(),
            loopback: listener.is_loopback(),
        }
    }

    /// Judges the head of a request.
    pub fn judge(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Verdict {
        if let Err(refusal) = self.judge_host(uri, headers) {
            return Verdict::Refused(refusal);
        }
        let judged = if is_for_everybody(uri.path()) {
            Ok(headers.get(header::ORIGIN).map(|_| ANY_ORIGIN))
        } else {
            self.judge_origin(headers)
        };
        let origin = match judged {
            Ok(origin) => origin,
            Err(refusal) => return Verdict::Refused(refusal),
        };
        match origin {
            // Their scripts would gain nothing, and no script of another origin has business there (RFC 9700 §2.6).
            Some(_) if is_for_no_script(uri.path()) => Verdict::Pass(None),
            Some(origin)
                if method == Method::OPTIONS
                    && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) =>
            {
                Verdict::Preflight(Preflight {
                    origin,
                    headers: allowed_headers(headers),
                })
            }
            origin => Verdict::Pass(origin.map(CrossOrigin)),
        }
    }

    fn judge_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let mut named = headers.get_all(header::HOST).iter();
        let header = named.next();
        if named.next().is_some() {
            return Err(Refusal::HostAmbiguous);
        }
        let header = header.map(HeaderValue::as_bytes);
        // RFC 9112 §3.2.2: the target's authority replaces Host; a request in which they differ is nobody's honest one.
        let authority = match (uri.authority(), header) {
            (Some(target), Some(header))
                if !target.as_str().as_bytes().eq_ignore_ascii_case(header) =>
            {
                return Err(Refusal::HostAmbiguous);
            }
            (Some(target), _) => target.as_str(),
            (None, Some(header)) => {
                std::str::from_utf8(header).map_err(|_| Refusal::HostUnknown)?
            }
            (None, None) => return Err(Refusal::HostMissing),
        };
        let host = authority_host(authority).ok_or(Refusal::HostUnknown)?;
        if self.knows_host(host) {
            Ok(())
        } else {
            Err(Refusal::HostUnknown)
        }
    }

    fn knows_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
            || (self.loopback && is_loopback_name(host))
    }

    fn judge_origin(&self, headers: &HeaderMap) -> Result<Option<HeaderValue>, Refusal> {
        let mut named = headers.get_all(header::ORIGIN).iter();
        let Some(value) = named.next() else {
            return Ok(None);
        };
        let text = value.to_str().unwrap_or_default();
        // `null` is what sandboxed frames and local files send: anybody's.
        let lawful = named.next().is_none() && self.knows_origin(text);
        if lawful {
            Ok(Some(value.clone()))
        } else {
            Err(Refusal::Origin)
        }
    }

    fn knows_origin(&self, text: &str) -> bool {
        if self.origins.iter().any(|own| own.as_str() == text) {
            return true;
        }
        // A browser sends the canonical form; whatever else parses to it is not a browser's.
        Origin::parse(text)
            .is_ok_and(|origin| origin.as_str() == text && self.loopback && origin.is_loopback())
    }
}

/// Tells whether the scripts of every origin may read what is at a path: how to sign in, and where clients that run in a browser do it.
///
/// Nothing there goes by cookies, so that a page gains nothing that a program without a browser does not have.
/// The pages of a person's sign-in are not among them (RFC 9700 §2.6: the authorization endpoint "MUST NOT" support CORS).
fn is_for_everybody(path: &str) -> bool {
    path.starts_with("/.well-known/") || matches!(path, "/token" | "/revoke" | "/register")
}

/// Tells whether no script of another origin has business at a path: where browsers go in the course of a sign-in, and the admin API, whose own judgement is stricter.
fn is_for_no_script(path: &str) -> bool {
    let is_a_page =
        matches!(path, "/authorize" | "/consent" | "/sign-out") || path.starts_with("/callback/");
    // No toolset is called `api`.
    is_a_page || path.starts_with("/api/")
}

/// What is to become of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It goes on; the answer carries CORS headers where a script of another origin asks.
    Pass(Option<CrossOrigin>),
    /// It is a CORS preflight of a lawful origin and is answered here.
    Preflight(Preflight),
    /// It ends here.
    Refused(Refusal),
}

/// Why a request ends before it is read.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    /// No host is named.
    #[error("the request names no host; send a Host header")]
    HostMissing,
    /// Two hosts are named.
    #[error(
        "the request names its host more than once; send one Host header that equals the target's"
    )]
    HostAmbiguous,
    /// The host is none of ours.
    #[error(
        "this gateway does not answer by the host that the request names; use its public URL, or have the operator allow the host"
    )]
    HostUnknown,
    /// The origin may not call.
    #[error(
        "web pages of this origin may not call this gateway; have the operator allow the origin"
    )]
    Origin,
}

impl Refusal {
    /// Returns the status of the answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::HostMissing | Self::HostAmbiguous => StatusCode::BAD_REQUEST,
            Self::HostUnknown => StatusCode::MISDIRECTED_REQUEST,
            // MCP 2025-11-25 "Streamable HTTP": "the server MUST respond with HTTP 403 Forbidden".
            Self::Origin => StatusCode::FORBIDDEN,
        }
    }
}

/// A lawful origin whose scripts may read the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossOrigin(HeaderValue);

impl CrossOrigin {
    /// Lets the origin's scripts read the answer; never with the browser's own credentials.
    pub fn write(self, headers: &mut HeaderMap) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.0);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED_HEADERS),
        );
    }
}

/// The answer to a preflight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preflight {
    origin: HeaderValue,
    headers: HeaderValue,
}

impl Preflight {
    /// Writes the answer's headers.
    pub fn write(self, headers: &mut HeaderMap) {
        CrossOrigin(self.origin).write(headers);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, self.headers);
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static(ALLOWED_METHODS),
        );
        headers.insert(
            header::ACCESS_CONTROL_MAX_AGE,
            HeaderValue::from_static(PREFLIGHT_SECONDS),
        );
        headers.append(
            header::VARY,
            HeaderValue::from_static(
                "Access-Control-Request-Method, Access-Control-Request-Headers",
            ),
        );
    }
}

/// Returns the fixed list and those of the requested names that carry MCP's parameters or variables.
fn allowed_headers(headers: &HeaderMap) -> HeaderValue {
    let mut allowed = ALLOWED_HEADERS.to_owned();
    let requested = headers
        .get_all(header::ACCESS_CONTROL_REQUEST_HEADERS)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .filter(|name| name.as_str().starts_with(OPEN_PREFIX));
    for name in requested {
        allowed.push_str(", ");
        allowed.push_str(name.as_str());
    }
    HeaderValue::try_from(allowed).unwrap_or(HeaderValue::from_static(ALLOWED_HEADERS))
}

/// Returns the host of `host[:port]`, without brackets; `None` where it is anything else.
fn authority_host(authority: &str) -> Option<&str> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => match authority.find(':') {
            Some(colon) => authority.split_at(colon),
            None => (authority, ""),
        },
    };
    let port_is_lawful = match rest.strip_prefix(':') {
        Some(port) => port.bytes().all(|b| b.is_ascii_digit()),
        None => rest.is_empty(),
    };
    let lawful = !host.is_empty() && !host.contains(['@', '/']) && port_is_lawful;
    lawful.then_some(host)
}

fn without_scheme(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, rest)| rest)
}

fn is_loopback_name(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests;
