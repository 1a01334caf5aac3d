//! The document of all parameter styles, called with the values of the specification's table "Style Examples".
//!
//! The judges know too few styles to judge it; `tests/requests/styles.json` was made from the table by hand.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::Subject;
use super::call::Call;
use super::stage::Stage;
use crate::tools;
use crate::workspace::Workspace;

const FILE: &str = "tests/requests/styles.json";

/// The document.
pub(super) const STYLES: Subject = super::subject(
    "styles",
    "@readme/oas-examples/3.1/json/parameters-style.json",
    1,
);

/// A call, and what has to be sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    tool: String,
    /// Read by what makes the calls.
    #[serde(rename = "arguments")]
    _arguments: serde_json::Value,
    target: String,
    /// Those that are parameters, and the cookies.
    headers: BTreeMap<String, String>,
}

/// Makes the calls, and compares.
pub(super) fn compare(workspace: &Workspace, stage: &Stage<'_>) -> Result<()> {
    let file = workspace.root().join(FILE);
    let rows: Vec<Row> = serde_json::from_str(&tools::read(&file)?)
        .with_context(|| format!("{FILE} is not as it should be"))?;
    let calls = stage.given(&STYLES, &file)?;
    ensure!(
        !rows.is_empty() && rows.len() == calls.len(),
        "calls are missing"
    );
    let wrong = differences(&rows, &calls);
    let right = rows.len() - wrong.len();
    println!(
        "{}: {right} of {} calls as the table says",
        STYLES.slug,
        rows.len()
    );
    ensure!(
        wrong.is_empty(),
        "other than {FILE} says:\n{}",
        wrong.join("\n")
    );
    Ok(())
}

/// Names what was sent otherwise, or not at all.
fn differences(rows: &[Row], calls: &[Call]) -> Vec<String> {
    let pairs = rows.iter().zip(calls);
    let wrong = pairs.filter(|(row, call)| {
        let is_sent = |(name, value): (&String, &String)| call.header(name) == Some(value);
        call.target() != Some(&row.target) || !row.headers.iter().all(is_sent)
    });
    wrong
        .map(|(row, call)| format!("{}: {}", row.tool, call.shown()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_otherwise_than_the_table_says_is_named() {
        let row = |target: &str, headers: &[(&str, &str)]| Row {
            tool: "a".to_owned(),
            _arguments: serde_json::Value::Null,
            target: target.to_owned(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        let mut call = Call::sent("a", None, &[]);
        call.send_as("a=b");
        let calls = [call];
        for (row, wrong) in [
            (row("/", &[("content-type", "a=b")]), 0),
            (row("/other", &[]), 1),
            (row("/", &[("content-type", "a=c")]), 1),
            (row("/", &[("cookie", "a=b")]), 1),
        ] {
            assert_eq!(differences(&[row], &calls).len(), wrong);
        }
    }
}
