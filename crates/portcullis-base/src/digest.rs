//! SHA-256 digests: the only form in which tokens that we issue are stored.

use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// A SHA-256 digest.
///
/// Enough for values of full entropy such as our tokens; never for passwords that people choose.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// The bytes are not 32 long.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a digest has 32 bytes, not {0}")]
pub struct InvalidDigest(usize);

impl Digest {
    /// Computes the digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Computes the digest of several fields, such that no two different lists of fields share one.
    ///
    /// Each field is preceded by its length.
    #[must_use]
    pub fn of_fields<'a>(fields: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = Sha256::new();
        for field in fields {
            hasher.update((field.len() as u64).to_be_bytes());
            hasher.update(field);
        }
        Self(hasher.finalize().into())
    }

    /// Reads a stored digest.
    ///
    /// # Errors
    ///
    /// When `bytes` are not 32 long.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, InvalidDigest> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| InvalidDigest(bytes.len()))
    }

    /// Returns the bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the first eight hexadecimal digits: enough to recognise a value in a log, too few to search for it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let [a, b, c, d, ..] = self.0;
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }
}

/// All digits, for digests of what is no secret.
impl std::fmt::LowerHex for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({}…)", self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_digits_are_written_where_they_are_asked_for() {
        let digits = format!("{:x}", Digest::of(b""));
        let expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digits, expected);
    }

    #[test]
    fn fields_are_kept_apart() {
        let split = Digest::of_fields([b"ab".as_slice(), b"c"]);
        assert_ne!(split, Digest::of_fields([b"a".as_slice(), b"bc"]));
        assert_ne!(split, Digest::of_fields([b"abc".as_slice()]));
    }

    #[test]
    fn debug_shows_a_fingerprint_only() {
        assert_eq!(format!("{:?}", Digest::of(b"abc")), "Digest(ba7816bf…)");
    }

    #[test]
    fn a_digest_of_another_length_is_refused() {
        assert_eq!(Digest::from_slice(&[0; 31]), Err(InvalidDigest(31)));
    }
}
