//! Writes the one `WWW-Authenticate: Bearer …` of a refused request.
//!
//! The form is [RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3), `resource_metadata` is [RFC 9728 §5.1](https://www.rfc-editor.org/rfc/rfc9728#section-5.1).
//! Every parameter is quoted, since clients are known to split unquoted ones wrongly, and there is one challenge only, since clients are known to read the first or the last of several.

use std::fmt::{self, Display, Write as _};

/// What is wrong with the token of a request (RFC 6750 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerErrorCode {
    /// 400: the request itself is malformed.
    InvalidRequest,
    /// 401: the token is malformed, unknown, expired, revoked, or for another resource.
    InvalidToken,
    /// 403: the token is good and does not reach far enough.
    InsufficientScope,
}

impl BearerErrorCode {
    /// Returns the code as RFC 6750 writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

/// A challenge; what is absent is not written.
///
/// A request without any credential gets no `error` (RFC 6750 §3.1, last paragraph).
#[derive(Clone, Copy, Debug, Default)]
pub struct Challenge<'a> {
    /// The name of the protected space.
    pub realm: Option<&'a str>,
    /// What is wrong.
    pub error: Option<BearerErrorCode>,
    /// The same for people.
    pub error_description: Option<&'a str>,
    /// The scopes that are needed, separated by spaces.
    pub scope: Option<&'a str>,
    /// The URL of the resource's metadata document.
    pub resource_metadata: Option<&'a str>,
}

impl Display for Challenge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters = [
            ("realm", self.realm),
            ("error", self.error.map(BearerErrorCode::as_str)),
            ("error_description", self.error_description),
            ("scope", self.scope),
            ("resource_metadata", self.resource_metadata),
        ];
        f.write_str("Bearer")?;
        let mut separator = " ";
        for (name, value) in parameters {
            let Some(value) = value else { continue };
            write!(f, "{separator}{name}=\"")?;
            for character in value.chars() {
                quoted(f, character)?;
            }
            f.write_char('"')?;
            separator = ", ";
        }
        Ok(())
    }
}

/// Writes a character of a quoted string (RFC 9110 §5.6.4); what a header cannot carry becomes a question mark.
fn quoted(f: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    match character {
        '"' | '\\' => write!(f, "\\{character}"),
        ' '..='~' => f.write_char(character),
        _ => f.write_char('?'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_quoted_in_one_challenge() {
        let challenge = Challenge {
            realm: Some("pets"),
            error: Some(BearerErrorCode::InsufficientScope),
            error_description: Some("say \"please\"\r\nX-Evil: é"),
            scope: Some("read write"),
            resource_metadata: Some(
                "https://mcp.example/.well-known/oauth-protected-resource/pets/mcp",
            ),
        };
        assert_eq!(
            challenge.to_string(),
            "Bearer realm=\"pets\", error=\"insufficient_scope\", error_description=\"say \\\"please\\\"??X-Evil: ?\", scope=\"read write\", resource_metadata=\"https://mcp.example/.well-known/oauth-protected-resource/pets/mcp\""
        );
    }

    #[test]
    fn a_bare_challenge_is_the_scheme_alone() {
        assert_eq!(Challenge::default().to_string(), "Bearer");
    }
}
