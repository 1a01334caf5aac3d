//! `portcullis document`: what documents were, and which revision is served.

use std::path::Path;

use serde_json::Value;

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
