//! What a provider changed, by the admin API: shown, judged and written.

use super::*;

const REFRESH: &str = "/manifests/acme/refresh";

/// A site whose toolset takes the provider's tokens.
async fn attached() -> Site {
    let site = Site::start().await;
    site.create().await;
    let confirmed = attachment(&json!({"confirm": true}));
    let made = site.post(ATTACH, &confirmed).await.json();
    assert_eq!(made["changed"], true);
    site
}

/// Makes metadata that fits as it is sent, and does not as people read it.
fn swell(document: &mut Value) {
    document["x_many"] = json!(vec!["a"; 40_000]);
    assert!(document.to_string().len() < 256 * 1024);
    assert!(format!("{document:#}").len() > 256 * 1024);
}

#[tokio::test]
async fn what_a_provider_changed_is_shown_and_written_only_when_confirmed() {
    let site = Site::start().await;
    site.create().await;
    site.post(ATTACH, &attachment(&json!({"confirm": true})))
        .await;
    let refresh = "/manifests/acme/refresh";
    let same = site.post(refresh, &json!({})).await.json();
    assert_eq!(
        (&same["changed"], &same["changes"], &same["taken_up"]),
        (&json!(false), &json!([]), &json!(true))
    );
    site.provider
        .serve(|document| document["token_endpoint"] = json!("https://elsewhere.example/token"));
    site.post(refresh, &json!({}))
        .await
        .assert_problem(400, "unconfirmed");
    let shown = site.post(refresh, &json!({"dry_run": true})).await.json();
    assert_eq!(shown["changes"][0]["member"], "token_endpoint");
    assert_eq!(shown["changes"][0]["is_grave"], true);
    assert_eq!(shown["taken_up"], false);
    site.provider
        .serve(|document| document["token_endpoint"] = json!("https://third.example/token"));
    let seen = json!({"fingerprint": shown["fingerprint"]});
    site.post(refresh, &seen)
        .await
        .assert_problem(409, "changed-meanwhile");
    assert!(!site.file("acme-oauth.json").unwrap().contains("third"));
    let made = site.post(refresh, &json!({"confirm": true})).await.json();
    assert_eq!(
        (&made["changed"], &made["taken_up"]),
        (&json!(true), &json!(true))
    );
    assert!(site.file("acme-oauth.json").unwrap().contains("third"));
    assert_eq!(
        site.audit().await.last().unwrap(),
        "manifest.refreshed acme"
    );
    site.post("/manifests/other/refresh", &json!({}))
        .await
        .assert_problem(404, "no-manifest");

    let versions = site.get("/manifests/acme/versions").await.json();
    let versions = versions["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2);
    let digests: Vec<_> = versions
        .iter()
        .map(|it| it["digest"].as_str().unwrap())
        .collect();
    let mut new = 0;
    for digest in &digests {
        let shown = site
            .get(&format!("/manifests/acme/versions/{}", &digest[..12]))
            .await;
        let endpoint = shown.json()["manifest"]["token_endpoint"].clone();
        new += usize::from(endpoint == "https://third.example/token");
    }
    assert_eq!(new, 1);
    let unknown = ["00", "11", "22"];
    let is_free = |it: &&str| !digests.iter().any(|digest| digest.starts_with(it));
    let unknown = unknown.into_iter().find(is_free).unwrap();
    site.get(&format!("/manifests/acme/versions/{unknown}"))
        .await
        .assert_problem(404, "no-version");
    site.get("/manifests/other/versions")
        .await
        .assert_problem(404, "no-manifest");
}

#[tokio::test]
async fn what_the_configuration_could_not_use_is_not_written() {
    let site = attached().await;
    let before = site.file("acme-oauth.json");
    site.provider.serve(|document| {
        document.as_object_mut().unwrap().remove("jwks_uri");
    });
    for word in [json!({"dry_run": true}), json!({"confirm": true})] {
        let told = site.post(REFRESH, &word).await;
        let told = told.assert_problem(422, "unusable");
        assert!(told.contains("jwks_uri"), "{told}");
    }
    assert_eq!(site.file("acme-oauth.json"), before);
    assert!(!site.audit().await.iter().any(|it| it.contains("refreshed")));
    // What is served again is as good as it was.
    site.provider.serve(|_| {});
    let same = site.post(REFRESH, &json!({})).await.json();
    assert_eq!(
        (&same["changes"], &same["taken_up"]),
        (&json!([]), &json!(true))
    );
}

#[tokio::test]
async fn what_is_too_large_as_it_would_be_written_is_not_written() {
    let site = attached().await;
    let before = site.file("acme-oauth.json");
    site.provider.serve(swell);
    let told = site.post(REFRESH, &json!({"confirm": true})).await;
    let told = told.assert_problem(422, "unusable");
    assert!(told.contains("at most 262144"), "{told}");
    assert_eq!(site.file("acme-oauth.json"), before);
    for dry_run in [true, false] {
        let wanted = json!({"url": site.provider.url(), "name": "other", "dry_run": dry_run});
        let told = site.post("/manifests", &wanted).await;
        told.assert_problem(422, "unusable");
    }
    assert_eq!(site.file("other-oauth.json"), None);
}
