//! Clients that the operator registered, and the consent to them that is remembered.

use std::time::Duration;

use axum::http::StatusCode;
use portcullis_base::{Clock as _, Digest, Timestamp};
use portcullis_oauth::issuer::client::{
    ApplicationType, Client, ClientId, ClientOrigin, TokenEndpointAuthMethod,
    VerifiedClientMetadata,
};
use portcullis_oauth::issuer::person::{CONSENT_LIFETIME, Identity, SESSION_IDLE};
use portcullis_oauth::redirect_uri::RedirectUri;
use portcullis_store::{Actor, Changes, Object, ObjectId};

use super::person::{Asked, Person};
use super::site::{Answered, PETS, Site, person_of};

const WEB: &str = "https://app.example/cb";
const OTHER_WEB: &str = "https://app.example/other";
const LOOPBACK: &str = "http://127.0.0.1/cb";
const OWN_SCHEME: &str = "com.acme.assistant:/cb";

const CARS: &str = "https://mcp.example/cars/mcp";

/// A client whose consent is remembered, without a secret.
pub(super) fn known() -> Client {
    let uris = [WEB, OTHER_WEB, LOOPBACK, OWN_SCHEME].iter();
    Client {
        id: ClientId::parse("assistant").unwrap(),
        origin: ClientOrigin::PreRegistered,
        metadata: VerifiedClientMetadata {
            name: "The assistant".to_owned(),
            redirect_uris: uris.map(|uri| RedirectUri::parse(uri).unwrap()).collect(),
            auth_method: TokenEndpointAuthMethod::None,
            auth_method_defaulted: true,
            application_type: ApplicationType::Native,
            refreshes: true,
            scope: None,
            client_uri: None,
        },
        secret: None,
        remembers_consent: true,
        created_at: Timestamp::from_millis(0),
    }
}

async fn change(site: &Site, put: Vec<Object>, remove: Vec<ObjectId>) {
    let changes = Changes {
        base: site.store.revision().await.unwrap(),
        actor: Actor::new("test"),
        put,
        remove,
    };
    site.store.apply(changes, site.clock.now()).await.unwrap();
}

pub(super) async fn register(site: &Site, client: Client) {
    change(site, vec![Object::Client(client)], Vec::new()).await;
}

/// Has `ann` approve what is asked once, and opens the client's next link from nowhere.
async fn approved(site: &Site, asked: &Asked) -> Person {
    let mut person = Person::default();
    person.sign_in(site, asked, "ann").await;
    person.sender = "none";
    person
}

fn is_page(answered: &Answered) -> bool {
    assert_eq!(answered.status, StatusCode::SEE_OTHER, "{answered:?}");
    let location = answered.header("location").unwrap();
    location.starts_with("/consent?flow=")
}

async fn connects(site: &Site, asked: &Asked, back: &Answered, name: &str) {
    let tokens = asked.redeem(site, &back.sent_to("code").unwrap()).await;
    assert_eq!(tokens.status, StatusCode::OK, "{tokens:?}");
    let token = tokens.json()["access_token"].as_str().unwrap().to_owned();
    let answered = site.tool(&token, "whoami").await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    let received = site.api.received();
    assert_eq!(person_of(received.last().unwrap()).as_deref(), Some(name));
}

#[tokio::test]
async fn c_06_who_approved_the_same_before_goes_on_without_the_page() {
    let site = Site::start().await;
    register(&site, known()).await;
    let asked = Asked::new("assistant", WEB);
    let page = Person::default().consent_page(&site, &asked).await;
    assert!(
        page.text.contains("registered by whoever runs"),
        "{}",
        page.text
    );
    assert!(
        page.text.contains("not asked for the same again"),
        "{}",
        page.text
    );
    let mut person = approved(&site, &asked).await;
    for _ in 0..2 {
        let begun = person.open(&site, &asked.path()).await;
        assert!(!is_page(&begun), "{begun:?}");
        let provider = begun.header("location").unwrap();
        assert!(provider.starts_with(&format!("{}/authorize?", site.provider.url())));
        let back = person.come_back(&site, provider, "ann").await;
        assert_eq!(back.status, StatusCode::SEE_OTHER, "{back:?}");
        connects(&site, &asked, &back, "ann").await;
    }
}

