//! Several processes on one store: a second gateway, and commands beside a running one.

use super::api::Api;
use super::running::Running;
use super::serve::{open_folder, write};
use super::{portcullis, stdout};

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
