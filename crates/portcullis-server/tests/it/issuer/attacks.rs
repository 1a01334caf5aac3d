//! What is tried on the way from `/authorize` to the code, and what comes of it.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use super::person::{Asked, Person, moves_on_to};
use super::site::{Answered, ORIGIN, Site, parameter_of};

const WEB: &str = "https://app.example/cb";
const LOOPBACK: &str = "http://127.0.0.1:9000/cb";

/// Sees that an answer is a page that sends the browser nowhere.
pub(super) fn is_dead_end(answered: &Answered) {
    assert_eq!(answered.status, StatusCode::BAD_REQUEST, "{answered:?}");
    assert_eq!(answered.header("location"), None);
    assert!(!answered.text.contains("http-equiv"), "{answered:?}");
    assert!(!answered.text.contains("href="), "{answered:?}");
}

#[tokio::test]
async fn c_01_a_new_client_is_consented_to_before_any_hop_to_the_provider() {
    let site = Site::start().await;
    let mut person = Person::default();
    let known = Asked::new(&site.client(WEB).await, WEB);
    person.sign_in(&site, &known, "ann").await;
    // Signed in or not: another client is asked about again.
    let evil = Asked::new(
        &site.client("https://evil.example/cb").await,
        "https://evil.example/cb",
    );
    let page = person.consent_page(&site, &evil).await;
    assert!(page.text.contains("evil.example"));
    let again = person.consent_page(&site, &known).await;
    assert!(again.text.contains("app.example"));
}

#[tokio::test]
async fn c_02_a_provider_link_of_another_browser_gives_no_code() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut attacker = Person::default();
    let page = attacker.consent_page(&site, &asked).await;
    let provider = attacker.approve(&site, &page).await;
    // A victim without cookies, and one in the middle of a sign-in of their own.
    let mut victim = Person::default();
    is_dead_end(&victim.clone().come_back(&site, &provider, "victim").await);
    victim.consent_page(&site, &asked).await;
    let page = attacker.consent_page(&site, &asked).await;
    let provider = attacker.approve(&site, &page).await;
    is_dead_end(&victim.come_back(&site, &provider, "victim").await);
    // And the flow has ended for the attacker too.
    is_dead_end(&attacker.come_back(&site, &provider, "attacker").await);
}

#[tokio::test]
async fn c_05_an_answer_without_a_state_that_waits_for_it_is_refused() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut person = Person::default();
    let page = person.consent_page(&site, &asked).await;
    let provider = person.approve(&site, &page).await;
    let state = parameter_of(&provider, "state").unwrap();
    for query in [
        "code=code-of-ann".to_owned(),
        "code=code-of-ann&state=".to_owned(),
        "code=code-of-ann&state=pc_us_guess".to_owned(),
        format!("code=code-of-ann&state={state}&state={state}"),
    ] {
        is_dead_end(&person.open(&site, &format!("/callback/idp?{query}")).await);
    }
    assert_eq!(site.provider.received().len(), 0);
    let answered = person.come_back(&site, &provider, "ann").await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER);
    is_dead_end(&person.come_back(&site, &provider, "ann").await);
}

#[tokio::test]
async fn c_05_a_state_is_good_for_ten_minutes() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut person = Person::default();
    let page = person.consent_page(&site, &asked).await;
    let provider = person.approve(&site, &page).await;
    site.clock.turn(std::time::Duration::from_mins(10));
    is_dead_end(&person.come_back(&site, &provider, "ann").await);
    let page = person.open(&site, &page.path).await;
    is_dead_end(&page);
}

#[tokio::test]
async fn c_07_a_form_without_the_browsers_proof_does_nothing() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut person = Person::default();
    let page = person.consent_page(&site, &asked).await;
    let other = person.consent_page(&site, &asked).await;
    let mut forged = page.clone();
    forged.csrf = other.csrf;
    is_dead_end(&person.decide(&site, &forged, "approve").await);
    is_dead_end(&Person::default().decide(&site, &page, "approve").await);
    let mut stranger = Person::default();
    stranger.consent_page(&site, &asked).await;
    is_dead_end(&stranger.decide(&site, &page, "approve").await);
    // From another site, although with the cookies.
    let mut request = Request::post("/consent")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site");
    for (name, value) in &person.cookies {
        request = request.header("cookie", format!("{name}={value}"));
    }
    let body = format!("flow={}&csrf={}&decision=approve", page.flow, page.csrf);
    is_dead_end(&site.send(request.body(Body::from(body)).unwrap()).await);
    // All the while the real one is good.
    person.approve(&site, &page).await;
}

