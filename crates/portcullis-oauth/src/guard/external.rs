//! What an access token of a provider's own authorization server must say before it opens anything here, by whichever way its claims are learnt: [`super::jwt`], [`super::introspection`] or [`super::probe`].
//!
//! "MCP servers MUST validate that access tokens were issued specifically for them as the intended audience" (MCP 2026-07-28, authorization, "Token Handling"): a token without an audience is refused, unless the operator named the clients whose tokens are good without one.
//! Whether the scopes suffice is [`super::admit::lacks`]'s.

use std::time::Duration;

use portcullis_base::Timestamp;
use serde_json::Value;
use thiserror::Error;

use crate::claims::{WrongClaim, instant, is_subject, text};
use crate::resource::Resource;
use crate::scope::Scopes;

/// How far the clocks of a provider and of ours may differ, unless the operator says otherwise.
pub const DEFAULT_LEEWAY: Duration = Duration::from_mins(1);

/// What a provider must say of an access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessTokenPolicy {
    /// The provider's issuer, compared byte for byte.
    pub issuer: String,
    /// The audiences that are us; a token must name one of them. URLs are compared as [`Resource`]s, anything else byte for byte.
    pub audiences: Vec<String>,
    /// The client ids whose tokens are accepted where they name no audience at all, since some providers write none; a token that names another audience is refused all the same.
    pub clients_without_audience: Vec<String>,
    /// How far clocks may differ.
    pub leeway: Duration,
}

/// What a token that is good says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalAccess {
    /// The provider's issuer, as the policy has it.
    pub issuer: String,
    /// What the provider calls the person or the program; unique under the issuer only.
    pub subject: Option<String>,
    /// The client that the token was issued to.
    pub client: Option<String>,
    /// The scopes, where they are told; none may be told.
    pub scopes: Option<Scopes>,
    /// When it expires, where that is told.
    pub expires_at: Option<Timestamp>,
}

/// Why a token opens nothing; the text is for the log, and never holds anything of the token.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// It is no JSON Web Token.
    #[error("it is no signed JSON Web Token")]
    Malformed,
    /// It has extensions that must be understood.
    #[error("it has critical extensions")]
    Critical,
    /// Its algorithm is none of those that are accepted.
    #[error("its algorithm is none of those that are accepted for this provider")]
    Algorithm,
    /// No key of the provider's fits it; newer keys may help, once.
    #[error("the provider has no key of the id and kind that it is signed with")]
    UnknownKey,
    /// Its signature is wrong.
    #[error("its signature is wrong")]
    Signature,
    /// It is another kind of token.
    #[error("it is another kind of token than an access token, by its `{0}`")]
    OtherKind(&'static str),
    /// It is good only together with a key or a certificate, whose possession nobody proves to us.
    #[error(
        "it is bound to a key or a certificate of the client (`{0}`), which a gateway cannot prove to hold"
    )]
    Bound(&'static str),
    /// A claim is missing, mistyped or unreadable.
    #[error("its claim `{0}` is missing or of the wrong type")]
    Claim(&'static str),
    /// Another issuer made it.
    #[error("its issuer is another; compare `issuer` with what the provider calls itself")]
    OtherIssuer,
    /// It is for somebody else.
    #[error("its audience is none of those that are accepted")]
    OtherAudience,
    /// It does not say whom it is for.
    #[error(
        "it names no audience, and its client is none of those whose tokens are accepted without one"
    )]
    NoAudience,
    /// It says twice which client it is of, and differently.
    #[error("it names several clients")]
    SeveralClients,
    /// It has expired.
    #[error("it has expired")]
    Expired,
    /// It is from the future.
    #[error("it is not good yet; compare the clocks")]
    NotYet,
    /// The provider says that it is not good, or does not know it.
    #[error("the provider says that it is not active")]
    Inactive,
    /// The API behind refuses it.
    #[error("the API does not take it")]
    NotTaken,
    /// The provider does not let us ask.
    #[error(
        "the provider refuses our question about it with status {status}; compare the credentials that we ask with"
    )]
    NotAllowedToAsk {
        /// The status.
        status: u16,
    },
    /// The provider does not say.
    #[error("the provider answers our question about it with status {status}")]
    Unanswered {
        /// The status.
        status: u16,
    },
    /// The provider's answer is not of the form that it must have.
    #[error("the provider answers our question about it with something else than was agreed")]
    Unreadable,
}

impl Refusal {
    /// Tells whether the client hears of it, as 401 `invalid_token`.
    ///
    /// What is not the token's fault is 503 instead: a client that is told to sign in again would do so in vain, and do it again.
    #[must_use]
    pub fn is_invalid_token(&self) -> bool {
        !matches!(
            self,
            Self::NotAllowedToAsk { .. } | Self::Unanswered { .. } | Self::Unreadable
        )
    }
}

impl From<WrongClaim> for Refusal {
    fn from(WrongClaim(name): WrongClaim) -> Self {
        Self::Claim(name)
    }
}

/// Claims that say which kind of token bears them, and what an access token has there; where it has nothing, the claim alone tells.
///
/// `at_hash` and `c_hash` are of id tokens alone (OpenID Connect Core §3.1.3.6, §3.3.2.11), `events` of logout tokens and security events (RFC 8417 §2.2).
/// `token_use` and `typ` are what some providers write into the claims of all their tokens.
const KINDS: [(&str, &[&str]); 5] = [
    ("at_hash", &[]),
    ("c_hash", &[]),
    ("events", &[]),
    ("token_use", &["access", "access_token"]),
    ("typ", &["Bearer", "at+jwt"]),
];

