//! `/revoke`: what ends when a client gives a token up ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)).
//!
//! An access token ends alone; a refresh token takes its grant along, and every token that came of it.
//! §2.1 has the server verify "whether the token was issued to the client making the revocation request", and refuse the request otherwise: nothing ends then.
//! The answer is all the same the one for a token that nobody knows, since an error would tell which tokens there are; that is our reading of §2.1.

use portcullis_base::{Digest, GrantId};

use super::client::Client;
use super::grant::StoredToken;

/// What a request to revoke comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Revocation {
    /// Nobody knows the token, or what it stood for has ended.
    Nothing,
    /// It was issued to another client, under this grant; nothing ends, and somebody should know.
    OtherClient(GrantId),
    /// This access token ends, and nothing else.
    AccessToken(Digest),
    /// This grant ends.
    Grant(GrantId),
}

/// Decides what ends, `token` being what is stored of the one that is presented.
///
/// A refresh token that has expired or was replaced takes its grant along all the same: its client wants no more of it.
pub fn revoke(token: Option<&StoredToken>, client: &Client) -> Revocation {
    let Some(token) = token else {
        return Revocation::Nothing;
    };
    let grant = token.grant();
    if grant.client != client.id {
        return Revocation::OtherClient(grant.id);
    }
    if grant.ended.is_some() {
        return Revocation::Nothing;
    }
    match token {
        StoredToken::Access(token) => Revocation::AccessToken(token.digest),
        StoredToken::Refresh(_) => Revocation::Grant(grant.id),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use portcullis_base::{Rng, Slug, SubjectId, Timestamp};

    use super::*;
    use crate::issuer::client::{
        ApplicationType, ClientId, ClientOrigin, TokenEndpointAuthMethod, VerifiedClientMetadata,
    };
    use crate::issuer::grant::{AccessTokenRow, EndReason, Ended, Grant, RefreshTokenRow};
    use crate::scope::Scopes;

    pub(in crate::issuer) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    struct Fixed;

    impl Rng for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    pub(in crate::issuer) fn client(id: &str) -> Client {
        Client {
            id: ClientId::parse(id).unwrap(),
            origin: ClientOrigin::PreRegistered,
            metadata: VerifiedClientMetadata {
                name: "Test".to_owned(),
                redirect_uris: Vec::new(),
                auth_method: TokenEndpointAuthMethod::ClientSecretBasic,
                auth_method_defaulted: false,
                application_type: ApplicationType::Web,
                refreshes: true,
                scope: None,
                client_uri: None,
            },
            secret: Some(Digest::of(b"secret")),
            remembers_consent: false,
            created_at: NOW,
        }
    }

    fn grant(ended: Option<Ended>) -> Grant {
        Grant {
            id: GrantId::new(NOW, &Fixed),
            client: ClientId::parse("me").unwrap(),
            subject: SubjectId::new(NOW, &Fixed),
            toolset: Slug::parse("pets").unwrap(),
            scopes: Scopes::parse("read write").unwrap(),
            connection: None,
            created_at: NOW,
            ended,
        }
    }

    /// An access token and a refresh token of `me`, both good for a second.
    pub(in crate::issuer) fn stored(ended: Option<Ended>) -> [StoredToken; 2] {
        let expires_at = NOW.after(std::time::Duration::from_secs(1));
        let access = AccessTokenRow {
            digest: Digest::of(b"access"),
            grant: grant(ended),
            scopes: Scopes::parse("read").unwrap(),
            created_at: NOW,
            expires_at,
            unconfirmed: None,
        };
        let refresh = RefreshTokenRow {
            digest: Digest::of(b"refresh"),
            grant: grant(ended),
            parent: None,
            generation: 0,
            created_at: NOW,
            expires_at,
            replaced_at: None,
            confirmed_at: None,
        };
        [StoredToken::Access(access), StoredToken::Refresh(refresh)]
    }

    pub(in crate::issuer) const ENDED: Option<Ended> = Some(Ended {
        at: NOW,
        reason: EndReason::Revoked,
    });

    #[test]
    fn f_08_an_access_token_ends_alone_and_a_refresh_token_with_its_grant() {
        let [access, refresh] = stored(None);
        let id = access.grant().id;
        let me = client("me");
        let digest = Digest::of(b"access");
        assert_eq!(revoke(Some(&access), &me), Revocation::AccessToken(digest));
        assert_eq!(revoke(Some(&refresh), &me), Revocation::Grant(id));
    }

    #[test]
    fn f_08_what_is_unknown_or_has_ended_ends_nothing() {
        let me = client("me");
        assert_eq!(revoke(None, &me), Revocation::Nothing);
        for token in stored(ENDED) {
            assert_eq!(revoke(Some(&token), &me), Revocation::Nothing);
        }
    }

    #[test]
    fn f_08_the_token_of_another_client_ends_nothing() {
        for ended in [None, ENDED] {
            for token in stored(ended) {
                let id = token.grant().id;
                assert_eq!(
                    revoke(Some(&token), &client("you")),
                    Revocation::OtherClient(id)
                );
            }
        }
    }
}
