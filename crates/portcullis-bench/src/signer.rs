//! The key of a provider that signs its access tokens, and tokens that it signed.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The time when all tokens expire: long after any measurement.
const EXPIRY: u64 = 4_000_000_000;

/// Where the modulus of 2,048 bits stands in a public key of RFC 8017 (DER): behind two heads and a zero.
const MODULUS: std::ops::Range<usize> = 9..265;

/// How a provider signs.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Algorithm {
    Es256,
    Rs256,
}

/// Signs with one key.
pub(crate) struct Signer {
    pair: Pair,
    random: SystemRandom,
}

enum Pair {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
}

impl Signer {
    /// Makes a key and writes it to a file.
    pub(crate) fn create(file: &Path, algorithm: Algorithm) -> anyhow::Result<()> {
        let failed = |_| anyhow!("no key can be made");
        let random = SystemRandom::new();
        let key = match algorithm {
            Algorithm::Es256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                    .map_err(failed)?
                    .as_ref()
                    .to_vec()
            }
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                let key: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
                key.as_ref().to_vec()
            }
        };
        std::fs::write(file, key)?;
        Ok(())
    }

    /// Reads the key from a file.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let key = std::fs::read(file).with_context(|| file.display().to_string())?;
        let pair = match EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key) {
            Ok(pair) => Pair::Es256(pair),
            Err(_) => Pair::Rs256(
                RsaKeyPair::from_pkcs8(&key)
                    .map_err(|_| anyhow!("{} holds no key", file.display()))?,
            ),
        };
        Ok(Self {
            pair,
            random: SystemRandom::new(),
        })
    }

    /// Returns the set that the provider publishes (RFC 7517).
    pub(crate) fn set(&self) -> Value {
        let key = match &self.pair {
            Pair::Es256(pair) => {
                // After the byte that says "uncompressed", both coordinates.
                let point = pair.public_key().as_ref();
                let (x, y) = point.get(1..).unwrap_or_default().split_at(32);
                json!({
                    "kty": "EC", "crv": "P-256", "kid": "bench", "use": "sig", "alg": "ES256",
                    "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
                })
            }
            Pair::Rs256(pair) => {
                let key = pair.public_key().as_ref();
                let modulus = key.get(MODULUS).unwrap_or_default();
                json!({
                    "kty": "RSA", "kid": "bench", "use": "sig", "alg": "RS256",
                    "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB",
                })
            }
        };
        json!({ "keys": [key] })
    }

    fn sign(&self, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let failed = |_| anyhow!("a token cannot be signed");
        match &self.pair {
            Pair::Es256(pair) => {
                let signature = pair.sign(&self.random, message).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
        }
    }

    /// Signs an access token for a resource (RFC 9068); each number is another token.
    pub(crate) fn token(
        &self,
        issuer: &str,
        resource: &str,
        number: usize,
    ) -> anyhow::Result<String> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let algorithm = match &self.pair {
            Pair::Es256(_) => "ES256",
            Pair::Rs256(_) => "RS256",
        };
        let header = json!({ "alg": algorithm, "typ": "at+jwt", "kid": "bench" });
        let claims = json!({
            "iss": issuer, "aud": resource, "sub": "person", "client_id": "bench",
            "iat": 1, "exp": EXPIRY, "jti": number.to_string(),
        });
        let message = format!("{}.{}", part(&header), part(&claims));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(message.as_bytes())?);
        Ok(format!("{message}.{signature}"))
    }
}
