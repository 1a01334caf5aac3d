//! Id tokens: whether a provider really said what stands in one ([OpenID Connect Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)).
//!
//! A pure judgement: keys, nonce and time are handed in.
//! The signature is judged first, by [`crate::jws`].

use std::time::Duration;

use portcullis_base::{Secret, Timestamp};
use serde_json::Value;
use thiserror::Error;

use super::issuer::ExpectedIssuer;
use super::keys::SigningKeys;
use crate::claims::{WrongClaim, instant, text};
use crate::jws::{self, JwsError};

/// How far clocks may differ.
const LEEWAY: Duration = Duration::from_mins(1);

/// What an id token must be.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedIdToken<'a> {
    /// The provider's keys.
    pub keys: &'a SigningKeys,
    /// The provider's issuer.
    pub issuer: &'a ExpectedIssuer,
    /// Our client id.
    pub audience: &'a str,
    /// The nonce of our authorization request.
    pub nonce: &'a Secret,
}

/// What a provider says of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdTokenClaims {
    /// `iss`.
    pub issuer: String,
    /// All claims.
    pub claims: Value,
}

/// Why an id token is not believed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum IdTokenError {
    /// It is no JSON Web Token.
    #[error("it is no signed JSON Web Token")]
    Malformed,
    /// It is another kind of token.
    #[error("it is another kind of token: `typ` is not `JWT`")]
    OtherType,
    /// It has extensions that must be understood.
    #[error("it has critical extensions")]
    Critical,
    /// Its algorithm is none that proves where it comes from.
    #[error(
        "its algorithm is none of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and EdDSA; give the application a signing key at the provider, not a shared secret"
    )]
    Algorithm,
    /// No key of the provider's fits it.
    #[error("the provider has no key of the id and kind that it is signed with")]
    UnknownKey,
    /// Its signature is wrong.
    #[error("its signature is wrong")]
    Signature,
    /// A claim is missing or mistyped.
    #[error("its claim `{0}` is missing or of the wrong type")]
    Claim(&'static str),
    /// Another issuer made it.
    #[error("its issuer is another; compare `issuer` with what the provider calls itself")]
    OtherIssuer,
    /// It is for another client.
    #[error("it is for another client than our `client_id`")]
    OtherAudience,
    /// It is too old, or from the future.
    #[error("it is not good at this time; compare the clocks")]
    Time,
    /// It belongs to another sign-in.
    #[error("it belongs to another sign-in: `nonce` is another")]
    OtherNonce,
}

impl From<JwsError> for IdTokenError {
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

impl From<WrongClaim> for IdTokenError {
    fn from(WrongClaim(name): WrongClaim) -> Self {
        Self::Claim(name)
    }
}

/// Judges an id token.
///
/// # Errors
///
/// When anything about it is not as expected; [`IdTokenError::UnknownKey`] where newer keys may help.
pub fn validate(
    token: &Secret,
    expected: &ExpectedIdToken<'_>,
    now: Timestamp,
) -> Result<IdTokenClaims, IdTokenError> {
    let signed = jws::read(token.expose(), expected.keys, |_| true)?;
    // RFC 8725 §3.11: an access token or a logout token is none, though it may bear the same claims.
    if signed.typ.is_some() && !signed.is_typed("JWT") {
        return Err(IdTokenError::OtherType);
    }
    let claims = signed.claims;
    let issuer = required(text(&claims, "iss")?, "iss")?;
    if !expected
        .issuer
        .is(issuer, claims.get("tid").and_then(Value::as_str))
    {
        return Err(IdTokenError::OtherIssuer);
    }
    required(text(&claims, "sub")?, "sub")?;
    judge_audience(&claims, expected.audience)?;
    judge_time(&claims, now)?;
    // "the Client MUST check that the nonce claim value is equal to the value of the nonce parameter sent"; secrets compare in constant time.
    let nonce = required(text(&claims, "nonce")?, "nonce")?;
    if Secret::new(nonce.to_owned()) != *expected.nonce {
        return Err(IdTokenError::OtherNonce);
    }
    Ok(IdTokenClaims {
        issuer: issuer.to_owned(),
        claims,
    })
}

fn required<T>(claim: Option<T>, name: &'static str) -> Result<T, IdTokenError> {
    claim.ok_or(IdTokenError::Claim(name))
}

/// "The aud claim MAY contain an array with more than one element. The ID Token MUST be rejected if […] it contains additional audiences not trusted by the Client": none is, unless `azp` says that it was made for us.
fn judge_audience(claims: &Value, audience: &str) -> Result<(), IdTokenError> {
    let azp = claims.get("azp");
    if azp.is_some_and(|azp| azp != audience) {
        return Err(IdTokenError::OtherAudience);
    }
    let is_ours = match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(several)) => match several.as_slice() {
            [one] => one == audience,
            several => azp.is_some() && several.iter().any(|one| one == audience),
        },
        _ => return Err(IdTokenError::Claim("aud")),
    };
    is_ours.then_some(()).ok_or(IdTokenError::OtherAudience)
}

fn judge_time(claims: &Value, now: Timestamp) -> Result<(), IdTokenError> {
    let expires_at = required(instant(claims, "exp")?, "exp")?;
    let issued_at = required(instant(claims, "iat")?, "iat")?;
    let not_before = instant(claims, "nbf")?.unwrap_or(issued_at);
    let is_good = now < expires_at.after(LEEWAY)
        && issued_at <= now.after(LEEWAY)
        && not_before <= now.after(LEEWAY);
    is_good.then_some(()).ok_or(IdTokenError::Time)
}

#[cfg(test)]
mod tests;
