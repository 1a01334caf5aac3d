//! Id tokens: whether a provider really said what stands in one ([OpenID Connect Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)).
//!
//! A pure judgement: keys, nonce and time are handed in.
//! The signature is judged before any claim is believed, by asymmetric algorithms alone, and no key or address that the token itself brings is looked at.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use jsonwebtoken::crypto::verify;
use portcullis_base::{Secret, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::issuer::ExpectedIssuer;
use super::keys::SigningKeys;

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

#[derive(Deserialize)]
struct JwsHeader {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
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
    let claims = signed_claims(token.expose(), expected.keys)?;
    let issuer = text(&claims, "iss")?;
    if !expected
        .issuer
        .is(issuer, claims.get("tid").and_then(Value::as_str))
    {
        return Err(IdTokenError::OtherIssuer);
    }
    text(&claims, "sub")?;
    judge_audience(&claims, expected.audience)?;
    judge_time(&claims, now)?;
    // "the Client MUST check that the nonce claim value is equal to the value of the nonce parameter sent"; secrets compare in constant time.
    if Secret::new(text(&claims, "nonce")?.to_owned()) != *expected.nonce {
        return Err(IdTokenError::OtherNonce);
    }
    Ok(IdTokenClaims {
        issuer: issuer.to_owned(),
        claims,
    })
}

/// Returns the claims of a token that one of the keys signed.
fn signed_claims(token: &str, keys: &SigningKeys) -> Result<Value, IdTokenError> {
    let (message, signature) = token.rsplit_once('.').ok_or(IdTokenError::Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(IdTokenError::Malformed)?;
    if payload.contains('.') {
        return Err(IdTokenError::Malformed);
    }
    let header: JwsHeader = decoded(header)?;
    if header.crit.is_some() {
        return Err(IdTokenError::Critical);
    }
    // RFC 8725 §3.11: an access token or a logout token is none, though it may bear the same claims.
    if header
        .typ
        .is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"))
    {
        return Err(IdTokenError::OtherType);
    }
    let algorithm = asymmetric(&header.alg).ok_or(IdTokenError::Algorithm)?;
    let mut keys = keys.suitable(algorithm, header.kid.as_deref()).peekable();
    if keys.peek().is_none() {
        return Err(IdTokenError::UnknownKey);
    }
    let is_signed = |key| verify(signature, message.as_bytes(), key, algorithm).unwrap_or(false);
    if !keys.any(is_signed) {
        return Err(IdTokenError::Signature);
    }
    let claims: Value = decoded(payload)?;
    claims
        .is_object()
        .then_some(claims)
        .ok_or(IdTokenError::Malformed)
}

fn decoded<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, IdTokenError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| IdTokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| IdTokenError::Malformed)
}

fn asymmetric(name: &str) -> Option<Algorithm> {
    let algorithm = name.parse().ok()?;
    let shared = matches!(
        algorithm,
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
    );
    (!shared).then_some(algorithm)
}

fn text<'a>(claims: &'a Value, name: &'static str) -> Result<&'a str, IdTokenError> {
    let text = claims.get(name).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
        .ok_or(IdTokenError::Claim(name))
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
    let expires_at = instant(claims, "exp")?.ok_or(IdTokenError::Claim("exp"))?;
    let issued_at = instant(claims, "iat")?.ok_or(IdTokenError::Claim("iat"))?;
    let not_before = instant(claims, "nbf")?.unwrap_or(issued_at);
    let is_good = now < expires_at.after(LEEWAY)
        && issued_at <= now.after(LEEWAY)
        && not_before <= now.after(LEEWAY);
    is_good.then_some(()).ok_or(IdTokenError::Time)
}

/// Reads seconds since the epoch, of which some providers write fractions.
fn instant(claims: &Value, name: &'static str) -> Result<Option<Timestamp>, IdTokenError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let seconds = value
        .as_f64()
        .filter(|seconds| (0.0..1e12).contains(seconds));
    let seconds = seconds.ok_or(IdTokenError::Claim(name))?;
    let since = Duration::try_from_secs_f64(seconds).map_err(|_| IdTokenError::Claim(name))?;
    Ok(Some(Timestamp::from_millis(0).after(since)))
}

#[cfg(test)]
mod tests;
