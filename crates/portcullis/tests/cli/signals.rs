//! What a running gateway does at signals.

use rustix::process::Signal;

use super::api::Api;
use super::running::Running;
use super::serve::{open_folder, write};

#[test]
fn sighup_takes_up_what_can_be_used_and_keeps_serving_what_cannot() {
    let api = Api::start();
    let folder = open_folder(&api);
    let file = folder.path().join("portcullis.toml");
    let good = std::fs::read_to_string(&file).expect("a file");
    let arguments = ["portcullis.toml", "--allow-upstream", &api.origin()];
    let mut gateway = Running::start(folder.path(), &arguments, "petstore");

    let broken = good.replace("environment =", "enviroment =");
    write(folder.path(), "portcullis.toml", &broken);
    gateway.signal(Signal::HUP);
    let told = gateway.wait_for("kept what is published");
    assert!(told.contains("portcullis.toml:10:1: unknown key"), "{told}");
    assert!(told.contains("did you mean `environment`?"), "{told}");
    gateway.list_pets("petstore", None);

    let more = "\n[toolsets.more]\ndocuments = [\"petstore\"]\nenvironment = \"production\"\ninbound = [\"open\"]\n";
    let limits = "\n[upstream]\ncall_seconds = 5\n";
    write(
        folder.path(),
        "portcullis.toml",
        &format!("{good}{more}{limits}"),
    );
    gateway.signal(Signal::HUP);
    gateway.wait_for("applied: + toolset more");
    gateway.wait_for("upstream.call_seconds was changed; that takes effect at the next start");
    gateway.wait_for("/more/mcp");
    gateway.list_pets("more", None);
    gateway.list_pets("petstore", None);
    gateway.stop();
}

#[test]
fn sigterm_lets_a_call_under_way_finish() {
    let api = Api::start();
    let folder = open_folder(&api);
    let arguments = ["portcullis.toml", "--allow-upstream", &api.origin()];
    let mut gateway = Running::start(folder.path(), &arguments, "petstore");
    let call = gateway.begin_waiting("petstore");
    api.wait_for_caller();
    gateway.signal(Signal::TERM);
    gateway.wait_for("stopping");
    api.release();
    let (status, body) = call.join().expect("an answer");
    assert!(status == 200 && body.contains("Rex"), "{status} {body}");
    let (status, log) = gateway.wait();
    assert!(status.success(), "{status}\n{log}");
    assert!(log.contains("\"message\":\"stopped\""), "{log}");
}

#[test]
fn a_second_signal_ends_the_program_at_once() {
    let api = Api::start();
    let folder = open_folder(&api);
    let arguments = ["portcullis.toml", "--allow-upstream", &api.origin()];
    let mut gateway = Running::start(folder.path(), &arguments, "petstore");
    let call = gateway.begin_waiting("petstore");
    api.wait_for_caller();
    gateway.signal(Signal::INT);
    gateway.wait_for("stopping");
    gateway.signal(Signal::TERM);
    let (status, log) = gateway.wait();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("stopped again"), "{log}");
    assert!(!call.join().expect("an end").1.contains("Rex"));
}
