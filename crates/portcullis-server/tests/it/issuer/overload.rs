//! What is too much, too strange, or comes while our store is gone.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use portcullis_server::http::serve::Peer;
use serde_json::json;

use super::person::{Asked, Person, tokens_of};
use super::site::{Answered, Site};

const WEB: &str = "https://app.example/cb";

async fn post(site: &Site, path: &str, kind: &str, body: Vec<u8>) -> Answered {
    let request = Request::post(path).header("content-type", kind);
    site.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn r_07_nothing_is_stored_of_what_is_no_registration() {
    let site = Site::start().await;
    let uris = vec![WEB; 20_000];
    let nested = format!(
        "{{\"redirect_uris\":[\"{WEB}\"],\"contacts\":{}{}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let padded = |by| format!("{{\"redirect_uris\":[\"{WEB}\"]{}}}", " ".repeat(by));
    for body in [
        Vec::new(),
        b"[]".to_vec(),
        b"null".to_vec(),
        b"{".to_vec(),
        b"\"text\"".to_vec(),
        b"{}".to_vec(),
        b"{\"redirect_uris\":[\"\xff\"]}".to_vec(),
        json!([{"redirect_uris": [WEB]}]).to_string().into_bytes(),
        json!({"redirect_uris": []}).to_string().into_bytes(),
        json!({"redirect_uris": WEB}).to_string().into_bytes(),
        json!({"redirect_uris": [7]}).to_string().into_bytes(),
        json!({"redirect_uris": uris}).to_string().into_bytes(),
        json!({"redirect_uris": [WEB], "client_name": "x".repeat(100_000)})
            .to_string()
            .into_bytes(),
        json!({"redirect_uris": [WEB], "client_name": {"a": 1}})
            .to_string()
            .into_bytes(),
        nested.into_bytes(),
        padded(64 << 10).into_bytes(),
        padded(8 << 20).into_bytes(),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let answered = post(&site, "/register", "application/json", body).await;
        assert_eq!(answered.status, StatusCode::BAD_REQUEST, "{shown}");
        let error = answered.json()["error"].clone();
        assert!(
            error == "invalid_client_metadata" || error == "invalid_redirect_uri",
            "{shown}: {error}"
        );
        assert!(answered.json().get("client_id").is_none(), "{shown}");
    }
    // Each registration leaves a row of the audit in the transaction that stores it.
    assert_eq!(site.store.list_audit(None, 10).await.unwrap(), []);
    site.client(WEB).await;
    assert_eq!(site.store.list_audit(None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn t_07_bombs_at_the_token_endpoint_are_400_and_leave_a_code_good() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let code = Person::default().sign_in(&site, &asked, "ann").await;
    let begin = format!(
        "grant_type=authorization_code&client_id={}&code={code}&redirect_uri={WEB}&code_verifier={}",
        asked.client,
        asked.verifier.expose()
    );
    let fields = |count| {
        let fields = (0..count).map(|index| format!("&f{index}="));
        fields.collect::<String>()
    };
    for bomb in [
        format!("{begin}{}", fields(100)),
        format!("{begin}{}", fields(100_000)),
        format!("{begin}{}", "&a=b".repeat(100)),
        format!("{begin}&x={}", "x".repeat(8 << 20)),
        format!("{begin}&x={}", "x".repeat(1 << 20)),
        format!("{begin}&x=%00"),
        format!("{begin}&%00=x"),
        format!("{begin}&x=%ff"),
        format!("{begin}&x=%4"),
        begin.replace(&code, &"x".repeat(1 << 20)),
        begin.replace(&code, &format!("{code}%00")),
    ] {
        let kind = "application/x-www-form-urlencoded";
        let answered = post(&site, "/token", kind, bomb.into_bytes()).await;
        assert_eq!(answered.status, StatusCode::BAD_REQUEST, "{answered:?}");
        assert_eq!(answered.json()["error"], "invalid_request");
    }
    assert_eq!(asked.redeem(&site, &code).await.status, StatusCode::OK);
}

#[tokio::test]
async fn c_25_one_address_begins_only_so_many_sign_ins_a_minute() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let begin = async |address: &str| {
        let peer = Peer {
            address: address.parse().unwrap(),
        };
        let request = Request::get(asked.path()).extension(peer);
        site.send(request.body(Body::empty()).unwrap()).await
    };
    let mut limited = None;
    for port in 1..1000 {
        let answered = begin(&format!("192.0.2.7:{port}")).await;
        if answered.status != StatusCode::SEE_OTHER {
            limited = Some((port, answered));
            break;
        }
    }
    let (count, limited) = limited.expect("a limit");
    assert!(count > 100, "{count}");
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.header("retry-after"), Some("60"));
    assert_eq!(limited.header("location"), None);
    assert_eq!(limited.header("set-cookie"), None);
    // Whoever is elsewhere does not notice.
    let elsewhere = begin("192.0.2.8:1").await;
    assert_eq!(elsewhere.status, StatusCode::SEE_OTHER, "{elsewhere:?}");
}

#[tokio::test]
async fn j_09_nobody_is_let_in_while_the_store_is_out_of_reach() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "ann").await;
    let [access, refresh, client] = ["access_token", "refresh_token", "client"]
        .map(|name| tokens[name].as_str().unwrap().to_owned());
    let asked = Asked::new(&client, WEB);
    let mut person = Person::default();
    let page = person.consent_page(&site, &asked).await;
    let other = person.consent_page(&site, &asked).await;
    let provider = person.approve(&site, &other).await;
    let requests_before = site.provider.received().len();
    site.store.close().await;

    let called = site.tool(&access, "whoami").await;
    let unknown = site
        .tool(
            "pc_at_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "whoami",
        )
        .await;
    let refreshed = site
        .token(&[
            ("grant_type", "refresh_token"),
            ("client_id", &client),
            ("refresh_token", &refresh),
        ])
        .await;
    let registered = site.register(&json!({"redirect_uris": [WEB]})).await;
    let begun = person.open(&site, &asked.path()).await;
    let shown = person.open(&site, &page.path).await;
    let approved = person.decide(&site, &page, "approve").await;
    let back = person.come_back(&site, &provider, "ann").await;
    for answered in [
        called, unknown, refreshed, registered, begun, shown, approved, back,
    ] {
        assert_eq!(
            answered.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{answered:?}"
        );
        assert_eq!(answered.header("location"), None);
        assert!(!answered.text.contains("http-equiv"), "{answered:?}");
        let everything = format!("{answered:?}").to_lowercase();
        for told in ["sql", "pool", "portcullis.db"] {
            assert!(!everything.contains(told), "{everything}");
        }
    }
    assert_eq!(site.api.received().len(), 0);
    assert_eq!(site.provider.received().len(), requests_before);
}

#[tokio::test]
async fn j_09_a_toolset_whose_provider_is_not_there_lets_nobody_in() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut person = Person::default();
    let page = person.consent_page(&site, &asked).await;
    let other = person.consent_page(&site, &asked).await;
    let provider = person.approve(&site, &other).await;
    site.lose_providers();
    let approved = person.decide(&site, &page, "approve").await;
    assert_eq!(approved.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!approved.text.contains("http-equiv"), "{approved:?}");
    let back = person.come_back(&site, &provider, "ann").await;
    assert_eq!(back.status, StatusCode::BAD_REQUEST, "{back:?}");
    assert_eq!(back.header("location"), None);
    assert_eq!(site.provider.received().len(), 0);
    let request = Request::post("/pets/mcp").body(Body::empty()).unwrap();
    assert_eq!(site.send(request).await.status, StatusCode::UNAUTHORIZED);
}
