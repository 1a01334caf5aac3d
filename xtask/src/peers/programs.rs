//! The client programs of `tests/clients`: how they are installed and started, and what they print.
//!
//! The README there is the contract; here is its other side.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::node::Node;
use crate::workspace::Workspace;
use crate::{command, tools};

/// Longer than any client takes, and shorter than one that waits for a browser that never comes.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a client prints.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) client: String,
    pub(crate) version: String,
    pub(crate) protocol_version: Option<String>,
    pub(crate) tools: Vec<String>,
    pub(crate) result: Value,
}

impl Report {
    /// The revision that was negotiated, for people.
    pub(crate) fn revision(&self) -> &str {
        self.protocol_version
            .as_deref()
            .unwrap_or("revision untold")
    }

    /// The text of the result, which is JSON.
    pub(crate) fn answer(&self) -> Result<Value> {
        let result = &self.result;
        ensure!(
            result.get("isError") != Some(&Value::Bool(true)),
            "the call failed: {result}"
        );
        let text = result.pointer("/content/0/text").and_then(Value::as_str);
        let text = text.with_context(|| format!("the result has no text: {result}"))?;
        let answer: Value =
            serde_json::from_str(text).with_context(|| format!("the text is not JSON: {text}"))?;
        // Revisions before 2025-06-18 know no structured content.
        if let Some(structured) = result.get("structuredContent") {
            ensure!(
                *structured == answer,
                "structured content and text differ: {result}"
            );
        }
        Ok(answer)
    }
}

/// What runs a client.
#[derive(Clone, Copy)]
pub(crate) enum Engine {
    Node,
    Python,
    Cargo,
}

/// A client, in the folder of its name.
#[derive(Clone, Copy)]
pub(crate) struct Client {
    pub(crate) name: &'static str,
    pub(crate) engine: Engine,
}

pub(crate) const TYPESCRIPT_V1: Client = node("typescript-v1");
pub(crate) const TYPESCRIPT_V2: Client = node("typescript-v2");
pub(crate) const INSPECTOR: Client = node("inspector");
pub(crate) const MCP_REMOTE: Client = node("mcp-remote");
pub(crate) const PYTHON_MCP: Client = python("python-mcp");
pub(crate) const PYTHON_MCP_V1: Client = python("python-mcp-v1");
pub(crate) const PYTHON_FASTMCP: Client = python("python-fastmcp");
pub(crate) const RMCP: Client = Client {
    name: "rmcp",
    engine: Engine::Cargo,
};

const fn node(name: &'static str) -> Client {
    Client {
        name,
        engine: Engine::Node,
    }
}

const fn python(name: &'static str) -> Client {
    Client {
        name,
        engine: Engine::Python,
    }
}

/// How the clients are installed and started.
pub(crate) struct Programs<'a> {
    workspace: &'a Workspace,
    node: &'a Node,
    scripts: PathBuf,
}

impl<'a> Programs<'a> {
    /// Finds the programs.
    pub(crate) fn new(workspace: &'a Workspace, node: &'a Node) -> Self {
        Self {
            workspace,
            node,
            scripts: workspace.root().join("tests/clients"),
        }
    }

    /// The folder that they are in.
    pub(crate) fn folder(&self) -> &Path {
        &self.scripts
    }

    /// Installs the packages of a client that are not there yet.
    pub(crate) fn install(&self, client: Client) -> Result<()> {
        let folder = self.scripts.join(client.name);
        let name = format!("client-{}", client.name);
        match client.engine {
            Engine::Node => {
                Node::install_beside(self.workspace, &folder, &name)?;
            }
            Engine::Python => {
                let requirements = folder.join("requirements.txt");
                tools::python_packages_of(self.workspace, &requirements, &name)?;
            }
            // Built with the workspace, and pinned by its lock file.
            Engine::Cargo => {}
        }
        Ok(())
    }

    /// A command that runs a client, without its arguments.
    pub(crate) fn command(&self, client: Client) -> Command {
        let folder = self.scripts.join(client.name);
        let name = format!("client-{}", client.name);
        match client.engine {
            Engine::Node => self.node.run(&folder.join("client.mjs")),
            Engine::Python => {
                let environment = self.workspace.tools().join(name);
                let mut command = Command::new(environment.join("bin/python"));
                command
                    .arg(folder.join("client.py"))
                    .env("PYTHONPATH", &self.scripts)
                    .env("PYTHONDONTWRITEBYTECODE", "1");
                command
            }
            Engine::Cargo => Command::new(self.workspace.target().join("debug").join(name)),
        }
    }
}

/// Has a client list all tools of an endpoint and call one.
pub(crate) fn call(
    mut program: Command,
    endpoint: &str,
    tool: &str,
    arguments: &Map<String, Value>,
) -> Result<Report> {
    let arguments = serde_json::to_string(arguments)?;
    program.args([endpoint, tool, &arguments]);
    let printed = command::output_within(&mut program, PATIENCE)?;
    let line = printed
        .lines()
        .last()
        .context("the client printed nothing")?;
    serde_json::from_str(line)
        .with_context(|| format!("the client printed something else than a report: {line}"))
}
