//! Who comes in by which mode, and who does not.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_base::Rng;

use portcullis_oauth::guard::external::ExternalAccess;

use super::*;
use crate::mcp::publish;

struct Fixed;

impl Rng for Fixed {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

fn toolset(inbound: &[Inbound], declared: &[&str]) -> PublishedToolset {
    let slug = Slug::parse("pets").unwrap();
    PublishedToolset {
        selection_warnings: Vec::new(),
        selection_notes: Vec::new(),
        tags: BTreeMap::new(),
        search: None,
        introduction: publish::introduction(&slug, "Pets", None),
        list: publish::tool_list(&HashMap::new()),
        slug,
        title: "Pets".to_owned(),
        instructions: None,
        inbound: inbound.iter().copied().collect(),
        external: None,
        sign_in: None,
        caller_supplied: declared.iter().map(|&name| name.to_owned()).collect(),
        environment: None,
        tools: HashMap::new(),
    }
}

fn public_url() -> Origin {
    Origin::parse("https://mcp.example").unwrap()
}

fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in list {
        map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    map
}

fn refused(inbound: &[Inbound], list: &[(&'static str, &str)], query: Option<&str>) -> Refusal {
    present(&headers(list), query, &toolset(inbound, &[])).unwrap_err()
}

fn row() -> ApiKeyRow {
    ApiKeyRow {
        id: ApiKeyId::new(Timestamp::from_millis(0), &Fixed),
        name: "ci".to_owned(),
        digest: Plain::<ApiKey>::new(&Fixed).digest(),
        toolsets: BTreeSet::new(),
        created_at: Timestamp::from_millis(0),
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    }
}

#[test]
fn no_credential_is_challenged_without_an_error() {
    let refusal = refused(&[Inbound::ApiKey], &[], None);
    assert_eq!(refusal, Refusal::CredentialMissing);
    let pets = toolset(&[Inbound::ApiKey], &[]);
    let challenge = refusal.challenge(&pets, &public_url(), None).unwrap();
    assert_eq!(challenge, r#"Bearer realm="pets""#);
}

#[test]
fn an_api_key_is_looked_up_by_its_digest() {
    let key = Plain::<ApiKey>::new(&Fixed);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let list = headers(&[("authorization", &format!("{scheme} {}", key.expose()))]);
        let presented = present(&list, None, &toolset(&[Inbound::ApiKey], &[]));
        assert!(matches!(presented, Ok(Presented::ApiKey(d)) if d == key.digest()));
    }
}

#[test]
fn j_02_a_credential_of_another_kind_is_refused() {
    for (value, expected) in [
        ("Bearer ghp_0123456789", Refusal::Key(KeyFault::NoKey)),
        ("Bearer pc_key_short", Refusal::Key(KeyFault::NoKey)),
        ("Bearer ", Refusal::Key(KeyFault::NoKey)),
        ("Bearer", Refusal::Key(KeyFault::NoKey)),
        ("Basic dTpw", Refusal::AuthorizationNotBearer),
        ("", Refusal::AuthorizationNotBearer),
    ] {
        // Whoever presents a key is judged by it, even where anyone is admitted.
        for inbound in [&[Inbound::ApiKey][..], &[Inbound::ApiKey, Inbound::Open]] {
            let refusal = refused(inbound, &[("authorization", value)], None);
            assert_eq!(
                (&refusal, refusal.status()),
                (&expected, StatusCode::UNAUTHORIZED)
            );
        }
    }
}

#[test]
fn j_07_two_authorization_headers_are_refused() {
    let twice = [("authorization", "Bearer a"), ("authorization", "Bearer a")];
    for inbound in [Inbound::ApiKey, Inbound::Open, Inbound::Headers] {
        let refusal = refused(&[inbound], &twice, None);
        assert_eq!(refusal.status(), StatusCode::BAD_REQUEST);
    }
}

#[test]
fn j_07_a_token_in_the_url_is_refused() {
    let key = Plain::<ApiKey>::new(&Fixed);
    let query = format!("a=1&access%5Ftoken={}", key.expose());
    let refusal = refused(&[Inbound::ApiKey], &[], Some(&query));
    assert_eq!(refusal, Refusal::CredentialInUrl);
    assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
}

#[test]
fn a_key_is_good_until_it_expires_or_is_revoked_and_only_where_it_opens() {
    let here = Slug::parse("pets").unwrap();
    let now = Timestamp::from_millis(10);
    let good = row();
    assert_eq!(judge_key(Some(&good), &here, now), Ok(good.id));
    for (row, fault) in [
        (None, KeyFault::Unknown),
        (
            Some(ApiKeyRow {
                revoked_at: Some(now),
                ..row()
            }),
            KeyFault::Revoked,
        ),
        (
            Some(ApiKeyRow {
                expires_at: Some(now),
                ..row()
            }),
            KeyFault::Expired,
        ),
        (
            Some(ApiKeyRow {
                toolsets: [Slug::parse("pets-v2").unwrap()].into(),
                ..row()
            }),
            KeyFault::OtherToolset,
        ),
    ] {
        assert_eq!(
            judge_key(row.as_ref(), &here, now),
            Err(Refusal::Key(fault))
        );
    }
}

#[test]
fn every_bad_key_is_told_the_same() {
    let pets = toolset(&[Inbound::ApiKey], &[]);
    let challenges: BTreeSet<_> = [
        KeyFault::NoKey,
        KeyFault::Unknown,
        KeyFault::Revoked,
        KeyFault::Expired,
        KeyFault::OtherToolset,
    ]
    .into_iter()
    .map(|fault| {
        Refusal::Key(fault)
            .challenge(&pets, &public_url(), None)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    })
    .collect();
    assert_eq!(
        challenges.into_iter().collect::<Vec<_>>(),
        [
            r#"Bearer realm="pets", error="invalid_token", error_description="the API key is not valid for this endpoint""#
        ]
    );
}

#[test]
fn open_and_headers_admit_anyone_and_only_open_lends_the_environment() {
    let any = headers(&[("authorization", "Bearer ghp_0123456789")]);
    for (inbound, identity, lends) in [
        (&[Inbound::Open][..], Identity::Open, true),
        (&[Inbound::Headers], Identity::Headers, false),
        (&[Inbound::Open, Inbound::Headers], Identity::Open, true),
    ] {
        let presented = present(&any, None, &toolset(inbound, &[])).unwrap();
        assert!(matches!(presented, Presented::Admitted(i) if i == identity));
        let caller = Caller {
            identity,
            values: CallerValues::default(),
            connection: None,
        };
        assert_eq!(caller.may_use_environment(), lends);
    }
}

#[test]
fn only_declared_variables_are_read() {
    let toolset = toolset(
        &[Inbound::Headers],
        &["PETS_API_KEY", "PETS_PASSWORD", "METHOD"],
    );
    let sent = headers(&[
        ("mcp-pets-api-key", "k\u{e9}y"),
        ("mcp-pets-password", ""),
        ("mcp-pets-client-id", "id"),
        ("mcp-method", "tools/call"),
        ("pets-api-key", "no"),
    ]);
    let values = CallerValues::read(&sent, &toolset).unwrap();
    assert_eq!(
        values.value("PETS_API_KEY").map(Secret::expose),
        Some("k\u{e9}y")
    );
    assert_eq!(values.value("PETS_PASSWORD").map(Secret::expose), Some(""));
    for other in ["PETS_CLIENT_ID", "METHOD"] {
        assert!(values.value(other).is_none(), "{other}");
    }
}

#[test]
fn a_variable_given_twice_or_in_an_unreadable_form_is_refused() {
    let toolset = toolset(&[Inbound::Headers], &["PETS_API_KEY"]);
    let twice = headers(&[("mcp-pets-api-key", "a"), ("mcp-pets-api-key", "b")]);
    assert!(matches!(
        CallerValues::read(&twice, &toolset),
        Err(Refusal::VariableRepeated(_))
    ));
    let underscored = headers(&[("mcp-pets_api_key", "a")]);
    assert!(
        CallerValues::read(&underscored, &toolset)
            .unwrap()
            .is_empty()
    );
    let mut binary = HeaderMap::new();
    binary.insert(
        "mcp-pets-api-key",
        HeaderValue::from_bytes(b"\xff").unwrap(),
    );
    assert!(matches!(
        CallerValues::read(&binary, &toolset),
        Err(Refusal::VariableNotText(_))
    ));
}

#[test]
fn values_do_not_tell_themselves() {
    let values: CallerValues = [("A".to_owned(), Secret::new("hunter2".to_owned()))]
        .into_iter()
        .collect();
    assert!(!format!("{values:?}").contains("hunter2"));
}

#[test]
fn a_token_that_nobody_has_judged_lends_nothing_of_the_environment() {
    for (is_unvalidated, lends) in [(false, true), (true, false)] {
        let access = ExternalAccess {
            issuer: "https://as.example".to_owned(),
            subject: None,
            client: None,
            scopes: None,
            expires_at: None,
        };
        let since = Timestamp::from_millis(0);
        let bearer = Bearer {
            token: Secret::new("token".to_owned()),
            good: Arc::new(Good { access, since }),
            is_unvalidated,
        };
        let caller = Caller {
            identity: Identity::External(bearer),
            values: CallerValues::default(),
            connection: None,
        };
        assert_eq!(caller.may_use_environment(), lends);
    }
}
