//! Answers as they come back, and what an attacker makes of them.

use serde_json::{Value, json};

use super::*;
use crate::client::fixtures::{discovered, plain, ready};
use crate::client::provider::ProviderOverrides;

fn outcome(ready: &ReadyProvider, query: &str) -> Result<String, CallbackError> {
    let answer = Parameters::read(query.as_bytes()).unwrap();
    complete(ready, &answer).map(|code| code.expose().to_owned())
}

fn strict() -> ReadyProvider {
    discovered(&json!({"authorization_response_iss_parameter_supported": true}))
}

fn silent() -> ReadyProvider {
    discovered(&json!({}))
}

const OURS: &str = "iss=https%3A%2F%2Fas.example";

#[test]
fn a_code_comes_back() {
    assert_eq!(
        outcome(&silent(), "code=a%2Bb&state=s"),
        Ok("a+b".to_owned())
    );
    assert_eq!(outcome(&silent(), "state=s"), Err(CallbackError::NoCode));
    assert_eq!(
        outcome(&silent(), "code=&state=s"),
        Err(CallbackError::NoCode)
    );
}

#[test]
fn c_18_who_always_says_iss_must_say_it() {
    assert_eq!(outcome(&strict(), "code=c"), Err(CallbackError::NoIssuer));
    assert_eq!(
        outcome(&strict(), "code=c&iss="),
        Err(CallbackError::NoIssuer)
    );
    assert_eq!(
        outcome(&strict(), "error=access_denied"),
        Err(CallbackError::NoIssuer)
    );
    assert_eq!(
        outcome(&strict(), &format!("code=c&{OURS}")),
        Ok("c".to_owned())
    );
    assert_eq!(outcome(&silent(), "code=c"), Ok("c".to_owned()));
}

#[test]
fn c_18_an_answer_of_another_issuer_is_refused_whatever_it_says() {
    for ready in [strict(), silent()] {
        for query in [
            "code=c&iss=https%3A%2F%2Fevil.example",
            "code=c&iss=https%3A%2F%2Fas.example%2F",
            "error=access_denied&iss=https%3A%2F%2Fevil.example",
        ] {
            assert_eq!(
                outcome(&ready, query),
                Err(CallbackError::OtherIssuer),
                "{query}"
            );
        }
        assert_eq!(
            outcome(&ready, &format!("code=c&{OURS}")),
            Ok("c".to_owned())
        );
    }
}

#[test]
fn c_18_a_profile_may_say_that_iss_always_comes() {
    let mut profile = plain();
    profile["issuer"] = json!("https://acme.example/oauth");
    profile["sends_iss"] = Value::Bool(true);
    let ready = ready(profile, &ProviderOverrides::default());
    assert_eq!(outcome(&ready, "code=c"), Err(CallbackError::NoIssuer));
    assert_eq!(
        outcome(&ready, "code=c&iss=https%3A%2F%2Facme.example%2Foauth"),
        Ok("c".to_owned())
    );
}

#[test]
fn an_issuer_that_nobody_knows_cannot_be_compared() {
    let ready = ready(plain(), &ProviderOverrides::default());
    assert_eq!(
        outcome(&ready, "code=c&iss=https%3A%2F%2Fx.example"),
        Ok("c".to_owned())
    );
}

#[test]
fn c_17_an_error_is_one_of_those_that_we_know() {
    for (code, outward) in [
        ("access_denied", "access_denied"),
        ("login_required", "access_denied"),
        ("consent_required", "access_denied"),
        ("invalid_scope", "invalid_scope"),
        ("temporarily_unavailable", "temporarily_unavailable"),
        ("server_error", "server_error"),
        ("unauthorized_client", "server_error"),
        ("invalid_request", "server_error"),
        ("<script>", "server_error"),
    ] {
        let query = format!("error={code}&error_description=%3Cscript%3E&code=c");
        let error = outcome(&silent(), &query).expect_err("no code");
        let CallbackError::Refused {
            refusal,
            hint: None,
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(refusal.code_for_client().as_str(), outward, "{code}");
        let told = format!("{error} {error:?}");
        assert!(!told.contains("script"), "{told}");
    }
}

#[test]
fn an_error_that_the_profile_knows_comes_with_advice() {
    let mut profile = plain();
    profile["hints"] = json!([{"error": "redirect_uri_mismatch", "text": "Enter our callback."}]);
    let ready = ready(profile, &ProviderOverrides::default());
    let error = outcome(&ready, "error=redirect_uri_mismatch&state=s");
    assert_eq!(
        error,
        Err(CallbackError::Refused {
            refusal: UpstreamRefusal::Other,
            hint: Some("Enter our callback.".to_owned()),
        })
    );
}
