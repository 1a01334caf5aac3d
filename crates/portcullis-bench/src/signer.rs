//! The key of a provider that signs its access tokens, and tokens that it signed.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The time when all tokens expire: long after any measurement.
const EXPIRY: u64 = 4_000_000_000;

/// Signs with one key.
pub(crate) struct Signer {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Signer {
    /// Makes a key and writes it to a file.
    pub(crate) fn create(file: &Path) -> anyhow::Result<()> {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map_err(|_| anyhow!("no key can be made"))?;
        std::fs::write(file, key.as_ref())?;
        Ok(())
    }

    /// Reads the key from a file.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let key = std::fs::read(file).with_context(|| file.display().to_string())?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key)
            .map_err(|_| anyhow!("{} holds no key", file.display()))?;
        Ok(Self {
            pair,
            random: SystemRandom::new(),
        })
    }

    /// Returns the set that the provider publishes (RFC 7517).
    pub(crate) fn set(&self) -> Value {
        // After the byte that says "uncompressed", both coordinates.
        let point = self.pair.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(32);
        let key = json!({
            "kty": "EC", "crv": "P-256", "kid": "bench", "use": "sig", "alg": "ES256",
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        });
        json!({ "keys": [key] })
    }

    /// Signs an access token for a resource (RFC 9068); each number is another token.
    pub(crate) fn token(
        &self,
        issuer: &str,
        resource: &str,
        number: usize,
    ) -> anyhow::Result<String> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "bench" });
        let claims = json!({
            "iss": issuer, "aud": resource, "sub": "person", "client_id": "bench",
            "iat": 1, "exp": EXPIRY, "jti": number.to_string(),
        });
        let message = format!("{}.{}", part(&header), part(&claims));
        let signature = self
            .pair
            .sign(&self.random, message.as_bytes())
            .map_err(|_| anyhow!("a token cannot be signed"))?;
        let signature = URL_SAFE_NO_PAD.encode(signature.as_ref());
        Ok(format!("{message}.{signature}"))
    }
}
