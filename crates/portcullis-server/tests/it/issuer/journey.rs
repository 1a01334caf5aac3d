//! The way that everybody should go, and what each party sees on it.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use super::person::{Asked, Person, moves_on_to, tokens_of};
use super::site::{ORIGIN, PETS, Site, parameter_of, person_of, searched, toolset_at};

const WEB: &str = "https://app.example/cb?keep=1";

#[tokio::test]
async fn a_client_that_nobody_knows_gets_to_the_api_with_the_persons_own_token() {
    let site = Site::start().await;
    // The client is told where to go by the endpoint itself.
    let unauthorized = site.call("pets", "nothing", &json!({})).await;
    assert_eq!(unauthorized.status, StatusCode::UNAUTHORIZED);
    let challenge = unauthorized.header("www-authenticate").unwrap();
    let metadata = "https://mcp.example/.well-known/oauth-protected-resource/pets/mcp";
    assert!(challenge.contains(&format!("resource_metadata=\"{metadata}\"")));
    let resource = site
        .get(metadata.strip_prefix(ORIGIN).unwrap())
        .await
        .json();
    assert_eq!(resource["resource"], "https://mcp.example/pets/mcp");
    assert_eq!(resource["authorization_servers"], json!([ORIGIN]));
    let server = site.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(server.json()["issuer"], ORIGIN);
    assert_eq!(server.header("cache-control"), Some("public, max-age=300"));

    let client = site.client(WEB).await;
    let asked = Asked::new(&client, WEB).with("scope", "read");
    let mut person = Person::default();
    let page = person.consent_page(&site, &asked).await;
    for shown in [
        "A &#60;client&#62;",
        "app.example",
        "see who you are",
        "registered itself",
    ] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    let provider = person.approve(&site, &page).await;
    assert!(provider.starts_with(&format!("{}/authorize?", site.provider.url())));
    assert_eq!(
        parameter_of(&provider, "redirect_uri").as_deref(),
        Some("https://mcp.example/callback/idp")
    );
    assert_eq!(
        parameter_of(&provider, "client_id").as_deref(),
        Some("portcullis")
    );
    let back = person.come_back(&site, &provider, "ann").await;
    assert_eq!(back.status, StatusCode::SEE_OTHER);
    let location = back.header("location").unwrap();
    assert!(
        location.starts_with("https://app.example/cb?keep=1&"),
        "{location}"
    );
    assert_eq!(
        back.sent_to("state").as_deref(),
        Some("the client's <state>")
    );
    assert_eq!(back.sent_to("iss").as_deref(), Some(ORIGIN));
    assert_eq!(back.header("referrer-policy"), Some("no-referrer"));

    let tokens = asked.redeem(&site, &back.sent_to("code").unwrap()).await;
    assert_eq!(tokens.header("cache-control"), Some("no-store"));
    let tokens = tokens.json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 3600);
    assert_eq!(tokens["scope"], "read");
    let token = tokens["access_token"].as_str().unwrap();
    let answered = site.tool(token, "whoami").await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    assert_eq!(
        answered.json()["result"]["structuredContent"],
        json!({"person": "ann"})
    );
    // The client's token stays here, and the API's never comes out.
    let received = &site.api.received()[0];
    assert_eq!(person_of(received).as_deref(), Some("ann"));
    assert!(!format!("{received:?}").contains(token));
    assert!(!answered.text.contains("upstream-"));
}

#[tokio::test]
async fn two_people_have_connections_of_their_own() {
    let site = Site::start().await;
    let [ann, bob] = [tokens_of(&site, "ann").await, tokens_of(&site, "bob").await];
    for (tokens, name) in [(&ann, "ann"), (&bob, "bob"), (&ann, "ann")] {
        let token = tokens["access_token"].as_str().unwrap();
        let answered = site.tool(token, "whoami").await;
        assert_eq!(
            answered.json()["result"]["structuredContent"]["person"],
            name
        );
    }
}

