//! What a toolset selects, from the file to what `portcullis check` says of it.

use portcullis_base::Timestamp;

use super::*;
use crate::ambient::SystemRng;
use crate::check::Report;

const NOW: Timestamp = Timestamp::from_millis(0);

fn with(select: &str) -> String {
    format!("{GOOD}[toolsets.petstore.select.petstore]\n{select}\n")
}

#[test]
fn a_method_is_written_in_any_case_and_judged() {
    let read = configuration(&with("methods = [\"get\", \"DELETE\"]"));
    let toolset = read.objects.toolsets.values().next().expect("a toolset");
    assert_eq!(toolset.documents[0].select.methods, ["GET", "DELETE"]);
    assert_eq!(
        fault(&with("methods = [\"gett\"]")),
        "\"gett\" | `gett` is no method of an operation | did you mean `GET`?"
    );
}

#[test]
fn check_tells_of_a_selection_that_means_nothing() {
    let report = |toml: &str| Report::of(&configuration(toml), NOW, &SystemRng).expect("a report");
    let selected = report(&with("methods = [\"GET\"]\npaths = [\"/pets*\"]"));
    assert_eq!(selected.toolsets[0].tools, ["listPets"]);
    assert_eq!(selected.toolsets[0].warnings, [""; 0]);
    let nothing = report(&with("operations = [\"dogs*\"]"));
    assert_eq!(nothing.toolsets[0].tools, [""; 0]);
    let warnings = &nothing.toolsets[0].warnings;
    assert!(
        warnings[0].contains("`dogs*` in `operations`"),
        "{warnings:?}"
    );
}
