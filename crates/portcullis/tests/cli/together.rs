//! Several processes on one store: a second gateway, and commands beside a running one.

use std::process::Stdio;

use rustix::process::Signal;
use serde_json::json;

use super::api::Api;
use super::running::Running;
use super::serve::{open_folder, write};
use super::{command, portcullis, stderr, stdout};

const MORE: &str = "\n[toolsets.more]\ndocuments = [\"petstore\"]\nenvironment = \"production\"\ninbound = [\"open\"]\n";

#[test]
fn two_gateways_on_one_database_publish_the_same() {
    let api = Api::start();
    let folder = open_folder(&api);
    let arguments = ["portcullis.toml", "--allow-upstream", &api.origin()];
    let mut first = Running::start(folder.path(), &arguments, "petstore");
    let mut second = Running::start(folder.path(), &arguments, "petstore");
    first.list_pets("petstore", None);
    second.list_pets("petstore", None);
    let file = folder.path().join("portcullis.toml");
    let good = std::fs::read_to_string(&file).expect("a file");
    write(folder.path(), "portcullis.toml", &format!("{good}{MORE}"));
    for gateway in [&mut first, &mut second] {
        gateway.wait_for("/more/mcp");
        gateway.list_pets("more", None);
    }
    first.stop();
    second.list_pets("more", None);
    second.stop();
}

#[test]
fn commands_that_are_the_first_on_a_folder_at_once_share_one_key_and_one_database() {
    let api = Api::start();
    let folder = open_folder(&api);
    let names = ["a", "b", "c", "d", "e", "f"];
    let created = names.map(|name| {
        let mut create = command(folder.path(), &["key", "create", name]);
        create.stdout(Stdio::piped()).stderr(Stdio::piped());
        create.spawn().expect("the program starts")
    });
    for child in created {
        let output = child.wait_with_output().expect("the program ends");
        assert!(stdout(&output).starts_with("pc_key_"));
    }
    let listed = stdout(&portcullis(folder.path(), &["key", "list"]));
    let missing = names.map(|name| !listed.contains(&format!("  {name}\n")));
    assert!(!missing.contains(&true), "{listed}");
}

#[test]
fn a_gateway_that_takes_over_a_store_says_what_it_removed() {
    let api = Api::start();
    let folder = open_folder(&api);
    let mut first = Running::start(folder.path(), &["portcullis.toml"], "petstore");
    write(folder.path(), "harbour.yaml", &api.document());
    let mut second = Running::start(folder.path(), &["harbour.yaml"], "harbour");
    assert!(second.log().contains("`--data-dir`"), "{}", second.log());
    first.wait_for("MCP endpoint withdrawn");
    // Neither undoes what the other has done.
    first.signal(Signal::TERM);
    first.wait_for("stopped");
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    assert_eq!(second.post("harbour", None, &list).0, 200);
    second.signal(Signal::TERM);
    second.wait_for("stopped");
    assert!(!second.log().contains("withdrawn"), "{}", second.log());
}

#[test]
fn what_apply_writes_is_published_and_not_undone() {
    let api = Api::start();
    let folder = open_folder(&api);
    let arguments = ["portcullis.toml", "--allow-upstream", &api.origin()];
    let mut gateway = Running::start(folder.path(), &arguments, "petstore");
    let file = folder.path().join("portcullis.toml");
    let good = std::fs::read_to_string(&file).expect("a file");
    write(folder.path(), "other.toml", &format!("{good}{MORE}"));
    stdout(&portcullis(
        folder.path(),
        &["apply", "--yes", "other.toml"],
    ));
    gateway.wait_for("/more/mcp");
    gateway.list_pets("more", None);
    let log = gateway.stop();
    assert!(!log.contains("- toolset more"), "{log}");
}

#[test]
fn two_commands_that_change_the_master_key_at_once_leave_one_that_opens() {
    let api = Api::start();
    let folder = open_folder(&api);
    stdout(&portcullis(folder.path(), &["apply", "--yes"]));
    let rotations = [(); 2].map(|()| {
        let mut rotate = command(folder.path(), &["key", "rotate"]);
        rotate.stdout(Stdio::piped()).stderr(Stdio::piped());
        rotate.spawn().expect("the program starts")
    });
    let ended = rotations.map(|child| child.wait_with_output().expect("the program ends"));
    assert!(
        ended.iter().all(|output| output.status.success()),
        "{ended:?}"
    );
    stdout(&portcullis(folder.path(), &["key", "list"]));
    let data = folder.path().join("portcullis-data");
    assert!(!data.join("master.key.next").exists());
    stdout(&portcullis(folder.path(), &["key", "rotate"]));
}

#[test]
fn a_lost_master_key_is_told_with_what_it_opened_and_can_be_given_up() {
    let api = Api::start();
    let folder = open_folder(&api);
    let arguments = ["portcullis.toml", "--allow-upstream", &api.origin()];
    let gateway = Running::start(folder.path(), &arguments, "petstore");
    stdout(&portcullis(folder.path(), &["key", "create", "ci"]));
    gateway.stop();
    let abandon = ["key", "abandon", "--yes"];
    let fits = stdout(&portcullis(folder.path(), &abandon));
    assert!(fits.contains("nothing is lost"), "{fits}");

    let key = folder.path().join("portcullis-data/master.key");
    std::fs::remove_file(&key).expect("a key");
    let refused = stderr(&portcullis(folder.path(), &["serve", "portcullis.toml"]));
    assert!(refused.contains("portcullis key abandon"), "{refused}");
    assert!(refused.contains("secret variables: 1"), "{refused}");
    let asked = portcullis(folder.path(), &["key", "abandon"]);
    assert_eq!(asked.status.code(), Some(1));
    let asked = String::from_utf8_lossy(&asked.stdout);
    assert!(
        asked.contains("to be given up: secret variables: 1 in 1"),
        "{asked}"
    );
    assert!(!key.exists());
    let given_up = stdout(&portcullis(folder.path(), &abandon));
    assert!(
        given_up.contains("secret variables: 1 in 1 environments"),
        "{given_up}"
    );

    let gateway = Running::start(folder.path(), &arguments, "petstore");
    gateway.list_pets("petstore", None);
    gateway.stop();
    let listed = stdout(&portcullis(folder.path(), &["key", "list"]));
    assert!(listed.contains("  ci\n"), "{listed}");
}

#[test]
fn a_gateway_serves_on_while_the_master_key_is_changed() {
    let api = Api::start();
    let folder = open_folder(&api);
    let arguments = ["portcullis.toml", "--allow-upstream", &api.origin()];
    let mut gateway = Running::start(folder.path(), &arguments, "petstore");
    // Twice in a row, so that the key in between may never have been seen.
    for _ in 0..2 {
        stdout(&portcullis(folder.path(), &["key", "rotate"]));
    }
    gateway.list_pets("petstore", None);
    let file = folder.path().join("portcullis.toml");
    let good = std::fs::read_to_string(&file).expect("a file");
    write(folder.path(), "portcullis.toml", &format!("{good}{MORE}"));
    gateway.wait_for("/more/mcp");
    gateway.list_pets("more", None);
    let log = gateway.stop();
    assert!(!log.contains("\"ERROR\""), "{log}");
}
