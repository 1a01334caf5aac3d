//! Manifests of providers as they are found.

use serde_json::{Value, json};

use super::*;

const ISSUER: &str = "https://as.example/t";

/// A provider with which nothing is wrong.
fn good() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://as.example/t/authorize",
        "token_endpoint": "https://as.example/t/token",
        "registration_endpoint": "https://as.example/t/register",
        "jwks_uri": "https://as.example/t/jwks",
        "scopes_supported": ["read", "offline_access"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
        "code_challenge_methods_supported": ["plain", "S256"]
    })
}

fn with(members: &Value) -> Value {
    let mut document = good();
    for (name, value) in members.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

fn without(name: &str) -> Value {
    let mut document = good();
    document.as_object_mut().unwrap().remove(name);
    document
}

fn check(document: &Value, change: impl Fn(&mut CheckInput<'_>)) -> Vec<Finding> {
    let manifest = Manifest::parse(document.to_string().as_bytes()).unwrap();
    let ours = Resource::parse("https://mcp.example/pets/mcp").unwrap();
    let mut input = CheckInput {
        announced_issuer: ISSUER,
        kind: DocumentKind::OAuth,
        our_resource: Some(&ours),
        resource_verdict: ResourceVerdict::Accepted,
        takes_loopback: false,
    };
    change(&mut input);
    findings(&manifest, &input)
}

/// Returns the findings' severities and codes.
fn codes(document: &Value) -> Vec<(Severity, &'static str)> {
    told(&check(document, |_| ()))
}

fn told(findings: &[Finding]) -> Vec<(Severity, &'static str)> {
    let told = findings.iter().map(|found| (found.severity, found.code));
    told.collect()
}

#[test]
fn nothing_is_wrong_with_a_good_manifest() {
    assert_eq!(codes(&good()), []);
}

#[test]
fn what_is_missing_is_told() {
    for (name, severity, code) in [
        (
            "authorization_endpoint",
            Severity::Error,
            "endpoint-missing",
        ),
        ("token_endpoint", Severity::Error, "endpoint-missing"),
        (
            "code_challenge_methods_supported",
            Severity::Error,
            "pkce-absent",
        ),
        (
            "response_types_supported",
            Severity::Error,
            "response-types",
        ),
        (
            "registration_endpoint",
            Severity::Error,
            "registration-none",
        ),
        (
            "token_endpoint_auth_methods_supported",
            Severity::Warning,
            "public-clients",
        ),
        ("grant_types_supported", Severity::Note, "refresh-tokens"),
        ("scopes_supported", Severity::Note, "offline-access"),
        ("jwks_uri", Severity::Warning, "validation-means"),
    ] {
        assert_eq!(codes(&without(name)), [(severity, code)], "{name}");
    }
}

#[test]
fn what_the_provider_cannot_do_is_told() {
    for (members, severity, code) in [
        (
            json!({"code_challenge_methods_supported": ["plain", "s256"]}),
            Severity::Error,
            "pkce-s256",
        ),
        (
            json!({"code_challenge_methods_supported": "S256"}),
            Severity::Error,
            "pkce-absent",
        ),
        (
            json!({"response_types_supported": ["token"]}),
            Severity::Error,
            "response-types",
        ),
        (
            json!({"grant_types_supported": ["authorization_code"]}),
            Severity::Warning,
            "refresh-tokens",
        ),
        (
            json!({"grant_types_supported": ["refresh_token"]}),
            Severity::Error,
            "grant-types",
        ),
        (
            json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]}),
            Severity::Warning,
            "public-clients",
        ),
        (
            json!({"scopes_supported": ["read"]}),
            Severity::Note,
            "offline-access",
        ),
        (
            json!({"authorization_response_iss_parameter_supported": true}),
            Severity::Note,
            "sends-iss",
        ),
        (
            json!({"registration_endpoint": null, "client_id_metadata_document_supported": true}),
            Severity::Warning,
            "registration-by-document",
        ),
        (
            json!({"registration_endpoint": null, "client_id_metadata_document_supported": false}),
            Severity::Error,
            "registration-none",
        ),
    ] {
        assert_eq!(codes(&with(&members)), [(severity, code)], "{members}");
    }
}

#[test]
fn s_03_an_endpoint_that_is_no_safe_address_is_an_error() {
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "registration_endpoint",
        "jwks_uri",
        "introspection_endpoint",
        "revocation_endpoint",
    ] {
        for url in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "/token",
            "https://a@b.example/",
            "https://b.example/#f",
        ] {
            assert_eq!(
                codes(&with(&json!({name: url}))),
                [(Severity::Error, "endpoint-url")],
                "{name} {url}"
            );
        }
        let plain = with(&json!({name: "http://b.example/x"}));
        assert_eq!(codes(&plain), [(Severity::Error, "plain-http")], "{name}");
        let null = check(&with(&json!({name: null})), |_| ());
        assert!(
            null.iter().all(|found| found.code != "endpoint-url"),
            "{name}"
        );
    }
}

