//! Tokens that we issue: a typed prefix and 256 bits of randomness, shown once, stored as a digest.

use std::marker::PhantomData;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use thiserror::Error;

use crate::{Digest, Rng, Secret};

/// A kind of token, told apart by the prefix of its text.
///
/// The prefix lets secret scanners, people and the guard recognise the kind without a look-up.
pub trait TokenKind {
    /// The prefix, without the underscore that follows it.
    const PREFIX: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl TokenKind for $name {
            const PREFIX: &'static str = $prefix;
        }
    )*

    /// The prefixes of all kinds.
    const PREFIXES: &[&str] = &[$($prefix),*];
    };
}

kinds! {
    /// The key by which a program calls toolsets in the inbound mode `api_key`.
    ApiKey = "pc_key";
    /// The access token of a client.
    AccessToken = "pc_at";
    /// The refresh token of a client.
    RefreshToken = "pc_rt";
    /// An authorization code.
    AuthorizationCode = "pc_ac";
    /// The secret of a client that has one.
    ClientSecret = "pc_cs";
    /// The `state` that goes to an upstream provider and comes back.
    UpstreamState = "pc_us";
    /// The cookie that tells a browser from others; it stands for nobody.
    Browser = "pc_br";
    /// The cookie of a person who has signed in.
    BrowserSession = "pc_bs";
}

/// Tells whether a text looks like a token of ours of any kind, be it mutilated: such a one is nobody else's business.
#[must_use]
pub fn is_ours(text: &str) -> bool {
    let mut prefixes = PREFIXES.iter();
    prefixes.any(|prefix| {
        let rest = text.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.starts_with('_'))
    })
}

/// A token in the clear, as its holder knows it.
///
/// Only [`Plain::digest`] may be stored.
#[derive(Clone)]
pub struct Plain<K>(Secret, PhantomData<K>);

/// The text is not a token of the kind expected.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not a token of the form {prefix}_…")]
pub struct InvalidToken {
    /// The prefix that was expected.
    pub prefix: &'static str,
}

impl<K: TokenKind> Plain<K> {
    /// Makes a new token of 256 random bits.
    #[must_use]
    pub fn new(rng: &dyn Rng) -> Self {
        let mut random = [0; 32];
        rng.fill(&mut random);
        Self::of_bytes(&random)
    }

    /// Makes a token of 256 bits that nobody can guess.
    #[must_use]
    pub fn of_bytes(bytes: &[u8; 32]) -> Self {
        Self(
            Secret::new(format!("{}_{}", K::PREFIX, URL_SAFE_NO_PAD.encode(bytes))),
            PhantomData,
        )
    }

    /// Reads a presented token; only its form is judged.
    ///
    /// # Errors
    ///
    /// When the prefix is another, or what follows is not 43 characters of the URL-safe Base64 alphabet.
    pub fn parse(text: &str) -> Result<Self, InvalidToken> {
        let lawful = text
            .strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .is_some_and(|rest| rest.len() == 43 && URL_SAFE_NO_PAD.decode(rest).is_ok());
        if lawful {
            Ok(Self(Secret::new(text.to_owned()), PhantomData))
        } else {
            Err(InvalidToken { prefix: K::PREFIX })
        }
    }

    /// Returns the digest to store and to look up by.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.expose().as_bytes())
    }

    /// Returns the text, to be shown to its holder once.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl<K: TokenKind> std::fmt::Debug for Plain<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plain<{}>", K::PREFIX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Rng for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    #[test]
    fn tokens_of_all_kinds_are_ours_and_nothing_else_is() {
        for (text, ours) in [
            (Plain::<ApiKey>::new(&Fixed).expose(), true),
            (Plain::<RefreshToken>::new(&Fixed).expose(), true),
            ("pc_at_", true),
            ("pc_atlas", false),
            ("pc_", false),
            ("eyJhbGciOiJSUzI1NiJ9", false),
        ] {
            assert_eq!(is_ours(text), ours, "{text}");
        }
    }

    #[test]
    fn a_token_reads_back_and_does_not_tell() {
        let token = Plain::<ApiKey>::new(&Fixed);
        assert!(token.expose().starts_with("pc_key_"));
        assert_eq!(
            Plain::<ApiKey>::parse(token.expose()).map(|t| t.digest()),
            Ok(token.digest())
        );
        assert_eq!(format!("{token:?}"), "Plain<pc_key>");
    }

    #[test]
    fn a_token_of_another_form_is_refused() {
        let token = Plain::<ApiKey>::new(&Fixed);
        for bad in [
            "",
            "pc_key_",
            "pc_at_AAAA",
            &token.expose()[..49],
            &format!("{}A", token.expose()),
            "PC_KEY_x",
        ] {
            assert!(Plain::<ApiKey>::parse(bad).is_err(), "{bad}");
        }
    }
}
