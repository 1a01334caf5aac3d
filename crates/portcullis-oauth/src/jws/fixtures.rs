//! Providers that sign, for the tests of several kinds of tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::sign;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256,
};
use serde_json::{Value, json};

use crate::client::keys::SigningKeys;

/// A provider that signs.
pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: EncodingKey,
    pub(crate) jwk: Value,
}

impl Signer {
    pub(crate) fn new(algorithm: Algorithm, id: &str) -> Self {
        let kind = match algorithm {
            Algorithm::ES256 => &PKCS_ECDSA_P256_SHA256,
            Algorithm::ES384 => &PKCS_ECDSA_P384_SHA384,
            Algorithm::EdDSA => &PKCS_ED25519,
            _ => &PKCS_RSA_SHA256,
        };
        let pair = KeyPair::generate_for(kind).unwrap();
        let pem = pair.serialize_pem();
        let (key, mut jwk) = match algorithm {
            Algorithm::EdDSA => {
                let x = URL_SAFE_NO_PAD.encode(pair.public_key_raw());
                let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x});
                (EncodingKey::from_ed_pem(pem.as_bytes()).unwrap(), jwk)
            }
            Algorithm::ES256 | Algorithm::ES384 => {
                public(EncodingKey::from_ec_pem(pem.as_bytes()).unwrap(), algorithm)
            }
            _ => public(
                EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
                algorithm,
            ),
        };
        jwk["kid"] = json!(id);
        Self {
            algorithm,
            key,
            jwk,
        }
    }

    /// Signs claims under a header that names the algorithm and the key.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_with(
            &json!({"alg": format!("{:?}", self.algorithm), "kid": self.jwk["kid"]}),
            claims,
        )
    }

    /// Signs claims under a header.
    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let signature = sign(message.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }

    pub(crate) fn keys(&self) -> SigningKeys {
        keys(&[self])
    }

    /// Forges tokens under HS256, the public key being the secret, in the forms in which it can be had.
    pub(crate) fn confused(&self, claims: &Value) -> Vec<String> {
        let member = self.jwk["n"].as_str().or(self.jwk["x"].as_str()).unwrap();
        let secrets = [self.jwk.to_string(), member.to_owned(), String::new()];
        let header = json!({"alg": "HS256", "kid": self.jwk["kid"]});
        let forge = |secret: &String| {
            let message = message(&header, claims);
            let key = EncodingKey::from_secret(secret.as_bytes());
            let signature = sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
            format!("{message}.{signature}")
        };
        secrets.iter().map(forge).collect()
    }
}

fn public(key: EncodingKey, algorithm: Algorithm) -> (EncodingKey, Value) {
    let jwk = Jwk::from_encoding_key(&key, algorithm).unwrap();
    (key, serde_json::to_value(jwk).unwrap())
}

/// Writes what is signed.
pub(crate) fn message(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// Publishes the keys of several.
pub(crate) fn keys(signers: &[&Signer]) -> SigningKeys {
    let all: Vec<_> = signers.iter().map(|signer| &signer.jwk).collect();
    SigningKeys::read(json!({"keys": all}).to_string().as_bytes()).unwrap()
}
