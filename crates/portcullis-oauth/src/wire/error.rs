//! Errors of an authorization server, as it tells them to clients.
//!
//! Codes are those of [RFC 6749 §4.1.2.1 and §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2), [RFC 7591 §3.2.2](https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2), [RFC 8707 §2](https://www.rfc-editor.org/rfc/rfc8707#section-2) and OpenID Connect Core §3.1.2.6.
//! A description is a constant of the program, so that no error can repeat what was sent.

use std::fmt;

use serde::{Serialize, Serializer};
use thiserror::Error;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal;)*) => {
        /// `error`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum OAuthErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl OAuthErrorCode {
            /// Returns the code as it is sent.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Returns the status of an answer with this code, where the answer is no redirect.
            #[must_use]
            pub fn status(self) -> u16 {
                match self {
                    $(Self::$name => $status,)*
                }
            }
        }
    };
}

codes! {
    /// A parameter is missing, malformed or repeated.
    InvalidRequest = "invalid_request", 400;
    /// The client is unknown, or did not authenticate as it should.
    InvalidClient = "invalid_client", 401;
    /// The code or refresh token is unknown, expired, used up, or another client's.
    InvalidGrant = "invalid_grant", 400;
    /// The client may not use this way of asking.
    UnauthorizedClient = "unauthorized_client", 400;
    /// There is no such grant here.
    UnsupportedGrantType = "unsupported_grant_type", 400;
    /// There is no such response here.
    UnsupportedResponseType = "unsupported_response_type", 400;
    /// The scopes are malformed, or go beyond what was granted.
    InvalidScope = "invalid_scope", 400;
    /// The resource is unknown, malformed, or another than was granted.
    InvalidTarget = "invalid_target", 400;
    /// The person or a rule said no.
    AccessDenied = "access_denied", 403;
    /// The person would have to be asked, and the request forbids it.
    InteractionRequired = "interaction_required", 400;
    /// `request` is not read here.
    RequestNotSupported = "request_not_supported", 400;
    /// `request_uri` is not read here.
    RequestUriNotSupported = "request_uri_not_supported", 400;
    /// `registration` is not read here.
    RegistrationNotSupported = "registration_not_supported", 400;
    /// A redirect URI cannot be registered.
    InvalidRedirectUri = "invalid_redirect_uri", 400;
    /// Another member of the client's metadata cannot be registered.
    InvalidClientMetadata = "invalid_client_metadata", 400;
    /// Something failed here.
    ServerError = "server_error", 500;
    /// Something failed for now; asking again later may help.
    TemporarilyUnavailable = "temporarily_unavailable", 503;
}

impl fmt::Display for OAuthErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for OAuthErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// An error for a client; serialised it is the body of the answer.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Serialize)]
#[error("{code}: {description}")]
pub struct OAuthError {
    /// What programs go by.
    #[serde(rename = "error")]
    pub code: OAuthErrorCode,
    /// What developers read: printable ASCII without `"` and `\`.
    #[serde(rename = "error_description")]
    pub description: &'static str,
}

impl OAuthError {
    /// Makes an error.
    #[must_use]
    pub const fn new(code: OAuthErrorCode, description: &'static str) -> Self {
        Self { code, description }
    }

    /// Returns the status of an answer with this error, where the answer is no redirect.
    #[must_use]
    pub fn status(self) -> u16 {
        self.code.status()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_two_members() {
        let error = OAuthError::new(OAuthErrorCode::InvalidGrant, "the code has expired");
        insta::assert_snapshot!(
            serde_json::to_string(&error).unwrap(),
            @r#"{"error":"invalid_grant","error_description":"the code has expired"}"#
        );
    }

    #[test]
    fn t_01_only_an_unauthenticated_client_gets_401() {
        assert_eq!(OAuthErrorCode::InvalidClient.status(), 401);
        assert_eq!(OAuthErrorCode::UnauthorizedClient.status(), 400);
        assert_eq!(OAuthErrorCode::TemporarilyUnavailable.status(), 503);
    }
}