/// Where client ids stand: RFC 9068 §2.2, OpenID Connect Core §2, and two names that providers used before.
const CLIENTS: [&str; 4] = ["client_id", "azp", "appid", "cid"];

impl AccessTokenPolicy {
    /// Judges the claims of a token that is known to be the provider's; which of them must be there has been judged before.
    pub(super) fn judge(&self, claims: &Value, now: Timestamp) -> Result<ExternalAccess, Refusal> {
        if text(claims, "iss")?.is_some_and(|issuer| issuer != self.issuer) {
            return Err(Refusal::OtherIssuer);
        }
        judge_kind(claims)?;
        let client = client(claims)?;
        self.judge_audience(claims, client)?;
        let subject = text(claims, "sub")?;
        if subject.is_some_and(|subject| !is_subject(subject)) {
            return Err(Refusal::Claim("sub"));
        }
        Ok(ExternalAccess {
            issuer: self.issuer.clone(),
            subject: subject.map(str::to_owned),
            client: client.map(str::to_owned),
            scopes: scopes(claims)?,
            expires_at: self.judge_time(claims, now)?,
        })
    }

    fn judge_audience(&self, claims: &Value, client: Option<&str>) -> Result<(), Refusal> {
        let named = audiences(claims)?;
        if named.is_empty() {
            let mut known = self.clients_without_audience.iter();
            let is_known = client.is_some_and(|client| known.any(|known| known == client));
            return is_known.then_some(()).ok_or(Refusal::NoAudience);
        }
        let is_ours = named.iter().any(|one| accepts(&self.audiences, one));
        is_ours.then_some(()).ok_or(Refusal::OtherAudience)
    }

    /// Returns when the token expires, in the provider's own words.
    fn judge_time(&self, claims: &Value, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
        let expires_at = instant(claims, "exp")?;
        judge_expiry(expires_at, self.leeway, now)?;
        for name in ["nbf", "iat"] {
            if instant(claims, name)?.is_some_and(|from| from > now.after(self.leeway)) {
                return Err(Refusal::NotYet);
            }
        }
        Ok(expires_at)
    }
}

/// "The current date/time MUST be before the expiration date/time" (RFC 7519 §4.1.4), give or take the leeway.
pub(super) fn judge_expiry(
    expires_at: Option<Timestamp>,
    leeway: Duration,
    now: Timestamp,
) -> Result<(), Refusal> {
    let has_expired = expires_at.is_some_and(|at| now >= at.after(leeway));
    (!has_expired).then_some(()).ok_or(Refusal::Expired)
}

/// Tells whether an audience is one of those that are accepted; a URL may be spelt in every way that names the same resource.
pub(super) fn accepts(accepted: &[String], audience: &str) -> bool {
    if accepted.iter().any(|ours| ours == audience) {
        return true;
    }
    let Ok(audience) = Resource::parse(audience) else {
        return false;
    };
    let is_it = |ours: &String| Resource::parse(ours).is_ok_and(|ours| ours == audience);
    accepted.iter().any(is_it)
}

fn judge_kind(claims: &Value) -> Result<(), Refusal> {
    // RFC 7800, RFC 8705 §3.1, RFC 9449 §6.1: whoever takes such a token without the proof takes it from a thief too.
    if claims.get("cnf").is_some() {
        return Err(Refusal::Bound("cnf"));
    }
    for (name, of_access_tokens) in KINDS {
        let Some(value) = claims.get(name) else {
            continue;
        };
        let is_access = value.as_str().is_some_and(|value| {
            let mut kinds = of_access_tokens.iter();
            kinds.any(|kind| kind.eq_ignore_ascii_case(value))
        });
        if !is_access {
            return Err(Refusal::OtherKind(name));
        }
    }
    Ok(())
}

/// Reads `aud`, a text or a list (RFC 7519 §4.1.3); an empty list, which some providers write, names nobody, as no claim does.
fn audiences(claims: &Value) -> Result<Vec<&str>, Refusal> {
    match claims.get("aud") {
        None => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(several)) => {
            let several: Option<_> = several.iter().map(Value::as_str).collect();
            several.ok_or(Refusal::Claim("aud"))
        }
        Some(_) => Err(Refusal::Claim("aud")),
    }
}

fn client(claims: &Value) -> Result<Option<&str>, Refusal> {
    let mut found = None;
    for name in CLIENTS {
        let Some(named) = text(claims, name)? else {
            continue;
        };
        if found.is_some_and(|found| found != named) {
            return Err(Refusal::SeveralClients);
        }
        found = Some(named);
    }
    Ok(found)
}

/// Reads `scope` (RFC 9068 §2.2.3), or the `scp` that some providers write instead, each a text or a list.
fn scopes(claims: &Value) -> Result<Option<Scopes>, Refusal> {
    let mut places = ["scope", "scp"].into_iter();
    let Some((name, value)) = places.find_map(|name| Some((name, claims.get(name)?))) else {
        return Ok(None);
    };
    read_scopes(value).map(Some).ok_or(Refusal::Claim(name))
}

/// Reads scopes, separated by spaces or in a list.
pub(super) fn read_scopes(value: &Value) -> Option<Scopes> {
    match value {
        Value::String(text) => Scopes::parse(text).ok(),
        Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            Scopes::parse(&items?.join(" ")).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
