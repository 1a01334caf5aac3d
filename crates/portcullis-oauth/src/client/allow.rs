//! Who may sign in: an operator's list of rules about what the provider vouches for.
//!
//! Decides on [`VerifiedFacts`] alone: what people say of themselves, such as an address that nobody verified, is not among them.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::identity::VerifiedFacts;

/// A rule, as `email:*@example.com`; `*` stands for any number of characters, and by itself for everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowRule {
    kind: AllowKind,
    pattern: String,
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowKind {
    /// `*`, about nothing: everybody.
    Everybody,
    /// `email:`, an address that the provider verified.
    Email,
    /// `hd:`, the domain of the organisation that owns the account.
    HostedDomain,
    /// `tid:`, the tenant of the account.
    Tenant,
    /// `org:`, an organisation that the person belongs to.
    Organisation,
}

/// The text is no rule.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidAllowRule {
    /// It is about nothing that is known.
    #[error(
        "`{0}` is no rule: write `email:*@example.com`, `hd:example.com`, `tid:…` or `org:acme`, or `*` for everybody"
    )]
    Kind(String),
    /// It has nothing to compare with.
    #[error("`{0}` has nothing after the colon")]
    Empty(String),
    /// It is about an e-mail address and is none.
    #[error("`{0}` must have one `@`, as in `email:*@example.com`")]
    Email(String),
}

/// Tells whether a person is let in: by any rule, or where there is none.
#[must_use]
pub fn admits(rules: &[AllowRule], facts: &VerifiedFacts) -> bool {
    rules.is_empty() || rules.iter().any(|rule| rule.admits(facts))
}

/// Tells whether a list has rules of a kind.
#[must_use]
pub fn asks_for(rules: &[AllowRule], kind: AllowKind) -> bool {
    rules.iter().any(|rule| rule.kind == kind)
}

impl AllowRule {
    /// Returns what the rule is about.
    #[must_use]
    pub fn kind(&self) -> AllowKind {
        self.kind
    }

    fn admits(&self, facts: &VerifiedFacts) -> bool {
        let fits = |value: &String| is_like(&self.pattern, value);
        match self.kind {
            AllowKind::Everybody => true,
            AllowKind::Email => facts.emails.iter().any(|email| self.is_address_like(email)),
            AllowKind::HostedDomain => facts.hd.as_ref().is_some_and(fits),
            AllowKind::Tenant => facts.tid.as_ref().is_some_and(fits),
            AllowKind::Organisation => facts.organisations.iter().any(fits),
        }
    }

    /// Compares the halves, so that `*` never reaches over the `@`.
    fn is_address_like(&self, address: &str) -> bool {
        let halves = self.pattern.split_once('@').zip(address.split_once('@'));
        halves.is_some_and(|((local, domain), (their_local, their_domain))| {
            !their_domain.contains('@')
                && is_like(local, their_local)
                && is_like(domain, their_domain)
        })
    }
}

impl FromStr for AllowRule {
    type Err = InvalidAllowRule;

    fn from_str(text: &str) -> Result<Self, InvalidAllowRule> {
        if text == AllowKind::Everybody.as_str() {
            return Ok(Self {
                kind: AllowKind::Everybody,
                pattern: String::new(),
            });
        }
        let (kind, pattern) = text.split_once(':').unwrap_or((text, ""));
        let kind = match kind {
            "email" => AllowKind::Email,
            "hd" => AllowKind::HostedDomain,
            "tid" => AllowKind::Tenant,
            "org" => AllowKind::Organisation,
            _ => return Err(InvalidAllowRule::Kind(text.to_owned())),
        };
        let pattern = pattern.trim();
        if pattern.is_empty() {
            return Err(InvalidAllowRule::Empty(text.to_owned()));
        }
        if kind == AllowKind::Email && pattern.matches('@').count() != 1 {
            return Err(InvalidAllowRule::Email(text.to_owned()));
        }
        Ok(Self {
            kind,
            pattern: pattern.to_owned(),
        })
    }
}

