//! How much of answers the model is given, from the file to what `portcullis check` says of it.

use portcullis_base::Timestamp;

use super::*;
use crate::ambient::SystemRng;
use crate::catalogue::Catalogue;
use crate::check::Report;
use crate::config::apply;

const NOW: Timestamp = Timestamp::from_millis(0);

fn with(project: &str) -> String {
    format!("{GOOD}[toolsets.petstore.project]\n{project}\n")
}

#[test]
fn a_projection_belongs_to_the_tools_whose_names_fit_best() {
    let read = configuration(&with("\"*\" = \"name\"\n\"list*\" = \"[].name\"\n"));
    let snapshot = apply::preview(&read, NOW, &SystemRng);
    let known = read.objects.compiled();
    let catalogue =
        Catalogue::build(&snapshot, &Catalogue::default(), &known).expect("a catalogue");
    let toolset = catalogue.toolsets.values().next().expect("a toolset");
    for (name, published) in &toolset.tools {
        let projection = published
            .presentation
            .projection
            .as_ref()
            .expect("a projection");
        let expected = if name.starts_with("list") {
            "[].name"
        } else {
            "name"
        };
        assert_eq!(projection.as_str(), expected, "{name}");
    }
}

#[test]
fn a_bad_expression_is_told_with_its_place() {
    assert_eq!(
        fault(&with("\"list*\" = \"[].{name name}\"")),
        "n | the expression of `list*` cannot be used: expected ':' to follow key | write an expression of JMESPath, such as `[].{name: name, url: html_url}`"
    );
}

#[test]
fn check_tells_of_a_projection_that_no_tool_has() {
    let read = configuration(&with("\"nosuch*\" = \"name\""));
    let report = Report::of(&read, NOW, &SystemRng).expect("a report");
    assert_eq!(
        report.toolsets[0].warnings,
        ["`project` has an expression for `nosuch*`, but no tool of the toolset is named so"]
    );
}
