//! Signed tokens: JSON Web Signatures in their compact form ([RFC 7515 §3.1](https://www.rfc-editor.org/rfc/rfc7515#section-3.1)), the one reader for every kind of token.
//!
//! The signature is judged before any claim is believed, by asymmetric algorithms alone, and no key or address that the token itself brings is looked at.
//! What the claims must say, and which `typ` is right, is decided by whoever asks.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use jsonwebtoken::crypto::verify;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::client::keys::SigningKeys;

#[cfg(test)]
pub(crate) mod fixtures;

/// An algorithm whose signatures prove where they come from; shared secrets prove nothing and are none (RFC 8725 §2.1).
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SigningAlgorithm(Algorithm);

/// The name is none of an algorithm that is accepted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "`{0}` is none of the algorithms RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and EdDSA"
)]
pub struct InvalidAlgorithm(String);

impl SigningAlgorithm {
    /// Every algorithm that is accepted, for providers of which it is not known which they sign with; the keys decide then.
    pub const ALL: [Self; 9] = [
        Self(Algorithm::RS256),
        Self(Algorithm::RS384),
        Self(Algorithm::RS512),
        Self(Algorithm::PS256),
        Self(Algorithm::PS384),
        Self(Algorithm::PS512),
        Self(Algorithm::ES256),
        Self(Algorithm::ES384),
        Self(Algorithm::EdDSA),
    ];

    /// Reads the name of an algorithm as tokens write it (RFC 7518 §3.1).
    ///
    /// # Errors
    ///
    /// When it is `none`, one of a shared secret, or unknown; case counts.
    pub fn parse(name: &str) -> Result<Self, InvalidAlgorithm> {
        name.parse()
            .ok()
            .map(Self)
            .filter(|algorithm| Self::ALL.contains(algorithm))
            .ok_or_else(|| InvalidAlgorithm(name.to_owned()))
    }
}

impl TryFrom<String> for SigningAlgorithm {
    type Error = InvalidAlgorithm;

    fn try_from(name: String) -> Result<Self, InvalidAlgorithm> {
        Self::parse(&name)
    }
}

impl fmt::Debug for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// What one of the keys signed.
#[derive(Debug)]
pub(crate) struct Signed {
    /// `typ` of the header, which tells kinds of tokens apart.
    pub(crate) typ: Option<String>,
    /// The claims, always an object.
    pub(crate) claims: Value,
}

impl Signed {
    /// Tells whether `typ` is this media type, with or without `application/` in front of it (RFC 7515 §4.1.9).
    pub(crate) fn is_typed(&self, name: &str) -> bool {
        let Some(typ) = &self.typ else { return false };
        let typ = match typ.split_at_checked("application/".len()) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
            _ => typ,
        };
        typ.eq_ignore_ascii_case(name)
    }
}

/// Why a text is no token that one of the keys signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JwsError {
    /// It is no compact signature over an object.
    Malformed,
    /// It has extensions that must be understood.
    Critical,
    /// Its algorithm is not accepted.
    Algorithm,
    /// No key fits it.
    UnknownKey,
    /// Its signature is wrong.
    Signature,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// Reads a token that one of the keys signed with an algorithm that `accepts` takes.
pub(crate) fn read(
    token: &str,
    keys: &SigningKeys,
    accepts: impl Fn(SigningAlgorithm) -> bool,
) -> Result<Signed, JwsError> {
    let (message, signature) = token.rsplit_once('.').ok_or(JwsError::Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(JwsError::Malformed)?;
    if payload.contains('.') {
        return Err(JwsError::Malformed);
    }
    let header: Header = decoded(header)?;
    // "If any of the listed extension Header Parameters are not understood and supported by the recipient, then the JWS is invalid": we understand none.
    if header.crit.is_some() {
        return Err(JwsError::Critical);
    }
    let algorithm = SigningAlgorithm::parse(&header.alg)
        .ok()
        .filter(|algorithm| accepts(*algorithm));
    let SigningAlgorithm(algorithm) = algorithm.ok_or(JwsError::Algorithm)?;
    let mut keys = keys.suitable(algorithm, header.kid.as_deref()).peekable();
    if keys.peek().is_none() {
        return Err(JwsError::UnknownKey);
    }
    let is_signed = |key| verify(signature, message.as_bytes(), key, algorithm).unwrap_or(false);
    if !keys.any(is_signed) {
        return Err(JwsError::Signature);
    }
    let claims: Value = decoded(payload)?;
    if !claims.is_object() {
        return Err(JwsError::Malformed);
    }
    Ok(Signed {
        typ: header.typ,
        claims,
    })
}

fn decoded<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, JwsError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| JwsError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| JwsError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j_05_only_algorithms_that_prove_the_origin_have_a_name() {
        for algorithm in SigningAlgorithm::ALL {
            let name = format!("{algorithm:?}");
            assert_eq!(SigningAlgorithm::parse(&name), Ok(algorithm));
        }
        for name in [
            "none", "None", "", "rs256", "HS256", "HS384", "HS512", "ES256K",
        ] {
            assert!(SigningAlgorithm::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_type_is_known_with_and_without_its_prefix_in_any_case() {
        let typed = |typ: &str| Signed {
            typ: Some(typ.to_owned()),
            claims: Value::Null,
        };
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
            assert!(typed(typ).is_typed("at+jwt"), "{typ}");
        }
        for typ in ["", "jwt", "at+jwt2", "application/", "text/at+jwt", "é"] {
            assert!(!typed(typ).is_typed("at+jwt"), "{typ}");
        }
    }
}
