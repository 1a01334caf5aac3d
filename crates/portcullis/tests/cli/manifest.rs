//! `portcullis manifest`: the way from a provider to a toolset that takes its tokens.

mod attached;

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::exchange::{Exchange, Reply};
use super::{folder, portcullis, stderr, stdout};

const METADATA: &str = "/.well-known/oauth-authorization-server";

fn url(provider: &Exchange) -> String {
    format!("http://127.0.0.1:{}", provider.port())
}

fn metadata(url: &str) -> Value {
    json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "registration_endpoint": format!("{url}/register"),
        "jwks_uri": format!("{url}/keys"),
        "scopes_supported": ["pets", "offline_access"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "x_of_the_provider": {"b": 1, "a": null}
    })
}

/// Starts a provider with which nothing is wrong.
fn provider() -> Exchange {
    let provider = Exchange::start(|_| Reply::json(404, &json!({})));
    serve(&provider, |_| {});
    provider
}

fn serve(provider: &Exchange, change: fn(&mut Value)) {
    let mut document = metadata(&url(provider));
    change(&mut document);
    provider.answer_by(move |asked| {
        let key = json!({
            "kty": "EC", "crv": "P-256", "use": "sig",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        });
        let reply = match asked.path() {
            METADATA => Reply::json(200, &document),
            "/keys" => Reply::json(200, &json!({"keys": [key]})),
            _ => Reply::json(400, &json!({})),
        };
        reply.with("access-control-allow-origin", "*")
    });
}

/// Runs the command; it may go to the provider.
fn manifest(folder: &Path, provider: &Exchange, arguments: &[&str]) -> Output {
    let url = url(provider);
    let allowed = ["manifest", "--allow-upstream", &url];
    portcullis(folder, &[&allowed[..], arguments].concat())
}

fn created(provider: &Exchange) -> TempDir {
    let folder = folder();
    let create = ["create", &url(provider), "--name", "acme"];
    stdout(&manifest(folder.path(), provider, &create));
    folder
}

#[test]
fn a_manifest_is_fetched_whole_and_its_table_is_told() {
    let provider = provider();
    let folder = folder();
    let create = ["create", &url(&provider), "--name", "acme"];
    let told = stdout(&manifest(folder.path(), &provider, &create));
    let table = "[manifests.acme]\nfile = \"acme-oauth.json\"\nvalidation = \"jwt\"\n";
    assert!(told.contains(table), "{told}");
    assert!(told.ends_with("\nnothing is wrong\n"), "{told}");
    let file = folder.path().join("acme-oauth.json");
    let written = std::fs::read_to_string(&file).expect("a file");
    let pretty = serde_json::to_string_pretty(&metadata(&url(&provider))).expect("JSON");
    assert_eq!(written, format!("{pretty}\n"));
    let again = manifest(folder.path(), &provider, &create);
    assert!(stderr(&again).contains("acme-oauth.json cannot be made"));
    let nameless = manifest(folder.path(), &provider, &["create", &url(&provider)]);
    assert!(stderr(&nameless).contains("`--name`"));
}

#[test]
fn a_manifest_is_made_where_there_is_no_configuration_yet() {
    let provider = provider();
    let folder = tempfile::tempdir().expect("a folder");
    let create = ["create", &url(&provider), "--name", "a", "-o", "b.json"];
    stdout(&manifest(folder.path(), &provider, &create));
    assert!(folder.path().join("b.json").exists());
    let absent = ["check", "b.json", "--config", "absent.toml"];
    let told = stderr(&manifest(folder.path(), &provider, &absent));
    assert!(told.contains("absent.toml"), "{told}");
}

#[test]
fn a_provider_that_nobody_allowed_makes_no_manifest() {
    let provider = provider();
    let folder = folder();
    provider.answer_by(|_| panic!("nobody is allowed to ask"));
    let told = stderr(&portcullis(
        folder.path(),
        &["manifest", "create", &url(&provider), "--name", "acme"],
    ));
    assert!(told.contains("leads to a loopback address"), "{told}");
    assert!(!folder.path().join("acme-oauth.json").exists());
}

#[test]
fn what_clients_would_refuse_ends_the_check_with_a_failure() {
    let provider = provider();
    let folder = created(&provider);
    let check = ["check", "acme-oauth.json", "--format", "json"];
    let sound = stdout(&manifest(folder.path(), &provider, &check));
    let report: Value = serde_json::from_str(&sound).expect("JSON");
    assert_eq!(report["parts"][0]["kind"], "manifest");
    let by_url = ["check", &url(&provider)];
    stdout(&manifest(folder.path(), &provider, &by_url));
    let mut document = metadata(&url(&provider));
    document["code_challenge_methods_supported"] = Value::Null;
    let file = folder.path().join("acme-oauth.json");
    std::fs::write(&file, document.to_string()).expect("a file");
    let refused = manifest(folder.path(), &provider, &check[..2]);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8_lossy(&refused.stdout);
    assert!(
        told.contains("WRONG") && told.contains("[pkce-absent]"),
        "{told}"
    );
    assert!(told.contains("mend: "), "{told}");
}

#[test]
fn what_is_no_manifest_is_told() {
    let provider = provider();
    let folder = folder();
    let file = folder.path().join("a.json");
    for (content, reason) in [
        ("<html>", "it is a web page"),
        ("{}", "its `issuer` is missing"),
        (&"x".repeat(300_000), "more than 262144 bytes"),
    ] {
        std::fs::write(&file, content).expect("a file");
        let told = stderr(&manifest(folder.path(), &provider, &["check", "a.json"]));
        assert!(told.contains(reason), "{told}");
    }
    let told = stderr(&manifest(folder.path(), &provider, &["check", "acme"]));
    assert!(told.contains("`[manifests.acme]`"), "{told}");
}
