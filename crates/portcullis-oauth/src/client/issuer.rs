//! Which issuer a provider has, and whether a text is it.
//!
//! Issuers are compared byte for byte; where every tenant of a provider has one of its own, a template takes the place of the text.

/// The place in an issuer that the tenant of the person fills.
pub const TENANT_ID: &str = "{tenantid}";

/// The issuer that is expected of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedIssuer {
    /// Exactly this one.
    Exact(String),
    /// The one of the person's tenant.
    PerTenant {
        /// What stands before the tenant.
        before: String,
        /// What stands after it.
        after: String,
        /// The only tenant, where the operator named it by its id.
        only: Option<String>,
    },
}

impl ExpectedIssuer {
    /// Reads an issuer; of a `tenant`, only an id is compared, since a name stands in no issuer.
    #[must_use]
    pub fn new(text: &str, tenant: Option<&str>) -> Self {
        match text.split_once(TENANT_ID) {
            None => Self::Exact(text.to_owned()),
            Some((before, after)) => Self::PerTenant {
                before: before.to_owned(),
                after: after.to_owned(),
                only: tenant
                    .filter(|tenant| is_tenant_id(tenant))
                    .map(str::to_owned),
            },
        }
    }

    /// Returns the text where there is one for all.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        match self {
            Self::Exact(text) => Some(text),
            Self::PerTenant { .. } => None,
        }
    }

    /// Tells whether `issuer` is the one expected of a person of the tenant `tid`.
    #[must_use]
    pub fn is(&self, issuer: &str, tid: Option<&str>) -> bool {
        match self {
            Self::Exact(expected) => issuer == expected,
            Self::PerTenant { .. } => self
                .tenant_of(issuer)
                .is_some_and(|tenant| Some(tenant) == tid),
        }
    }

    /// Tells whether `issuer` can be the one of a person who is not known yet.
    #[must_use]
    pub fn may_be(&self, issuer: &str) -> bool {
        match self {
            Self::Exact(expected) => issuer == expected,
            Self::PerTenant { .. } => self.tenant_of(issuer).is_some(),
        }
    }

    /// Returns the tenant that an issuer names, where it is one that may sign in.
    fn tenant_of<'a>(&self, issuer: &'a str) -> Option<&'a str> {
        let Self::PerTenant {
            before,
            after,
            only,
        } = self
        else {
            return None;
        };
        let tenant = issuer
            .strip_prefix(before.as_str())?
            .strip_suffix(after.as_str())?;
        let is_allowed = only
            .as_ref()
            .is_none_or(|only| only.eq_ignore_ascii_case(tenant));
        (is_tenant_id(tenant) && is_allowed).then_some(tenant)
    }
}

/// Tells whether a tenant is named by its id, a UUID, and not by a word or a domain.
fn is_tenant_id(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "11111111-2222-3333-4444-555555555555";
    const OTHER: &str = "aaaaaaaa-2222-3333-4444-555555555555";

    fn of(tenant: &str) -> String {
        format!("https://login.example/{tenant}/v2.0")
    }

    #[test]
    fn c_18_an_issuer_is_compared_byte_for_byte() {
        let issuer = ExpectedIssuer::new("https://a.example", None);
        assert!(issuer.may_be("https://a.example"));
        for other in [
            "https://a.example/",
            "https://A.example",
            "https://a.example.evil",
            "",
        ] {
            assert!(!issuer.may_be(other) && !issuer.is(other, None), "{other}");
        }
    }

    #[test]
    fn j_05_a_tenants_issuer_is_that_of_the_persons_own_tenant() {
        let any = ExpectedIssuer::new(&of(TENANT_ID), Some("organizations"));
        assert!(any.is(&of(OURS), Some(OURS)) && any.may_be(&of(OTHER)));
        assert!(!any.is(&of(OURS), Some(OTHER)) && !any.is(&of(OURS), None));
        for other in [of("common"), of(""), of("../x"), format!("{}x", of(OURS))] {
            assert!(!any.may_be(&other), "{other}");
        }
    }

    #[test]
    fn j_05_a_tenant_that_is_named_is_the_only_one() {
        let one = ExpectedIssuer::new(&of(TENANT_ID), Some(OURS));
        assert!(one.is(&of(OURS), Some(OURS)));
        assert!(!one.is(&of(OTHER), Some(OTHER)) && !one.may_be(&of(OTHER)));
    }
}