#[tokio::test]
async fn c_08_two_tabs_and_a_reloaded_page_work() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut person = Person::default();
    let one = person.consent_page(&site, &asked).await;
    let two = person.consent_page(&site, &asked).await;
    let reloaded = person.consent_form(&site, &one.path).await;
    assert_eq!((&reloaded.flow, &reloaded.csrf), (&one.flow, &one.csrf));
    let provider_one = person.approve(&site, &one).await;
    let provider_two = person.approve(&site, &two).await;
    for provider in [provider_one, provider_two] {
        let answered = person.come_back(&site, &provider, "ann").await;
        let code = answered.sent_to("code").unwrap();
        assert_eq!(asked.redeem(&site, &code).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn c_09_a_decision_counts_once() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut person = Person::default();
    let denied = person.consent_page(&site, &asked).await;
    person.decide(&site, &denied, "deny").await;
    is_dead_end(&person.decide(&site, &denied, "approve").await);
    let approved = person.consent_page(&site, &asked).await;
    let provider = person.approve(&site, &approved).await;
    // Back and once more: the first way to the provider leads nowhere then.
    let again = person.approve(&site, &approved).await;
    is_dead_end(&person.come_back(&site, &provider, "ann").await);
    let answered = person.come_back(&site, &again, "ann").await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER);
    is_dead_end(&person.decide(&site, &approved, "approve").await);
}

#[tokio::test]
async fn c_10_pages_cannot_be_framed_and_load_nothing() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut person = Person::default();
    let answered = person.open(&site, &asked.path()).await;
    let consent = person
        .open(&site, answered.header("location").unwrap())
        .await;
    let problem = person.open(&site, "/authorize").await;
    for (page, form_action) in [(&consent, "'self'"), (&problem, "'none'")] {
        let policy = page.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            &format!("form-action {form_action}"),
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert!(!page.text.contains("<script"));
    }
    assert_eq!(problem.header("referrer-policy"), Some("no-referrer"));
}

#[tokio::test]
async fn c_11_fields_of_the_form_change_nothing_of_what_was_asked_for() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB).with("scope", "read");
    let mut person = Person::default();
    let page = person.consent_page(&site, &asked).await;
    let fields = [
        ("flow", &*page.flow),
        ("csrf", &page.csrf),
        ("decision", "approve"),
        ("toolset", "cars"),
        ("redirect_uri", "https://evil.example/cb"),
        ("scope", "read write"),
    ];
    let answered = person.submit(&site, "/consent", &fields).await;
    let back = person
        .come_back(&site, &moves_on_to(&answered), "ann")
        .await;
    assert!(
        back.header("location")
            .unwrap()
            .starts_with("https://app.example/cb?")
    );
    let tokens = asked.redeem(&site, &back.sent_to("code").unwrap()).await;
    assert_eq!(tokens.json()["scope"], "read");
}

#[tokio::test]
async fn c_13_a_session_is_made_anew_with_each_sign_in() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut person = Person::default();
    person.sign_in(&site, &asked, "ann").await;
    let session = "__Host-portcullis_session";
    let first = person.cookies[session].clone();
    let mut thief = person.clone();
    person.sign_in(&site, &asked, "bob").await;
    assert_ne!(person.cookies[session], first);
    // What was there before has ended.
    let page = thief.consent_page(&site, &asked).await;
    assert!(!page.text.contains("Name of"), "{}", page.text);
}

#[tokio::test]
async fn c_17_a_refusal_of_the_provider_reaches_the_client_in_words_of_ours() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(LOOPBACK).await, LOOPBACK);
    for (error, told) in [
        ("access_denied", "access_denied"),
        ("gone_fishing", "server_error"),
    ] {
        let mut person = Person::default();
        let page = person.consent_page(&site, &asked).await;
        let provider = person.approve(&site, &page).await;
        let state = parameter_of(&provider, "state").unwrap();
        let path =
            format!("/callback/idp?error={error}&error_description=%3Cscript%3Eevil&state={state}");
        let answered = person.open(&site, &path).await;
        let everything = format!("{answered:?}");
        assert!(!everything.contains("evil"), "{everything}");
        let location = answered.header("location").map_or_else(
            || {
                let (_, rest) = answered.text.split_once("href=\"").unwrap();
                rest.split_once('"').unwrap().0.replace("&#38;", "&")
            },
            str::to_owned,
        );
        assert_eq!(parameter_of(&location, "error").as_deref(), Some(told));
        assert_eq!(parameter_of(&location, "iss").as_deref(), Some(ORIGIN));
        assert!(everything.contains("state"), "{everything}");
    }
}

