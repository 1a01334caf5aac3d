//! Proof key for code exchange with S256, the only method there is here ([RFC 7636](https://www.rfc-editor.org/rfc/rfc7636)).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_base::{Digest, Rng, Secret};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use thiserror::Error;

/// `code_challenge_method`, the only one that is taken.
pub const METHOD: &str = "S256";

/// `code_challenge`: the digest of a verifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodeChallenge(String);

/// The text is no challenge of S256.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("`code_challenge` must be the 43 characters of a SHA-256 digest in URL-safe Base64")]
pub struct InvalidCodeChallenge;

impl CodeChallenge {
    /// Reads a challenge.
    ///
    /// # Errors
    ///
    /// When it is not a digest in the form that S256 has.
    pub fn parse(text: &str) -> Result<Self, InvalidCodeChallenge> {
        let is_digest = text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok();
        is_digest
            .then(|| Self(text.to_owned()))
            .ok_or(InvalidCodeChallenge)
    }

    /// Makes the challenge of a verifier.
    #[must_use]
    pub fn of(verifier: &Secret) -> Self {
        let digest = Digest::of(verifier.expose().as_bytes());
        Self(URL_SAFE_NO_PAD.encode(digest.as_bytes()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether `verifier` has the form of one (§4.1) and this is its challenge.
    #[must_use]
    pub fn is_of(&self, verifier: &str) -> bool {
        // `code-verifier = 43*128unreserved`
        let is_verifier = (43..=128).contains(&verifier.len())
            && verifier
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        let challenge = Self::of(&Secret::new(verifier.to_owned()));
        is_verifier && bool::from(challenge.0.as_bytes().ct_eq(self.0.as_bytes()))
    }
}

/// Makes a verifier of 256 random bits.
#[must_use]
pub fn verifier(rng: &dyn Rng) -> Secret {
    let mut random = [0; 32];
    rng.fill(&mut random);
    Secret::new(URL_SAFE_NO_PAD.encode(random))
}

impl TryFrom<String> for CodeChallenge {
    type Error = InvalidCodeChallenge;

    fn try_from(text: String) -> Result<Self, InvalidCodeChallenge> {
        Self::parse(&text)
    }
}

impl From<CodeChallenge> for String {
    fn from(challenge: CodeChallenge) -> Self {
        challenge.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn a_verifier_fits_its_own_challenge_only() {
        let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
        assert!(challenge.is_of(VERIFIER));
        assert!(!challenge.is_of(&VERIFIER.replace('d', "e")));
    }

    #[test]
    fn p_06_what_is_no_verifier_fits_nothing() {
        let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
        assert!(!challenge.is_of(CHALLENGE));
        for verifier in [
            "",
            "short",
            &"a".repeat(129),
            &"é".repeat(30),
            &" ".repeat(43),
        ] {
            let own = CodeChallenge::of(&Secret::new(verifier.to_owned()));
            assert!(!own.is_of(verifier), "{verifier}");
        }
    }

    #[test]
    fn p_03_only_a_digest_is_a_challenge() {
        for text in [
            "",
            &CHALLENGE[1..],
            &format!("{CHALLENGE}A"),
            &format!("{}=", &CHALLENGE[1..]),
            &"+".repeat(43),
        ] {
            assert_eq!(
                CodeChallenge::parse(text),
                Err(InvalidCodeChallenge),
                "{text}"
            );
        }
    }
}
