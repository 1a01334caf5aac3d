//! Successors of refresh tokens: derived and not drawn, so that a token gives the same one each time and nothing secret is stored for it.
//!
//! The key is a data key's own, so that neither the database nor a token that leaks tells what comes after it.
//! Under another data key a token has another successor; both are good then.

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use portcullis_base::{Plain, RefreshToken};

use super::key::KEY_BYTES;

/// Keeps the key apart from whatever else is made of a data key.
const PURPOSE: &[&[u8]] = &[b"portcullis refresh token successor"];

/// What derives successors.
#[derive(Clone)]
pub(super) struct Successors(hmac::Key);

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

impl Successors {
    /// Makes the key that belongs to a data key.
    pub(super) fn of(data_key: &[u8; KEY_BYTES]) -> Self {
        let mut key = zeroize::Zeroizing::new([0; KEY_BYTES]);
        Salt::new(HKDF_SHA256, &[])
            .extract(data_key)
            .expand(PURPOSE, Length)
            .and_then(|derived| derived.fill(key.as_mut_slice()))
            .expect("a key of 32 bytes is short enough");
        Self(hmac::Key::new(HMAC_SHA256, key.as_slice()))
    }

    /// Returns what comes after a token.
    pub(super) fn after(&self, token: &Plain<RefreshToken>) -> Plain<RefreshToken> {
        let tag = hmac::sign(&self.0, token.expose().as_bytes());
        let bytes = tag.as_ref().try_into().expect("SHA-256 has 32 bytes");
        Plain::of_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_one_successor_under_each_key() {
        let token = |byte| Plain::<RefreshToken>::of_bytes(&[byte; 32]);
        let [one, other] = [[1; KEY_BYTES], [2; KEY_BYTES]].map(|key| Successors::of(&key));
        let after = |keys: &Successors, byte| keys.after(&token(byte)).expose().to_owned();
        assert_eq!(after(&one, 7), after(&one, 7));
        assert_ne!(after(&one, 7), after(&one, 8));
        assert_ne!(after(&one, 7), after(&other, 7));
        assert!(Plain::<RefreshToken>::parse(&after(&one, 7)).is_ok());
    }
}