#[tokio::test]
async fn c_19_an_answer_at_another_providers_callback_gives_no_code() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut person = Person::default();
    let page = person.consent_page(&site, &asked).await;
    let provider = person.approve(&site, &page).await;
    let state = parameter_of(&provider, "state").unwrap();
    let path = format!("/callback/other?code=code-of-ann&state={state}");
    is_dead_end(&person.open(&site, &path).await);
    assert_eq!(site.provider.received().len(), 0);
    is_dead_end(&person.come_back(&site, &provider, "ann").await);
}

#[tokio::test]
async fn c_22_no_code_and_no_token_stands_in_a_page() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(LOOPBACK).await, LOOPBACK);
    let mut person = Person::default();
    let page = person.consent_page(&site, &asked).await;
    let provider = person.approve(&site, &page).await;
    let answered = person.come_back(&site, &provider, "ann").await;
    assert_eq!(answered.text, "");
    assert_eq!(answered.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answered.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn c_24_a_page_of_one_browser_is_not_shown_in_another() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let page = Person::default().consent_page(&site, &asked).await;
    is_dead_end(&Person::default().open(&site, &page.path).await);
    let mut other = Person::default();
    other.consent_page(&site, &asked).await;
    is_dead_end(&other.open(&site, &page.path).await);
}

#[tokio::test]
async fn u_01_an_unknown_client_or_redirect_uri_is_a_page_and_no_redirect() {
    let site = Site::start().await;
    let client = site.client(WEB).await;
    for asked in [
        Asked::new(&client, "https://evil.example/cb"),
        Asked::new(&client, "https://app.example/cb/../evil"),
        Asked::new("pc_client_unknown", WEB),
        Asked::new("", WEB),
        Asked::new(&client, "https://evil.example/cb").with("response_type", "token"),
    ] {
        is_dead_end(&Person::default().open(&site, &asked.path()).await);
    }
}

#[tokio::test]
async fn u_06_a_parameter_that_stands_twice_is_refused() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    for extra in [
        "redirect_uri=https%3A%2F%2Fevil.example%2Fcb",
        "client_id=x",
    ] {
        let path = format!("{}&{extra}", asked.path());
        is_dead_end(&Person::default().open(&site, &path).await);
    }
}

#[tokio::test]
async fn an_error_goes_to_a_stranger_only_by_a_link_that_the_person_follows() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB).with("code_challenge_method", "plain");
    let answered = Person::default().open(&site, &asked.path()).await;
    assert_eq!(answered.status, StatusCode::BAD_REQUEST);
    assert_eq!(answered.header("location"), None);
    assert!(
        answered.text.contains("Return to app.example"),
        "{answered:?}"
    );
    assert!(!answered.text.contains("http-equiv"), "{answered:?}");
    // Whoever listens on the person's own machine is told at once.
    let asked =
        Asked::new(&site.client(LOOPBACK).await, LOOPBACK).with("code_challenge_method", "plain");
    let answered = Person::default().open(&site, &asked.path()).await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER);
    assert_eq!(
        answered.sent_to("error").as_deref(),
        Some("invalid_request")
    );
    assert_eq!(
        answered.sent_to("state").as_deref(),
        Some("the client's <state>")
    );
    assert_eq!(answered.sent_to("iss").as_deref(), Some(ORIGIN));
}

#[tokio::test]
async fn r_15_registration_takes_json_only() {
    let site = Site::start().await;
    let metadata = json!({"redirect_uris": [WEB]}).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        let request = Request::post("/register").header("content-type", kind);
        let answered = site
            .send(request.body(Body::from(metadata.clone())).unwrap())
            .await;
        assert_eq!(answered.status, StatusCode::BAD_REQUEST, "{kind}");
    }
}

#[tokio::test]
async fn r_16_one_address_registers_only_so_many_clients_a_minute() {
    let site = Site::start().await;
    let mut limited = None;
    for _ in 0..100 {
        let answered = site.register(&json!({"redirect_uris": [WEB]})).await;
        if answered.status == StatusCode::TOO_MANY_REQUESTS {
            limited = Some(answered);
            break;
        }
        assert_eq!(answered.status, StatusCode::CREATED);
    }
    let limited = limited.expect("a limit");
    assert_eq!(limited.header("retry-after"), Some("60"));
    assert_eq!(limited.json()["error"], "temporarily_unavailable");
}
