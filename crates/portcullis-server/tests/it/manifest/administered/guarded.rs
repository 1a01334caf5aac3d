//! Who may use the admin API, and what nobody may do by it.

use super::*;

/// Sends a request that bears these headers and no others.
async fn bearing(site: &Site, headers: &[(&str, &str)]) -> Answered {
    let mut request = Request::builder().uri("/api/v1/manifests");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    site.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_01_without_the_token_nothing_is_answered() {
    let site = Site::start().await;
    let token = format!("Bearer {TOKEN}");
    let (basic, longer) = (format!("Basic {TOKEN}"), format!("{token}x"));
    let cookie = format!("token={TOKEN}");
    for (headers, code) in [
        (vec![], "no-token"),
        (vec![("cookie", cookie.as_str())], "no-token"),
        (vec![("authorization", basic.as_str())], "no-token"),
        (vec![("authorization", "Bearer ")], "wrong-token"),
        (vec![("authorization", longer.as_str())], "wrong-token"),
        (
            vec![
                ("authorization", token.as_str()),
                ("authorization", token.as_str()),
            ],
            "wrong-token",
        ),
    ] {
        let answered = bearing(&site, &headers).await;
        answered.assert_problem(401, code);
        let challenge = answered.headers.get("www-authenticate").unwrap();
        assert!(challenge.to_str().unwrap().starts_with("Bearer realm="));
    }
    for path in ["openapi.json", "nothing", "manifests?access_token={TOKEN}"] {
        let path = path.replace("{TOKEN}", TOKEN);
        let request = Request::builder().uri(format!("/api/v1/{path}"));
        let answered = site.send(request.body(Body::empty()).unwrap()).await;
        answered.assert_problem(401, "no-token");
    }
    let let_in = bearing(&site, &[("authorization", &token)]).await;
    assert_eq!(let_in.status, StatusCode::OK);
    assert_eq!(let_in.headers.get("cache-control").unwrap(), "no-store");
}

#[tokio::test]
async fn a_01_without_the_operators_word_there_is_no_api() {
    let table = "[admin]\ntoken_env = \"ADMIN_TOKEN\"\n";
    assert!(CONFIGURATION.contains(table));
    let site = Site::start_with(&CONFIGURATION.replace(table, "")).await;
    let answered = site.get("/manifests").await;
    assert_eq!(answered.status, StatusCode::NOT_FOUND);
    assert_eq!(answered.text, "");
}

#[tokio::test]
async fn a_02_who_guesses_has_to_wait_and_locks_nobody_out() {
    let site = Site::start().await;
    let wrong = [("authorization", "Bearer guess")];
    for _ in 0..30 {
        bearing(&site, &wrong)
            .await
            .assert_problem(401, "wrong-token");
    }
    let refused = bearing(&site, &wrong).await;
    refused.assert_problem(429, "failures");
    assert_eq!(refused.headers.get("retry-after").unwrap(), "60");
    assert_eq!(site.get("/manifests").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_03_a_page_of_another_site_uses_nothing_and_reads_nothing() {
    let site = Site::start().await;
    let token = format!("Bearer {TOKEN}");
    for origin in ["https://evil.example", "null", "http://localhost:1"] {
        let headers = [("authorization", token.as_str()), ("origin", origin)];
        let answered = bearing(&site, &headers).await;
        answered.assert_problem(403, "foreign-origin");
        let mut names = answered.headers.keys();
        assert!(!names.any(|it| it.as_str().starts_with("access-control-")));
    }
    // On the listener of MCP clients, which some of those origins may call, it is no different.
    let ours = format!("http://localhost:{}", site.gateway.port());
    for router in [site.gateway.operations_router(), site.gateway.router()] {
        for (origin, method, status) in [
            ("https://evil.example", Method::GET, 403),
            ("http://localhost:1", Method::GET, 403),
            ("http://localhost:1", Method::OPTIONS, 403),
            (&ours, Method::GET, 200),
            (&ours, Method::OPTIONS, 405),
        ] {
            let request = asked(method, "/manifests")
                .header("host", "localhost")
                .header("origin", origin)
                .header("access-control-request-method", "POST");
            let request = request.body(Body::empty()).unwrap();
            let answered = Site::send_to(router.clone(), request).await;
            assert_eq!(answered.status, status, "{origin}: {answered:?}");
            let mut names = answered.headers.keys();
            assert!(!names.any(|it| it.as_str().starts_with("access-control-")));
        }
    }
    // What a form of another page could have a browser send.
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        let request = asked(Method::POST, "/manifests").header("content-type", kind);
        let answered = site.send(request.body(Body::from("{}")).unwrap()).await;
        answered.assert_problem(415, "media-type");
    }
}

#[tokio::test]
async fn a_04_nothing_is_fetched_that_the_operator_did_not_allow() {
    let site = Site::start().await;
    let elsewhere = Provider::start().await;
    for path in ["/manifests", "/manifests/check"] {
        let told = site.post(path, &json!({"url": elsewhere.url()})).await;
        let told = told.assert_problem(422, "no-metadata");
        assert!(
            told.contains("`[upstream]`") || told.contains("loopback"),
            "{told}"
        );
        let more = json!({"url": elsewhere.url(), "allow_upstream": [elsewhere.url()]});
        let told = site.post(path, &more).await;
        assert!(told.assert_problem(400, "body").contains("unknown field"));
    }
    let content = metadata(&elsewhere.url());
    site.post(
        "/manifests/check",
        &json!({"content": content, "register": true}),
    )
    .await;
    assert_eq!(elsewhere.server.received().len(), 0);
}

#[tokio::test]
async fn a_05_what_is_too_large_or_no_request_is_not_read() {
    let site = Site::start().await;
    let large = json!({"url": "x".repeat(512 * 1024)});
    let told = site.post("/manifests", &large).await;
    told.assert_problem(413, "body");
    for body in [
        "",
        "{",
        "[]",
        "null",
        "{\"url\": 1}",
        "{\"url\": \"a\", \"url\": \"b\"}",
    ] {
        let request = asked(Method::POST, "/manifests").header("content-type", "application/json");
        let answered = site.send(request.body(Body::from(body)).unwrap()).await;
        answered.assert_problem(400, "body");
    }
}

#[tokio::test]
async fn a_08_a_name_is_no_path() {
    let site = Site::start().await;
    for name in ["../acme", "/etc/passwd", "a/b", "", "A"] {
        let wanted = json!({"url": site.provider.url(), "name": name});
        site.post("/manifests", &wanted)
            .await
            .assert_problem(400, "body");
        let wanted = json!({"manifest": name, "toolset": "petstore", "confirm": true});
        site.post(ATTACH, &wanted).await.assert_problem(400, "body");
    }
    let escaped = site.get("/manifests/..%2Facme/versions").await;
    escaped.assert_problem(404, "no-manifest");
}

#[tokio::test]
async fn a_07_no_answer_tells_a_secret() {
    let site = Site::start().await;
    site.create().await;
    let path = site.folder.path().join("portcullis.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    // Somebody wrote a secret where none may stand.
    let leaking = format!("{good}\n[storage]\nurl = \"postgres://u:{SECRET}@localhost/db\"\n");
    std::fs::write(&path, leaking).unwrap();
    let confirmed = attachment(&json!({"confirm": true}));
    let told = site.post(ATTACH, &confirmed).await;
    let told = told.assert_problem(422, "unusable");
    assert!(
        told.contains("a password must not stand in this file"),
        "{told}"
    );
    std::fs::write(&path, good).unwrap();
    // Each answer is searched where it is read.
    let attached = site.post(ATTACH, &confirmed).await;
    assert_eq!(attached.json()["changed"], true);
    assert!(site.get("/manifests").await.text.contains("acme"));
}
