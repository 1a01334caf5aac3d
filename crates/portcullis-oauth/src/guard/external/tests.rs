//! Claims of access tokens as they should be, and what else comes.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;

const NOW: i64 = 1_000_000;
const US: &str = "https://mcp.example/pets/mcp";

fn policy() -> AccessTokenPolicy {
    AccessTokenPolicy {
        issuer: "https://as.example".to_owned(),
        audiences: vec![US.to_owned(), "api://pets".to_owned()],
        clients_without_audience: Vec::new(),
        leeway: DEFAULT_LEEWAY,
    }
}

fn claims() -> Value {
    json!({
        "iss": "https://as.example", "sub": "1", "aud": US, "client_id": "c",
        "exp": NOW + 300, "iat": NOW - 1
    })
}

fn judge(policy: &AccessTokenPolicy, members: &Value) -> Result<ExternalAccess, Refusal> {
    let mut claims = claims();
    for (name, value) in members.as_object().unwrap() {
        claims[name] = value.clone();
    }
    policy.judge(&claims, Timestamp::from_millis(NOW * 1000))
}

fn verdict(members: &Value) -> Result<(), Refusal> {
    judge(&policy(), members).map(|_| ())
}

#[test]
fn a_good_token_says_who_may_what_and_until_when() {
    let access = judge(&policy(), &json!({"scope": "write read"})).unwrap();
    assert_eq!(
        access,
        ExternalAccess {
            issuer: "https://as.example".to_owned(),
            subject: Some("1".to_owned()),
            client: Some("c".to_owned()),
            scopes: Some(Scopes::parse("read write").unwrap()),
            expires_at: Some(Timestamp::from_millis((NOW + 300) * 1000)),
        }
    );
}

#[test]
fn j_01_j_05_one_of_the_audiences_must_be_ours() {
    for (aud, outcome) in [
        (json!(US), Ok(())),
        (json!("https://MCP.example:443/pets/mcp/"), Ok(())),
        (json!("api://pets"), Ok(())),
        (json!(["https://other.example", US]), Ok(())),
        (json!("API://pets"), Err(Refusal::OtherAudience)),
        (json!("https://mcp.example"), Err(Refusal::OtherAudience)),
        (
            json!("https://mcp.example/cats/mcp"),
            Err(Refusal::OtherAudience),
        ),
        (
            json!("https://mcp.example/pets/mcp2"),
            Err(Refusal::OtherAudience),
        ),
        (
            json!("https://mcp.example/PETS/mcp"),
            Err(Refusal::OtherAudience),
        ),
        (
            json!("http://mcp.example/pets/mcp"),
            Err(Refusal::OtherAudience),
        ),
        (
            json!(["https://other.example"]),
            Err(Refusal::OtherAudience),
        ),
        (json!([]), Err(Refusal::NoAudience)),
        (json!(""), Err(Refusal::OtherAudience)),
        (json!([US, 1]), Err(Refusal::Claim("aud"))),
        (json!(null), Err(Refusal::Claim("aud"))),
        (json!({US: true}), Err(Refusal::Claim("aud"))),
    ] {
        assert_eq!(verdict(&json!({"aud": aud})), outcome, "{aud}");
    }
    let mut nobody = policy();
    nobody.audiences.clear();
    assert_eq!(judge(&nobody, &json!({})), Err(Refusal::OtherAudience));
}

#[test]
fn j_05_without_an_audience_only_the_clients_that_the_operator_names_come_in() {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove("aud");
    let mut policy = policy();
    let judge = |policy: &AccessTokenPolicy, claims: &Value| {
        let outcome = policy.judge(claims, Timestamp::from_millis(NOW * 1000));
        outcome.map(|_| ())
    };
    assert_eq!(judge(&policy, &claims), Err(Refusal::NoAudience));
    policy.clients_without_audience = vec!["c".to_owned()];
    assert_eq!(judge(&policy, &claims), Ok(()));
    claims["aud"] = json!([]);
    assert_eq!(judge(&policy, &claims), Ok(()));
    claims["client_id"] = json!("d");
    assert_eq!(judge(&policy, &claims), Err(Refusal::NoAudience));
    claims.as_object_mut().unwrap().remove("client_id");
    assert_eq!(judge(&policy, &claims), Err(Refusal::NoAudience));
    claims["client_id"] = json!("c");
    claims["aud"] = json!("https://other.example");
    assert_eq!(judge(&policy, &claims), Err(Refusal::OtherAudience));
}

#[test]
fn j_05_a_token_of_another_issuer_opens_nothing() {
    for issuer in [
        "https://as.example/",
        "https://AS.example",
        "https://evil.example",
    ] {
        assert_eq!(
            verdict(&json!({"iss": issuer})),
            Err(Refusal::OtherIssuer),
            "{issuer}"
        );
    }
    assert_eq!(verdict(&json!({"iss": null})), Err(Refusal::Claim("iss")));
}

