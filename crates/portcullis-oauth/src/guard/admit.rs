//! Whether an access token of ours opens a toolset.
//!
//! A token is good for the one toolset that it was granted for: "MCP servers MUST validate that access tokens were issued specifically for them as the intended audience" (MCP 2026-07-28, authorization, "Token Handling").

use portcullis_base::{Slug, Timestamp};
use thiserror::Error;

use crate::issuer::grant::AccessTokenRow;
use crate::scope::Scopes;

/// Why a token opens nothing here; the text goes on after "the access token", and is for the log.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TokenFault {
    /// It does not have an access token's form.
    #[error("does not have an access token's form")]
    NoToken,
    /// It is stored nowhere.
    #[error("is unknown")]
    Unknown,
    /// It is for another toolset.
    #[error("is for another toolset")]
    OtherToolset,
    /// It has expired.
    #[error("has expired")]
    Expired,
    /// Its grant has ended.
    #[error("was revoked")]
    Ended,
}

/// Judges a token, `row` being what is stored of it.
///
/// # Errors
///
/// When it does not open the toolset.
pub fn admit<'a>(
    row: Option<&'a AccessTokenRow>,
    toolset: &Slug,
    now: Timestamp,
) -> Result<&'a AccessTokenRow, TokenFault> {
    let row = row.ok_or(TokenFault::Unknown)?;
    if row.grant.toolset != *toolset {
        return Err(TokenFault::OtherToolset);
    }
    if row.grant.ended.is_some() {
        return Err(TokenFault::Ended);
    }
    if now >= row.expires_at {
        return Err(TokenFault::Expired);
    }
    Ok(row)
}

/// Tells whether the token lacks a scope that an operation needs.
#[must_use]
pub fn lacks(token: &Scopes, needed: &Scopes) -> bool {
    !needed.is_subset(token)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use portcullis_base::{Digest, GrantId, Rng, SubjectId};

    use super::*;
    use crate::issuer::client::ClientId;
    use crate::issuer::grant::{EndReason, Ended, Grant};

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    struct Fixed;

    impl Rng for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    fn slug(text: &str) -> Slug {
        Slug::parse(text).unwrap()
    }

    fn scopes(text: &str) -> Scopes {
        Scopes::parse(text).unwrap()
    }

    /// A token that opens `pets` for an hour.
    fn row() -> AccessTokenRow {
        AccessTokenRow {
            digest: Digest::of(b"token"),
            grant: Grant {
                id: GrantId::new(NOW, &Fixed),
                client: ClientId::parse("me").unwrap(),
                subject: SubjectId::new(NOW, &Fixed),
                toolset: slug("pets"),
                scopes: scopes("read write"),
                connection: None,
                created_at: NOW,
                ended: None,
            },
            scopes: scopes("read"),
            created_at: NOW,
            expires_at: NOW.after(Duration::from_hours(1)),
            unconfirmed: None,
        }
    }

    #[test]
    fn a_good_token_opens_its_toolset() {
        let row = row();
        assert_eq!(admit(Some(&row), &slug("pets"), NOW), Ok(&row));
    }

    #[test]
    fn an_unknown_token_opens_nothing() {
        assert_eq!(admit(None, &slug("pets"), NOW), Err(TokenFault::Unknown));
    }

    #[test]
    fn j_01_a_token_of_another_toolset_opens_nothing_here() {
        let row = row();
        for other in ["pet", "pets2", "pets-mcp", "cars"] {
            let outcome = admit(Some(&row), &slug(other), NOW);
            assert_eq!(outcome, Err(TokenFault::OtherToolset), "{other}");
        }
    }

    #[test]
    fn t_12_a_token_opens_nothing_from_its_expiry_on() {
        let row = row();
        let at = |now| admit(Some(&row), &slug("pets"), now).map(|_| ());
        assert_eq!(at(row.expires_at.before(Duration::from_millis(1))), Ok(()));
        assert_eq!(at(row.expires_at), Err(TokenFault::Expired));
    }

    #[test]
    fn p_08_a_token_of_an_ended_grant_opens_nothing() {
        for reason in [
            EndReason::CodeReplayed,
            EndReason::RefreshTokenReplayed,
            EndReason::ConnectionLost,
            EndReason::Revoked,
        ] {
            let mut row = row();
            row.grant.ended = Some(Ended { at: NOW, reason });
            let outcome = admit(Some(&row), &slug("pets"), NOW);
            assert_eq!(outcome, Err(TokenFault::Ended), "{reason:?}");
        }
    }

    #[test]
    fn j_08_every_scope_that_is_needed_must_be_there() {
        for (token, needed, is_lacking) in [
            ("", "", false),
            ("read", "", false),
            ("read write", "read", false),
            ("read", "read write", true),
            ("", "read", true),
            ("READ", "read", true),
        ] {
            let is_said = lacks(&scopes(token), &scopes(needed));
            assert_eq!(is_said, is_lacking, "{token:?} {needed:?}");
        }
    }
}
