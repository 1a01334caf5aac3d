//! Answers of providers about opaque tokens.

use serde_json::json;

use super::*;
use crate::guard::external::DEFAULT_LEEWAY;
use crate::scope::Scopes;

const NOW: i64 = 1_000_000;

fn pointer(text: &str) -> JsonPointer {
    JsonPointer::parse(text).unwrap()
}

fn policy() -> ProbePolicy {
    let accepted = vec!["our app".to_owned(), "17".to_owned()];
    ProbePolicy {
        issuer: "https://as.example".to_owned(),
        comparison: Comparison::new(pointer("/data/aud"), accepted).unwrap(),
        alive: None,
        pointers: ProbePointers::default(),
        leeway: DEFAULT_LEEWAY,
    }
}

fn read(policy: &ProbePolicy, answer: &Value) -> Result<ExternalAccess, Refusal> {
    let now = Timestamp::from_millis(NOW * 1000);
    judge(200, answer.to_string().as_bytes(), policy, now)
}

#[test]
fn j_02_a_probe_that_compares_nothing_is_no_probe() {
    for accepted in [
        vec![],
        vec![String::new()],
        vec!["a".to_owned(), String::new()],
    ] {
        let comparison = Comparison::new(pointer("/aud"), accepted);
        assert_eq!(comparison.unwrap_err(), NothingCompared);
    }
}

#[test]
fn j_02_the_token_of_another_application_opens_nothing() {
    for (aud, outcome) in [
        (json!("our app"), Ok(())),
        (json!(17), Ok(())),
        (json!(["other", "our app"]), Ok(())),
        (json!("other"), Err(Refusal::OtherAudience)),
        (json!("OUR APP"), Err(Refusal::OtherAudience)),
        (json!(18), Err(Refusal::OtherAudience)),
        (json!(["other"]), Err(Refusal::OtherAudience)),
        (json!([]), Err(Refusal::OtherAudience)),
        (json!(null), Err(Refusal::NoAudience)),
        (json!(""), Err(Refusal::Claim("audience of the probe"))),
        (json!(true), Err(Refusal::Claim("audience of the probe"))),
        (
            json!(["our app", {}]),
            Err(Refusal::Claim("audience of the probe")),
        ),
    ] {
        let told = read(&policy(), &json!({"data": {"aud": aud}}));
        assert_eq!(told.map(|_| ()), outcome, "{aud}");
    }
    for answer in [
        json!({}),
        json!({"aud": "our app"}),
        json!([]),
        json!("our app"),
    ] {
        assert_eq!(
            read(&policy(), &answer),
            Err(Refusal::NoAudience),
            "{answer}"
        );
    }
}

#[test]
fn j_02_a_token_that_is_said_to_be_dead_opens_nothing() {
    let mut policy = policy();
    policy.alive = Some(pointer("/data/is_valid"));
    let verdict = |valid: Value| {
        let told = read(
            &policy,
            &json!({"data": {"aud": "our app", "is_valid": valid}}),
        );
        told.map(|_| ())
    };
    assert_eq!(verdict(json!(true)), Ok(()));
    for valid in [json!(false), json!(null), json!(1), json!("yes")] {
        assert_eq!(verdict(valid.clone()), Err(Refusal::Inactive), "{valid}");
    }
}

#[test]
fn j_09_an_answer_that_is_none_lets_nobody_in() {
    let good = json!({"data": {"aud": "our app"}}).to_string();
    let verdict = |status, body: &str| {
        let now = Timestamp::from_millis(0);
        judge(status, body.as_bytes(), &policy(), now).map(|_| ())
    };
    assert_eq!(verdict(200, &good), Ok(()));
    for status in [400, 401] {
        assert_eq!(verdict(status, &good), Err(Refusal::Inactive), "{status}");
    }
    for status in [302, 429, 500, 503] {
        let refusal = verdict(status, &good).unwrap_err();
        assert_eq!(refusal, Refusal::Unanswered { status });
        assert!(!refusal.is_invalid_token());
    }
    for body in ["", "<html></html>", "our app"] {
        assert_eq!(verdict(200, body), Err(Refusal::Unreadable), "{body}");
    }
}

#[test]
fn what_else_is_told_is_read_where_it_stands() {
    let mut policy = policy();
    policy.pointers = ProbePointers {
        subject: Some(pointer("/user/id")),
        client: Some(pointer("/data/aud")),
        scope: Some(pointer("/scopes")),
        expiry: None,
    };
    let answer = |id: Value, scopes: Value| json!({"data": {"aud": "our app"}, "user": {"id": id}, "scopes": scopes});
    let told = read(&policy, &answer(json!(7), json!(["b", "a"]))).unwrap();
    assert_eq!(told.issuer, "https://as.example");
    assert_eq!(told.subject.as_deref(), Some("7"));
    assert_eq!(told.client.as_deref(), Some("our app"));
    assert_eq!(told.scopes, Some(Scopes::parse("a b").unwrap()));
    for id in [json!(null), json!(""), json!({}), json!("a\nb")] {
        let outcome = read(&policy, &answer(id.clone(), json!("a")));
        assert_eq!(outcome, Err(Refusal::Claim("subject of the probe")), "{id}");
    }
    let outcome = read(&policy, &answer(json!(7), json!(1)));
    assert_eq!(outcome, Err(Refusal::Claim("scope of the probe")));
    policy.pointers.client = Some(pointer("/azp"));
    let outcome = read(&policy, &answer(json!(7), json!("a")));
    assert_eq!(outcome, Err(Refusal::Claim("client of the probe")));
}

#[test]
fn j_05_an_expiry_is_absolute_or_relative_and_a_number_or_its_text() {
    let mut policy = policy();
    let mut verdict = |expiry, value: Value| {
        policy.pointers.expiry = Some(expiry);
        let told = read(&policy, &json!({"data": {"aud": "our app"}, "e": value}));
        told.map(|access| access.expires_at.map(|at| at.as_millis() / 1000 - NOW))
    };
    let missing = Err(Refusal::Claim("expiry of the probe"));
    for (value, outcome) in [
        (json!(NOW + 9), Ok(Some(9))),
        (json!((NOW + 9).to_string()), Ok(Some(9))),
        (json!(NOW - 59), Ok(Some(-59))),
        (json!(NOW - 60), Err(Refusal::Expired)),
        (json!(-1), missing),
        (json!("soon"), missing),
        (json!("NaN"), missing),
        (json!(null), missing),
    ] {
        let told = verdict(ExpiryPointer::At(pointer("/e")), value.clone());
        assert_eq!(told, outcome, "{value}");
    }
    for (value, outcome) in [
        (json!(9), Ok(Some(9))),
        (json!("9"), Ok(Some(9))),
        (json!(0), Err(Refusal::Expired)),
        (json!(-5), Err(Refusal::Expired)),
        (json!("inf"), missing),
        (json!(true), missing),
    ] {
        let told = verdict(ExpiryPointer::In(pointer("/e")), value.clone());
        assert_eq!(told, outcome, "{value}");
    }
}
