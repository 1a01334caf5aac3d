//! Who a person is, and what the provider vouches for about them.
//!
//! A person is the pair of issuer and subject; an e-mail address is never compared to tell people apart.
//! An address counts as a fact only where the provider says beside it that it verified it.

use serde_json::Value;

use super::profile::{EmailList, IdentitySource, OrganisationList};
use crate::claims::is_subject;
use crate::issuer::person::Identity;

/// The longest label that is kept, in characters.
const LONGEST_LABEL: usize = 100;

/// What a provider vouches for about a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifiedFacts {
    /// The addresses that it verified.
    pub emails: Vec<String>,
    /// The domain of the organisation that owns the account.
    pub hd: Option<String>,
    /// The tenant of the account.
    pub tid: Option<String>,
    /// The organisations that the person belongs to.
    pub organisations: Vec<String>,
}

/// What one source says of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Testimony {
    /// What the provider calls the person.
    pub subject: String,
    /// What people call the person.
    pub label: Option<String>,
    /// What the provider vouches for.
    pub facts: VerifiedFacts,
}

impl Testimony {
    /// Reads what a source says; nothing where it names no subject.
    #[must_use]
    pub fn read(source: &IdentitySource, claims: &Value) -> Option<Self> {
        let subject = source.subject.id(claims)?;
        let is_lawful = is_subject(&subject);
        let text = |pointer: &Option<crate::json_pointer::JsonPointer>| {
            Some(pointer.as_ref()?.text(claims)?.to_owned())
        };
        let is_verified = source
            .email_verified
            .as_ref()
            .is_some_and(|flag| flag.is_true(claims));
        is_lawful.then(|| Self {
            subject,
            label: source
                .label
                .iter()
                .find_map(|label| readable(label.text(claims)?)),
            facts: VerifiedFacts {
                emails: text(&source.email)
                    .into_iter()
                    .filter(|_| is_verified)
                    .collect(),
                hd: text(&source.hd),
                tid: text(&source.tid),
                organisations: Vec::new(),
            },
        })
    }

    /// Returns the identity under an issuer.
    #[must_use]
    pub fn identity(&self, issuer: String) -> Identity {
        Identity {
            issuer,
            subject: self.subject.clone(),
            label: self.label.clone(),
        }
    }

    /// Adds what another source says of the same person; what is known already stays.
    pub fn add(&mut self, other: Self) {
        self.label = self.label.take().or(other.label);
        let facts = &mut self.facts;
        facts.emails.extend(other.facts.emails);
        facts.hd = facts.hd.take().or(other.facts.hd);
        facts.tid = facts.tid.take().or(other.facts.tid);
    }
}

/// Reads the verified addresses of a list.
#[must_use]
pub fn verified_emails(list: &EmailList, answer: &Value) -> Vec<String> {
    let items = answer.as_array().into_iter().flatten();
    let verified = items.filter(|item| list.verified.is_true(item));
    let addresses = verified.filter_map(|item| list.address.text(item));
    addresses.map(str::to_owned).collect()
}

/// Reads the organisations of a list.
#[must_use]
pub fn organisations(list: &OrganisationList, answer: &Value) -> Vec<String> {
    let items = answer.as_array().into_iter().flatten();
    let names = items.filter_map(|item| list.name.id(item));
    names.collect()
}

/// Keeps what a page can show: one line, not too long.
fn readable(text: &str) -> Option<String> {
    let kept = text.chars().filter(|c| !c.is_control()).take(LONGEST_LABEL);
    let kept: String = kept.collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn source() -> IdentitySource {
        serde_json::from_value(json!({
            "from": "id_token", "subject": "/sub", "label": ["/preferred_username", "/name"],
            "email": "/email", "email_verified": "/email_verified", "hd": "/hd", "tid": "/tid"
        }))
        .unwrap()
    }

    #[test]
    fn c_20_an_address_counts_only_where_the_provider_verified_it() {
        let emails = |claims: Value| Testimony::read(&source(), &claims).unwrap().facts.emails;
        let with =
            |flag: Value| json!({"sub": "1", "email": "a@b.example", "email_verified": flag});
        assert_eq!(emails(with(json!(true))), ["a@b.example"]);
        assert_eq!(emails(with(json!("true"))), ["a@b.example"]);
        for flag in [
            json!(false),
            json!("false"),
            json!(1),
            json!(null),
            json!("yes"),
        ] {
            assert!(emails(with(flag.clone())).is_empty(), "{flag}");
        }
        assert!(emails(json!({"sub": "1", "email": "a@b.example"})).is_empty());
    }

    #[test]
    fn c_20_a_person_is_the_subject_and_never_the_address() {
        let claims =
            json!({"sub": "1", "email": "a@b.example", "email_verified": true, "name": "Ada\n L"});
        let testimony = Testimony::read(&source(), &claims).unwrap();
        let identity = testimony.identity("https://as.example".to_owned());
        assert_eq!(
            (identity.issuer.as_str(), identity.subject.as_str()),
            ("https://as.example", "1")
        );
        assert_eq!(identity.label.as_deref(), Some("Ada L"));
        for claims in [
            json!({"email": "a@b.example", "email_verified": true}),
            json!({"sub": ""}),
            json!({"sub": null}),
            json!({"sub": ["1"]}),
            json!({"sub": "a\nb"}),
            json!({"sub": "x".repeat(256)}),
            json!([]),
        ] {
            assert_eq!(Testimony::read(&source(), &claims), None, "{claims}");
        }
    }

    #[test]
    fn what_was_known_first_stays() {
        let mut first =
            Testimony::read(&source(), &json!({"sub": "1", "hd": "a.example"})).unwrap();
        let second = json!({"sub": "1", "hd": "b.example", "tid": "t", "name": "Ada"});
        first.add(Testimony::read(&source(), &second).unwrap());
        assert_eq!(first.facts.hd.as_deref(), Some("a.example"));
        assert_eq!(first.facts.tid.as_deref(), Some("t"));
        assert_eq!(first.label.as_deref(), Some("Ada"));
    }

    #[test]
    fn lists_are_read_as_far_as_they_are_lists() {
        let emails: EmailList = serde_json::from_value(json!({
            "below_userinfo": "/emails", "address": "/email", "verified": "/verified"
        }))
        .unwrap();
        let answer = json!([
            {"email": "a@b.example", "verified": true}, {"email": "c@d.example", "verified": false},
            {"email": "e@f.example"}, "g@h.example", {"verified": true}
        ]);
        assert_eq!(verified_emails(&emails, &answer), ["a@b.example"]);
        assert!(verified_emails(&emails, &json!({"message": "no"})).is_empty());
        let list: OrganisationList =
            serde_json::from_value(json!({"below_userinfo": "/orgs", "name": "/login"})).unwrap();
        assert_eq!(
            organisations(&list, &json!([{"login": "acme"}, {"id": 1}])),
            ["acme"]
        );
    }
}