#[test]
fn j_05_a_token_is_good_within_its_time_and_the_leeway() {
    for (members, outcome) in [
        (json!({"exp": NOW - 59}), Ok(())),
        (json!({"exp": NOW - 60}), Err(Refusal::Expired)),
        (json!({"exp": NOW - 600}), Err(Refusal::Expired)),
        (json!({"nbf": NOW + 60}), Ok(())),
        (json!({"nbf": NOW + 61}), Err(Refusal::NotYet)),
        (json!({"iat": NOW + 60}), Ok(())),
        (json!({"iat": NOW + 61}), Err(Refusal::NotYet)),
        (json!({"exp": 1_000_000.5}), Ok(())),
        (json!({"exp": "soon"}), Err(Refusal::Claim("exp"))),
        (json!({"exp": 1e18}), Err(Refusal::Claim("exp"))),
        (json!({"exp": -1}), Err(Refusal::Claim("exp"))),
        (json!({"nbf": null}), Err(Refusal::Claim("nbf"))),
        (json!({"iat": {}}), Err(Refusal::Claim("iat"))),
    ] {
        assert_eq!(verdict(&members), outcome, "{members}");
    }
    let mut strict = policy();
    strict.leeway = Duration::ZERO;
    assert_eq!(judge(&strict, &json!({"exp": NOW})), Err(Refusal::Expired));
    assert!(judge(&strict, &json!({"exp": NOW + 1, "nbf": NOW, "iat": NOW})).is_ok());
}

#[test]
fn j_02_j_05_other_kinds_of_tokens_are_told_by_their_claims() {
    for (members, outcome) in [
        (json!({"at_hash": "x"}), Err(Refusal::OtherKind("at_hash"))),
        (json!({"c_hash": "x"}), Err(Refusal::OtherKind("c_hash"))),
        (json!({"events": {}}), Err(Refusal::OtherKind("events"))),
        (
            json!({"token_use": "id"}),
            Err(Refusal::OtherKind("token_use")),
        ),
        (
            json!({"token_use": "refresh_token"}),
            Err(Refusal::OtherKind("token_use")),
        ),
        (json!({"typ": "ID"}), Err(Refusal::OtherKind("typ"))),
        (json!({"typ": "Refresh"}), Err(Refusal::OtherKind("typ"))),
        (json!({"typ": 1}), Err(Refusal::OtherKind("typ"))),
        (json!({"token_use": "access", "typ": "Bearer"}), Ok(())),
    ] {
        assert_eq!(verdict(&members), outcome, "{members}");
    }
}

#[test]
fn j_05_a_token_that_is_bound_to_a_key_opens_nothing() {
    for cnf in [
        json!({"jkt": "x"}),
        json!({"x5t#S256": "x"}),
        json!({}),
        json!(null),
    ] {
        let outcome = verdict(&json!({"cnf": cnf}));
        assert_eq!(outcome, Err(Refusal::Bound("cnf")), "{cnf}");
    }
}

#[test]
fn the_client_is_found_under_every_name_and_is_one() {
    let named = |members: Value| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove("client_id");
        for (name, value) in members.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let outcome = policy().judge(&claims, Timestamp::from_millis(NOW * 1000));
        outcome.map(|access| access.client)
    };
    for name in ["client_id", "azp", "appid", "cid"] {
        assert_eq!(
            named(json!({name: "d"})),
            Ok(Some("d".to_owned())),
            "{name}"
        );
        assert_eq!(named(json!({name: 1})), Err(Refusal::Claim(name)), "{name}");
    }
    assert_eq!(named(json!({})), Ok(None));
    let same = json!({"client_id": "d", "azp": "d"});
    assert_eq!(named(same), Ok(Some("d".to_owned())));
    let other = json!({"azp": "d", "cid": "e"});
    assert_eq!(named(other), Err(Refusal::SeveralClients));
}

#[test]
fn scopes_are_read_in_every_form_that_providers_write() {
    for (members, scopes) in [
        (json!({}), Ok(None)),
        (json!({"scope": ""}), Ok(Some(""))),
        (json!({"scope": "b a"}), Ok(Some("a b"))),
        (json!({"scp": "a"}), Ok(Some("a"))),
        (json!({"scp": ["b", "a"]}), Ok(Some("a b"))),
        (json!({"scope": ["a"], "scp": "b"}), Ok(Some("a"))),
        (json!({"scope": 1}), Err(Refusal::Claim("scope"))),
        (json!({"scope": null}), Err(Refusal::Claim("scope"))),
        (json!({"scope": "a\nb"}), Err(Refusal::Claim("scope"))),
        (json!({"scp": ["a", 1]}), Err(Refusal::Claim("scp"))),
    ] {
        let outcome = judge(&policy(), &members).map(|access| access.scopes);
        let scopes = scopes.map(|scopes| scopes.map(|text| Scopes::parse(text).unwrap()));
        assert_eq!(outcome, scopes, "{members}");
    }
}

#[test]
fn c_20_a_subject_that_can_be_none_is_refused() {
    for sub in [
        json!(""),
        json!(1),
        json!(null),
        json!("a\nb"),
        json!("x".repeat(256)),
    ] {
        let outcome = verdict(&json!({"sub": sub}));
        assert_eq!(outcome, Err(Refusal::Claim("sub")), "{sub}");
    }
}

#[test]
fn every_refusal_has_a_text_of_its_own_that_tells_nothing_of_the_token() {
    let all = [
        Refusal::Malformed,
        Refusal::Critical,
        Refusal::Algorithm,
        Refusal::UnknownKey,
        Refusal::Signature,
        Refusal::OtherKind("typ"),
        Refusal::Bound("cnf"),
        Refusal::Claim("aud"),
        Refusal::OtherIssuer,
        Refusal::OtherAudience,
        Refusal::NoAudience,
        Refusal::SeveralClients,
        Refusal::Expired,
        Refusal::NotYet,
        Refusal::Inactive,
        Refusal::NotAllowedToAsk { status: 401 },
        Refusal::Unanswered { status: 500 },
        Refusal::Unreadable,
    ];
    let texts: BTreeSet<_> = all.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), all.len());
}
