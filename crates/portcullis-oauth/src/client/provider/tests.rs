//! What settings mean together, and what is refused.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::client::fixtures::{discovered, metadata, openid, plain, ready, resolve};
use crate::client::ready::{NotReady, ReadyProvider};

fn overrides(set: impl FnOnce(&mut ProviderOverrides)) -> ProviderOverrides {
    let mut overrides = ProviderOverrides::default();
    set(&mut overrides);
    overrides
}

fn refused(profile: Value, set: impl FnOnce(&mut ProviderOverrides)) -> InvalidProvider {
    resolve(profile, &overrides(set)).expect_err("refused")
}

fn with_tenants() -> Value {
    json!({
        "name": "Tenants",
        "issuer": "https://login.example/{tenantid}/v2.0",
        "endpoints": {
            "authorization": "https://login.example/{tenant}/authorize",
            "token": "https://login.example/{tenant}/token",
            "jwks": "https://login.example/{tenant}/keys"
        },
        "scopes": {"identity": ["openid"]},
        "identity": [{"from": "id_token", "subject": "/sub", "tid": "/tid"}]
    })
}

#[test]
fn a_profile_with_endpoints_needs_nothing_more() {
    let provider = resolve(plain(), &ProviderOverrides::default()).unwrap();
    assert_eq!(provider.metadata_issuer(), None);
    let ready = ReadyProvider::new(Arc::new(provider), None).unwrap();
    assert_eq!(
        ready.token().as_url().as_str(),
        "https://acme.example/token"
    );
    assert_eq!(ready.secret_method(), None);
}

#[test]
fn a_tenant_fills_the_templates_and_nothing_around_them() {
    let with = overrides(|o| o.tenant = Some("contoso.example".to_owned()));
    let ready = ready(with_tenants(), &with);
    assert_eq!(
        ready.authorization().as_url().as_str(),
        "https://login.example/contoso.example/authorize"
    );
    assert!(matches!(
        refused(with_tenants(), |_| {}),
        InvalidProvider::NoTenant(_)
    ));
    for tenant in [
        "", "a/b", "a?b", "..", "a..b", "a b", "a@b", "%2e", "é", ".a",
    ] {
        let refusal = refused(with_tenants(), |o| o.tenant = Some(tenant.to_owned()));
        assert_eq!(refusal, InvalidProvider::Tenant, "{tenant}");
    }
}

#[test]
fn metadata_is_needed_where_endpoints_are_missing() {
    let with = overrides(|o| o.issuer = Some("https://as.example".to_owned()));
    let provider = resolve(openid(), &with).unwrap();
    assert_eq!(provider.metadata_issuer(), Some("https://as.example"));
    assert_eq!(
        ReadyProvider::new(Arc::new(provider), None).err(),
        Some(NotReady::Missing("authorization_endpoint"))
    );
    let complete = overrides(|o| {
        o.issuer = Some("https://as.example".to_owned());
        o.endpoints.authorization = Some("https://as.example/a".to_owned());
        o.endpoints.token = Some("https://as.example/t".to_owned());
        o.endpoints.jwks = Some("https://as.example/k".to_owned());
    });
    assert_eq!(
        resolve(openid(), &complete).unwrap().metadata_issuer(),
        None
    );
}

#[test]
fn what_nobody_says_is_named() {
    let missing = |profile: Value, set: fn(&mut ProviderOverrides)| match refused(profile, set) {
        InvalidProvider::Missing { setting, .. } => setting,
        other => panic!("{other}"),
    };
    assert_eq!(missing(openid(), |_| {}), "issuer");
    assert_eq!(
        missing(json!({"name": "A"}), |_| {}),
        "authorization_endpoint"
    );
    assert_eq!(
        missing(json!({"name": "A"}), |o| o.endpoints.authorization =
            Some("https://a.example/a".to_owned())),
        "token_endpoint"
    );
    let no_issuer = |o: &mut ProviderOverrides| {
        o.endpoints.authorization = Some("https://a.example/a".to_owned());
        o.endpoints.token = Some("https://a.example/t".to_owned());
        o.endpoints.jwks = Some("https://a.example/k".to_owned());
    };
    assert_eq!(missing(openid(), no_issuer), "issuer");
    let error = resolve(openid(), &ProviderOverrides::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`issuer` is not set, and nothing else says where the provider is"
    );
}

