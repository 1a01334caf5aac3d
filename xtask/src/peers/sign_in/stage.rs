//! What people sign in with and at: the providers, the APIs behind, and the gateway between.
//!
//! `tests/sign-in` holds their programs and documents; all are on loopback, on ports of the run's own.

mod outside;
mod providers;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::toolset::Toolset;
use crate::node::Node;
use crate::peers::gateway::{self, Gateway};
use crate::program::{Program, Start, free_port};
use crate::tools;
use crate::workspace::Workspace;

use outside::Outside;
use providers::Providers;

/// What `tests/sign-in/people.mjs` calls us.
pub(super) const CLIENT_ID: &str = "portcullis";
pub(super) const CLIENT_SECRET: &str = "secret-of-portcullis-at-the-provider";

/// The key of the API where people only sign in.
pub(super) const LIBRARY_KEY: &str = "key-of-the-library";

/// Everything that runs; goes as a whole.
pub(super) struct Stage {
    gateway: Gateway,
    origin: String,
    library: String,
    outside: Outside,
    _programs: Vec<Program>,
    /// Logs and documents; goes last.
    folder: TempDir,
}

impl Stage {
    /// Starts the providers, the APIs and the gateway.
    pub(super) fn start(workspace: &Workspace, node: &Node) -> Result<Self> {
        let (gateway_port, library_port) = (free_port()?, free_port()?);
        let (providers, outside) = (Providers::free()?, Outside::free()?);
        let folder = gateway::folder("sign-in")?;
        // What people get who say nothing: a name for us, and numbers for the others, which a browser takes for other sites.
        let origin = format!("http://localhost:{gateway_port}");
        let scripts = Scripts {
            node,
            tests: workspace.root().join("tests"),
            gateway: &origin,
        };
        let python = tools::python_packages(workspace, "canaille")?;
        let mut starts = outside.programs(&scripts, &python);
        starts.extend(providers.programs(&scripts));
        starts.push(library(&scripts, library_port));
        let programs = Program::start_all(starts, folder.path())?;
        providers.write_documents(&scripts.file("sign-in/documents"), folder.path())?;
        outside.write(&scripts, &gateway::build(workspace)?, folder.path())?;
        let library = self::origin(library_port);
        let configuration = [
            allowed(
                providers.origins().into_iter().chain(outside.origins()),
                &library,
            ),
            providers.configuration(folder.path()),
            outside.configuration(folder.path()),
            library_configuration(&scripts.file("clients/library.yaml"), &library),
            Toolset::ALL.map(Toolset::published).concat(),
        ];
        let environment = [
            ("PROVIDER_SECRET", CLIENT_SECRET),
            ("LIBRARY_KEY", LIBRARY_KEY),
        ];
        let gateway = Gateway::start_on(
            workspace,
            gateway_port,
            &configuration.concat(),
            &environment,
        )?;
        Ok(Self {
            gateway,
            origin,
            library,
            outside,
            _programs: programs,
            folder,
        })
    }

    /// Our issuer.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// The MCP endpoint of a toolset, by the name that we publish.
    pub(super) fn endpoint(&self, toolset: Toolset) -> String {
        format!("{}/{}/mcp", self.origin, toolset.slug())
    }

    /// The toolsets whose providers name whom a token is for, each with the origin of its API and what that gets.
    pub(super) fn with_audiences(&self) -> [(Toolset, String, &'static str); 5] {
        self.outside.with_audiences()
    }

    /// The origin of the API behind [`Toolset::Library`].
    pub(super) fn library(&self) -> &str {
        &self.library
    }

    /// A folder that goes when the rest goes.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the gateway has logged so far.
    pub(super) fn log(&self) -> String {
        self.gateway.log()
    }
}

/// Has a command open the browser that nobody sees, and keep what it keeps in a folder.
pub(super) fn with_stand_in(
    command: &mut Command,
    workspace: &Workspace,
    node: &Node,
    folder: &Path,
) -> Result<()> {
    let desktop = workspace.root().join("tests/sign-in/desktop");
    let path = std::iter::once(desktop.clone()).chain(std::env::split_paths(node.path()));
    let path = std::env::join_paths(path).context("a folder of PATH has a colon in its name")?;
    command
        .env("PATH", path)
        .env("BROWSER", desktop.join("xdg-open"))
        .env("TMPDIR", folder);
    // A real desktop has ways of its own.
    for variable in [
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "XDG_CURRENT_DESKTOP",
        "DESKTOP_SESSION",
        "KDE_FULL_SESSION",
        "GNOME_DESKTOP_SESSION_ID",
    ] {
        command.env_remove(variable);
    }
    Ok(())
}

/// Where the programs are, and what they are told of the gateway.
struct Scripts<'a> {
    node: &'a Node,
    tests: PathBuf,
    gateway: &'a str,
}

impl Scripts<'_> {
    /// A file of `tests`.
    fn file(&self, path: &str) -> PathBuf {
        self.tests.join(path)
    }

    /// A command that runs a script of `tests`.
    fn node(&self, path: &str) -> Command {
        self.node.run(&self.file(path))
    }

    fn gateway(&self) -> &str {
        self.gateway
    }
}

fn library(scripts: &Scripts<'_>, port: u16) -> Start {
    let mut command = scripts.node("clients/library.mjs");
    command
        .arg(port.to_string())
        .env("LIBRARY_KEY", LIBRARY_KEY);
    Start {
        name: "library",
        command,
        port,
    }
}

fn allowed(origins: impl Iterator<Item = String>, library: &str) -> String {
    let origins: Vec<_> = origins.map(|origin| format!("\"{origin}\"")).collect();
    format!(
        "\n[upstream]\nallow = [{}, \"{library}\"]\n",
        origins.join(", ")
    )
}

fn library_configuration(document: &Path, origin: &str) -> String {
    let document = document.display();
    format!(
        r#"
[documents.library]
file = "{document}"

[environments.library]
LIBRARY_SERVER_URL = "{origin}"
LIBRARY_LIBRARY_KEY_env = "LIBRARY_KEY"
"#
    )
}

fn origin(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
