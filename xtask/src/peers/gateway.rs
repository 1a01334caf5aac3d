//! The gateway as people get it: the built binary, a configuration file, a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::command;
use crate::program::{Program, free_port};
use crate::workspace::Workspace;

/// A gateway that serves.
pub(crate) struct Gateway {
    program: Program,
    binary: PathBuf,
    configuration: PathBuf,
    port: u16,
    /// Where the configuration, the database and the logs are; goes last.
    folder: TempDir,
}

impl Gateway {
    /// Builds the binary, writes the configuration behind the listener's part, and serves it.
    ///
    /// `environment` holds the values that the configuration names by `…_env`.
    pub(crate) fn start(
        workspace: &Workspace,
        configuration: &str,
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        Self::start_on(workspace, free_port()?, configuration, environment)
    }

    /// As [`Gateway::start`], on a port that others had to know before.
    pub(crate) fn start_on(
        workspace: &Workspace,
        port: u16,
        configuration: &str,
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let binary = build(workspace)?;
        let folder = folder("gateway")?;
        let file = folder.path().join("portcullis.toml");
        fs::write(
            &file,
            format!(
                "data_dir = \"data\"\n\n[listener]\nlisten = [\"127.0.0.1:{port}\"]\n\n{configuration}"
            ),
        )?;
        let program = Program::start(
            "gateway",
            Command::new(&binary)
                .arg("serve")
                .arg(&file)
                .envs(environment.iter().copied()),
            port,
            folder.path(),
        )?;
        Ok(Self {
            program,
            binary,
            configuration: file,
            port,
            folder,
        })
    }

    /// The MCP endpoint of a toolset.
    pub(crate) fn endpoint(&self, toolset: &str) -> String {
        format!("http://127.0.0.1:{}/{toolset}/mcp", self.port)
    }

    /// Makes an API key that is good for all toolsets.
    pub(crate) fn api_key(&self) -> Result<String> {
        let printed = command::output(
            Command::new(&self.binary)
                .args(["key", "create", "tests", "--config"])
                .arg(&self.configuration),
        )?;
        printed
            .split_whitespace()
            .find(|word| word.starts_with("pc_key_"))
            .map(str::to_owned)
            .context("`portcullis key create` printed no key")
    }

    /// What the gateway has logged so far.
    pub(crate) fn log(&self) -> String {
        self.program.output()
    }

    /// A folder that goes when the gateway goes.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Builds the binary of the development profile and returns its path.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    workspace.build()?;
    Ok(workspace.target().join("debug/portcullis"))
}

/// A temporary folder whose name says what it is for.
pub(crate) fn folder(purpose: &str) -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix(&format!("portcullis-{purpose}-"))
        .tempdir()
        .context("cannot make a temporary folder")
}
