//! Redirect URIs: where an authorization response may go, and nowhere else.
//!
//! A URI is kept exactly as it was sent and compared byte for byte ([RFC 9700 §4.1](https://www.rfc-editor.org/rfc/rfc9700#section-4.1)); only the port of an `http` loopback host is free ([RFC 8252 §7.3](https://www.rfc-editor.org/rfc/rfc8252#section-7.3)).
//! What two programs could read differently is refused rather than mended, so that the host that a person is shown is the one that the browser goes to.
//! Whether a host is trusted is not judged here.

mod form;

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest redirect URI, in bytes.
pub const MAX_LENGTH: usize = 2048;

/// Schemes of MCP clients that catch the answer on a person's machine.
const SHIPPED: [&str; 8] = [
    "claude",
    "com.raycast",
    "cursor",
    "raycast",
    "vscode",
    "vscode-insiders",
    "warp",
    "windsurf",
];

/// A redirect URI that could be registered, exactly as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

/// What a redirect URI leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind<'a> {
    /// A host on the web.
    Https {
        /// The host, without the port.
        host: &'a str,
    },
    /// A program that listens on the person's own machine, whichever it is.
    Loopback,
    /// The program on the person's own machine that took the scheme, whichever it is.
    PrivateUse {
        /// The scheme.
        scheme: &'a str,
    },
}

/// Why a redirect URI cannot be registered.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{}", self.description())]
pub enum InvalidRedirectUri {
    /// It is longer than [`MAX_LENGTH`].
    TooLong,
    /// It is no absolute URI of the form that is expected.
    Malformed,
    /// It holds what a URI does not, or what means something else once it is decoded.
    Characters,
    /// It has a fragment (RFC 6749 §3.1.2).
    Fragment,
    /// It has user information, which passes for a host.
    UserInformation,
    /// Its path has a segment `.` or `..`, which browsers take away.
    DotSegment,
    /// The browser would go to a host that is written otherwise.
    Host,
    /// Its scheme is one that is never allowed.
    Scheme,
    /// It is `http` and the host is no loopback host.
    PlainHttp,
    /// Its scheme may be some program's own, and the operator does not list it.
    UnlistedScheme,
}

impl InvalidRedirectUri {
    /// Returns what is wrong, in words that hold nothing of the URI.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::TooLong => "a redirect URI has at most 2048 bytes",
            Self::Malformed => {
                "a redirect URI is absolute: https, http on a loopback host, or a private-use scheme followed by `:/`"
            }
            Self::Characters => {
                "a redirect URI consists of the ASCII characters of a URI, without wildcards, backslashes and control characters, percent-encoded ones included"
            }
            Self::Fragment => "a redirect URI has no fragment",
            Self::UserInformation => "a redirect URI has no user information",
            Self::DotSegment => "the path of a redirect URI has no dot segments",
            Self::Host => {
                "the host of a redirect URI is written as browsers show it, with a port between 1 and 65535 if any"
            }
            Self::Scheme => {
                "the scheme of a redirect URI is https, http on a loopback host, or a private-use scheme"
            }
            Self::PlainHttp => {
                "a redirect URI with http has the host 127.0.0.1, [::1] or localhost"
            }
            Self::UnlistedScheme => {
                "the private-use scheme of the redirect URI is not allowed here"
            }
        }
    }
}

/// The private-use schemes that clients may register (RFC 8252 §7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateUseSchemes(BTreeSet<String>);

/// The text can be no private-use scheme.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "a private-use scheme has at most 64 of the characters a-z, 0-9, `+`, `-` and `.`, starts with a letter, and is none that browsers handle themselves"
)]
pub struct InvalidPrivateUseScheme;

impl Default for PrivateUseSchemes {
    /// Lists the schemes of known MCP clients.
    fn default() -> Self {
        Self(SHIPPED.into_iter().map(str::to_owned).collect())
    }
}

impl PrivateUseSchemes {
    /// Lists another scheme, written without the colon.
    ///
    /// # Errors
    ///
    /// When it is no scheme in lower case, or one that is never allowed.
    pub fn and(mut self, scheme: &str) -> Result<Self, InvalidPrivateUseScheme> {
        if scheme.len() > 64 || !form::is_scheme(scheme) || form::NEVER.contains(&scheme) {
            return Err(InvalidPrivateUseScheme);
        }
        self.0.insert(scheme.to_owned());
        Ok(self)
    }

