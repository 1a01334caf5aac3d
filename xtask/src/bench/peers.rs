//! What others build the same with: each in a folder of its own, pinned, and installed only when asked for.
//!
//! The MCP servers serve the same tools of the same API to the same request; which token is good they are told in clear, without a store.
//! The authorization server keeps what it knows in memory.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::parts::{Import, json};
use super::running::{MEASURED_CORE, Running, pinned};
use crate::node::Node;
use crate::program::free_port;
use crate::workspace::Workspace;
use crate::{system, tools};

/// The bearer token that the peers accept.
pub(crate) const KEY: &str = "bench-key-that-the-peers-are-told";

/// What W2 compares with.
pub(crate) const AUTHORIZATION_SERVER: &str = "oidc-provider, in memory";

/// The program of each peer that runs on Node.
const SCRIPT: &str = "server.mjs";

/// A peer that serves.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) running: Running,
}

impl Peer {
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.running.port)
    }
}

/// The peers, installed.
pub(crate) struct Peers {
    scripts: PathBuf,
    python: PathBuf,
    /// With the version of `FastMCP` whose import is measured.
    importing: PathBuf,
    typescript_sdk: Node,
    oidc_provider: Node,
}

impl Peers {
    /// Installs what is not there yet.
    pub(crate) fn install(workspace: &Workspace, install: bool) -> anyhow::Result<Self> {
        system::require(&[system::PYTHON, system::NPM], install)?;
        let scripts = workspace.root().join("tests/bench");
        let python = tools::python_packages(workspace, "bench-fastmcp")?.join("bin/python");
        let importing = tools::python_packages(workspace, "bench-fastmcp-openapi")?;
        Ok(Self {
            python,
            importing: importing.join("bin/python"),
            typescript_sdk: on_node(workspace, &scripts, "typescript-sdk")?,
            oidc_provider: on_node(workspace, &scripts, "oidc-provider")?,
            scripts,
        })
    }

    /// Starts each with a document.
    pub(crate) fn start(&self, document: &Path) -> anyhow::Result<Vec<Peer>> {
        let mut fastmcp = pinned(MEASURED_CORE, &self.python);
        fastmcp.arg(self.scripts.join("fastmcp_server.py"));
        let typescript = script(&self.typescript_sdk);
        [("FastMCP", fastmcp), ("TypeScript SDK", typescript)]
            .into_iter()
            .map(|(name, mut command)| {
                let port = free_port()?;
                command.arg(port.to_string()).arg(document);
                command.env("BENCH_KEY", KEY);
                let running = Running::start(command, port, "/mcp")?;
                Ok(Peer { name, running })
            })
            .collect()
    }

    /// Has `FastMCP` make tools of a document, once.
    pub(crate) fn import(&self, document: &Path) -> anyhow::Result<Import> {
        let mut command = pinned(MEASURED_CORE, &self.importing);
        command.arg(self.scripts.join("fastmcp_import.py"));
        command.arg(document).arg("1");
        json(command)
    }

    /// Starts the authorization server; the API that its tokens open is in it.
    pub(crate) fn authorization_server(&self) -> anyhow::Result<Peer> {
        let port = free_port()?;
        let mut command = script(&self.oidc_provider);
        command.arg(port.to_string());
        Ok(Peer {
            name: AUTHORIZATION_SERVER,
            running: Running::start(command, port, "/.well-known/openid-configuration")?,
        })
    }
}

/// Installs the packages of a peer, and puts its program beside them, where Node looks for them.
fn on_node(workspace: &Workspace, scripts: &Path, name: &str) -> anyhow::Result<Node> {
    let folder = scripts.join(name);
    let node = Node::install_from(workspace, &folder, &format!("bench-{name}"))?;
    std::fs::copy(folder.join(SCRIPT), node.folder().join(SCRIPT))
        .with_context(|| format!("cannot copy {SCRIPT} of {name}"))?;
    Ok(node)
}

/// Makes the command that runs the program of a peer.
fn script(node: &Node) -> Command {
    let mut command = pinned(MEASURED_CORE, "node");
    command
        .arg(node.folder().join(SCRIPT))
        .env("PATH", node.path());
    command
}
