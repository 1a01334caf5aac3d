//! A provider's key, and tokens that it signs.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::KeyPair;
use serde_json::{Value, json};

/// A key that signs tokens.
#[derive(Clone)]
pub(crate) struct Signer {
    id: &'static str,
    pair: Arc<KeyPair>,
}

impl Signer {
    pub(crate) fn new(id: &'static str) -> Self {
        Self {
            id,
            pair: Arc::new(KeyPair::generate().unwrap()),
        }
    }

    pub(crate) fn jwk(&self) -> Value {
        // After the byte that says "uncompressed", both coordinates.
        let point = self.pair.public_key_raw();
        json!({
            "kty": "EC", "crv": "P-256", "kid": self.id, "use": "sig", "alg": "ES256",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..])
        })
    }

    /// Signs claims as `JWT`.
    pub(crate) fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": self.id});
        self.signed(&header, claims)
    }

    /// Signs claims under a header, whatever that says.
    pub(crate) fn signed(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let pkcs8 = self.pair.serialize_der();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap();
        let signature = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}
