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

/// Describes an API of so many operations.
fn large(operations: usize) -> String {
    let path =
        |number| format!(r#""/things/{number}": {{"get": {{"operationId": "thing{number}"}}}}"#);
    let paths: Vec<String> = (0..operations).map(path).collect();
    format!(
        r#"{{"openapi": "3.1.0", "info": {{"title": "Things"}}, "servers": [{{"url": "https://api.example"}}], "paths": {{{}}}}}"#,
        paths.join(",")
    )
}

#[test]
fn check_tells_of_more_tools_than_models_hold_and_recommends_the_dynamic_mode() {
    let file =
        "[documents.things]\nfile = \"things.json\"\n[toolsets.things]\ndocuments = [\"things\"]\n";
    let toolset = |operations: usize, toml: &str| {
        let folder = Folder::with(&[("a.toml", toml), ("things.json", &large(operations))]);
        let configuration = folder.load("a.toml").expect("a configuration");
        let report = Report::of(&configuration, NOW, &SystemRng).expect("a report");
        report.toolsets.into_iter().next().expect("a toolset")
    };
    assert_eq!(toolset(128, file).warnings, [""; 0]);
    let many = toolset(129, file);
    assert_eq!(many.warnings.len(), 1, "{:?}", many.warnings);
    assert!(
        many.warnings[0].contains("129 tools"),
        "{:?}",
        many.warnings
    );
    assert!(many.warnings[0].contains("`dynamic = true` in `[toolsets.things]`"));
    assert!(!many.warnings[0].contains("first page"));
    let more = toolset(501, file);
    assert!(
        more.warnings[0].contains("do not see 1 of them"),
        "{:?}",
        more.warnings
    );
    let dynamic = toolset(501, &format!("{file}dynamic = true\n"));
    assert_eq!(dynamic.warnings, [""; 0]);
    assert_eq!(dynamic.tools.len(), 501);
}
