//! Reads `Authorization: Bearer …`.
//!
//! Judges the form only; whether the token is good is decided by whoever looks it up.
//! The rule is [RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1); the scheme is case-insensitive by RFC 9110 §11.1.

use thiserror::Error;

/// Why there is no bearer token to judge.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum BearerError {
    /// There is no `Authorization` header.
    #[error("no bearer token was presented")]
    Absent,
    /// There is more than one, and two parties could read different ones.
    #[error("send exactly one Authorization header")]
    Repeated,
    /// The scheme is another.
    #[error("the Authorization header must use the scheme Bearer")]
    OtherScheme,
    /// What follows the scheme is not a token.
    #[error("the bearer token is malformed")]
    Malformed,
}

/// Returns the token of a request, given the values of all its `Authorization` headers.
///
/// # Errors
///
/// When there is not exactly one header, or it is not of the form `Bearer b64token`.
pub fn bearer<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Result<&'a str, BearerError> {
    let mut values = values.into_iter();
    let value = values.next().ok_or(BearerError::Absent)?;
    if values.next().is_some() {
        return Err(BearerError::Repeated);
    }
    let text = std::str::from_utf8(value).map_err(|_| BearerError::Malformed)?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(BearerError::OtherScheme);
    }
    let token = token.trim_matches(' ');
    if is_b64token(token) {
        Ok(token)
    } else {
        Err(BearerError::Malformed)
    }
}

/// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
fn is_b64token(token: &str) -> bool {
    let characters = token.trim_end_matches('=');
    !characters.is_empty()
        && characters
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(values: &[&'a str]) -> Result<&'a str, BearerError> {
        bearer(values.iter().map(|value| value.as_bytes()))
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        for value in [
            "Bearer a.b-c_~+/==",
            "bearer a.b-c_~+/==",
            "BEARER  a.b-c_~+/==",
        ] {
            assert_eq!(read(&[value]), Ok("a.b-c_~+/=="), "{value}");
        }
    }

    #[test]
    fn exactly_one_header_is_read() {
        assert_eq!(read(&[]), Err(BearerError::Absent));
        assert_eq!(read(&["Bearer a", "Bearer a"]), Err(BearerError::Repeated));
    }

    #[test]
    fn what_is_no_bearer_token_is_refused() {
        for value in ["Basic YTpi", "", "Bearers a", "Token a"] {
            assert_eq!(read(&[value]), Err(BearerError::OtherScheme), "{value}");
        }
        for value in [
            "Bearer",
            "Bearer ",
            "Bearer ==",
            "Bearer a b",
            "Bearer a,b",
            "Bearer a=b",
            "Bearer \"a\"",
            "Bearer é",
        ] {
            assert_eq!(read(&[value]), Err(BearerError::Malformed), "{value}");
        }
        assert_eq!(
            bearer([b"Bearer \xff".as_slice()]),
            Err(BearerError::Malformed)
        );
    }
}
