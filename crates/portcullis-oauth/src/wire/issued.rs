//! Writes our answer to a token request ([RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)).
//!
//! `scope` is always there, since clients take a missing one for none at all.
//! The answer of another server is read in [`super::token`].

use std::time::Duration;

use portcullis_base::{AccessToken, Plain, RefreshToken, Secret};
use serde::Serialize;

use crate::scope::Scopes;

/// Tokens on their way to the client.
#[derive(Clone, Copy, Debug)]
pub struct IssuedTokens<'a> {
    /// The access token.
    pub access: &'a Plain<AccessToken>,
    /// How long the access token is good.
    pub expires_in: Duration,
    /// The refresh token, where there is one.
    pub refresh: Option<&'a Plain<RefreshToken>>,
    /// The scopes of the access token.
    pub scope: &'a Scopes,
}

#[derive(Serialize)]
struct Body<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    scope: &'a Scopes,
}

impl IssuedTokens<'_> {
    /// Writes the body of the answer, in JSON; it must not be stored by anybody on the way (`Cache-Control: no-store`).
    #[must_use]
    pub fn to_json(&self) -> Secret {
        super::json(&Body {
            access_token: self.access.expose(),
            token_type: "Bearer",
            expires_in: self.expires_in.as_secs(),
            refresh_token: self.refresh.map(Plain::expose),
            scope: self.scope,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_always_says_which_scopes_there_are() {
        let (access, refresh) = ("A".repeat(43), "B".repeat(42) + "A");
        let access = Plain::parse(&format!("pc_at_{access}")).unwrap();
        let refresh = Plain::parse(&format!("pc_rt_{refresh}")).unwrap();
        let mut tokens = IssuedTokens {
            access: &access,
            expires_in: Duration::from_millis(3_600_999),
            refresh: Some(&refresh),
            scope: &Scopes::parse("b a").unwrap(),
        };
        insta::assert_snapshot!(
            tokens.to_json().expose(),
            @r#"{"access_token":"pc_at_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","token_type":"Bearer","expires_in":3600,"refresh_token":"pc_rt_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA","scope":"a b"}"#
        );
        tokens.refresh = None;
        let none = Scopes::default();
        tokens.scope = &none;
        insta::assert_snapshot!(
            tokens.to_json().expose(),
            @r#"{"access_token":"pc_at_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","token_type":"Bearer","expires_in":3600,"scope":""}"#
        );
    }
}
