//! The MCP conformance suite against a toolset whose tools bear the names it calls.
//!
//! `tests/conformance/expected-failures-<revision>.yaml` lists what cannot pass, each with its reason;
//! the suite fails on a failure that is not listed, and on a listed one that passes.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::command;
use crate::node::Node;
use crate::peers::gateway::{self, Gateway};
use crate::program::{Program, free_port};
use crate::workspace::Workspace;

/// The revisions whose requirements are run.
const REVISIONS: [&str; 2] = ["2025-11-25", "2026-07-28"];

/// Runs the requirements of each revision.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let node = Node::install(workspace)?;
    let folder = workspace.root().join("tests/conformance");

    let logs = gateway::folder("conformance")?;
    let port = free_port()?;
    let mut api = node.run(&folder.join("api.mjs"));
    let _api = Program::start("api", api.arg(port.to_string()), port, logs.path())?;

    let gateway = Gateway::start(workspace, &configuration(&folder, port), &[])?;
    let suite = node.package_file("@modelcontextprotocol/conformance/dist/index.js");
    for revision in REVISIONS {
        let expected = folder.join(format!("expected-failures-{revision}.yaml"));
        let results = gateway.folder().join(revision);
        let printed = command::output(
            node.run(&suite)
                .args(["server", "--url", &gateway.endpoint("conformance")])
                .args(["--requirements", revision, "--expected-failures"])
                .arg(&expected)
                .arg("--output-dir")
                .arg(&results)
                .current_dir(gateway.folder()),
        )
        .with_context(|| format!("requirements of {revision}"))?;
        println!("{revision}: {}", summary(&printed));
    }
    Ok(())
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

/// The line in which the suite counts.
fn summary(printed: &str) -> &str {
    printed
        .lines()
        .rev()
        .find(|line| line.contains("passed"))
        .unwrap_or("done")
        .trim()
}
