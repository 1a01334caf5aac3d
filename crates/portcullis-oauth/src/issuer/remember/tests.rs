//! Who is asked again, and who is not.

use std::time::Duration;

use portcullis_base::{Digest, SubjectId};

use super::*;
use crate::issuer::client::{
    ApplicationType, ClientId, TokenEndpointAuthMethod, VerifiedClientMetadata,
};
use crate::issuer::person::SESSION_IDLE;
use crate::pkce::CodeChallenge;
use crate::redirect_uri::RedirectUri;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn client() -> Client {
    let uris = [
        "https://app.example/cb",
        "http://localhost/cb",
        "vscode://x/cb",
    ];
    Client {
        id: ClientId::parse("app").unwrap(),
        origin: ClientOrigin::PreRegistered,
        metadata: VerifiedClientMetadata {
            name: "App".to_owned(),
            redirect_uris: uris
                .iter()
                .map(|uri| RedirectUri::parse(uri).unwrap())
                .collect(),
            auth_method: TokenEndpointAuthMethod::None,
            auth_method_defaulted: false,
            application_type: ApplicationType::Native,
            refreshes: true,
            scope: None,
            client_uri: None,
        },
        secret: None,
        remembers_consent: true,
        created_at: NOW,
    }
}

#[test]
fn c_06_consent_is_remembered_only_of_the_operators_clients_at_web_addresses() {
    let web = "https://app.example/cb";
    assert!(may_be_remembered(&client(), web));
    for local in ["http://localhost:1234/cb", "vscode://x/cb"] {
        assert!(!may_be_remembered(&client(), local), "{local}");
    }
    assert!(!may_be_remembered(&client(), "https://app.example/other"));
    let mut forgetful = client();
    forgetful.remembers_consent = false;
    assert!(!may_be_remembered(&forgetful, web));
    let mut dynamic = client();
    dynamic.origin = ClientOrigin::Dynamic;
    assert!(!may_be_remembered(&dynamic, web));
}

#[test]
fn c_06_nobody_goes_unasked_where_another_site_sent_the_browser() {
    let parameters = |query: &str| Parameters::read(query.as_bytes()).unwrap();
    let plain = parameters("client_id=app");
    for site in ["none", "same-origin"] {
        assert!(may_be_repeated(&plain, Some(site)), "{site}");
        let prompting = parameters("client_id=app&prompt=consent");
        assert!(!may_be_repeated(&prompting, Some(site)), "{site}");
    }
    for site in [
        None,
        Some("cross-site"),
        Some("same-site"),
        Some("None"),
        Some(""),
    ] {
        assert!(!may_be_repeated(&plain, site), "{site:?}");
    }
}

#[test]
fn c_06_the_consent_that_is_needed_is_of_the_session_and_the_request() {
    let verifier = portcullis_base::Secret::new("v".repeat(43));
    let request = AuthorizationRequest {
        client: client().id,
        redirect_uri: "https://app.example/cb".to_owned(),
        state: None,
        toolset: Some(Slug::parse("pets").unwrap()),
        scopes: Scopes::parse("read write unknown").unwrap(),
        code_challenge: CodeChallenge::of(&verifier),
    };
    let idp = Slug::parse("idp").unwrap();
    let session = SessionRow {
        digest: Digest::of(b"session"),
        subject: SubjectId::new(NOW, &Zeros),
        provider: idp.clone(),
        label: None,
        created_at: NOW,
        used_at: NOW,
    };
    let scopes = Scopes::parse("read write").unwrap();
    let needed = |request: &AuthorizationRequest, provider: &str, now| {
        let provider = Slug::parse(provider).unwrap();
        consent_needed(request, &scopes, &provider, &session, now)
    };
    let expected = RememberedConsent {
        subject: session.subject,
        client: request.client.clone(),
        redirect_uri: request.redirect_uri.clone(),
        toolset: Slug::parse("pets").unwrap(),
        scopes: scopes.clone(),
    };
    assert_eq!(needed(&request, "idp", NOW), Some(expected));
    assert_eq!(needed(&request, "other", NOW), None);
    assert_eq!(needed(&request, "idp", NOW.after(SESSION_IDLE)), None);
    let before = SESSION_IDLE.saturating_sub(Duration::from_millis(1));
    assert!(needed(&request, "idp", NOW.after(before)).is_some());
    let open = AuthorizationRequest {
        toolset: None,
        ..request
    };
    assert_eq!(needed(&open, "idp", NOW), None);
}

struct Zeros;

impl portcullis_base::Rng for Zeros {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}
