//! Scopes on their way to a provider and back.
//!
//! What a client asks for is named by our documents; the provider has words of its own, and answers in yet others.
//! What it does not grant, our own token does not carry.

use std::collections::BTreeSet;

use super::profile::ScopeRules;
use crate::scope::Scopes;

/// What became of the scopes that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantedScopes {
    /// Those of ours that the provider granted.
    pub ours: Scopes,
    /// All that it granted, in its words.
    pub theirs: Scopes,
}

impl ScopeRules {
    /// Returns what the provider calls one of our scopes; several names where it takes several.
    pub fn theirs(&self, ours: &str) -> Vec<String> {
        match self.map.get(ours) {
            Some(theirs) => theirs.split_whitespace().map(str::to_owned).collect(),
            None => vec![format!("{}{ours}", self.prefix)],
        }
    }

    /// Reads which scopes were granted; where the answer does not say, they are those that were asked for (RFC 6749 §5.1).
    #[must_use]
    pub fn granted(
        &self,
        asked: &Scopes,
        requested: &[String],
        answer: Option<&str>,
    ) -> GrantedScopes {
        let Some(answer) = answer else {
            return GrantedScopes {
                ours: asked.clone(),
                theirs: lawful(requested.iter().map(String::as_str)),
            };
        };
        let named = || {
            answer
                .split([' ', '\t', '\n'])
                .flat_map(|text| text.split(self.answer_separator.as_str()))
                .filter(|scope| !scope.is_empty())
        };
        let held = self.held(named());
        let holds =
            |theirs: &String| held.contains(theirs.as_str()) || self.is_echoed(theirs, &held);
        let granted = asked
            .iter()
            .filter(|ours| self.theirs(ours).iter().all(holds))
            .map(str::to_owned)
            .collect::<Vec<_>>();
        GrantedScopes {
            ours: lawful(granted.iter().map(String::as_str)),
            theirs: lawful(named()),
        }
    }

    /// Returns what an answer names, by every name, with all that is contained in it.
    fn held<'a>(&'a self, named: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
        let mut held = BTreeSet::new();
        let mut open: Vec<&str> = named.collect();
        while let Some(scope) = open.pop() {
            if held.insert(scope) {
                open.extend(self.aliases.get(scope).map(String::as_str));
                open.extend(
                    self.implies
                        .get(scope)
                        .into_iter()
                        .flatten()
                        .map(String::as_str),
                );
            }
        }
        held
    }

    fn is_echoed(&self, theirs: &str, held: &BTreeSet<&str>) -> bool {
        let ends = |scope: &&str| {
            scope
                .strip_suffix(theirs)
                .is_some_and(|before| before.ends_with('/'))
        };
        self.echoed_with_prefix && !theirs.is_empty() && held.iter().any(ends)
    }
}

/// Keeps what RFC 6749 allows as a scope.
fn lawful<'a>(scopes: impl Iterator<Item = &'a str>) -> Scopes {
    scopes
        .filter_map(|scope| Scopes::parse(scope).ok())
        .fold(Scopes::default(), |all, one| all.union(&one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn rules(value: Value) -> ScopeRules {
        serde_json::from_value(value).unwrap()
    }

    fn granted(rules: &ScopeRules, asked: &str, answer: Option<&str>) -> String {
        let asked = Scopes::parse(asked).unwrap();
        rules.granted(&asked, &[], answer).ours.to_string()
    }

    #[test]
    fn our_scopes_have_the_providers_names() {
        let rules =
            rules(json!({"map": {"read": "things.read things.list"}, "prefix": "api://x/"}));
        assert_eq!(rules.theirs("read"), ["things.read", "things.list"]);
        assert_eq!(rules.theirs("write"), ["api://x/write"]);
        assert_eq!(
            granted(&rules, "read write", Some("things.read api://x/write")),
            "write"
        );
    }

    #[test]
    fn what_is_not_granted_is_not_carried() {
        let rules = ScopeRules::default();
        assert_eq!(granted(&rules, "a b c", Some("c a d")), "a c");
        assert_eq!(granted(&rules, "a b", Some("")), "");
        assert_eq!(granted(&rules, "a b", None), "a b");
    }

    #[test]
    fn an_answer_may_separate_otherwise_and_hold_nonsense() {
        let rules = rules(json!({"answer_separator": ","}));
        let asked = Scopes::parse("a b").unwrap();
        let granted = rules.granted(&asked, &[], Some("a,b c,\"x\",,é"));
        assert_eq!(granted.ours.to_string(), "a b");
        assert_eq!(granted.theirs.to_string(), "a b c");
    }

    #[test]
    fn aliases_and_what_a_scope_contains_count() {
        let rules = rules(json!({
            "aliases": {"https://a.example/userinfo.email": "email"},
            "implies": {"admin": ["write"], "write": ["read", "admin"]}
        }));
        let answer = Some("https://a.example/userinfo.email admin");
        assert_eq!(
            granted(&rules, "email read write other", answer),
            "email read write"
        );
    }

    #[test]
    fn a_prefix_in_front_counts_only_where_the_profile_says_so() {
        let answer = Some("api://app/Things.Read");
        let echoing = rules(json!({"echoed_with_prefix": true}));
        assert_eq!(granted(&echoing, "Things.Read Read", answer), "Things.Read");
        assert_eq!(granted(&ScopeRules::default(), "Things.Read", answer), "");
    }
}
