//! Requests as they are sent, and answers as they come.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;

use super::*;

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn written<'a>(fields: impl Iterator<Item = (&'static str, &'a str)>) -> String {
    let fields: Vec<_> = fields
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    fields.join("&")
}

#[test]
fn an_exchange_names_the_token_and_what_it_is_for() {
    let (subject, actor) = (secret("theirs"), secret("ours"));
    let subject = TypedToken {
        token: &subject,
        kind: ExchangedType::AccessToken,
    };
    let mut request = TokenExchangeRequest {
        subject,
        actor: None,
        audience: Some(""),
        resource: None,
        scope: None,
        requested: None,
    };
    insta::assert_snapshot!(
        written(request.fields()),
        @"grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=theirs&subject_token_type=urn:ietf:params:oauth:token-type:access_token"
    );
    request.actor = Some(TypedToken {
        token: &actor,
        kind: ExchangedType::Jwt,
    });
    request.audience = Some("api");
    request.resource = Some("https://api.example");
    request.scope = Some("a b");
    request.requested = Some(ExchangedType::AccessToken);
    insta::assert_snapshot!(
        written(request.fields()),
        @"grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=theirs&subject_token_type=urn:ietf:params:oauth:token-type:access_token&actor_token=ours&actor_token_type=urn:ietf:params:oauth:token-type:jwt&audience=api&resource=https://api.example&scope=a b&requested_token_type=urn:ietf:params:oauth:token-type:access_token"
    );
}

#[test]
fn an_assertion_is_sent_with_and_without_a_person_behind_it() {
    let token = secret("a.b.c");
    let assertion = AssertionRequest {
        assertion: &token,
        resource: Some("https://api.example"),
        scope: None,
    };
    insta::assert_snapshot!(
        written(assertion.fields()),
        @"grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=a.b.c&resource=https://api.example"
    );
    let on_behalf_of = OnBehalfOfRequest {
        assertion: &token,
        scope: "api://x/.default",
    };
    insta::assert_snapshot!(
        written(on_behalf_of.fields()),
        @"grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=a.b.c&scope=api://x/.default&requested_token_use=on_behalf_of"
    );
}

#[test]
fn a_request_shows_no_token_in_a_log() {
    let token = secret("hunter2");
    let request = AssertionRequest {
        assertion: &token,
        resource: None,
        scope: None,
    };
    assert!(!format!("{request:?}").contains("hunter2"));
}

#[test]
fn only_what_an_api_takes_comes_out_of_an_exchange() {
    let read = |members: &Value| {
        let mut answer = json!({"access_token": "t", "expires_in": 60, "refresh_token": "r"});
        for (name, value) in members.as_object().unwrap() {
            answer[name] = value.clone();
        }
        read_answer(200, answer.to_string().as_bytes())
    };
    let kind = |name: &str| format!("urn:ietf:params:oauth:token-type:{name}");
    for members in [
        json!({}),
        json!({"token_type": "Bearer", "issued_token_type": kind("access_token")}),
        json!({"token_type": "bearer", "issued_token_type": kind("jwt")}),
        json!({"issued_token_type": null}),
    ] {
        let issued = read(&members).unwrap_or_else(|error| panic!("{members}: {error}"));
        assert_eq!(issued.access_token, secret("t"));
        assert_eq!(issued.expires_in, Some(Duration::from_mins(1)));
    }
    for name in ["id_token", "refresh_token", "saml2", "access_token2"] {
        let outcome = read(&json!({"token_type": "Bearer", "issued_token_type": kind(name)}));
        assert_eq!(outcome, Err(ExchangeError::OtherType), "{name}");
    }
    for token_type in ["N_A", "DPoP", "mac"] {
        let outcome =
            read(&json!({"token_type": token_type, "issued_token_type": kind("access_token")}));
        let expected = Err(ExchangeError::Answer(TokenAnswerError::OtherType));
        assert_eq!(outcome, expected, "{token_type}");
    }
    let outcome = read(&json!({"issued_token_type": 1}));
    assert_eq!(outcome, Err(ExchangeError::OtherType));
}

#[test]
fn a_refusal_is_told_as_the_provider_words_it() {
    let outcome = read_answer(
        400,
        br#"{"error":"invalid_target","error_description":"no"}"#,
    );
    let Err(ExchangeError::Answer(TokenAnswerError::Refused(refusal))) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(refusal.known_code(), Some("invalid_target"));
}

#[test]
fn o_13_everything_that_decides_an_answer_decides_its_key() {
    let tokens = ["t1", "t2"].map(secret);
    let endpoints = [
        "https://as.example/token?t=1",
        "https://as.example/token?t=2",
    ];
    let [endpoint, other_endpoint] = endpoints.map(|url| SafeUrl::parse(url).unwrap());
    let request = |change: fn(&mut TokenExchangeRequest<'_>), token| {
        let subject = TypedToken {
            token,
            kind: ExchangedType::AccessToken,
        };
        let mut request = TokenExchangeRequest {
            subject,
            actor: None,
            audience: None,
            resource: None,
            scope: None,
            requested: None,
        };
        change(&mut request);
        cache_key(&endpoint, "us", request.fields())
    };
    let [token, other_token] = &tokens;
    let fields = [("grant_type", "x")];
    let keys = [
        request(|_| (), token),
        request(|_| (), other_token),
        request(|request| request.subject.kind = ExchangedType::Jwt, token),
        request(|request| request.actor = Some(request.subject), token),
        request(|request| request.audience = Some("a"), token),
        request(|request| request.resource = Some("a"), token),
        request(|request| request.scope = Some("a"), token),
        request(
            |request| request.requested = Some(ExchangedType::Jwt),
            token,
        ),
        cache_key(&endpoint, "us", fields),
        cache_key(&other_endpoint, "us", fields),
        cache_key(&endpoint, "them", fields),
        cache_key(&endpoint, "us", [("grant_type", "x"), ("tenant", "a")]),
        cache_key(&endpoint, "us", [("grant_typ", "ex")]),
    ];
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
    assert_eq!(request(|_| (), token), request(|_| (), token));
}
