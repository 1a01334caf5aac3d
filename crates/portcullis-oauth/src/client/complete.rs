//! What comes back to our callback: the authorization response ([RFC 6749 §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2)), with `iss` of [RFC 9207](https://www.rfc-editor.org/rfc/rfc9207).
//!
//! Whether `state` belongs to this browser and this provider has been judged before.
//! Of an error only its code is read, and only as one of those that we know: what a provider writes beside it is shown to nobody.

use portcullis_base::Secret;
use thiserror::Error;

use super::ready::ReadyProvider;
use crate::wire::error::OAuthErrorCode;
use crate::wire::form::Parameters;

/// Why there is no code.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CallbackError {
    /// The provider says no.
    #[error("the provider answered with the error `{}`", .refusal.as_str())]
    Refused {
        /// What it says no with.
        refusal: UpstreamRefusal,
        /// What the profile knows to do about it, in our own words.
        hint: Option<String>,
    },
    /// The provider always says who it is, and this answer does not.
    #[error("the answer lacks `iss`, which this provider always sends")]
    NoIssuer,
    /// The answer is another provider's.
    #[error("the answer names another issuer than the provider's")]
    OtherIssuer,
    /// There is neither a code nor an error.
    #[error("the answer has neither `code` nor `error`")]
    NoCode,
}

/// What a provider says no with: the codes of RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6 and RFC 8707.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamRefusal {
    /// `access_denied`: the person or a rule of the provider's said no.
    AccessDenied,
    /// `login_required`, `interaction_required`, `consent_required`, `account_selection_required`: the person has to do something at the provider.
    InteractionRequired,
    /// `invalid_request`
    InvalidRequest,
    /// `invalid_scope`
    InvalidScope,
    /// `invalid_target`
    InvalidTarget,
    /// `unauthorized_client`
    UnauthorizedClient,
    /// `unsupported_response_type`
    UnsupportedResponseType,
    /// `server_error`
    ServerError,
    /// `temporarily_unavailable`
    TemporarilyUnavailable,
    /// Anything else.
    Other,
}

/// Reads the answer of a provider.
///
/// # Errors
///
/// When the provider refuses, or the answer is not this provider's.
pub fn complete(ready: &ReadyProvider, answer: &Parameters) -> Result<Secret, CallbackError> {
    judge_issuer(ready, answer.get("iss"))?;
    if let Some(error) = answer.get("error") {
        return Err(CallbackError::Refused {
            refusal: UpstreamRefusal::read(error),
            hint: ready.provider().profile().hint(error).map(str::to_owned),
        });
    }
    let code = answer.get("code").ok_or(CallbackError::NoCode)?;
    Ok(Secret::new(code.to_owned()))
}

/// Compares `iss`, of errors as well as of codes.
fn judge_issuer(ready: &ReadyProvider, iss: Option<&str>) -> Result<(), CallbackError> {
    let expected = ready.provider().issuer();
    match (iss, expected) {
        // "clients MUST reject authorization responses without the iss parameter from authorization servers that do support the parameter"
        (None, _) if ready.sends_iss() => Err(CallbackError::NoIssuer),
        // "If the value does not match the expected issuer identifier, clients MUST reject the authorization response"
        (Some(iss), Some(expected)) if !expected.may_be(iss) => Err(CallbackError::OtherIssuer),
        // Without an issuer to compare with, the callback of its own tells providers apart.
        _ => Ok(()),
    }
}

impl UpstreamRefusal {
    fn read(code: &str) -> Self {
        match code {
            "access_denied" => Self::AccessDenied,
            "login_required"
            | "interaction_required"
            | "consent_required"
            | "account_selection_required" => Self::InteractionRequired,
            "invalid_request" => Self::InvalidRequest,
            "invalid_scope" => Self::InvalidScope,
            "invalid_target" => Self::InvalidTarget,
            "unauthorized_client" => Self::UnauthorizedClient,
            "unsupported_response_type" => Self::UnsupportedResponseType,
            "server_error" => Self::ServerError,
            "temporarily_unavailable" => Self::TemporarilyUnavailable,
            _ => Self::Other,
        }
    }

    /// Returns the code, as logs and pages name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::InteractionRequired => "interaction_required",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::Other => "an error of its own",
        }
    }

    /// Returns what our own client gets: what the operator has to mend is no fault of the client's request.
    #[must_use]
    pub fn code_for_client(self) -> OAuthErrorCode {
        match self {
            Self::AccessDenied | Self::InteractionRequired => OAuthErrorCode::AccessDenied,
            Self::InvalidScope => OAuthErrorCode::InvalidScope,
            Self::TemporarilyUnavailable => OAuthErrorCode::TemporarilyUnavailable,
            _ => OAuthErrorCode::ServerError,
        }
    }
}

#[cfg(test)]
mod tests;
