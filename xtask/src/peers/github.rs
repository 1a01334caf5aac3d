//! GitHub's own document in front of two APIs that know it: Prism, which makes answers up, and emulate, which keeps state.
//!
//! Prism judges every request by the document, `tests/github/judge.mjs` turns a violation into an error,
//! and `tests/github/calls.json` says what is called, `tests/emulate/github.json` what is called in a row.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::command;
use crate::node::Node;
use crate::peers::emulate::{self, TOKEN};
use crate::peers::gateway::{self, Gateway};
use crate::program::{Program, free_port};
use crate::workspace::Workspace;

/// The fewest calls that prove anything.
const LEAST_CALLS: usize = 10;

/// What `calls.mjs` prints.
#[derive(Deserialize)]
struct Report {
    tools: usize,
    results: Vec<Called>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Called {
    operation: String,
    is_error: bool,
    text: String,
}

/// Calls sampled tools against both APIs.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let node = Node::install(workspace)?;
    let scripts = workspace.root().join("tests/github");
    let folder = gateway::folder("github")?;
    let folder = folder.path();
    command::run(node.run(&scripts.join("documents.mjs")).arg(folder))?;
    let stack = Stack {
        node: &node,
        scripts: &scripts,
        folder,
    };

    let seed = scripts.join("emulate.yaml");
    let (stateful, emulate_port) = emulate::start(&node, folder, "github", &seed)?;
    let (prism_mock, mock_port) = stack.prism("mock", None)?;
    let (prism_proxy, proxy_port) = stack.prism("proxy", Some(emulate_port))?;
    let (judge_mock, mock_port) = stack.judge("mock", mock_port)?;
    let (judge_proxy, proxy_port) = stack.judge("proxy", proxy_port)?;
    let _running = [stateful, prism_mock, prism_proxy, judge_mock, judge_proxy];

    for port in [mock_port, proxy_port] {
        let slice = folder.join("slice.json");
        let mut control = node.run(&scripts.join("control.mjs"));
        let refused = command::output(control.arg(slice).arg(port.to_string()))
            .context("a judge that lets everything through proves nothing")?;
        println!("{} forbidden bodies refused", refused.trim());
    }

    let configuration = configuration(folder, mock_port, proxy_port);
    let gateway = Gateway::start(workspace, &configuration, &[("GITHUB_TOKEN", TOKEN)])?;
    for (toolset, flag) in [("mock", None), ("emulate", Some("--stateful"))] {
        let printed = command::output(
            node.run(&scripts.join("calls.mjs"))
                .arg(gateway.endpoint(toolset))
                .args(flag),
        )?;
        let report: Report = serde_json::from_str(&printed)
            .context("calls.mjs printed something else than a report")?;
        judge(&report)?;
        println!(
            "{toolset}: {} of {} tools called",
            report.results.len(),
            report.tools
        );
    }
    emulate::scenario(workspace, &node, "github", &gateway.endpoint("emulate"))
}

fn judge(report: &Report) -> Result<()> {
    ensure!(
        report.tools > 1000,
        "only {} tools are listed",
        report.tools
    );
    let failed: Vec<String> = report
        .results
        .iter()
        .filter(|called| called.is_error)
        .map(|called| format!("{}: {}", called.operation, called.text))
        .collect();
    ensure!(
        failed.is_empty(),
        "calls failed; `tests/github/calls.json` holds their arguments:\n{}",
        failed.join("\n")
    );
    ensure!(
        report.results.len() >= LEAST_CALLS,
        "only {} tools were called",
        report.results.len()
    );
    // Emulate takes a token that it does not know for the first user's.
    let decoy = report.results.iter().find(|it| it.text.contains("decoy"));
    ensure!(
        decoy.is_none(),
        "`{}` was called without the token of the environment",
        decoy.map_or("", |called| &called.operation)
    );
    Ok(())
}

/// What the APIs are started with.
struct Stack<'a> {
    node: &'a Node,
    scripts: &'a Path,
    folder: &'a Path,
}

impl Stack<'_> {
    /// Prism making answers up, or passing requests on to a port.
    fn prism(&self, mode: &str, upstream: Option<u16>) -> Result<(Program, u16)> {
        let port = free_port()?;
        let mut command = self.node.run(&self.node.package_file(".bin/prism"));
        command
            .args([mode, "--port", &port.to_string()])
            .arg(self.folder.join("slice.json"))
            .args(upstream.map(|port| format!("http://127.0.0.1:{port}")));
        Ok((
            self.start(&format!("prism-{mode}"), &mut command, port)?,
            port,
        ))
    }

    fn judge(&self, name: &str, upstream: u16) -> Result<(Program, u16)> {
        let port = free_port()?;
        let mut command = self.node.run(&self.scripts.join("judge.mjs"));
        command.args([port.to_string(), upstream.to_string()]);
        Ok((
            self.start(&format!("judge-{name}"), &mut command, port)?,
            port,
        ))
    }

    fn start(&self, name: &str, command: &mut Command, port: u16) -> Result<Program> {
        Program::start(name, command.current_dir(self.folder), port, self.folder)
    }
}

fn configuration(folder: &Path, mock_port: u16, proxy_port: u16) -> String {
    format!(
        r#"
[upstream]
allow = ["http://127.0.0.1:{mock_port}", "http://127.0.0.1:{proxy_port}"]

[documents.github]
file = "{}"

[environments.mock]
GITHUB_SERVER_URL = "http://127.0.0.1:{mock_port}"
GITHUB_TOKEN_env = "GITHUB_TOKEN"

[environments.emulate]
GITHUB_SERVER_URL = "http://127.0.0.1:{proxy_port}"
GITHUB_TOKEN_env = "GITHUB_TOKEN"

[toolsets.mock]
documents = ["github"]
environment = "mock"
inbound = ["open"]

[toolsets.emulate]
documents = ["github"]
environment = "emulate"
inbound = ["open"]
"#,
        folder.join("github.json").display()
    )
}