#[test]
fn o_08_an_endpoint_elsewhere_takes_all_of_the_profiles_with_it() {
    let refusal = refused(plain(), |o| {
        o.endpoints.authorization = Some("https://ghe.example/authorize".to_owned());
        o.endpoints.token = Some("https://ghe.example/token".to_owned());
    });
    // Else the token of one place would be shown to the other.
    assert!(
        matches!(
            refusal,
            InvalidProvider::Missing {
                setting: "userinfo_endpoint",
                ..
            }
        ),
        "{refusal}"
    );
    let all = overrides(|o| {
        o.endpoints.authorization = Some("https://ghe.example/authorize".to_owned());
        o.endpoints.token = Some("https://ghe.example/token".to_owned());
        o.endpoints.userinfo = Some("https://ghe.example/api/user".to_owned());
    });
    let ready = ready(plain(), &all);
    assert_eq!(
        ready.userinfo().unwrap().origin().to_string(),
        "https://ghe.example"
    );
    // At the same place, each endpoint may be set alone.
    let one = overrides(|o| o.endpoints.token = Some("https://acme.example/v2/token".to_owned()));
    assert!(resolve(plain(), &one).is_ok());
}

#[test]
fn o_08_metadata_of_another_place_than_the_token_endpoint_gets_no_token_to_see() {
    let with = overrides(|o| {
        o.issuer = Some("https://as.example".to_owned());
        o.endpoints.token = Some("https://inside.example/token".to_owned());
    });
    let provider = Arc::new(resolve(openid(), &with).unwrap());
    let told = json!({"revocation_endpoint": "https://as.example/revoke"});
    let ready = ReadyProvider::new(provider, Some(&metadata(&told))).unwrap();
    assert_eq!((ready.userinfo(), ready.revocation()), (None, None));
    let ready = discovered(&told);
    assert!(ready.userinfo().is_some() && ready.revocation().is_some());
}

#[test]
fn another_issuer_takes_the_profiles_endpoints_with_it() {
    let refusal = refused(with_tenants(), |o| {
        o.issuer = Some("https://local.example".to_owned());
    });
    assert!(
        matches!(
            refusal,
            InvalidProvider::Missing {
                setting: "authorization_endpoint",
                ..
            }
        ),
        "{refusal}"
    );
}

#[test]
fn a_rule_about_what_nobody_vouches_for_is_refused() {
    let refusal = refused(plain(), |o| o.allow = vec!["hd:example.com".to_owned()]);
    assert!(
        matches!(refusal, InvalidProvider::Unverifiable { .. }),
        "{refusal}"
    );
    let refusal = refused(with_tenants(), |o| {
        o.tenant = Some("t".to_owned());
        o.allow = vec!["email:*@example.com".to_owned()];
    });
    assert_eq!(
        refusal.to_string(),
        "`allow`: Tenants vouches for nothing that `email:*@example.com` could be compared with; it could be compared with: `tid:`"
    );
    assert!(matches!(
        refused(plain(), |o| o.allow = vec!["everyone".to_owned()]),
        InvalidProvider::Rule(_)
    ));
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    assert!(matches!(
        refused(plain(), |o| o.endpoints.token =
            Some("ftp://a.example".to_owned())),
        InvalidProvider::Url {
            setting: "token_endpoint",
            ..
        }
    ));
    assert!(matches!(
        refused(plain(), |o| o.scopes = vec!["a\"b".to_owned()]),
        InvalidProvider::Scopes(_)
    ));
    assert_eq!(
        refused(plain(), |o| {
            o.parameters
                .insert("redirect_uri".to_owned(), "https://evil.example".to_owned());
        }),
        InvalidProvider::Reserved("redirect_uri".to_owned())
    );
}