    /// Tells whether a scheme is listed.
    #[must_use]
    pub fn contains(&self, scheme: &str) -> bool {
        self.0.contains(scheme)
    }
}

impl RedirectUri {
    /// Reads a redirect URI that a client registers by itself.
    ///
    /// # Errors
    ///
    /// As [`RedirectUri::parse`], and when it has a private-use scheme that is not among `schemes`.
    pub fn register(text: &str, schemes: &PrivateUseSchemes) -> Result<Self, InvalidRedirectUri> {
        let uri = Self::parse(text)?;
        match uri.kind() {
            RedirectKind::PrivateUse { scheme } if !schemes.contains(scheme) => {
                Err(InvalidRedirectUri::UnlistedScheme)
            }
            _ => Ok(uri),
        }
    }

    /// Reads a redirect URI that is stored, or that the operator wrote: any private-use scheme will do.
    ///
    /// # Errors
    ///
    /// When it is no URI, its scheme is never allowed, or it could be read in two ways.
    pub fn parse(text: &str) -> Result<Self, InvalidRedirectUri> {
        if text.len() > MAX_LENGTH {
            return Err(InvalidRedirectUri::TooLong);
        }
        form::characters(text)?;
        let (scheme, rest) = text.split_once(':').ok_or(InvalidRedirectUri::Malformed)?;
        match scheme {
            "https" => form::web(text, rest)?,
            "http" => {
                form::web(text, rest)?;
                form::split_loopback(text).ok_or(InvalidRedirectUri::PlainHttp)?;
            }
            _ => form::private_use(scheme, rest)?,
        }
        Ok(Self(text.to_owned()))
    }

    /// Tells whether a `redirect_uri` that was presented is this one.
    ///
    /// "The authorization server MUST allow any port to be specified at the time of the request for loopback IP redirect URIs" (RFC 8252 §7.3); clients use `localhost` in the same way.
    #[must_use]
    pub fn matches(&self, presented: &str) -> bool {
        presented == self.0
            || form::split_loopback(&self.0)
                .is_some_and(|own| form::split_loopback(presented) == Some(own))
    }

    /// Tells what the URI leads to.
    #[must_use]
    pub fn kind(&self) -> RedirectKind<'_> {
        let (scheme, rest) = self.0.split_once(':').unwrap_or((&self.0, ""));
        match scheme {
            "https" => RedirectKind::Https {
                host: form::host_and_port(form::authority(rest)).0,
            },
            "http" => RedirectKind::Loopback,
            _ => RedirectKind::PrivateUse { scheme },
        }
    }

    /// Returns what people are shown as the place that the answer goes to: the host, or the private-use scheme.
    #[must_use]
    pub fn host(&self) -> &str {
        match self.kind() {
            RedirectKind::Https { host } => host,
            RedirectKind::Loopback => {
                let rest = self.0.split_once(':').map_or("", |(_, rest)| rest);
                form::host_and_port(form::authority(rest)).0
            }
            RedirectKind::PrivateUse { scheme } => scheme,
        }
    }

    /// Returns the text, exactly as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Adds parameters to the query of a URI that [`RedirectUri::matches`], leaving what it has untouched.
    ///
    /// A query "MUST be retained when adding additional query parameters" (RFC 6749 §3.1.2).
    /// All but unreserved characters are percent-encoded, a space as `%20`, so that every reader gets the same bytes back.
    #[must_use]
    pub fn with_parameters(presented: &str, parameters: &[(&str, &str)]) -> String {
        let mut uri = presented.to_owned();
        let mut separator = match presented.split_once('?') {
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        for (name, value) in parameters {
            uri.push_str(separator);
            encode(&mut uri, name);
            uri.push('=');
            encode(&mut uri, value);
            separator = "&";
        }
        uri
    }
}

/// Writes all but unreserved characters (RFC 3986 §2.3) percent-encoded.
fn encode(text: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = InvalidRedirectUri;

    fn try_from(text: String) -> Result<Self, InvalidRedirectUri> {
        Self::parse(&text)
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.0
    }
}

#[cfg(test)]
mod tests;
