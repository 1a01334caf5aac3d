//! The form of a redirect URI: what may stand in it, and where its parts are.

use url::Url;

use super::InvalidRedirectUri;
use crate::wire::form::escaped;

/// The hosts that plain `http` may be used with, each a host of its own.
const LOOPBACK_HOSTS: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// Schemes that no list can allow: they run a script, show what the URI itself holds, read files, send in the clear, or reach into the browser.
pub(super) const NEVER: [&str; 17] = [
    "about",
    "blob",
    "chrome",
    "chrome-extension",
    "data",
    "file",
    "filesystem",
    "ftp",
    "http",
    "https",
    "intent",
    "jar",
    "javascript",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// Judges each character, and what percent-encoding hides.
pub(super) fn characters(text: &str) -> Result<(), InvalidRedirectUri> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'#' => return Err(InvalidRedirectUri::Fragment),
            b'%' => {
                let decoded = escaped(bytes.next(), bytes.next());
                // A wildcard, a backslash or a line break is none the less one for being encoded.
                if decoded.is_none_or(|b| b.is_ascii_control() || matches!(b, b'*' | b'\\')) {
                    return Err(InvalidRedirectUri::Characters);
                }
            }
            // `*` is a lawful sub-delimiter; here it would pass for a wildcard.
            _ if byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()+,;=".contains(&byte) => {}
            _ => return Err(InvalidRedirectUri::Characters),
        }
    }
    Ok(())
}

/// Judges what follows `https:` or `http:`.
pub(super) fn web(text: &str, rest: &str) -> Result<(), InvalidRedirectUri> {
    if !rest.starts_with("//") {
        return Err(InvalidRedirectUri::Malformed);
    }
    let authority = authority(rest);
    if authority.contains('@') {
        return Err(InvalidRedirectUri::UserInformation);
    }
    let path = path(rest);
    if has_dot_segment(path) {
        return Err(InvalidRedirectUri::DotSegment);
    }
    // Browsers rewrite hosts (`0x7f.1` is 127.0.0.1) and paths; whatever they would rewrite is refused.
    let url = Url::parse(text).map_err(|_| InvalidRedirectUri::Host)?;
    let (host, port) = host_and_port(authority);
    let is_host = url
        .host_str()
        .is_some_and(|seen| seen.eq_ignore_ascii_case(host));
    if !is_host || !port.is_none_or(is_port) {
        return Err(InvalidRedirectUri::Host);
    }
    let is_path = url.path() == path || (path.is_empty() && url.path() == "/");
    is_path.then_some(()).ok_or(InvalidRedirectUri::Malformed)
}

/// Judges a scheme that is neither `https` nor `http`, and what follows its colon.
pub(super) fn private_use(scheme: &str, rest: &str) -> Result<(), InvalidRedirectUri> {
    let lower = scheme.to_ascii_lowercase();
    if NEVER.contains(&lower.as_str()) || !is_scheme(scheme) {
        return Err(InvalidRedirectUri::Scheme);
    }
    if !rest.starts_with('/') {
        return Err(InvalidRedirectUri::Malformed);
    }
    if authority(rest).contains('@') {
        return Err(InvalidRedirectUri::UserInformation);
    }
    let has_dots = has_dot_segment(path(rest));
    (!has_dots)
        .then_some(())
        .ok_or(InvalidRedirectUri::DotSegment)
}

/// `scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )`, in lower case only, since it is compared by bytes.
pub(super) fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b))
}

/// The authority, given what follows the scheme's colon; empty where there is none.
pub(super) fn authority(rest: &str) -> &str {
    let rest = rest.strip_prefix("//").unwrap_or("");
    rest.split(['/', '?']).next().unwrap_or("")
}

/// The path, given what follows the scheme's colon.
fn path(rest: &str) -> &str {
    let path = match rest.strip_prefix("//") {
        Some(after) => after.get(authority(rest).len()..).unwrap_or(""),
        None => rest,
    };
    path.split('?').next().unwrap_or("")
}

/// Tells whether a segment is `.` or `..`, in whatever spelling, be the slashes encoded or not.
fn has_dot_segment(path: &str) -> bool {
    let path = path
        .to_ascii_lowercase()
        .replace("%2e", ".")
        .replace("%2f", "/");
    path.split('/').any(|segment| matches!(segment, "." | ".."))
}

/// Splits an authority without user information at the colon of its port.
pub(super) fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        // A colon inside brackets belongs to an IPv6 address.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn is_port(text: &str) -> bool {
    !text.starts_with('0')
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse::<u16>().is_ok()
}

/// Splits an `http` URI of a loopback host into that host and what follows the port; none where it is anything else.
pub(super) fn split_loopback(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("http:")?;
    let authority = authority(rest);
    let (host, port) = host_and_port(authority);
    let after = rest.strip_prefix("//")?.get(authority.len()..)?;
    let is_loopback = LOOPBACK_HOSTS.contains(&host) && port.is_none_or(is_port);
    is_loopback.then_some((host, after))
}
