//! The keys with which a provider signs: a JWK set ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
//!
//! Only public keys of asymmetric algorithms are kept; what is of another kind is left out, as §5 asks.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// The most keys of a set that are kept.
const MOST_KEYS: usize = 100;

/// A provider's keys.
#[derive(Clone, Debug, Default)]
pub struct SigningKeys(Vec<SigningKey>);

#[derive(Clone, Debug)]
struct SigningKey {
    id: Option<String>,
    /// The only algorithm that the key may be used with, where the set says so.
    algorithm: Option<String>,
    kind: KeyKind,
    key: DecodingKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyKind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

/// The document is no JWK set.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("it is no JWK set")]
pub struct InvalidKeys;

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl SigningKeys {
    /// Reads a set.
    ///
    /// # Errors
    ///
    /// When the document is none; keys in it that cannot be used are none.
    pub fn read(body: &[u8]) -> Result<Self, InvalidKeys> {
        let set: Set = serde_json::from_slice(body).map_err(|_| InvalidKeys)?;
        let keys = set.keys.into_iter().filter_map(SigningKey::read);
        Ok(Self(keys.take(MOST_KEYS).collect()))
    }

    /// Tells whether no key can be used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the keys that a token with this algorithm and `kid` may be signed with; all that fit where it names none.
    pub(crate) fn suitable<'a>(
        &'a self,
        algorithm: Algorithm,
        id: Option<&'a str>,
    ) -> impl Iterator<Item = &'a DecodingKey> {
        let is_suitable = move |key: &&SigningKey| {
            key.takes(algorithm) && id.is_none_or(|id| key.id.as_deref() == Some(id))
        };
        self.0.iter().filter(is_suitable).map(|key| &key.key)
    }
}

impl SigningKey {
    fn read(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let is_for_signing = match &jwk.common.public_key_use {
            None | Some(PublicKeyUse::Signature) => true,
            Some(_) => false,
        };
        let kind = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => KeyKind::Rsa,
            AlgorithmParameters::EllipticCurve(key) => match key.curve {
                EllipticCurve::P256 => KeyKind::P256,
                EllipticCurve::P384 => KeyKind::P384,
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                KeyKind::Ed25519
            }
            // Shared secrets among them: whoever can check such a signature can make it.
            _ => return None,
        };
        let key = DecodingKey::from_jwk(&jwk)
            .ok()
            .filter(|_| is_for_signing)?;
        Some(Self {
            id: jwk.common.key_id,
            algorithm: jwk
                .common
                .key_algorithm
                .map(|algorithm| algorithm.to_string()),
            kind,
            key,
        })
    }

    fn takes(&self, algorithm: Algorithm) -> bool {
        let fits = match algorithm {
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => self.kind == KeyKind::Rsa,
            Algorithm::ES256 => self.kind == KeyKind::P256,
            Algorithm::ES384 => self.kind == KeyKind::P384,
            Algorithm::EdDSA => self.kind == KeyKind::Ed25519,
            _ => false,
        };
        let named = self.algorithm.as_ref();
        fits && named.is_none_or(|named| *named == format!("{algorithm:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

    fn suitable(keys: &Value, algorithm: Algorithm, id: Option<&str>) -> usize {
        let keys = SigningKeys::read(json!({"keys": keys}).to_string().as_bytes()).unwrap();
        keys.suitable(algorithm, id).count()
    }

    #[test]
    fn a_key_is_found_by_its_id_and_its_kind() {
        let keys = json!([
            {"kty": "RSA", "n": N, "e": "AQAB", "kid": "a", "alg": "RS256", "use": "sig"},
            {"kty": "RSA", "n": N, "e": "AQAB", "kid": "b"}
        ]);
        assert_eq!(suitable(&keys, Algorithm::RS256, Some("a")), 1);
        assert_eq!(suitable(&keys, Algorithm::RS256, None), 2);
        assert_eq!(suitable(&keys, Algorithm::PS256, Some("a")), 0);
        assert_eq!(suitable(&keys, Algorithm::PS256, Some("b")), 1);
        assert_eq!(suitable(&keys, Algorithm::RS256, Some("A")), 0);
        assert_eq!(suitable(&keys, Algorithm::ES256, None), 0);
    }

    #[test]
    fn j_05_shared_secrets_and_keys_for_other_uses_are_left_out() {
        let keys = json!([
            {"kty": "oct", "k": "c2VjcmV0", "kid": "a"},
            {"kty": "RSA", "n": N, "e": "AQAB", "use": "enc"},
            {"kty": "RSA", "n": "?", "e": "AQAB"},
            {"kty": "new", "x": 1}, 7, null
        ]);
        for algorithm in [Algorithm::HS256, Algorithm::RS256, Algorithm::EdDSA] {
            assert_eq!(suitable(&keys, algorithm, None), 0, "{algorithm:?}");
        }
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for body in ["", "[]", "{}", "{\"keys\": 1}", "<html>"] {
            assert!(SigningKeys::read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