impl AllowKind {
    /// Returns what stands before the colon, or the whole rule where there is none.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Everybody => "*",
            Self::Email => "email",
            Self::HostedDomain => "hd",
            Self::Tenant => "tid",
            Self::Organisation => "org",
        }
    }
}

impl fmt::Display for AllowRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            AllowKind::Everybody => f.write_str(self.kind.as_str()),
            kind => write!(f, "{}:{}", kind.as_str(), self.pattern),
        }
    }
}

/// Compares in linear time times the number of stars; letters of ASCII in any case, all others exactly.
fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(inner) = text
        .strip_prefix(first)
        .and_then(|text| text.strip_suffix(last))
    else {
        return false;
    };
    let mut left = inner;
    middle.split('*').all(|part| match left.split_once(part) {
        Some((_, after)) => {
            left = after;
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> VerifiedFacts {
        VerifiedFacts {
            emails: vec!["Ada@Example.com".to_owned(), "ada@home.example".to_owned()],
            hd: Some("example.com".to_owned()),
            tid: Some("11111111-2222-3333-4444-555555555555".to_owned()),
            organisations: vec!["acme".to_owned()],
        }
    }

    fn admitted(rule: &str, facts: &VerifiedFacts) -> bool {
        admits(&[rule.parse().unwrap()], facts)
    }

    #[test]
    fn who_fits_a_rule_is_let_in() {
        for rule in [
            "email:ada@example.com",
            "email:*@example.com",
            "email:a*a@*.example",
            "email:*@*",
            "hd:example.com",
            "hd:*.com",
            "tid:11111111-2222-3333-4444-555555555555",
            "org:acme",
            "org:AC*",
        ] {
            assert!(admitted(rule, &facts()), "{rule}");
        }
        assert!(admits(&[], &VerifiedFacts::default()));
    }

    #[test]
    fn a_star_by_itself_means_everybody() {
        assert!(admitted("*", &VerifiedFacts::default()));
        assert_eq!("*".parse::<AllowRule>().unwrap().to_string(), "*");
        let rules = ["org:other", "*"].map(|rule| rule.parse().unwrap());
        assert!(admits(&rules, &facts()));
    }

    #[test]
    fn who_fits_none_is_not() {
        for rule in [
            "email:*@other.example",
            "email:*@ample.com",
            "email:@example.com",
            "email:*da@example.co",
            "hd:xample.com",
            "hd:example.com.evil",
            "tid:aaaaaaaa-2222-3333-4444-555555555555",
            "org:acm",
            "org:*acme*acme*",
        ] {
            assert!(!admitted(rule, &facts()), "{rule}");
        }
        for rule in ["email:*@*", "hd:*", "tid:*", "org:*"] {
            assert!(!admitted(rule, &VerifiedFacts::default()), "{rule}");
        }
    }

    #[test]
    fn c_20_a_star_never_reaches_over_the_at_sign() {
        let one = |email: &str| VerifiedFacts {
            emails: vec![email.to_owned()],
            ..VerifiedFacts::default()
        };
        assert!(!admitted(
            "email:*@example.com",
            &one("x@evil.example@example.com")
        ));
        assert!(!admitted(
            "email:*@example.com",
            &one("x@example.com@evil.example")
        ));
        assert!(!admitted("email:*@example.com", &one("x@evilexample.com")));
        assert!(!admitted("email:*@example.com", &one("example.com")));
        assert!(!admitted(
            "email:*@*.example",
            &one("x@evil.com@home.example")
        ));
        // Letters that look alike are others.
        assert!(!admitted("email:*@example.com", &one("x@ехample.com")));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in [
            "",
            "ada@example.com",
            "mail:a@b",
            "email:",
            "email:a",
            "email:a@b@c",
            "org: ",
            "EMAIL:a@b",
            "**",
            "*:*",
            " *",
        ] {
            assert!(text.parse::<AllowRule>().is_err(), "{text}");
        }
    }
}
