//! When a person is asked for more: an API that finds a scope missing can mean one that another sign-in would bring.
//!
//! The client is sent to sign in again only where that may help; otherwise it would come back with the same token for ever.

use http_auth::ChallengeParser;

use crate::scope::Scopes;

const INSUFFICIENT_SCOPE: &str = "insufficient_scope";

/// Returns the scopes that an API names as needed, where a challenge of it says that the token lacks some ([RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)); none are named by many.
///
/// `challenges` are the values of all its `WWW-Authenticate` headers.
pub fn insufficient_scope<'a>(challenges: impl IntoIterator<Item = &'a str>) -> Option<Scopes> {
    let read = challenges.into_iter().flat_map(ChallengeParser::new);
    let mut bearer = read
        .filter_map(Result::ok)
        .filter(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer"));
    bearer.find_map(|challenge| {
        let value = |wanted: &str| {
            let mut named = challenge.params.iter();
            let (_, value) = named.find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
            Some(value.to_unescaped())
        };
        (value("error").as_deref() == Some(INSUFFICIENT_SCOPE)).then(|| {
            let scope = value("scope").unwrap_or_default();
            Scopes::parse(&scope).unwrap_or_default()
        })
    })
}

/// A call that an API refused for want of a scope.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// The scopes of the caller's token, where they are known.
    pub granted: Option<&'a Scopes>,
    /// The scopes that the call needs, as far as the document and the API say.
    pub needed: &'a Scopes,
    /// Those of `needed` that the token carries which the API was called with, as far as the provider said.
    pub held: &'a Scopes,
    /// Whether the person signed in a moment ago.
    pub is_new: bool,
}

/// Returns the scopes to ask for in another sign-in, where it may help: all that the token has and the call needs, since some clients ask for what they are told and nothing else.
///
/// A token that carries everything already is refused for another reason; and what a sign-in did not bring a moment ago, the next one would not bring either: the person or the provider said no.
#[must_use]
pub fn step_up(refused: &Refused<'_>) -> Option<Scopes> {
    let Refused {
        granted,
        needed,
        held,
        is_new,
    } = refused;
    let had = granted.map(|granted| granted.without(&Scopes::offline()));
    let had = had.unwrap_or_default();
    let is_ungranted = granted.is_some_and(|_| !needed.is_subset(&had));
    let is_lacking = is_ungranted || !needed.is_subset(held);
    (is_lacking && !is_new).then(|| had.union(needed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Scopes {
        Scopes::parse(text).unwrap()
    }

    #[test]
    fn an_api_says_what_is_missing_in_a_bearer_challenge() {
        for (challenges, named) in [
            (
                &["Bearer realm=\"x\", error=\"insufficient_scope\", scope=\"a b\""][..],
                Some("a b"),
            ),
            (&["bearer error=insufficient_scope"], Some("")),
            (
                &[
                    "Basic realm=\"x\"",
                    "Bearer error=\"insufficient_scope\", scope=\"a\"",
                ],
                Some("a"),
            ),
            (
                &["Basic realm=\"x\", Bearer error=\"insufficient_scope\", scope=\"a\""],
                Some("a"),
            ),
            (
                &["Bearer error=\"insufficient_scope\", scope=\"a\\\\b\""],
                Some(""),
            ),
            (&["Bearer error=\"invalid_token\", scope=\"a\""], None),
            (&["DPoP error=\"insufficient_scope\""], None),
            (&["Bearer error_description=\"insufficient_scope\""], None),
            (&["insufficient_scope", "=", ""], None),
            (&[], None),
        ] {
            let said = insufficient_scope(challenges.iter().copied());
            assert_eq!(said, named.map(scopes), "{challenges:?}");
        }
    }

    #[test]
    fn j_08_a_person_is_asked_for_more_only_where_that_may_help() {
        for (granted, needed, held, is_new, wanted) in [
            // The person was not asked for it.
            (Some("read"), "write", "", false, Some("read write")),
            (
                Some("read offline_access"),
                "write",
                "",
                false,
                Some("read write"),
            ),
            // The person has just been asked, and did not allow it.
            (Some("read"), "write", "", true, None),
            // The provider took it back since.
            (Some("read write"), "write", "", false, Some("read write")),
            // It has just been asked for; the provider does not give it.
            (Some("read write"), "write", "", true, None),
            // It is all there: the API means something else.
            (Some("read write"), "write", "write", false, None),
            (Some("read"), "", "", false, None),
            // Nobody knows what the token carries.
            (None, "write", "", false, Some("write")),
            (None, "write", "", true, None),
            (None, "", "", false, None),
        ] {
            let granted = granted.map(scopes);
            let said = step_up(&Refused {
                granted: granted.as_ref(),
                needed: &scopes(needed),
                held: &scopes(held),
                is_new,
            });
            assert_eq!(
                said,
                wanted.map(scopes),
                "{granted:?} {needed:?} {held:?} {is_new}"
            );
        }
    }
}
