//! Manifests by the admin API, at a whole gateway whose operators' routes are asked in process.

mod guarded;
mod refreshed;

use std::collections::HashMap;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use portcullis_base::{Clock as _, Secret};
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::config::{Configuration, Overrides};
use portcullis_server::gateway::Gateway;
use portcullis_server::storage;
use tempfile::TempDir;
use tokio::sync::Notify;
use tower::ServiceExt as _;

use super::*;

const TOKEN: &str = "the-admin-token-canary-0123456789abcdef";
const SECRET: &str = "the-client-secret-canary";

const DOCUMENT: &str = "openapi: 3.1.0
info: { title: Petstore, version: '1' }
servers: [{ url: https://petstore.example }]
paths:
  /pets:
    get: { operationId: listPets, responses: { '200': { description: ok } } }
";

const CONFIGURATION: &str = r#"
[listener]
listen = ["127.0.0.1:0"]

[admin]
token_env = "ADMIN_TOKEN"

[upstream]
allow = ["{PROVIDER}"]

# people sign in
[providers.idp]
profile = "oidc"
issuer = "https://idp.example"
client_id = "us"
client_secret_env = "CLIENT_SECRET"

[documents.petstore]
file = "petstore.yaml"

[toolsets.petstore]
documents = ["petstore"]
inbound = ["oauth", "api_key"] # people and machines
provider = "idp"
"#;

/// A gateway with an admin API, and a provider that it may ask.
struct Site {
    folder: TempDir,
    gateway: Gateway,
    provider: Provider,
}

/// An answer, read whole.
#[derive(Debug)]
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answered {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Sees that it is a problem, and returns what is told.
    fn assert_problem(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        let kind = self.headers.get("content-type").unwrap();
        assert_eq!(kind, "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{self:?}");
        assert_eq!(problem["status"], status);
        problem["detail"].as_str().unwrap().to_owned()
    }
}

fn configured(folder: &TempDir, text: &str) -> Configuration {
    let path = folder.path().join("portcullis.toml");
    std::fs::write(folder.path().join("petstore.yaml"), DOCUMENT).unwrap();
    std::fs::write(&path, text).unwrap();
    let process = [("ADMIN_TOKEN", TOKEN), ("CLIENT_SECRET", SECRET)];
    let process = process.map(|(name, value)| (name.to_owned(), Secret::new(value.to_owned())));
    Configuration::load(&path, Overrides::default(), HashMap::from(process)).unwrap()
}

impl Site {
    async fn start() -> Self {
        Self::start_with(CONFIGURATION).await
    }

    async fn start_with(configuration: &str) -> Self {
        let provider = Provider::start().await;
        let folder = tempfile::tempdir().unwrap();
        let text = configuration.replace("{PROVIDER}", &provider.url());
        let gateway = Gateway::start(configured(&folder, &text)).await.unwrap();
        Self {
            folder,
            gateway,
            provider,
        }
    }

    async fn send(&self, request: Request<Body>) -> Answered {
        Self::send_to(self.gateway.operations_router(), request).await
    }

    async fn send_to(router: Router, request: Request<Body>) -> Answered {
        let response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        for secret in [TOKEN, SECRET] {
            assert!(!text.contains(secret), "a_07: {text}");
        }
        Answered {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }

    async fn get(&self, path: &str) -> Answered {
        let request = asked(Method::GET, path).body(Body::empty());
        self.send(request.unwrap()).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answered {
        let request = asked(Method::POST, path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    fn file(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join(name)).ok()
    }

    async fn create(&self) {
        let asked = json!({"url": self.provider.url(), "name": "acme"});
        let created = self.post("/manifests", &asked).await;
        assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    }

    /// Returns what was done, by whom, the latest last; without what is done at the start.
    async fn audit(&self) -> Vec<String> {
        let text = self.file("portcullis.toml").unwrap();
        let settings = configured(&self.folder, &text).settings.storage;
        let store = storage::open(&settings, SystemClock.now(), Arc::new(SystemRng));
        let store = store.await.unwrap();
        let rows = store.list_audit(None, 100).await.unwrap();
        store.close().await;
        let rows = rows.iter().rev().filter(|it| it.actor == "admin");
        rows.map(|it| format!("{} {}", it.action, it.target))
            .collect()
    }
}

fn asked(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
        .header("authorization", format!("Bearer {TOKEN}"))
}

const ATTACH: &str = "/manifests/attach";

fn attachment(more: &Value) -> Value {
    let mut body = json!({"manifest": "acme", "toolset": "petstore"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn a_manifest_is_fetched_once_and_written_only_when_asked() {
    let site = Site::start().await;
    let mut wanted = json!({"url": site.provider.url(), "name": "acme", "dry_run": true});
    let shown = site.post("/manifests", &wanted).await;
    assert_eq!(shown.status, StatusCode::OK, "{shown:?}");
    assert_eq!(shown.json()["created"], false);
    assert_eq!(
        shown.json()["manifest"]["x_of_the_provider"],
        json!([1, {"a": null}])
    );
    assert!(
        shown.json()["table"]
            .as_str()
            .unwrap()
            .contains("validation = \"jwt\"")
    );
    assert_eq!(site.file("acme-oauth.json"), None);
    assert_eq!(site.audit().await, Vec::<String>::new());
    wanted["dry_run"] = json!(false);
    let created = site.post("/manifests", &wanted).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    assert_eq!(created.json()["file"], "acme-oauth.json");
    let written = site.file("acme-oauth.json").unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&written).unwrap(),
        created.json()["manifest"]
    );
    assert_eq!(site.audit().await, ["manifest.created acme"]);
    let again = site.post("/manifests", &wanted).await;
    again.assert_problem(409, "file-exists");
    // The address gives no name away.
    let nameless = site
        .post("/manifests", &json!({"url": site.provider.url()}))
        .await;
    nameless.assert_problem(400, "no-name");
    let documented = json!({"document": "petstore", "name": "other"});
    let told = site.post("/manifests", &documented).await;
    assert!(
        told.assert_problem(422, "no-metadata")
            .contains("describes no sign-in")
    );
    for sources in [
        json!({}),
        json!({"url": "https://a.example", "document": "petstore"}),
    ] {
        let told = site.post("/manifests", &sources).await;
        told.assert_problem(400, "no-source");
    }
}

#[tokio::test]
async fn a_06_a_toolset_takes_the_providers_tokens_once_the_change_was_seen() {
    let site = Site::start().await;
    let before = site.file("portcullis.toml").unwrap();
    let missing = site.post(ATTACH, &attachment(&json!({}))).await;
    assert!(
        missing
            .assert_problem(404, "no-manifest")
            .contains("`acme-oauth.json`")
    );
    site.create().await;
    let unconfirmed = site.post(ATTACH, &attachment(&json!({}))).await;
    unconfirmed.assert_problem(400, "unconfirmed");
    let shown = site
        .post(ATTACH, &attachment(&json!({"dry_run": true})))
        .await;
    let shown = shown.json();
    assert_eq!(shown["changed"], false);
    assert_eq!(shown["taken_up"], false);
    assert_eq!(shown["closed"], json!(["oauth"]));
    assert_eq!(shown["grants_ended"], 0);
    assert_eq!(shown["changes"][0], "+ [manifests.acme]");
    let other = attachment(&json!({"fingerprint": "0".repeat(64)}));
    site.post(ATTACH, &other)
        .await
        .assert_problem(409, "changed-meanwhile");
    assert_eq!(site.file("portcullis.toml").unwrap(), before);

    let seen = attachment(&json!({"fingerprint": shown["fingerprint"]}));
    let made = site.post(ATTACH, &seen).await.json();
    assert_eq!(
        (&made["changed"], &made["taken_up"]),
        (&json!(true), &json!(true))
    );
    let written = site.file("portcullis.toml").unwrap();
    assert!(written.contains("# people sign in\n") && written.contains("# people and machines"));
    assert!(
        written.contains("inbound = [\"api_key\", \"external\"]"),
        "{written}"
    );
    assert_eq!(
        site.audit().await,
        [
            "manifest.created acme",
            "manifest.attached acme to petstore"
        ]
    );
    let listed = site.get("/manifests").await.json();
    assert_eq!(listed["manifests"][0]["toolsets"], json!(["petstore"]));
    assert_eq!(listed["manifests"][0]["issuer"], site.provider.url());
    // What is so already needs no word.
    let again = site.post(ATTACH, &attachment(&json!({}))).await.json();
    assert_eq!(
        (&again["changed"], &again["taken_up"]),
        (&json!(false), &json!(true))
    );
    let republished = attachment(&json!({"republish": true}));
    site.post(ATTACH, &republished)
        .await
        .assert_problem(400, "republish");
}

#[tokio::test]
async fn a_06_what_was_seen_of_another_file_is_not_written() {
    let site = Site::start().await;
    site.create().await;
    let shown = site
        .post(ATTACH, &attachment(&json!({"dry_run": true})))
        .await
        .json();
    let path = site.folder.path().join("portcullis.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("# somebody was here\n");
    std::fs::write(&path, &text).unwrap();
    let seen = attachment(&json!({"fingerprint": shown["fingerprint"]}));
    site.post(ATTACH, &seen)
        .await
        .assert_problem(409, "changed-meanwhile");
    assert_eq!(site.file("portcullis.toml").unwrap(), text);
    let confirmed = site
        .post(ATTACH, &attachment(&json!({"confirm": true})))
        .await
        .json();
    assert_eq!(confirmed["changed"], true);
}

#[tokio::test]
async fn what_the_file_says_and_the_gateway_does_not_serve_is_not_taken_up() {
    let site = Site::start().await;
    site.create().await;
    let path = site.folder.path().join("portcullis.toml");
    let before = std::fs::read_to_string(&path).unwrap();
    site.post(ATTACH, &attachment(&json!({"confirm": true})))
        .await;
    let attached = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, before).unwrap();
    site.gateway.reloader().try_reload().await.unwrap();
    // Written by hand, and not looked at yet.
    std::fs::write(&path, attached).unwrap();
    let told = || async { site.post(ATTACH, &attachment(&json!({}))).await.json() };
    let early = told().await;
    assert_eq!(
        (&early["changed"], &early["taken_up"]),
        (&json!(false), &json!(false))
    );
    site.gateway.reloader().try_reload().await.unwrap();
    assert_eq!(told().await["taken_up"], true);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_or_used_stays_as_it_is() {
    let site = Site::start().await;
    site.create().await;
    let before = site.file("portcullis.toml").unwrap();
    let confirmed = attachment(&json!({"confirm": true}));
    // Where the next content would be written first.
    let next = site.folder.path().join("portcullis.toml.new");
    std::fs::create_dir(&next).unwrap();
    site.post(ATTACH, &confirmed)
        .await
        .assert_problem(409, "not-writable");
    std::fs::remove_dir(&next).unwrap();
    let mut nowhere = confirmed.clone();
    nowhere["toolset"] = json!("absent");
    let told = site.post(ATTACH, &nowhere).await;
    assert!(
        told.assert_problem(422, "not-attachable")
            .contains("`[toolsets.absent]`")
    );
    let file = site.folder.path().join("acme-oauth.json");
    let mut manifest = metadata(&site.provider.url());
    manifest["authorization_response_iss_parameter_supported"] = json!(true);
    std::fs::write(&file, manifest.to_string()).unwrap();
    let mut republished = confirmed.clone();
    republished["republish"] = json!(true);
    let told = site.post(ATTACH, &republished).await;
    assert!(told.assert_problem(422, "unusable").contains("sends `iss`"));
    manifest["jwks_uri"] = Value::Null;
    std::fs::write(&file, manifest.to_string()).unwrap();
    let told = site.post(ATTACH, &confirmed).await;
    assert!(
        told.assert_problem(422, "incomplete")
            .contains("validation = ")
    );
    assert_eq!(site.file("portcullis.toml").unwrap(), before);
    assert_eq!(site.audit().await, ["manifest.created acme"]);
}

#[tokio::test]
async fn what_clients_would_refuse_is_told_and_no_failure() {
    let site = Site::start().await;
    let check = "/manifests/check";
    let verdicts = |answered: &Answered| {
        assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
        let parts = answered.json()["parts"].clone();
        let findings = parts[0]["findings"].as_array().unwrap().clone();
        let wrong = findings.iter().filter(|it| it["verdict"] == "wrong");
        wrong
            .map(|it| it["check"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    let url = site
        .post(
            check,
            &json!({"url": site.provider.url(), "toolset": "petstore"}),
        )
        .await;
    assert_eq!(verdicts(&url), none);
    let mut content = metadata(&site.provider.url());
    content["code_challenge_methods_supported"] = json!(["plain"]);
    let told = site.post(check, &json!({"content": content})).await;
    assert_eq!(verdicts(&told), ["pkce-s256"]);
    site.create().await;
    site.post(ATTACH, &attachment(&json!({"confirm": true})))
        .await;
    let named = site.post(check, &json!({"manifest": "acme"})).await;
    assert_eq!(verdicts(&named), none);
    let name = named.json()["parts"][0]["name"].clone();
    assert!(name.as_str().unwrap().ends_with("/petstore/mcp"), "{name}");
    site.post(check, &json!({}))
        .await
        .assert_problem(400, "no-source");
    site.post(check, &json!({"manifest": "other"}))
        .await
        .assert_problem(404, "no-manifest");
    let both = json!({"manifest": "acme", "toolset": "petstore", "resource": "https://a.example"});
    site.post(check, &both)
        .await
        .assert_problem(400, "resource");
    assert!(!site.audit().await.iter().any(|it| it.contains("tried")));
    site.post(check, &json!({"manifest": "acme", "register": true}))
        .await;
    let tried = format!("manifest.tried {}", site.provider.url());
    assert_eq!(site.audit().await.last(), Some(&tried));
}

#[tokio::test]
async fn a_client_that_was_registered_is_deleted_though_nobody_waits_for_the_answer() {
    let site = Site::start().await;
    let (registered, deleted) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (url, told) = (site.provider.url(), [&registered, &deleted].map(Arc::clone));
    site.provider.answer_by(move |received| {
        let [registered, deleted] = &told;
        let is_of_a_client = received.body.contains("Portcullis check");
        match (received.path_and_query.as_str(), &received.method) {
            ("/register", _) if is_of_a_client => {
                registered.notify_one();
                let client = json!({
                    "client_id": "c1",
                    "registration_client_uri": format!("{url}/register/c1"),
                    "registration_access_token": "manage",
                });
                Some(answer(201, &client))
            }
            ("/register/c1", &Method::DELETE) => {
                deleted.notify_one();
                Some(answer(204, &json!({})))
            }
            _ => None,
        }
    });
    let wanted = json!({
        "url": site.provider.url(),
        "resource": "https://gateway.example/petstore/mcp",
        "register": true,
    });
    // Whoever asked hangs up once the provider has the client.
    tokio::select! {
        biased;
        () = registered.notified() => {}
        answered = site.post("/manifests/check", &wanted) => panic!("{answered:?}"),
    }
    let seen = tokio::time::timeout(Duration::from_secs(20), deleted.notified()).await;
    assert!(seen.is_ok(), "the client is there still");
}

#[tokio::test]
async fn every_path_of_the_document_is_served() {
    let site = Site::start().await;
    let document = site.get("/openapi.json").await.json();
    let mut count = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.replace("{manifest}", "acme").replace("{digest}", "ab");
        for method in operations.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let request = asked(method, &path).body(Body::empty()).unwrap();
            let code = site.send(request).await.json()["code"].clone();
            assert!(code != "path" && code != "method", "{path}: {code}");
            count += 1;
        }
    }
    assert_eq!(count, 7);
    site.get("/nothing").await.assert_problem(404, "path");
    site.get(ATTACH).await.assert_problem(405, "method");
}
