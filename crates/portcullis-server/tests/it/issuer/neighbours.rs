//! Neighbours of the attacks on a sign-in: answers that change places, and what a request would have us repeat.

use axum::http::StatusCode;
use portcullis_base::Clock as _;
use portcullis_oauth::issuer::client::{Client, ClientId, ClientOrigin};

use super::attacks::is_dead_end;
use super::person::{Asked, Person, code_of, moves_on_to, way_back};
use super::site::{Answered, Site, parameter_of, person_of};

const WEB: &str = "https://app.example/cb";
const LOOPBACK: &str = "http://127.0.0.1:9000/cb";
const SESSION: &str = "__Host-portcullis_session";

#[tokio::test]
async fn c_03_an_answer_that_an_attacker_got_signs_nobody_else_in() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut attacker = Person::default();
    let mut victim = Person::default();
    let own = victim.consent_page(&site, &asked).await;
    let own = victim.approve(&site, &own).await;
    for in_a_sign_in in [false, true] {
        let page = attacker.consent_page(&site, &asked).await;
        let finished = way_back(&attacker.approve(&site, &page).await, "attacker");
        let mut browser = if in_a_sign_in {
            victim.clone()
        } else {
            Person::default()
        };
        let answered = browser.open(&site, &finished).await;
        is_dead_end(&answered);
        assert_eq!(answered.header("set-cookie"), None);
        assert!(!browser.cookies.contains_key(SESSION));
        is_dead_end(&attacker.open(&site, &finished).await);
    }
    assert_eq!(site.provider.received().len(), 0);
    // The victim's own goes on, and is the victim's.
    let back = victim.come_back(&site, &own, "victim").await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{back:?}");
    let page = victim.consent_page(&site, &asked).await;
    assert!(page.text.contains("Name of victim"), "{}", page.text);
}

#[tokio::test]
async fn c_04_a_code_of_one_flow_is_worth_nothing_with_the_state_of_another() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut person = Person::default();
    let one = person.consent_page(&site, &asked).await;
    let one = person.approve(&site, &one).await;
    let two = person.consent_page(&site, &asked).await;
    let two = person.approve(&site, &two).await;
    for secret_of_a_flow in ["state", "code_challenge"] {
        assert_ne!(
            parameter_of(&one, secret_of_a_flow),
            parameter_of(&two, secret_of_a_flow)
        );
    }
    let state = parameter_of(&one, "state").unwrap();
    let code = code_of(&two, "ann");
    let path = format!("/callback/idp?code={code}&state={state}");
    let answered = person.open(&site, &path).await;
    assert_eq!(answered.status, StatusCode::BAD_GATEWAY, "{answered:?}");
    assert_eq!(answered.header("location"), None);
    assert!(!answered.text.contains("code="), "{answered:?}");
    assert!(!person.cookies.contains_key(SESSION));
    // The other flow has not suffered.
    let back = person.come_back(&site, &two, "ann").await;
    let code = back.sent_to("code").unwrap();
    assert_eq!(asked.redeem(&site, &code).await.status, StatusCode::OK);
}

#[tokio::test]
async fn c_06_the_page_asks_each_time_unless_the_operator_lets_a_client_be_remembered() {
    let site = Site::start().await;
    let id = ClientId::parse(&site.client(WEB).await).unwrap();
    let registered = site.store.client(&id).await.unwrap().unwrap();
    let vouched_for = Client {
        id: ClientId::parse("the-operators-own").unwrap(),
        origin: ClientOrigin::PreRegistered,
        ..registered
    };
    let stored = site.store.insert_client(&vouched_for, site.clock.now());
    stored.await.unwrap();
    let asked = Asked::new(vouched_for.id.as_str(), WEB);
    let mut person = Person::default();
    person.sign_in(&site, &asked, "ann").await;
    for sender in ["cross-site", "same-site", "same-origin", "none"] {
        person.sender = sender;
        let page = person.consent_page(&site, &asked).await;
        assert!(page.text.contains("Name of ann"), "{sender}");
        assert!(!page.text.contains("registered itself"), "{sender}");
    }
}

#[tokio::test]
async fn c_15_every_redirect_is_a_303_and_a_decision_is_answered_by_a_page() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(LOOPBACK).await, LOOPBACK);
    let mut person = Person::default();
    let begun = person.open(&site, &asked.path()).await;
    let path = begun.header("location").unwrap().to_owned();
    let page = person.consent_form(&site, &path).await;
    let fields = [("flow", &*page.flow), ("csrf", &page.csrf)];
    let signed_out = person.submit(&site, "/sign-out", &fields).await;
    let provider = person.approve(&site, &page).await;
    let back = person.come_back(&site, &provider, "ann").await;
    let page = person.consent_page(&site, &asked).await;
    let provider = person.approve(&site, &page).await;
    let state = parameter_of(&provider, "state").unwrap();
    let path = format!("/callback/idp?error=access_denied&state={state}");
    let refused = person.open(&site, &path).await;
    let broken = asked.with("code_challenge_method", "plain");
    let at_once = person.open(&site, &broken.path()).await;
    for redirect in [begun, signed_out, back, refused, at_once] {
        assert_eq!(redirect.status, StatusCode::SEE_OTHER, "{redirect:?}");
        assert!(redirect.header("location").is_some());
    }
    let page = person
        .consent_page(&site, &broken.with("code_challenge_method", "S256"))
        .await;
    let denied = person.decide(&site, &page, "deny").await;
    assert_eq!(denied.status, StatusCode::OK);
    assert_eq!(denied.header("location"), None);
}

