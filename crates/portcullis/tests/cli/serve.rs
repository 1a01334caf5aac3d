//! `portcullis serve`: how it starts, what it refuses, and who may call.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use super::api::Api;
use super::running::{Running, call, get};
use super::{FILE, SECRET, folder, portcullis, stderr, stdout};

/// Writes the document of `api` and a file that publishes it to whoever comes.
pub(super) fn open_folder(api: &Api) -> TempDir {
    let folder = folder();
    let file = format!("{FILE}inbound = [\"open\"]\n");
    write(folder.path(), "portcullis.toml", &file);
    write(folder.path(), "petstore.yaml", &api.document());
    folder
}

pub(super) fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("a file");
}

#[test]
fn a_document_alone_is_published_on_this_machine() {
    let api = Api::start();
    let folder = open_folder(&api);
    let arguments = ["petstore.yaml", "--allow-upstream", &api.origin()];
    let gateway = Running::start(folder.path(), &arguments, "petstore");
    let hello = json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        },
    });
    let (status, body) = gateway.post("petstore", None, &hello);
    assert!(status == 200 && body.contains("Petstore"), "{body}");
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    let (_, body) = gateway.post("petstore", None, &list);
    assert!(body.contains("listPets"), "{body}");
    gateway.list_pets("petstore", None);
    let log = gateway.stop();
    assert!(!log.contains("no API key"), "{log}");
    assert!(!log.contains(SECRET), "{log}");
}

#[test]
fn an_upstream_that_nobody_allowed_is_not_called() {
    let api = Api::start();
    let folder = open_folder(&api);
    let gateway = Running::start(folder.path(), &["petstore.yaml"], "petstore");
    let (_, body) = gateway.post("petstore", None, &call("listPets"));
    assert!(body.contains("--allow-upstream"), "{body}");
}

#[test]
fn a_toolset_without_a_key_says_how_to_make_one_and_a_revoked_key_stops_working() {
    let api = Api::start();
    let folder = folder();
    write(folder.path(), "petstore.yaml", &api.document());
    let arguments = ["portcullis.toml", "--allow-upstream", &api.origin()];
    let mut gateway = Running::start(folder.path(), &arguments, "petstore");
    gateway.wait_for("`portcullis key create NAME --config portcullis.toml`");
    let (status, _) = gateway.post("petstore", None, &call("listPets"));
    assert_eq!(status, 401);
    let made = stdout(&portcullis(folder.path(), &["key", "create", "agents"]));
    let key = Some(made.trim());
    gateway.list_pets("petstore", key);
    stdout(&portcullis(folder.path(), &["key", "revoke", "agents"]));
    gateway.call_until(401, "petstore", key);
    gateway.post("petstore", key, &call("listPets"));
    gateway.wait_for("the API key was revoked");
    let log = gateway.stop();
    assert!(!log.contains(made.trim()), "{log}");
}

#[test]
fn l_04_nothing_secret_is_logged_even_at_the_level_of_everything() {
    let api = Api::start();
    let folder = folder();
    write(folder.path(), "petstore.yaml", &api.document());
    let made = stdout(&portcullis(folder.path(), &["key", "create", "agents"]));
    let key = made.trim();
    let allowed = api.origin();
    let mut arguments = vec!["portcullis.toml", "--allow-upstream", &allowed];
    arguments.extend(["--log-level", "trace"]);
    let gateway = Running::start(folder.path(), &arguments, "petstore");
    gateway.list_pets("petstore", Some(key));
    let mut bad = call("listPets");
    bad["params"]["arguments"] = json!({ "colour": "argument-canary" });
    let (_, told) = gateway.post("petstore", Some(key), &bad);
    assert!(told.contains("colour"), "{told}");
    gateway.post("petstore", Some("pc_key_other-canary"), &call("listPets"));
    let log = gateway.stop();
    // The lines of the libraries below are among them.
    assert!(log.contains("\"level\":\"TRACE\""), "{log}");
    for canary in [SECRET, key, "argument-canary", "other-canary", "Rex"] {
        assert!(!log.contains(canary), "`{canary}` in {log}");
    }
}