#[tokio::test]
async fn c_06_whatever_differs_from_what_was_approved_is_asked_for() {
    let site = Site::start().await;
    register(&site, known()).await;
    let good = || Asked::new("assistant", WEB);
    let person = approved(&site, &good()).await;
    assert!(!is_page(&person.clone().open(&site, &good().path()).await));
    for asked in [
        good().with("scope", "read"),
        good().with("scope", "read write offline_access"),
        good().with("resource", CARS),
        good().with("resource", ""),
        good().with("prompt", "consent"),
        Asked::new("assistant", OTHER_WEB),
    ] {
        let begun = person.clone().open(&site, &asked.path()).await;
        assert!(is_page(&begun), "{begun:?}");
    }
    for sender in ["cross-site", "same-site"] {
        let mut sent = person.clone();
        sent.sender = sender;
        assert!(is_page(&sent.open(&site, &good().path()).await), "{sender}");
    }
    let mut stranger = Person {
        sender: "none",
        ..Person::default()
    };
    assert!(is_page(&stranger.open(&site, &good().path()).await));
    let mut bob = Person::default();
    bob.sign_in(&site, &good().with("scope", "read"), "bob")
        .await;
    bob.sender = "none";
    assert!(is_page(&bob.open(&site, &good().path()).await));
}

#[tokio::test]
async fn c_06_consent_is_never_remembered_for_programs_on_a_machine_or_clients_nobody_vouches_for()
{
    let site = Site::start().await;
    register(&site, known()).await;
    let mut forgetful = known();
    forgetful.id = ClientId::parse("forgetful").unwrap();
    forgetful.remembers_consent = false;
    register(&site, forgetful).await;
    let dynamic = site.client(WEB).await;
    for (client, redirect_uri) in [
        ("assistant", LOOPBACK),
        ("assistant", "http://127.0.0.1:4711/cb"),
        ("assistant", OWN_SCHEME),
        ("forgetful", WEB),
        (&*dynamic, WEB),
    ] {
        let asked = Asked::new(client, redirect_uri);
        let mut person = approved(&site, &asked).await;
        let path = asked.path();
        assert!(is_page(&person.open(&site, &path).await), "{path}");
        let page = person.consent_page(&site, &asked).await;
        assert!(!page.text.contains("not asked for the same again"));
    }
}

#[tokio::test]
async fn c_06_what_was_approved_counts_no_longer_than_the_session_the_client_and_ninety_days() {
    let site = Site::start().await;
    register(&site, known()).await;
    let asked = Asked::new("assistant", WEB);
    let mut person = approved(&site, &asked).await;
    let begun = person.open(&site, &asked.path()).await;
    assert!(!is_page(&begun));
    site.clock.turn(SESSION_IDLE);
    assert!(is_page(&person.open(&site, &asked.path()).await));
    // Signed in anew by way of the page, the first approval is renewed.
    person.sign_in(&site, &asked, "ann").await;
    assert!(!is_page(&person.open(&site, &asked.path()).await));
    site.clock.turn(CONSENT_LIFETIME);
    person
        .sign_in(&site, &asked.with("scope", "read"), "ann")
        .await;
    let asked = Asked::new("assistant", WEB);
    assert!(is_page(&person.open(&site, &asked.path()).await));

    person.sign_in(&site, &asked, "ann").await;
    assert!(!is_page(&person.open(&site, &asked.path()).await));
    let mut moved = known();
    moved.metadata.name = "Another assistant".to_owned();
    register(&site, moved).await;
    assert!(is_page(&person.open(&site, &asked.path()).await));
}

