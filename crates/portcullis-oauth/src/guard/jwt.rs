//! Access tokens that are JSON Web Tokens ([RFC 9068](https://www.rfc-editor.org/rfc/rfc9068), with the lessons of [RFC 8725](https://www.rfc-editor.org/rfc/rfc8725)), of a provider's own authorization server.
//!
//! Keys and time are handed in; a key that the token names and nobody has is [`Refusal::UnknownKey`], upon which the caller fetches the keys once more and asks again.
//! Where there are no keys at all the caller answers that it cannot tell, since that says nothing of the token.

use portcullis_base::Timestamp;

use super::external::{AccessTokenPolicy, ExternalAccess, Refusal};
use crate::client::keys::SigningKeys;
use crate::jws::{self, JwsError, Signed, SigningAlgorithm};

impl From<JwsError> for Refusal {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::Malformed => Self::Malformed,
            JwsError::Critical => Self::Critical,
            JwsError::Algorithm => Self::Algorithm,
            JwsError::UnknownKey => Self::UnknownKey,
            JwsError::Signature => Self::Signature,
        }
    }
}

/// Claims without which nothing is known of a token; `aud` has a rule of its own.
const REQUIRED: [&str; 3] = ["iss", "sub", "exp"];

/// Judges an access token by its signature and its claims; `algorithms` are those that the provider signs with, and without one nothing is believed.
///
/// # Errors
///
/// When it is no access token of this provider's for us at this time.
pub fn verify(
    token: &str,
    keys: &SigningKeys,
    algorithms: &[SigningAlgorithm],
    policy: &AccessTokenPolicy,
    now: Timestamp,
) -> Result<ExternalAccess, Refusal> {
    let signed = jws::read(token, keys, |algorithm| algorithms.contains(&algorithm))?;
    judge_kind(&signed)?;
    let claims = &signed.claims;
    if let Some(missing) = REQUIRED.into_iter().find(|name| claims.get(name).is_none()) {
        return Err(Refusal::Claim(missing));
    }
    policy.judge(claims, now)
}

/// Refuses what is typed as anything but an access token, and id tokens as far as they can be told.
///
/// "The resource server MUST verify that the 'typ' header value is 'at+jwt' or 'application/at+jwt' and reject tokens carrying any other value" (RFC 9068 §4) cannot be held to the letter: most providers of today write `JWT` or nothing, as their id tokens do.
/// Of those two, a token with a `nonce` is an id token, since the nonce answers a request for one; an access token that is typed as one may bear what it likes.
/// What remains is an id token without `nonce` and `at_hash`, whose audience is a client id and not us.
fn judge_kind(signed: &Signed) -> Result<(), Refusal> {
    if signed.is_typed("at+jwt") {
        return Ok(());
    }
    if signed.typ.is_some() && !signed.is_typed("JWT") {
        return Err(Refusal::OtherKind("typ"));
    }
    match signed.claims.get("nonce") {
        Some(_) => Err(Refusal::OtherKind("nonce")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
