//! URLs of which the dangerous parts are known to be absent.

use thiserror::Error;
use url::Url;

/// An absolute `http` or `https` URL without user information and fragment.
///
/// Whether its host may be reached is judged where the connection is made, not here.
/// `Debug` and `Display` leave the query out, which may carry a key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SafeUrl(Url);

/// Why a text is no safe URL.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidSafeUrl {
    /// It is not an absolute URL at all.
    #[error("not an absolute URL")]
    Malformed,
    /// Its scheme is neither `http` nor `https`.
    #[error("the scheme must be https or http, not `{0}`")]
    Scheme(String),
    /// It carries a user name or a password.
    #[error("a URL must not carry a user name or password")]
    UserInformation,
    /// It carries a fragment.
    #[error("a URL must not carry a fragment")]
    Fragment,
}

impl SafeUrl {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// When `text` is not an absolute `http` or `https` URL, or carries user information or a fragment.
    pub fn parse(text: &str) -> Result<Self, InvalidSafeUrl> {
        let url = Url::parse(text).map_err(|_| InvalidSafeUrl::Malformed)?;
        Self::from_url(url)
    }

    /// Judges a URL that was read elsewhere.
    ///
    /// # Errors
    ///
    /// As [`SafeUrl::parse`].
    pub fn from_url(url: Url) -> Result<Self, InvalidSafeUrl> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidSafeUrl::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidSafeUrl::UserInformation);
        }
        if url.fragment().is_some() {
            return Err(InvalidSafeUrl::Fragment);
        }
        Ok(Self(url))
    }

    /// Returns the URL.
    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// Returns scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin(self.0.origin().ascii_serialization())
    }
}

impl std::fmt::Display for SafeUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}{}",
            self.0.origin().ascii_serialization(),
            self.0.path()
        )
    }
}

impl std::fmt::Debug for SafeUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Scheme, host and port of an `http` or `https` URL; the port is absent where it is the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(String);

/// Why a text is no origin.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidOrigin {
    /// It is not a safe URL.
    #[error(transparent)]
    Url(#[from] InvalidSafeUrl),
    /// It has a path or a query.
    #[error("an origin has no path and no query: write `{0}`")]
    Path(String),
}

impl Origin {
    /// Reads an origin such as `https://api.example.com:8443`; a single trailing slash is tolerated.
    ///
    /// # Errors
    ///
    /// When `text` is no `http` or `https` URL, or has user information, a path, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        let url = SafeUrl::parse(text)?;
        let origin = url.origin();
        if url.as_url().path() != "/" || url.as_url().query().is_some() {
            return Err(InvalidOrigin::Path(origin.0));
        }
        Ok(origin)
    }

    /// Returns the text, without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether the host is a loopback address or `localhost`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let Ok(url) = Url::parse(&self.0) else {
            return false;
        };
        match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Tells whether the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dangerous_urls_are_refused() {
        let refused = |text| SafeUrl::parse(text).expect_err("refused");
        assert_eq!(
            refused("file:///etc/passwd"),
            InvalidSafeUrl::Scheme("file".to_owned())
        );
        assert_eq!(
            refused("https://good@evil/"),
            InvalidSafeUrl::UserInformation
        );
        assert_eq!(refused("https://a/#b"), InvalidSafeUrl::Fragment);
        assert_eq!(refused("/relative"), InvalidSafeUrl::Malformed);
    }

    #[test]
    fn printing_leaves_the_query_out() {
        let url = SafeUrl::parse("https://a.example/x?key=secret").expect("a URL");
        assert_eq!(url.to_string(), "https://a.example/x");
        assert_eq!(format!("{url:?}"), "https://a.example/x");
    }

    #[test]
    fn an_origin_is_canonical() {
        let origin = |text: &str| Origin::parse(text).map(|o| o.as_str().to_owned());
        assert_eq!(
            origin("HTTPS://A.example:443/").as_deref(),
            Ok("https://a.example")
        );
        assert_eq!(
            origin("https://a.example/x"),
            Err(InvalidOrigin::Path("https://a.example".to_owned()))
        );
        assert!(Origin::parse("http://[::1]:8080").is_ok_and(|o| o.is_loopback()));
        assert!(Origin::parse("http://127.0.0.1.evil.example").is_ok_and(|o| !o.is_loopback()));
    }
}
