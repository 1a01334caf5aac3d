//! `portcullis document`: what documents were, and which revision is served.

use std::path::Path;

use serde_json::{Value, json};

use super::exchange::{Exchange, Reply};
use super::serve::write;
use super::{DOCUMENT, folder, portcullis, stderr, stdout};

/// Runs the command; gives what it printed.
fn document(folder: &Path, arguments: &[&str]) -> String {
    stdout(&portcullis(folder, &[&["document"], arguments].concat()))
}

fn apply(folder: &Path, document: &str) -> String {
    write(folder, "petstore.yaml", document);
    stdout(&portcullis(folder, &["apply", "--yes"]))
}

#[test]
fn a_change_of_tools_is_shown_kept_and_taken_back() {
    let folder = folder();
    let folder = folder.path();
    apply(folder, DOCUMENT);
    let changed = DOCUMENT.replace("List all pets", "List some");
    let changed = changed.replace("components:", "  /shops:\n    get: {}\ncomponents:");
    let told = apply(folder, &changed);
    for expected in [
        "+ 1 tool, ~ 1 tool changed\n",
        "\n+ get_shops\n~ listPets\n",
        "description changed",
    ] {
        assert!(told.contains(expected), "{told}");
    }
    let listed = document(folder, &["revisions", "petstore"]);
    assert!(listed.starts_with("2  20"), "{listed}");
    assert!(listed.contains("  served\n"), "{listed}");
    let difference = document(folder, &["diff", "petstore"]);
    assert!(
        difference.starts_with("revision 1 -> 2\n+ 1 tool"),
        "{difference}"
    );
    let json = document(folder, &["diff", "petstore", "2", "1", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["difference"]["removed"][0], "get_shops");
    assert_eq!(json["breaks"], true);

    let told = document(folder, &["restore", "petstore", "1", "--yes"]);
    assert!(told.contains("revision 1 is served"), "{told}");
    let told = stdout(&portcullis(folder, &["apply", "--yes"]));
    assert_eq!(told, "nothing changes\n");
    let listed = document(folder, &["list"]);
    assert!(
        listed.contains("serves revision 1\n    revision 2 waits"),
        "{listed}"
    );
    document(folder, &["accept", "petstore", "--yes"]);
    let listed = document(folder, &["list"]);
    assert!(listed.ends_with("serves revision 2\n"), "{listed}");
}

#[test]
fn what_cannot_be_done_to_a_document_is_said() {
    let folder = folder();
    let folder = folder.path();
    let refused =
        |arguments: &[&str]| stderr(&portcullis(folder, &[&["document"], arguments].concat()));
    let told = refused(&["list"]);
    assert!(told.contains("there is no store yet"), "{told}");
    apply(folder, DOCUMENT);
    for (arguments, expected) in [
        (&["revisions", "other"][..], "no document `other`"),
        (&["restore", "petstore", "7", "--yes"], "has no revision 7"),
        (
            &["accept", "petstore", "--yes"],
            "no revision of document `petstore` waits",
        ),
        (&["diff", "petstore"], "has one revision"),
    ] {
        let told = refused(arguments);
        assert!(told.contains(expected), "{told}");
    }
}

/// A document as its publisher serves it.
fn published(description: &str) -> Value {
    json!({
        "openapi": "3.1.0", "info": {"title": "Petstore", "version": "1"},
        "servers": [{"url": "/api"}],
        "paths": {"/pets": {"get": {"operationId": "listPets", "description": description}}}
    })
}

#[test]
fn a_document_from_a_url_is_fetched_again_when_it_is_asked_for() {
    let publisher = Exchange::start(|_| Reply::json(200, &published("first")));
    let origin = format!("http://127.0.0.1:{}", publisher.port());
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let file = format!(
        "[documents.petstore]\nurl = \"{origin}/openapi.json\"\nchanges = \"pin\"\n[toolsets.petstore]\ndocuments = [\"petstore\"]\ninbound = [\"open\"]\n"
    );
    write(folder, "portcullis.toml", &file);
    let allowed = ["--allow-upstream", origin.as_str()];
    let refused = stderr(&portcullis(folder, &["apply", "--yes"]));
    assert!(refused.contains("leads to a loopback address"), "{refused}");
    let run = |arguments: &[&str]| stdout(&portcullis(folder, &[arguments, &allowed].concat()));
    let checked = run(&["check", "portcullis.toml"]);
    assert!(checked.contains("GET     listPets"), "{checked}");
    run(&["apply", "--yes"]);
    let told = run(&["document", "refresh", "petstore"]);
    assert!(told.starts_with("nothing changed at"), "{told}");
    publisher.answer_by(|_| Reply::json(200, &published("second")));
    let told = run(&["document", "refresh", "petstore", "--yes"]);
    assert!(told.contains("~ 1 tool changed\n"), "{told}");
    assert!(told.contains("revision 2 is served"), "{told}");
    // What was set aside is not taken up for having been there before.
    document(folder, &["restore", "petstore", "1", "--yes"]);
    let told = run(&["document", "refresh", "petstore", "--yes"]);
    assert!(told.starts_with("nothing changed at"), "{told}");
    assert!(told.contains("revision 2 waits"), "{told}");
    assert!(document(folder, &["list"]).contains("serves revision 1\n"));
    publisher.answer_by(|_| Reply::json(500, &json!({})));
    let command = ["document", "refresh", "petstore", allowed[0], allowed[1]];
    let refused = stderr(&portcullis(folder, &command));
    assert!(refused.contains("it answers with status 500"), "{refused}");
    let listed = document(folder, &["list"]);
    assert!(listed.contains("its URL is not looked at"), "{listed}");
    assert!(
        listed.contains("that failed: it answers with status 500"),
        "{listed}"
    );
}

/// The same document, with a security scheme.
fn secured(description: &str) -> Value {
    let scheme = json!({"type": "http", "scheme": "bearer"});
    let mut document = published(description);
    let members = document.as_object_mut().expect("an object");
    members.insert(
        "components".to_owned(),
        json!({"securitySchemes": {"key": scheme}}),
    );
    document
}

#[test]
fn a_revision_that_the_configuration_could_not_be_used_with_is_not_served() {
    let publisher = Exchange::start(|_| Reply::json(200, &published("first")));
    let origin = format!("http://127.0.0.1:{}", publisher.port());
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let file = format!(
        "[documents.petstore]\nurl = \"{origin}/openapi.json\"\n[toolsets.petstore]\ndocuments = [\"petstore\"]\ninbound = [\"open\"]\n"
    );
    write(folder, "portcullis.toml", &file);
    let allowed = ["--allow-upstream", origin.as_str()];
    let run = |arguments: &[&str]| portcullis(folder, &[arguments, &allowed].concat());
    stdout(&run(&["apply", "--yes"]));
    publisher.answer_by(|_| Reply::json(200, &secured("second")));
    stdout(&run(&["document", "refresh", "petstore", "--yes"]));
    let bound = "[documents.petstore.schemes.key]\norigins = [\"https://b.example\"]\n";
    write(folder, "portcullis.toml", &(file.clone() + bound));
    stdout(&run(&["apply", "--yes"]));
    let restore = ["document", "restore", "petstore", "1", "--yes"];
    let refused = stderr(&run(&restore));
    assert!(refused.contains("no security scheme `key`"), "{refused}");
    let listed = document(folder, &["list"]);
    assert!(listed.contains("serves revision 2\n"), "{listed}");
    assert_eq!(stdout(&run(&["apply", "--yes"])), "nothing changes\n");
    // What is wrong with the configuration anyhow keeps nobody from it.
    let wrong = file.clone() + "[toolsets.petstore.select.petstore]\nmethods = [\"EAT\"]\n";
    write(folder, "portcullis.toml", &wrong);
    let told = stdout(&run(&restore));
    assert!(told.contains("revision 1 is served"), "{told}");
    // Nor does a state that only the other revision mends.
    write(folder, "portcullis.toml", &(file + bound));
    let told = stdout(&run(&["document", "accept", "petstore", "--yes"]));
    assert!(told.contains("revision 2 is served"), "{told}");
}

#[test]
fn what_was_found_in_the_files_of_a_document_from_a_url_is_told() {
    let body = json!({"application/json": {"schema": {"$ref": "models.json#/Pet"}}});
    let referring = json!({
        "openapi": "3.1.0", "info": {"title": "Petstore", "version": "1"},
        "paths": {"/pets": {"post": {"operationId": "addPet", "requestBody": {"content": body}}}}
    });
    let publisher = Exchange::start(move |asked| {
        if asked.line.contains("/openapi.json") {
            Reply::json(200, &referring)
        } else {
            Reply::json(404, &json!({}))
        }
    });
    let origin = format!("http://127.0.0.1:{}", publisher.port());
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let file = format!(
        "[documents.petstore]\nurl = \"{origin}/openapi.json\"\n[toolsets.petstore]\ndocuments = [\"petstore\"]\ninbound = [\"open\"]\n"
    );
    write(folder, "portcullis.toml", &file);
    let run = |arguments: &[&str]| {
        let allowed = ["--allow-upstream", origin.as_str()];
        stdout(&portcullis(folder, &[arguments, &allowed].concat()))
    };
    let checked = run(&["check", "portcullis.toml"]);
    assert!(checked.contains("warning external-reference"), "{checked}");
}

#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    let folder = folder();
    let folder = folder.path();
    apply(folder, DOCUMENT);
    for arguments in [&["document", "list"][..], &["reference"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let run = super::command(folder, arguments).stdout(writer).output();
        let run = run.expect("the program starts");
        assert_eq!(String::from_utf8_lossy(&run.stderr), "", "{arguments:?}");
        assert!(run.status.success(), "{arguments:?}");
    }
}