#[test]
fn the_hint_at_a_missing_key_names_another_data_folder() {
    let folder = folder();
    let arguments = ["portcullis.toml", "--data-dir", "elsewhere"];
    let mut gateway = Running::start(folder.path(), &arguments, "petstore");
    gateway.wait_for("`portcullis key create NAME --config portcullis.toml --data-dir elsewhere`");
    gateway.stop();
    assert!(folder.path().join("elsewhere/portcullis.db").exists());
}

#[test]
fn health_and_metrics_are_where_clients_are_or_on_a_listener_of_their_own() {
    let api = Api::start();
    let folder = open_folder(&api);
    let gateway = Running::start(folder.path(), &["portcullis.toml"], "petstore");
    assert_eq!(get(gateway.port(), "/health/ready").0, 200);
    gateway.stop();
    let file = std::fs::read_to_string(folder.path().join("portcullis.toml")).expect("a file");
    let own = format!("[listener]\noperations_listen = [\"127.0.0.1:0\"]\n{file}");
    write(folder.path(), "portcullis.toml", &own);
    let arguments = ["portcullis.toml", "--allow-upstream", &api.origin()];
    let gateway = Running::start(folder.path(), &arguments, "petstore");
    gateway.list_pets("petstore", None);
    assert_eq!(get(gateway.port(), "/health/ready").0, 404);
    let line = gateway.log().lines().find(|line| line.contains("/metrics"));
    let address = line.and_then(|line| line.split("\"address\":\"127.0.0.1:").nth(1));
    let port = address
        .and_then(|rest| rest.split('"').next())
        .expect("a port");
    let port = port.parse().expect("a number");
    assert_eq!(get(port, "/health/ready").0, 200);
    let (_, metrics) = get(port, "/metrics");
    for line in [
        "portcullis_tool_calls_total{toolset=\"petstore\",outcome=\"ok\"} 1",
        "portcullis_log_lines_dropped_total 0",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    gateway.stop();
}

#[test]
fn a_file_that_cannot_be_used_is_told_with_its_place() {
    let folder = folder();
    let file = FILE.replace("environment =", "enviroment =");
    write(folder.path(), "portcullis.toml", &file);
    let told = stderr(&portcullis(folder.path(), &["serve", "portcullis.toml"]));
    for expected in [
        "portcullis.toml:10:1",
        "enviroment = \"production\"\n    · ──────────",
        "did you mean `environment`?",
    ] {
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_taken_port_is_named_with_what_to_do_and_nothing_is_written() {
    let folder = folder();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let serve = ["serve", "portcullis.toml", "--listen", &address];
    let told = stderr(&portcullis(folder.path(), &serve));
    let start = format!("error: cannot listen on {address}: ");
    assert!(told.starts_with(&start), "{told}");
    assert!(told.contains("choose another port by `--listen"), "{told}");
    assert_eq!(told.matches("os error").count(), 1, "{told}");
    assert!(!folder.path().join("portcullis-data").exists());
}

#[test]
fn a_master_key_that_does_not_fit_or_is_gone_is_told() {
    let folder = folder();
    stdout(&portcullis(folder.path(), &["apply", "--yes"]));
    let key_file = folder.path().join("portcullis-data/master.key");
    let serve = ["serve", "portcullis.toml", "--listen", "localhost:0"];
    std::fs::write(&key_file, "7".repeat(64)).expect("a file");
    let told = stderr(&portcullis(folder.path(), &serve));
    assert!(told.contains("does not fit this database"), "{told}");
    assert!(!told.contains("7777"), "{told}");
    std::fs::remove_file(&key_file).expect("a file");
    let told = stderr(&portcullis(folder.path(), &serve));
    assert!(told.contains("no master key at"), "{told}");
    assert!(told.contains("secret variables: 1 in 1"), "{told}");
    assert!(!key_file.exists());
}