#[tokio::test]
async fn c_21_what_is_given_belongs_to_whom_the_provider_names() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut person = Person::default();
    person.sign_in(&site, &asked, "ann").await;
    let old = person.clone();
    let page = person.consent_page(&site, &asked).await;
    assert!(page.text.contains("Name of ann"), "{}", page.text);
    let provider = person.approve(&site, &page).await;
    let back = person.come_back(&site, &provider, "bob").await;
    let tokens = asked.redeem(&site, &back.sent_to("code").unwrap()).await;
    let token = tokens.json()["access_token"].as_str().unwrap().to_owned();
    let answered = site.tool(&token, "whoami").await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    assert_eq!(
        person_of(&site.api.received()[0]).as_deref(),
        Some("bob"),
        "the connection is that of whoever signed in"
    );
    let page = person.consent_page(&site, &asked).await;
    assert!(page.text.contains("Name of bob"), "{}", page.text);
    let page = old.clone().consent_page(&site, &asked).await;
    assert!(!page.text.contains("Name of"), "{}", page.text);
}

/// Returns where an answer leads to, by itself or by a link.
fn leads_to(answered: &Answered) -> String {
    if let Some(location) = answered.header("location") {
        return location.to_owned();
    }
    let (_, rest) = answered.text.split_once("href=\"").unwrap();
    rest.split_once('"').unwrap().0.replace("&#38;", "&")
}

#[tokio::test]
async fn c_23_every_state_comes_back_as_it_was_whatever_comes_of_the_request() {
    let site = Site::start().await;
    let client = site.client(WEB).await;
    let long = "x".repeat(8 * 1024);
    for state in [
        "a\r\nset-cookie: evil=1\r\n\r\n<script>",
        "\"><script>alert(1)</script>&amp;&code=evil#fragment?x",
        "grüße \u{202e} 🔑 %41%0d%0a +",
        &long,
    ] {
        let asked = Asked::new(&client, WEB).with("state", state);
        let mut person = Person::default();
        let page = person.consent_page(&site, &asked).await;
        let denied = person.decide(&site, &page, "deny").await;
        let page = person.consent_page(&site, &asked).await;
        let provider = person.approve(&site, &page).await;
        // What the provider gets to see is ours.
        assert_ne!(parameter_of(&provider, "state").as_deref(), Some(state));
        let back = person.come_back(&site, &provider, "ann").await;
        let asked = asked.with("code_challenge_method", "plain");
        let refused = person.open(&site, &asked.path()).await;
        for answered in [back, refused, denied] {
            let location = leads_to(&answered);
            let told = parameter_of(&location, "state");
            assert_eq!(told.as_deref(), Some(state), "{answered:?}");
            assert!(!answered.text.contains("<script"), "{answered:?}");
            assert_ne!(parameter_of(&location, "code").as_deref(), Some("evil"));
            let cookies = answered.headers.get_all("set-cookie").iter();
            for cookie in cookies {
                assert!(cookie.as_bytes().starts_with(b"__Host-portcullis_"));
            }
        }
    }
}

#[tokio::test]
async fn u_09_no_parameter_says_where_our_own_pages_lead() {
    const NAMES: [&str; 8] = [
        "next",
        "rd",
        "return_to",
        "redirect",
        "continue",
        "target",
        "post_login_redirect_uri",
        "post_logout_redirect_uri",
    ];
    let site = Site::start().await;
    let client = site.client(WEB).await;
    for value in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/%2f%2fevil.example",
    ] {
        let mut extra = url::form_urlencoded::Serializer::new(String::new());
        extra.extend_pairs(NAMES.map(|name| (name, value)));
        let extra = extra.finish();
        let asked = NAMES.iter().fold(Asked::new(&client, WEB), |asked, name| {
            asked.with(name, value)
        });
        let mut person = Person::default();
        let begun = person.open(&site, &asked.path()).await;
        let path = begun.header("location").unwrap().to_owned();
        let form = person.consent_form(&site, &path).await;
        let page = person.open(&site, &format!("{path}&{extra}")).await;
        let own = [("flow", &*form.flow), ("csrf", &form.csrf)];
        let fields = |more: &[(&'static str, &'static str)]| {
            let mut fields = own.to_vec();
            fields.extend(NAMES.map(|name| (name, value)));
            fields.extend_from_slice(more);
            fields
        };
        let signed_out = person.submit(&site, "/sign-out", &fields(&[])).await;
        let approve = fields(&[("decision", "approve")]);
        let approved = person.submit(&site, "/consent", &approve).await;
        let provider = moves_on_to(&approved);
        let callback = format!("{}&{extra}", way_back(&provider, "ann"));
        let back = person.open(&site, &callback).await;
        assert!(back.sent_to("code").is_some(), "{back:?}");
        for answered in [begun, page, signed_out, approved, back] {
            let everything = format!("{answered:?}").to_lowercase();
            assert!(!everything.contains("evil"), "{everything}");
        }
    }
}
