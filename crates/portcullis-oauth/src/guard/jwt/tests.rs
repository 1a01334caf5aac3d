//! Access tokens that are signed, and forgeries.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::*;
use crate::guard::external::DEFAULT_LEEWAY;
use crate::jws::fixtures::{Signer, keys, message};

const NOW: i64 = 1_000_000;

fn claims() -> Value {
    json!({
        "iss": "https://as.example", "sub": "1", "aud": "https://mcp.example/pets/mcp",
        "client_id": "c", "scope": "read", "exp": NOW + 300, "iat": NOW - 1
    })
}

fn with(members: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in members.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn verdict_under(
    algorithms: &[&str],
    keys: &SigningKeys,
    token: &str,
) -> Result<ExternalAccess, Refusal> {
    let pinned = algorithms.iter().map(|name| SigningAlgorithm::parse(name));
    let pinned: Vec<_> = pinned.collect::<Result<_, _>>().unwrap();
    let policy = AccessTokenPolicy {
        issuer: "https://as.example".to_owned(),
        audiences: vec!["https://mcp.example/pets/mcp".to_owned()],
        clients_without_audience: Vec::new(),
        leeway: DEFAULT_LEEWAY,
    };
    let now = Timestamp::from_millis(NOW * 1000);
    verify(token, keys, &pinned, &policy, now)
}

fn verdict(keys: &SigningKeys, token: &str) -> Result<ExternalAccess, Refusal> {
    verdict_under(&["ES256"], keys, token)
}

#[test]
fn a_token_is_believed_under_the_algorithms_that_are_pinned() {
    for algorithm in [
        Algorithm::RS256,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
    ] {
        let signer = Signer::new(algorithm, "k1");
        let name = format!("{algorithm:?}");
        let access = verdict_under(&[&name], &signer.keys(), &signer.token(&claims()));
        let access = access.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(access.subject.as_deref(), Some("1"), "{name}");
    }
}

#[test]
fn j_05_an_algorithm_that_is_not_pinned_is_refused() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    let token = signer.token(&claims());
    for pinned in [&["RS256", "EdDSA"][..], &[]] {
        let outcome = verdict_under(pinned, &signer.keys(), &token);
        assert_eq!(outcome, Err(Refusal::Algorithm), "{pinned:?}");
    }
}

#[test]
fn j_05_no_algorithm_and_the_public_key_as_a_secret_open_nothing() {
    let signer = Signer::new(Algorithm::RS256, "k1");
    let keys = signer.keys();
    let verdict = |token: &str| verdict_under(&["RS256"], &keys, token);
    for alg in ["none", "None", "", "HS256", "rs256", "ES256"] {
        let header = json!({"alg": alg, "kid": "k1"});
        let token = format!("{}.", message(&header, &claims()));
        assert_eq!(verdict(&token), Err(Refusal::Algorithm), "{alg}");
    }
    for token in signer.confused(&claims()) {
        assert_eq!(verdict(&token), Err(Refusal::Algorithm));
    }
}

#[test]
fn j_05_an_unknown_key_is_told_apart_from_a_wrong_signature() {
    let (ours, evil) = (
        Signer::new(Algorithm::ES256, "k1"),
        Signer::new(Algorithm::ES256, "k1"),
    );
    let new = Signer::new(Algorithm::ES256, "k2");
    assert_eq!(
        verdict(&ours.keys(), &new.token(&claims())),
        Err(Refusal::UnknownKey)
    );
    assert!(verdict(&keys(&[&ours, &new]), &new.token(&claims())).is_ok());
    assert_eq!(
        verdict(&ours.keys(), &evil.token(&claims())),
        Err(Refusal::Signature)
    );
    let header = json!({
        "alg": "ES256", "kid": "k1", "jwk": evil.jwk, "jku": "https://evil.example/jwks"
    });
    assert_eq!(
        verdict(&ours.keys(), &evil.token_with(&header, &claims())),
        Err(Refusal::Signature)
    );
    assert_eq!(
        verdict(&SigningKeys::default(), &ours.token(&claims())),
        Err(Refusal::UnknownKey)
    );
}

#[test]
fn j_02_j_05_only_access_tokens_open_anything() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    let keys = signer.keys();
    let nonce = with(&json!({"nonce": "n"}));
    for (typ, claims, outcome) in [
        (json!("at+jwt"), claims(), Ok(())),
        (json!("application/AT+JWT"), claims(), Ok(())),
        (json!("at+jwt"), nonce.clone(), Ok(())),
        (json!("JWT"), claims(), Ok(())),
        (json!(null), claims(), Ok(())),
        (
            json!("JWT"),
            nonce.clone(),
            Err(Refusal::OtherKind("nonce")),
        ),
        (json!(null), nonce, Err(Refusal::OtherKind("nonce"))),
        (
            json!("logout+jwt"),
            claims(),
            Err(Refusal::OtherKind("typ")),
        ),
        (
            json!("secevent+jwt"),
            claims(),
            Err(Refusal::OtherKind("typ")),
        ),
        (
            json!("oauth-id-jag+jwt"),
            claims(),
            Err(Refusal::OtherKind("typ")),
        ),
        (json!("dpop+jwt"), claims(), Err(Refusal::OtherKind("typ"))),
        (json!(""), claims(), Err(Refusal::OtherKind("typ"))),
    ] {
        let token = signer.token_with(&json!({"alg": "ES256", "typ": typ}), &claims);
        assert_eq!(
            verdict(&keys, &token).map(|_| ()),
            outcome,
            "{typ} {claims}"
        );
    }
    let critical = json!({"alg": "ES256", "crit": ["b64"], "b64": false});
    let token = signer.token_with(&critical, &claims());
    assert_eq!(verdict(&keys, &token), Err(Refusal::Critical));
}

#[test]
fn j_05_what_must_be_known_of_a_token_is_not_guessed() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    for (name, refusal) in [
        ("iss", Refusal::Claim("iss")),
        ("sub", Refusal::Claim("sub")),
        ("exp", Refusal::Claim("exp")),
        ("aud", Refusal::NoAudience),
    ] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        let outcome = verdict(&signer.keys(), &signer.token(&claims));
        assert_eq!(outcome, Err(refusal), "{name}");
    }
}

#[test]
fn j_01_j_05_the_policy_holds_for_signed_tokens() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    for (members, refusal) in [
        (json!({"iss": "https://evil.example"}), Refusal::OtherIssuer),
        (
            json!({"aud": "https://mcp.example/cats/mcp"}),
            Refusal::OtherAudience,
        ),
        (json!({"exp": NOW - 60}), Refusal::Expired),
        (json!({"nbf": NOW + 61}), Refusal::NotYet),
        (json!({"cnf": {"jkt": "x"}}), Refusal::Bound("cnf")),
    ] {
        let outcome = verdict(&signer.keys(), &signer.token(&with(&members)));
        assert_eq!(outcome, Err(refusal), "{members}");
    }
}

#[test]
fn j_06_what_was_changed_or_is_no_token_is_refused() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    let keys = signer.keys();
    let token = signer.token(&claims());
    let (header, rest) = token.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let forged = URL_SAFE_NO_PAD.encode(with(&json!({"sub": "2"})).to_string());
    let changed = format!("{header}.{forged}.{signature}");
    assert_eq!(verdict(&keys, &changed), Err(Refusal::Signature));
    for text in [
        "",
        "..",
        "opaque",
        "a.b.c",
        &format!("{token}.x"),
        &token.to_uppercase(),
    ] {
        assert_eq!(verdict(&keys, text), Err(Refusal::Malformed), "{text}");
    }
}
