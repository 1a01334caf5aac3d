//! `/introspect`: what a client is told of a token ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).
//!
//! A client learns of its own tokens only; whichever it "is not allowed to introspect" (§2.2) is answered as one that does not exist.
//! Who may ask at all is decided in [`super::authenticate`].

use portcullis_base::{Origin, Timestamp};

use super::client::Client;
use super::grant::StoredToken;
use super::redeem::TokenLifetimes;
use super::refresh;
use crate::resource::Resource;
use crate::wire::introspected::IntrospectedToken;

/// Says of a token what there is to say; nothing where it is not good, or not this client's.
#[must_use]
pub fn introspect<'a>(
    token: Option<&'a StoredToken>,
    client: &Client,
    issuer: &'a Origin,
    lifetimes: TokenLifetimes,
    now: Timestamp,
) -> Option<IntrospectedToken<'a>> {
    let token = token?;
    let grant = token.grant();
    if grant.client != client.id || grant.ended.is_some() {
        return None;
    }
    let (scope, issued_at, expires_at) = match token {
        StoredToken::Access(row) => (&row.scopes, row.created_at, row.expires_at),
        StoredToken::Refresh(row) if !refresh::is_good(row, lifetimes, now) => return None,
        StoredToken::Refresh(row) => {
            let end = lifetimes.grant.map(|life| grant.created_at.after(life));
            let expires_at = end.map_or(row.expires_at, |end| row.expires_at.min(end));
            (&grant.scopes, row.created_at, expires_at)
        }
    };
    (now < expires_at).then(|| IntrospectedToken {
        is_access_token: matches!(token, StoredToken::Access(_)),
        scope,
        client: &grant.client,
        subject: grant.subject,
        audience: Resource::of_toolset(issuer, &grant.toolset),
        issuer,
        issued_at,
        expires_at,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::issuer::revoke::tests::{ENDED, NOW, client, stored};
    use crate::wire::introspected::Introspection;

    fn told(token: Option<&StoredToken>, by: &str, now: Timestamp) -> String {
        let issuer = Origin::parse("https://mcp.example").unwrap();
        let lifetimes = TokenLifetimes::default();
        let token = introspect(token, &client(by), &issuer, lifetimes, now);
        serde_json::to_string(&Introspection::from(token)).unwrap()
    }

    const INACTIVE: &str = r#"{"active":false}"#;

    #[test]
    fn a_client_is_told_of_its_own_tokens() {
        let [access, refresh] = stored(None);
        insta::assert_snapshot!(
            told(Some(&access), "me", NOW),
            @r#"{"active":true,"scope":"read","client_id":"me","token_type":"Bearer","exp":1700000001,"iat":1700000000,"sub":"sub_018bcfe5680077078707070707070707","aud":"https://mcp.example/pets/mcp","iss":"https://mcp.example"}"#
        );
        insta::assert_snapshot!(
            told(Some(&refresh), "me", NOW),
            @r#"{"active":true,"scope":"read write","client_id":"me","exp":1700000001,"iat":1700000000,"sub":"sub_018bcfe5680077078707070707070707","aud":"https://mcp.example/pets/mcp","iss":"https://mcp.example"}"#
        );
    }

    #[test]
    fn of_everything_else_nothing_is_told() {
        assert_eq!(told(None, "me", NOW), INACTIVE);
        for token in stored(None) {
            assert_eq!(told(Some(&token), "you", NOW), INACTIVE);
            let expired = NOW.after(Duration::from_secs(1));
            assert_eq!(told(Some(&token), "me", expired), INACTIVE);
        }
        for token in stored(ENDED) {
            assert_eq!(told(Some(&token), "me", NOW), INACTIVE);
        }
    }

    #[test]
    fn a_refresh_token_is_told_of_as_long_as_it_would_be_taken() {
        let [_, StoredToken::Refresh(mut row)] = stored(None) else {
            panic!("a refresh token");
        };
        row.expires_at = NOW.after(Duration::from_hours(1));
        row.confirmed_at = Some(NOW);
        let token = StoredToken::Refresh(row);
        let after = |seconds| NOW.after(Duration::from_secs(seconds));
        assert_ne!(told(Some(&token), "me", after(60)), INACTIVE);
        assert_eq!(told(Some(&token), "me", after(61)), INACTIVE);
    }
}
