//! Why a sign-in at a provider fails, in words that may be shown: no secret, and nothing that the provider wrote.
//!
//! What the provider wrote is in the log, where the failure is met.

use portcullis_base::{Blame, Slug};
use portcullis_oauth::client::id_token::IdTokenError;
use portcullis_oauth::client::metadata::InvalidMetadata;
use portcullis_oauth::client::ready::NotReady;
use portcullis_oauth::wire::token::TokenAnswerError;
use thiserror::Error;

use crate::upstream::policy::EgressRefusal;

/// Why a provider is of no use, or does not say what it should.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ProviderError {
    /// An endpoint is missing or cannot be used.
    #[error("the provider `{provider}` cannot be used: {reason}")]
    NotReady {
        /// The provider.
        provider: Slug,
        /// Why.
        reason: NotReady,
    },
    /// The guard of the way out refused.
    #[error("the provider `{provider}` was not asked for its {endpoint}: {refusal}")]
    NotAllowed {
        /// The provider.
        provider: Slug,
        /// What was to be asked.
        endpoint: Endpoint,
        /// Why not; names the setting that allows it.
        refusal: EgressRefusal,
    },
    /// There is no answer.
    #[error(
        "the provider `{provider}` could not be reached for its {endpoint}; the reason is in the gateway's log"
    )]
    Unreachable {
        /// The provider.
        provider: Slug,
        /// What was asked.
        endpoint: Endpoint,
        /// Why not, in the words of the log.
        reason: String,
    },
    /// The answer is of no use.
    #[error("the provider `{provider}` gave no usable answer for its {endpoint}: {problem}")]
    Answer {
        /// The provider.
        provider: Slug,
        /// What was asked.
        endpoint: Endpoint,
        /// What is wrong with it.
        problem: AnswerProblem,
    },
    /// The metadata is not the issuer's.
    #[error(
        "the metadata of the provider `{provider}` is not used: {reason}; compare `issuer` with what the provider calls itself"
    )]
    Metadata {
        /// The provider.
        provider: Slug,
        /// Why.
        reason: InvalidMetadata,
    },
    /// The token endpoint refused.
    #[error("the provider `{provider}` gave no token ({code}): {advice}")]
    Refused {
        /// The provider.
        provider: Slug,
        /// The code of the error, where it is one that everybody knows.
        code: &'static str,
        /// What to do.
        advice: String,
        /// Who can mend it.
        blame: Blame,
    },
    /// The id token is not believed.
    #[error("the id token of the provider `{provider}` is not believed: {reason}")]
    IdToken {
        /// The provider.
        provider: Slug,
        /// Why.
        reason: IdTokenError,
    },
    /// The provider does not say who the person is, though it should.
    #[error("the provider `{provider}` did not say who the person is")]
    NoIdentity {
        /// The provider.
        provider: Slug,
    },
    /// The userinfo endpoint speaks of somebody else.
    #[error(
        "the provider `{provider}` told of another person at its userinfo endpoint than in its id token"
    )]
    OtherPerson {
        /// The provider.
        provider: Slug,
    },
}

/// What is asked of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Its metadata.
    Metadata,
    /// Its keys.
    Keys,
    /// Its token endpoint.
    Token,
    /// Its userinfo endpoint.
    Userinfo,
    /// The list of a person's addresses.
    Emails,
    /// The list of a person's organisations.
    Organisations,
    /// Its introspection endpoint.
    Introspection,
    /// Where it revokes tokens.
    Revocation,
    /// What a token is tried out at.
    Probe,
}

/// What is wrong with an answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AnswerProblem {
    /// Its status is no success.
    #[error("status {0}")]
    Status(u16),
    /// It sends us elsewhere, where we do not go.
    #[error("status {0}, a redirect, which is not followed")]
    Redirect(u16),
    /// It is too large.
    #[error("it has more than {0} bytes")]
    TooLarge(usize),
    /// It is no JSON.
    #[error("it is no JSON document")]
    NotJson,
    /// It is no JWK set.
    #[error("it is no JWK set")]
    NoKeys,
    /// It holds no token.
    #[error("{0}")]
    NoToken(TokenAnswerError),
}

impl ProviderError {
    /// Returns who can mend it.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::NotReady { .. } | Self::NotAllowed { .. } | Self::Metadata { .. } => {
                Blame::Operator
            }
            Self::Refused { blame, .. } => *blame,
            Self::IdToken { reason, .. } => match reason {
                IdTokenError::Algorithm
                | IdTokenError::OtherIssuer
                | IdTokenError::OtherAudience
                | IdTokenError::Time => Blame::Operator,
                _ => Blame::Upstream,
            },
            Self::Unreachable { .. }
            | Self::Answer { .. }
            | Self::NoIdentity { .. }
            | Self::OtherPerson { .. } => Blame::Upstream,
        }
    }
}

impl Endpoint {
    /// Returns its name, as messages and logs have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Keys => "keys",
            Self::Token => "token endpoint",
            Self::Userinfo => "userinfo endpoint",
            Self::Emails => "list of e-mail addresses",
            Self::Organisations => "list of organisations",
            Self::Introspection => "introspection endpoint",
            Self::Revocation => "revocation endpoint",
            Self::Probe => "probe",
        }
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