#[tokio::test]
async fn a_tool_that_needs_more_asks_for_all_of_it_at_once() {
    let site = Site::start().await;
    let client = site.client(WEB).await;
    let asked = Asked::new(&client, WEB).with("scope", "read");
    let code = Person::default().sign_in(&site, &asked, "ann").await;
    let tokens = asked.redeem(&site, &code).await.json();
    let token = tokens["access_token"].as_str().unwrap();
    let answered = site.tool(token, "rename").await;
    assert_eq!(answered.status, StatusCode::FORBIDDEN, "{answered:?}");
    let challenge = answered.header("www-authenticate").unwrap();
    assert!(
        challenge.contains("error=\"insufficient_scope\""),
        "{challenge}"
    );
    assert!(challenge.contains("scope=\"read write\""), "{challenge}");
    assert_eq!(site.api.received().len(), 0);
}

#[tokio::test]
async fn a_call_within_a_call_asks_for_what_the_inner_tool_needs() {
    let site = Site::start().await;
    let client = site.client(WEB).await;
    let asked = Asked::new(&client, WEB).with("scope", "read");
    let code = Person::default().sign_in(&site, &asked, "ann").await;
    let tokens = asked.redeem(&site, &code).await.json();
    site.publish_only(searched(toolset_at("pets", &site.api)));
    let token = tokens["access_token"].as_str().unwrap();
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "call_tool", "arguments": {"name": "rename", "arguments": {}}},
    });
    let answered = site.call("pets", token, &message).await;
    assert_eq!(answered.status, StatusCode::FORBIDDEN, "{answered:?}");
    let challenge = answered.header("www-authenticate").unwrap();
    assert!(challenge.contains("scope=\"read write\""), "{challenge}");
    assert_eq!(site.api.received().len(), 0);
}

#[tokio::test]
async fn whoever_asks_for_some_tags_signs_in_to_the_toolset() {
    let site = Site::start().await;
    let tagged = format!("{PETS}?tags=a,b");
    let path = tagged.strip_prefix(ORIGIN).unwrap();
    let unsigned = site.get(path).await;
    assert_eq!(unsigned.status, StatusCode::UNAUTHORIZED);
    // A client may compare the metadata's resource with the URL that it was given, to the letter.
    let metadata = format!("/.well-known/oauth-protected-resource{path}");
    let challenge = unsigned.header("www-authenticate").unwrap();
    assert!(
        challenge.contains(&format!("{ORIGIN}{metadata}\"")),
        "{challenge}"
    );
    assert_eq!(site.get(&metadata).await.json()["resource"], *tagged);
    let plain = "/.well-known/oauth-protected-resource/pets/mcp";
    for other in ["", "?x=1", "?tags=a&x=1", "?tags=a%0d%0a", "?tags=a%22"] {
        let resource = site.get(&format!("{plain}{other}")).await.json()["resource"].clone();
        let is_named = other.starts_with("?tags=a%");
        let expected = if is_named {
            format!("{PETS}{other}")
        } else {
            PETS.to_owned()
        };
        assert_eq!(resource, *expected, "{other}");
    }
    let client = site.client(WEB).await;
    let asked = Asked::new(&client, WEB).with("resource", &tagged);
    let code = Person::default().sign_in(&site, &asked, "ann").await;
    // The same resource by another name: the token is for the toolset.
    let tokens = asked.redeem(&site, &code).await.json();
    let answered = site
        .tool(tokens["access_token"].as_str().unwrap(), "whoami")
        .await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
}

#[tokio::test]
async fn where_the_provider_grants_less_our_token_carries_less() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "reader").await;
    assert_eq!(tokens["scope"], "read");
}

#[tokio::test]
async fn without_a_resource_the_person_chooses_among_several_and_the_only_one_is_meant() {
    let site = Site::start().await;
    let client = site.client(WEB).await;
    let asked = Asked::new(&client, WEB).with("resource", "");
    let mut person = Person::default();
    let page = person.consent_page(&site, &asked).await;
    assert!(
        page.text.contains("name=\"toolset\" value=\"cars\""),
        "{}",
        page.text
    );
    let fields = [
        ("flow", &*page.flow),
        ("csrf", &page.csrf),
        ("decision", "approve"),
        ("toolset", "cars"),
    ];
    let answered = person.submit(&site, "/consent", &fields).await;
    let back = person
        .come_back(&site, &moves_on_to(&answered), "ann")
        .await;
    let tokens = site
        .token(&[
            ("grant_type", "authorization_code"),
            ("client_id", &client),
            ("code", &back.sent_to("code").unwrap()),
            ("code_verifier", asked.verifier.expose()),
        ])
        .await
        .json();
    let token = tokens["access_token"].as_str().unwrap();
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    assert_eq!(site.call("cars", token, &ping).await.status, StatusCode::OK);
    assert_eq!(
        site.call("pets", token, &ping).await.status,
        StatusCode::UNAUTHORIZED
    );

    site.publish_pets_only();
    let page = Person::default().consent_page(&site, &asked).await;
    assert!(!page.text.contains("name=\"toolset\""), "{}", page.text);
}

