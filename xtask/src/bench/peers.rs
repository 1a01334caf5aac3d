//! What others build the same with: each in a folder of its own, pinned, and installed only when asked for.
//!
//! They serve the same tools of the same API to the same request; which token is good they are told in clear, without a store.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::running::{MEASURED_CORE, Running, pinned};
use crate::node::Node;
use crate::program::free_port;
use crate::workspace::Workspace;
use crate::{system, tools};

/// The bearer token that the peers accept.
pub(crate) const KEY: &str = "bench-key-that-the-peers-are-told";

/// The server that is written with the TypeScript SDK.
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
    node: Node,
}

impl Peers {
    /// Installs what is not there yet.
    pub(crate) fn install(workspace: &Workspace, install: bool) -> anyhow::Result<Self> {
        system::require(&[system::PYTHON, system::NPM], install)?;
        let scripts = workspace.root().join("tests/bench");
        let python = tools::python_packages(workspace, "bench-fastmcp")?.join("bin/python");
        let typescript = scripts.join("typescript-sdk");
        let node = Node::install_from(workspace, &typescript, "bench-typescript-sdk")?;
        // Node looks for packages beside the script.
        std::fs::copy(typescript.join(SCRIPT), node.folder().join(SCRIPT))
            .with_context(|| format!("cannot copy {SCRIPT}"))?;
        Ok(Self {
            scripts,
            python,
            node,
        })
    }

    /// Starts each with a document.
    pub(crate) fn start(&self, document: &Path) -> anyhow::Result<Vec<Peer>> {
        let mut fastmcp = pinned(MEASURED_CORE, &self.python);
        fastmcp.arg(self.scripts.join("fastmcp_server.py"));
        let mut typescript = pinned(MEASURED_CORE, "node");
        typescript
            .arg(self.node.folder().join(SCRIPT))
            .env("PATH", self.node.path());
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
}