#[tokio::test]
async fn c_21_nobody_gets_a_code_by_the_consent_of_another() {
    let site = Site::start().await;
    register(&site, known()).await;
    let asked = Asked::new("assistant", WEB);
    let mut person = approved(&site, &asked).await;
    let begun = person.open(&site, &asked.path()).await;
    let provider = begun.header("location").unwrap().to_owned();
    // It is the browser's own way as any other.
    let elsewhere = Person::default().come_back(&site, &provider, "ann").await;
    assert_eq!(elsewhere.status, StatusCode::BAD_REQUEST, "{elsewhere:?}");

    let begun = person.open(&site, &asked.path()).await;
    let provider = begun.header("location").unwrap().to_owned();
    let back = person.come_back(&site, &provider, "bob").await;
    assert!(is_page(&back), "{back:?}");
    let bob = Identity {
        issuer: "idp".to_owned(),
        subject: "bob".to_owned(),
        label: None,
    };
    assert_eq!(site.store.subject(&bob).await.unwrap(), None);
    let again = person.come_back(&site, &provider, "ann").await;
    assert_eq!(
        again.status,
        StatusCode::BAD_REQUEST,
        "the state is used up"
    );

    // Bob is asked, and gets what is his.
    let path = back.header("location").unwrap().to_owned();
    let page = person.consent_form(&site, &path).await;
    let provider = person.approve(&site, &page).await;
    let back = person.come_back(&site, &provider, "bob").await;
    connects(&site, &asked, &back, "bob").await;
    assert!(site.store.subject(&bob).await.unwrap().is_some());
}

#[tokio::test]
async fn a_client_of_the_operators_is_told_of_errors_at_once() {
    let site = Site::start().await;
    register(&site, known()).await;
    for redirect_uri in [WEB, OWN_SCHEME] {
        let asked = Asked::new("assistant", redirect_uri).with("code_challenge", "");
        let refused = Person::default().open(&site, &asked.path()).await;
        assert_eq!(refused.status, StatusCode::SEE_OTHER, "{refused:?}");
        let location = refused.header("location").unwrap();
        assert!(location.starts_with(redirect_uri), "{location}");
        assert!(location.contains("error=invalid_request"), "{location}");
    }
}

#[tokio::test]
async fn a_secret_of_the_operators_may_come_in_either_way_where_no_method_was_named() {
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let site = Site::start().await;
    let mut client = known();
    client.secret = Some(Digest::of(SECRET.as_bytes()));
    client.metadata.auth_method = TokenEndpointAuthMethod::ClientSecretBasic;
    register(&site, client).await;
    for (secret, status) in [
        (None, StatusCode::UNAUTHORIZED),
        (Some("another"), StatusCode::UNAUTHORIZED),
        (Some(SECRET), StatusCode::OK),
    ] {
        let asked = Asked::new("assistant", WEB);
        let code = Person::default().sign_in(&site, &asked, "ann").await;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "assistant"),
            ("code", &code),
            ("redirect_uri", WEB),
            ("code_verifier", asked.verifier.expose()),
            ("resource", PETS),
        ];
        fields.extend(secret.map(|secret| ("client_secret", secret)));
        let answered = site.token(&fields).await;
        assert_eq!(answered.status, status, "{answered:?}");
    }
}

#[tokio::test]
async fn a_client_that_is_removed_takes_along_what_it_was_given() {
    let site = Site::start().await;
    register(&site, known()).await;
    let asked = Asked::new("assistant", WEB);
    let code = Person::default().sign_in(&site, &asked, "ann").await;
    let tokens = asked.redeem(&site, &code).await.json();
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(site.tool(token, "whoami").await.status, StatusCode::OK);
    change(&site, Vec::new(), vec![ObjectId::Client(known().id)]).await;
    // What was looked up a moment ago is forgotten.
    site.clock.turn(Duration::from_secs(3));
    let refused = site.tool(token, "whoami").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{refused:?}");
    let refused = site
        .token(&[
            ("grant_type", "refresh_token"),
            ("client_id", "assistant"),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ])
        .await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{refused:?}");
    assert_eq!(refused.json()["error"], "invalid_client");
    let unknown = Person::default().open(&site, &asked.path()).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST, "{unknown:?}");
}
