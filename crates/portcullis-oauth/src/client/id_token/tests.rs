//! Id tokens as they should be, and forgeries.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use jsonwebtoken::crypto::sign;
use serde_json::json;

use super::*;
use crate::jws::fixtures::{Signer, keys, message};

const ISSUER: &str = "https://as.example";
const NOW: i64 = 1_000_000;

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "1", "aud": "us", "nonce": "n-1",
        "exp": NOW + 300, "iat": NOW - 1
    })
}

fn with(members: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in members.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn verdict(keys: &SigningKeys, token: &str) -> Result<IdTokenClaims, IdTokenError> {
    verdict_of(keys, &ExpectedIssuer::new(ISSUER, None), token)
}

fn verdict_of(
    keys: &SigningKeys,
    issuer: &ExpectedIssuer,
    token: &str,
) -> Result<IdTokenClaims, IdTokenError> {
    let expected = ExpectedIdToken {
        keys,
        issuer,
        audience: "us",
        nonce: &Secret::new("n-1".to_owned()),
    };
    let token = Secret::new(token.to_owned());
    validate(&token, &expected, Timestamp::from_millis(NOW * 1000))
}

#[test]
fn a_token_is_believed_under_every_asymmetric_algorithm() {
    for algorithm in [
        Algorithm::RS256,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
    ] {
        let signer = Signer::new(algorithm, "k1");
        let believed = verdict(&signer.keys(), &signer.token(&claims()));
        let believed = believed.unwrap_or_else(|error| panic!("{algorithm:?}: {error}"));
        assert_eq!(believed.issuer, ISSUER);
        assert_eq!(believed.claims["sub"], "1");
    }
}

#[test]
fn j_05_no_algorithm_and_shared_secrets_prove_nothing() {
    let signer = Signer::new(Algorithm::RS256, "k1");
    let keys = signer.keys();
    for alg in [
        "none", "None", "NONE", "", "rs256", "HS256", "HS384", "HS512", "ES256K",
    ] {
        let header = json!({"alg": alg, "kid": "k1"});
        for signature in ["", "c2ln"] {
            let token = format!("{}.{signature}", message(&header, &claims()));
            assert_eq!(
                verdict(&keys, &token),
                Err(IdTokenError::Algorithm),
                "{alg}"
            );
        }
    }
    for token in signer.confused(&claims()) {
        assert_eq!(verdict(&keys, &token), Err(IdTokenError::Algorithm));
    }
}

#[test]
fn j_05_only_the_key_that_the_token_names_is_tried() {
    let (first, second) = (
        Signer::new(Algorithm::ES256, "k1"),
        Signer::new(Algorithm::ES256, "k2"),
    );
    let both = keys(&[&first, &second]);
    let named = |kid: Value| first.token_with(&json!({"alg": "ES256", "kid": kid}), &claims());
    assert!(verdict(&both, &named(json!("k1"))).is_ok());
    assert_eq!(
        verdict(&both, &named(json!("k2"))),
        Err(IdTokenError::Signature)
    );
    for kid in ["k3", "../../k1", "k1' OR '1'='1", "K1", ""] {
        assert_eq!(
            verdict(&both, &named(json!(kid))),
            Err(IdTokenError::UnknownKey),
            "{kid}"
        );
    }
    assert_eq!(
        verdict(&both, &named(json!(["k1"]))),
        Err(IdTokenError::Malformed)
    );
    let nameless = first.token_with(&json!({"alg": "ES256"}), &claims());
    assert!(verdict(&both, &nameless).is_ok());
    assert_eq!(
        verdict(&second.keys(), &nameless),
        Err(IdTokenError::Signature)
    );
}

#[test]
fn j_05_a_key_that_the_token_brings_is_not_looked_at() {
    let (ours, evil) = (
        Signer::new(Algorithm::ES256, "k1"),
        Signer::new(Algorithm::ES256, "k1"),
    );
    let header = json!({
        "alg": "ES256", "kid": "k1", "jwk": evil.jwk,
        "jku": "https://evil.example/jwks", "x5u": "https://evil.example/x5u"
    });
    let token = evil.token_with(&header, &claims());
    assert_eq!(verdict(&ours.keys(), &token), Err(IdTokenError::Signature));
}

#[test]
fn j_05_another_kind_of_token_is_none() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    for typ in ["at+jwt", "application/at+jwt", "logout+jwt", "JWS", ""] {
        let token = signer.token_with(&json!({"alg": "ES256", "typ": typ}), &claims());
        assert_eq!(
            verdict(&signer.keys(), &token),
            Err(IdTokenError::OtherType),
            "{typ}"
        );
    }
    for typ in ["JWT", "jwt"] {
        let token = signer.token_with(&json!({"alg": "ES256", "typ": typ}), &claims());
        assert!(verdict(&signer.keys(), &token).is_ok(), "{typ}");
    }
    let critical = json!({"alg": "ES256", "crit": ["b64"], "b64": false});
    let token = signer.token_with(&critical, &claims());
    assert_eq!(verdict(&signer.keys(), &token), Err(IdTokenError::Critical));
}

