//! The MCP conformance suite against a toolset whose tools bear the names it calls.
//!
//! `tests/conformance/expected-failures-<revision>.yaml` lists what cannot pass, each with its reason;
//! the suite fails on a failure that is not listed, and on a listed one that passes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::node::Node;
use crate::peers::gateway::{self, Gateway};
use crate::program::{Program, free_port};
use crate::tools;
use crate::workspace::Workspace;

/// A revision, how many scenarios it requires of a server, and how many of them pass in every check.
struct Revision {
    name: &'static str,
    required: usize,
    passing: usize,
}

const REVISIONS: [Revision; 2] = [
    Revision {
        name: "2025-11-25",
        required: 30,
        passing: 15,
    },
    Revision {
        name: "2026-07-28",
        required: 37,
        passing: 18,
    },
];

/// Runs the requirements of each revision.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let node = Node::install(workspace)?;
    let folder = workspace.root().join("tests/conformance");

    let logs = gateway::folder("conformance")?;
    let port = free_port()?;
    let mut api = node.run(&folder.join("api.mjs"));
    let _api = Program::start("api", api.arg(port.to_string()), port, logs.path())?;

    let gateway = Gateway::start(workspace, &configuration(&folder, port), &[])?;
    let package = node.package_file("@modelcontextprotocol/conformance");
    for revision in REVISIONS {
        let expected = folder.join(format!("expected-failures-{}.yaml", revision.name));
        let results = gateway.folder().join(revision.name);
        let mut command = node.run(&package.join("dist/index.js"));
        command
            .args(["server", "--url", &gateway.endpoint("conformance")])
            .args(["--requirements", revision.name, "--expected-failures"])
            .arg(&expected)
            .arg("--output-dir")
            .arg(&results)
            .current_dir(gateway.folder());
        let requirements = package.join(format!("requirements/{}.yaml", revision.name));
        judge(
            &mut command,
            &revision,
            [&expected, &requirements, &results],
        )
        .with_context(|| format!("requirements of {}", revision.name))?;
    }
    Ok(())
}

fn judge(
    suite: &mut Command,
    revision: &Revision,
    [expected, requirements, results]: [&Path; 3],
) -> Result<()> {
    let output = suite.stdin(Stdio::null()).output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let summary = printed.split_once("=== SUMMARY ===");
    let Some((_, summary)) = summary else {
        bail!(
            "the suite came to no end ({}):\n{printed}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let required = scenarios(&entries(of_servers(&tools::read(requirements)?)));
    let listed = entries(&tools::read(expected)?);
    if !output.status.success() {
        bail!(
            "{}\n{}\nA failure that is new is a defect to mend; one that is gone is a line to take out of {}.",
            summary.trim(),
            failures(results, &required, &listed)?,
            expected.display()
        );
    }
    let run = run_scenarios(summary);
    let left_out: Vec<&String> = required.difference(&run).collect();
    ensure!(
        left_out.is_empty(),
        "the suite did not run {left_out:?}, which it requires itself"
    );
    let failing = required.intersection(&scenarios(&listed)).count();
    let passing = required.len() - failing;
    ensure!(
        (required.len(), passing) == (revision.required, revision.passing),
        "{passing} of {} required scenarios pass, and {} of {} are expected; \
         `xtask/src/peers/conformance.rs` holds these numbers",
        required.len(),
        revision.passing,
        revision.required,
    );
    println!(
        "{}: {passing} of {} required scenarios pass; why the others cannot stands in {}",
        revision.name,
        required.len(),
        expected.display()
    );
    Ok(())
}

/// The scenarios that the summary tells of.
fn run_scenarios(summary: &str) -> BTreeSet<String> {
    summary
        .lines()
        .filter_map(|line| line.strip_prefix(['✓', '✗'])?.split(':').next())
        .map(|name| name.trim().to_owned())
        .collect()
}

/// The part of a suite's requirements that is about servers.
fn of_servers(requirements: &str) -> &str {
    let (_, servers) = requirements.split_once("\nserver:\n").unwrap_or_default();
    servers.split("\n\n").next().unwrap_or_default()
}

/// What a list names: a scenario, or one check of a scenario as `scenario:check`.
fn entries(list: &str) -> BTreeSet<String> {
    list.lines()
        .filter_map(|line| line.trim_start().strip_prefix("- ")?.split(' ').next())
        .map(str::to_owned)
        .collect()
}

fn scenarios(entries: &BTreeSet<String>) -> BTreeSet<String> {
    let scenario = |entry: &String| entry.split(':').next().map(str::to_owned);
    entries.iter().filter_map(scenario).collect()
}

/// What the suite says about each failed check of a required scenario that nobody listed.
fn failures(
    results: &Path,
    required: &BTreeSet<String>,
    listed: &BTreeSet<String>,
) -> Result<String> {
    let mut told = Vec::new();
    for entry in fs::read_dir(results)? {
        let folder = entry?.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let is_of = |scenario: &&String| name.starts_with(&format!("server-{scenario}-20"));
        let Some(scenario) = required.iter().find(is_of) else {
            continue;
        };
        let checks: Vec<Value> = serde_json::from_str(&tools::read(&folder.join("checks.json"))?)?;
        for check in checks {
            let text = |key| check.get(key).and_then(Value::as_str).unwrap_or_default();
            let of_check = format!("{scenario}:{}", text("id"));
            let is_listed = listed.contains(scenario) || listed.contains(&of_check);
            if matches!(text("status"), "FAILURE" | "WARNING") && !is_listed {
                told.push(format!("{of_check}: {}", text("errorMessage")));
            }
        }
    }
    Ok(told.join("\n"))
}

fn configuration(folder: &Path, port: u16) -> String {
    format!(
        r#"
[upstream]
allow = ["http://127.0.0.1:{port}"]

[documents.conformance]
file = "{}"

[environments.tests]
CONFORMANCE_SERVER_URL = "http://127.0.0.1:{port}"

[toolsets.conformance]
documents = ["conformance"]
environment = "tests"
inbound = ["open"]
"#,
        folder.join("fixture.yaml").display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_read_from_the_summary() {
        let summary = "
✓ ping: 2 passed, 0 failed
✗ server-stateless: 23 passed, 2 failed

Total: 25 passed, 2 failed

Expected failures (in baseline):
  ~ server-stateless:check
";
        let names = ["ping", "server-stateless"].map(str::to_owned);
        assert_eq!(run_scenarios(summary), BTreeSet::from(names));
    }

    #[test]
    fn a_scenario_is_listed_as_a_whole_or_for_one_check() {
        let text = "# why\nserver:\n  - tools-call # why\n  - server-stateless:check # why\n\nclient:\n  - other\n";
        let names = ["server-stateless", "tools-call"].map(str::to_owned);
        let listed = entries(of_servers(text));
        assert_eq!(scenarios(&listed), BTreeSet::from(names));
        assert!(listed.contains("server-stateless:check"));
    }
}