#[test]
fn an_authorization_endpoint_that_gives_people_away_is_refused() {
    let with = overrides(|o| o.issuer = Some("https://as.example".to_owned()));
    let provider = Arc::new(resolve(openid(), &with).unwrap());
    let attempt = |endpoint: &str| {
        let metadata = metadata(&json!({"authorization_endpoint": endpoint}));
        ReadyProvider::new(Arc::clone(&provider), Some(&metadata)).err()
    };
    assert_eq!(
        attempt("http://as.example/a"),
        Some(NotReady::PlainAuthorization)
    );
    assert_eq!(
        attempt("https://as.example/a?redirect%5Furi=https://evil.example"),
        Some(NotReady::Reserved("redirect_uri"))
    );
    assert_eq!(attempt("https://as.example/a?p=b2c_1"), None);
}

#[test]
fn a_provider_bears_the_name_that_people_know() {
    let name = |profile: Value, set: fn(&mut ProviderOverrides)| {
        let resolved = resolve(profile, &overrides(set)).unwrap();
        resolved.name().to_owned()
    };
    assert_eq!(name(plain(), |_| {}), "Acme");
    assert_eq!(
        name(openid(), |o| o.issuer =
            Some("https://as.example/one".to_owned())),
        "as.example"
    );
    let without_issuer = json!({"name": "OAuth 2.0", "discovery": true});
    let endpoints = |o: &mut ProviderOverrides| {
        o.endpoints.authorization = Some("https://login.example/authorize".to_owned());
        o.endpoints.token = Some("https://token.example/token".to_owned());
    };
    assert_eq!(name(without_issuer, endpoints), "login.example");
    let named = |o: &mut ProviderOverrides| {
        o.issuer = Some("https://as.example".to_owned());
        o.name = Some(" Acme accounts ".to_owned());
    };
    assert_eq!(name(openid(), named), "Acme accounts");
    assert_eq!(name(plain(), |o| o.name = Some("Ours".to_owned())), "Ours");
    for name in ["", " ", "a\nb", &"a".repeat(MAX_NAME + 1)] {
        let refusal = refused(plain(), |o| o.name = Some(name.to_owned()));
        assert_eq!(refusal, InvalidProvider::Name, "{name:?}");
    }
}

#[test]
fn where_anybody_has_an_account_the_operator_has_to_say_who_comes_in() {
    let open = |mut profile: Value, tenant: &str, allow: &[&str]| {
        profile["public_tenants"] = json!(["common"]);
        let with = overrides(|o| {
            o.tenant = Some(tenant.to_owned());
            o.allow = allow.iter().map(|&rule| rule.to_owned()).collect();
        });
        resolve(profile, &with).unwrap().is_open_by_default()
    };
    assert!(open(with_tenants(), "common", &[]));
    assert!(open(with_tenants(), "COMMON", &[]));
    assert!(!open(with_tenants(), "acme.example", &[]));
    assert!(!open(with_tenants(), "common", &["tid:1"]));
    assert!(!open(with_tenants(), "common", &["*"]));
    let mut public = plain();
    public["public"] = json!(true);
    assert!(open(public.clone(), "acme.example", &[]));
    assert!(!open(plain(), "acme.example", &[]));
    let moved = overrides(|o| {
        o.endpoints.authorization = Some("https://inside.example/a".to_owned());
        o.endpoints.token = Some("https://inside.example/t".to_owned());
        o.endpoints.userinfo = Some("https://inside.example/u".to_owned());
    });
    assert!(!resolve(public, &moved).unwrap().is_open_by_default());
}