#[test]
fn plain_http_is_taken_on_this_machine_only_where_that_is_wanted() {
    for (url, outside, trying_out) in [
        ("http://127.0.0.1:8080/token", true, false),
        ("http://localhost/token", true, false),
        ("http://127.0.0.1.evil.example/token", true, true),
    ] {
        let document = with(&json!({"token_endpoint": url}));
        let is_told = |takes_loopback| {
            let found = check(&document, |input| input.takes_loopback = takes_loopback);
            told(&found) == [(Severity::Error, "plain-http")]
        };
        assert_eq!(
            (is_told(false), is_told(true)),
            (outside, trying_out),
            "{url}"
        );
    }
}

#[test]
fn c_18_the_issuer_is_a_plain_address_and_the_one_that_is_announced() {
    for (issuer, expected) in [
        (
            "https://as.example/t?x=1",
            &[(Severity::Error, "issuer-url")][..],
        ),
        ("https://as.example/t#f", &[(Severity::Error, "issuer-url")]),
        ("as.example", &[(Severity::Error, "issuer-url")]),
        ("http://as.example/t", &[(Severity::Error, "plain-http")]),
        (
            "https://as.example/t/",
            &[(Severity::Warning, "issuer-slash")],
        ),
    ] {
        let document = with(&json!({"issuer": issuer}));
        let manifest = Manifest::parse(document.to_string().as_bytes()).unwrap();
        let found = check(&document, |input| input.announced_issuer = issuer);
        assert_eq!(
            (told(&found).as_slice(), manifest.issuer()),
            (expected, issuer)
        );
    }
    let other = check(&good(), |input| {
        input.announced_issuer = "https://as.example/t/";
    });
    assert_eq!(told(&other), [(Severity::Error, "issuer-other")]);
}

#[test]
fn an_openid_document_must_be_complete_where_it_is_the_only_one() {
    let complete = json!({"subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"]});
    let found =
        |document: &Value| told(&check(document, |input| input.kind = DocumentKind::OpenId));
    assert_eq!(found(&with(&complete)), []);
    for name in [
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    ] {
        let mut document = with(&complete);
        document.as_object_mut().unwrap().remove(name);
        assert_eq!(
            found(&document),
            [(Severity::Error, "openid-incomplete")],
            "{name}"
        );
    }
    let mut document = with(&complete);
    document.as_object_mut().unwrap().remove("jwks_uri");
    assert!(found(&document).contains(&(Severity::Error, "openid-incomplete")));
}

#[test]
fn whether_tokens_can_be_for_us_is_told() {
    let found = |verdict| told(&check(&good(), |input| input.resource_verdict = verdict));
    assert_eq!(found(ResourceVerdict::Untried), []);
    assert_eq!(
        found(ResourceVerdict::Ignored),
        [(Severity::Warning, "resource-ignored")]
    );
    assert_eq!(
        found(ResourceVerdict::Refused),
        [(Severity::Error, "resource-refused")]
    );
    let others = json!({"protected_resources": ["https://mcp.example/cats/mcp"]});
    assert_eq!(
        codes(&with(&others)),
        [(Severity::Warning, "resource-unlisted")]
    );
    let ours =
        json!({"protected_resources": ["https://a.example", "https://mcp.example/pets/mcp/"]});
    assert_eq!(codes(&with(&ours)), []);
    let mut by_introspection = without("jwks_uri");
    by_introspection["introspection_endpoint"] = json!("https://as.example/introspect");
    assert_eq!(codes(&by_introspection), []);
}

#[test]
fn a_client_is_named_only_where_it_is_known_to_refuse() {
    let who = |document: &Value| {
        let found = check(document, |_| ());
        found.first().and_then(|found| found.who_refuses)
    };
    let secret = json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]});
    assert_eq!(who(&with(&secret)), None);
    let mut by_document = with(&secret);
    by_document["client_id_metadata_document_supported"] = json!(true);
    assert!(who(&by_document).unwrap().contains("Codex"));
    assert!(
        who(&without("response_types_supported"))
            .unwrap()
            .contains("TypeScript")
    );
    assert_eq!(
        who(&with(&json!({"response_types_supported": ["token"]}))),
        None
    );
}

#[test]
fn a_finding_reads_as_one_sentence() {
    let found = check(&without("code_challenge_methods_supported"), |_| ());
    insta::assert_snapshot!(
        found.first().unwrap(),
        @"error[pkce-absent] `code_challenge_methods_supported` is missing; clients of MCP 2025-11-25 and later must refuse to sign in without it: if the provider takes S256 all the same, attach a manifest of your own that lists it; otherwise let people sign in here instead (mode `oauth`)"
    );
}