#[test]
fn j_05_a_claim_that_is_missing_or_mistyped_is_not_guessed() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    let keys = signer.keys();
    for name in ["iss", "sub", "aud", "exp", "iat", "nonce"] {
        let token = signer.token(&without(name));
        assert_eq!(
            verdict(&keys, &token),
            Err(IdTokenError::Claim(name)),
            "{name}"
        );
        for value in [json!(null), json!({}), json!(true)] {
            let token = signer.token(&with(&json!({name: value})));
            assert_eq!(
                verdict(&keys, &token),
                Err(IdTokenError::Claim(name)),
                "{name} {value}"
            );
        }
    }
    for claims in [json!([]), json!("x"), json!(null)] {
        assert_eq!(
            verdict(&keys, &signer.token(&claims)),
            Err(IdTokenError::Malformed)
        );
    }
}

#[test]
fn j_05_the_audience_is_us_alone_unless_it_was_made_for_us() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    let keys = signer.keys();
    for (members, good) in [
        (json!({"aud": "us"}), true),
        (json!({"aud": ["us"]}), true),
        (json!({"aud": "us", "azp": "us"}), true),
        (json!({"aud": ["project", "us"], "azp": "us"}), true),
        (json!({"aud": ["us", "evil"]}), false),
        (json!({"aud": ["us", "evil"], "azp": "evil"}), false),
        (json!({"aud": "us", "azp": "evil"}), false),
        (json!({"aud": "evil"}), false),
        (json!({"aud": ["evil"], "azp": "us"}), false),
        (json!({"aud": [], "azp": "us"}), false),
        (json!({"aud": "US"}), false),
        (json!({"aud": ["us", "us"]}), false),
    ] {
        let outcome = verdict(&keys, &signer.token(&with(&members)));
        let expected = if good {
            None
        } else {
            Some(IdTokenError::OtherAudience)
        };
        assert_eq!(outcome.err(), expected, "{members}");
    }
}

#[test]
fn j_05_a_token_of_another_issuer_sign_in_or_time_is_refused() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    let keys = signer.keys();
    for (members, error) in [
        (
            json!({"iss": "https://as.example/"}),
            IdTokenError::OtherIssuer,
        ),
        (
            json!({"iss": "https://evil.example"}),
            IdTokenError::OtherIssuer,
        ),
        (json!({"nonce": "n-2"}), IdTokenError::OtherNonce),
        (json!({"exp": NOW - 60}), IdTokenError::Time),
        (json!({"iat": NOW + 61}), IdTokenError::Time),
        (json!({"iat": NOW + 61, "nbf": NOW}), IdTokenError::Time),
        (json!({"nbf": NOW + 61}), IdTokenError::Time),
        (json!({"exp": 1e18}), IdTokenError::Claim("exp")),
        (json!({"exp": -1}), IdTokenError::Claim("exp")),
        (json!({"nbf": "soon"}), IdTokenError::Claim("nbf")),
    ] {
        let outcome = verdict(&keys, &signer.token(&with(&members)));
        assert_eq!(outcome, Err(error), "{members}");
    }
    for members in [
        json!({"exp": NOW - 59}),
        json!({"iat": NOW + 60, "nbf": NOW + 60}),
        json!({"exp": 1_000_300.5}),
    ] {
        assert!(
            verdict(&keys, &signer.token(&with(&members))).is_ok(),
            "{members}"
        );
    }
}

#[test]
fn j_05_a_person_of_another_tenant_is_not_of_this_one() {
    const OURS: &str = "11111111-2222-3333-4444-555555555555";
    const OTHER: &str = "aaaaaaaa-2222-3333-4444-555555555555";
    let signer = Signer::new(Algorithm::ES256, "k1");
    let keys = signer.keys();
    let issuer = "https://login.example/{tenantid}/v2.0";
    let of = |tenant: &str| issuer.replace("{tenantid}", tenant);
    let outcome = |tenant, iss: String, tid: Value| {
        let token = signer.token(&with(&json!({"iss": iss, "tid": tid})));
        verdict_of(&keys, &ExpectedIssuer::new(issuer, Some(tenant)), &token)
    };
    assert!(outcome("organizations", of(OURS), json!(OURS)).is_ok());
    assert!(outcome(OURS, of(OURS), json!(OURS)).is_ok());
    for (tenant, iss, tid) in [
        ("organizations", of(OURS), json!(OTHER)),
        ("organizations", of(OURS), json!(null)),
        ("organizations", of("{tenantid}"), json!("{tenantid}")),
        (OURS, of(OTHER), json!(OTHER)),
        (OURS, of(OTHER), json!(OURS)),
    ] {
        assert_eq!(outcome(tenant, iss, tid), Err(IdTokenError::OtherIssuer));
    }
}

#[test]
fn what_was_changed_or_is_no_token_is_refused() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    let keys = signer.keys();
    let token = signer.token(&claims());
    let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts");
    };
    let forged = URL_SAFE_NO_PAD.encode(with(&json!({"sub": "2"})).to_string());
    let changed = format!("{header}.{forged}.{signature}");
    assert_eq!(verdict(&keys, &changed), Err(IdTokenError::Signature));
    for text in [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        &format!("{token}.x"),
        &token.replace('.', ".."),
    ] {
        assert_eq!(verdict(&keys, text), Err(IdTokenError::Malformed), "{text}");
    }
    let twice = r#"{"alg":"none","alg":"ES256","kid":"k1"}"#;
    let payload = URL_SAFE_NO_PAD.encode(claims().to_string());
    let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(twice));
    let signature = sign(message.as_bytes(), &signer.key, Algorithm::ES256).unwrap();
    assert_eq!(
        verdict(&keys, &format!("{message}.{signature}")),
        Err(IdTokenError::Malformed)
    );
}
