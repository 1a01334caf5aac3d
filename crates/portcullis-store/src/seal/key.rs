//! Master keys, as the operator holds them.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use portcullis_base::{Digest, Rng, Secret};
use thiserror::Error;
use zeroize::Zeroizing;

use super::record::Cipher;

/// How many bytes a key has.
pub(super) const KEY_BYTES: usize = 32;

/// Base64 with or without padding.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The key that data keys are sealed under.
#[derive(Clone)]
pub struct MasterKey {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    id: MasterKeyId,
}

/// Tells master keys apart without telling what they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MasterKeyId(String);

/// The text is no master key.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "not a master key: expected 32 bytes as 64 hexadecimal digits or as Base64, such as `openssl rand -hex 32` prints"
)]
pub struct InvalidMasterKey;

impl MasterKey {
    /// Makes a new key.
    #[must_use]
    pub fn new(rng: &dyn Rng) -> Self {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        rng.fill(bytes.as_mut_slice());
        Self::from_bytes(bytes)
    }

    /// Takes the bytes of a key.
    #[must_use]
    pub fn from_bytes(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let digest = Digest::of_fields([b"portcullis master key".as_slice(), bytes.as_slice()]);
        let id = MasterKeyId(format!("mk_{}", digest.fingerprint()));
        Self { bytes, id }
    }

    /// Reads 64 hexadecimal digits, or Base64 of either alphabet; white space around it is ignored.
    ///
    /// # Errors
    ///
    /// When the text is neither, or not of 32 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidMasterKey> {
        let text = text.trim();
        let bytes = from_hex(text).or_else(|| from_base64(text));
        let bytes = bytes.ok_or(InvalidMasterKey)?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            return Err(InvalidMasterKey);
        }
        key.copy_from_slice(&bytes);
        Ok(Self::from_bytes(key))
    }

    /// Returns the text to keep, which [`MasterKey::parse`] reads.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        let digits = self.bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        Secret::new(
            digits
                .filter_map(|digit| char::from_digit(digit.into(), 16))
                .collect(),
        )
    }

    /// Returns the name that messages and rows use.
    #[must_use]
    pub fn id(&self) -> &MasterKeyId {
        &self.id
    }

    pub(super) fn cipher(&self) -> Cipher {
        Cipher::new(self.id.0.clone(), &self.bytes)
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

impl MasterKeyId {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The master keys at hand: one that seals, and former ones that still open.
#[derive(Clone, Debug)]
pub struct Keyring {
    /// Seals new data keys.
    pub current: MasterKey,
    /// Open data keys that the current one does not.
    pub former: Vec<MasterKey>,
}

impl Keyring {
    /// Makes a keyring of one key.
    #[must_use]
    pub fn new(current: MasterKey) -> Self {
        Self {
            current,
            former: Vec::new(),
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.former)
    }

    pub(super) fn find(&self, id: &str) -> Option<&MasterKey> {
        self.keys().find(|key| key.id.as_str() == id)
    }
}

fn from_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    if text.len() != 2 * KEY_BYTES {
        return None;
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_BYTES));
    let mut digits = text.chars();
    while let (Some(high), Some(low)) = (digits.next(), digits.next()) {
        let byte = high.to_digit(16)? << 4 | low.to_digit(16)?;
        bytes.push(u8::try_from(byte).ok()?);
    }
    Some(bytes)
}

fn from_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, LENIENT).decode(text).ok())
        .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff";
    const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8=";

    #[test]
    fn a_key_reads_from_hexadecimal_and_from_base64() {
        let key = MasterKey::parse(HEX).unwrap();
        for text in [
            &HEX.to_uppercase(),
            &format!(" {HEX}\n"),
            BASE64,
            BASE64.trim_end_matches('='),
            &BASE64.replace('/', "_"),
            key.to_text().expose(),
        ] {
            assert_eq!(MasterKey::parse(text).unwrap().id(), key.id(), "{text}");
        }
    }

    #[test]
    fn what_is_no_key_of_32_bytes_is_refused() {
        for text in [
            "",
            "hunter2",
            &HEX[2..],
            &HEX.replace('a', "x"),
            &BASE64[4..],
            "é",
        ] {
            assert_eq!(
                MasterKey::parse(text).unwrap_err(),
                InvalidMasterKey,
                "{text}"
            );
        }
    }

    #[test]
    fn l_03_debug_of_a_master_key_names_it_only() {
        let shown = format!("{:?}", Keyring::new(MasterKey::parse(HEX).unwrap()));
        assert!(shown.contains("MasterKey(mk_"), "{shown}");
        assert!(
            !shown.contains("0102") && !shown.contains("1, 2"),
            "{shown}"
        );
    }
}