#[tokio::test]
async fn c_12_who_says_no_is_not_sent_to_the_provider_and_the_client_is_told() {
    let site = Site::start().await;
    let client = site.client(WEB).await;
    let mut person = Person::default();
    let page = person.consent_page(&site, &Asked::new(&client, WEB)).await;
    let answered = person.decide(&site, &page, "deny").await;
    let location = moves_on_to(&answered);
    assert_eq!(
        parameter_of(&location, "error").as_deref(),
        Some("access_denied")
    );
    assert_eq!(
        parameter_of(&location, "state").as_deref(),
        Some("the client's <state>")
    );
    assert_eq!(parameter_of(&location, "iss").as_deref(), Some(ORIGIN));
    assert_eq!(site.provider.received().len(), 0);
}

#[tokio::test]
async fn who_is_signed_in_is_named_and_can_say_that_it_is_somebody_else() {
    let site = Site::start().await;
    let client = site.client(WEB).await;
    let asked = Asked::new(&client, WEB);
    let mut person = Person::default();
    let first = person.consent_page(&site, &asked).await;
    assert!(!first.text.contains("Not you?"));
    let provider = person.approve(&site, &first).await;
    person.come_back(&site, &provider, "ann").await;
    let second = person.consent_page(&site, &asked).await;
    assert!(second.text.contains("Name of ann"), "{}", second.text);
    let fields = [("flow", &*second.flow), ("csrf", &second.csrf)];
    let answered = person.submit(&site, "/sign-out", &fields).await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER);
    let third = person
        .consent_form(&site, answered.header("location").unwrap())
        .await;
    assert!(!third.text.contains("Name of ann"), "{}", third.text);
}

#[tokio::test]
async fn a_browser_session_lives_for_an_hour_from_use_to_use() {
    let site = Site::start().await;
    let client = site.client(WEB).await;
    let asked = Asked::new(&client, WEB);
    let mut person = Person::default();
    person.sign_in(&site, &asked, "ann").await;
    for (minutes, is_known) in [(50, true), (50, true), (61, false)] {
        site.clock.turn(std::time::Duration::from_mins(minutes));
        let page = person.consent_page(&site, &asked).await;
        assert_eq!(page.text.contains("Name of ann"), is_known, "{minutes}");
    }
}

#[tokio::test]
async fn a_page_that_leads_nowhere_names_the_flow_for_the_log() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut person = Person::default();
    let page = person.consent_page(&site, &asked).await;
    site.clock.turn(std::time::Duration::from_mins(11));
    let over = person.open(&site, &page.path).await;
    assert_eq!(over.status, StatusCode::BAD_REQUEST);
    assert!(over.text.contains(&page.flow), "{}", over.text);
}

#[tokio::test]
async fn every_method_is_challenged_before_anything_else() {
    let site = Site::start().await;
    for method in ["GET", "HEAD", "POST", "DELETE", "PUT"] {
        let request = Request::builder().method(method).uri("/pets/mcp");
        let answered = site.send(request.body(Body::from("{")).unwrap()).await;
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{method}");
        let challenge = answered.header("www-authenticate").unwrap();
        assert!(challenge.contains("scope=\"read write\""), "{challenge}");
        assert!(!challenge.contains("error="), "{challenge}");
    }
}

#[tokio::test]
async fn other_well_known_paths_are_a_clean_404() {
    let site = Site::start().await;
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/pets/mcp",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/dogs/mcp",
    ] {
        let answered = site.get(path).await;
        assert_eq!(answered.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(
            answered.header("content-type"),
            Some("application/json"),
            "{path}"
        );
    }
}
