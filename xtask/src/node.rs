//! Node and the npm packages of `tests/node` and `tests/bench`, in the project's own ignored folder.
//!
//! The peers need Node 22 or later; where the machine's is older, one comes from npm, which carries the binary.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;
use crate::{command, tools};

/// The oldest major version that all peers run on.
const OLDEST: u32 = 22;

/// What is fetched where the machine's is older.
const PINNED: &str = "24.21.0";

/// The files that say which packages are installed.
const MANIFEST: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// Node, and the packages installed for it.
pub(crate) struct Node {
    path: OsString,
    folder: PathBuf,
    packages: PathBuf,
}

impl Node {
    /// Installs the packages of `tests/node` that are not there yet.
    pub(crate) fn install(workspace: &Workspace) -> Result<Self> {
        let manifests = workspace.root().join("tests/node");
        let node = Self::install_from(workspace, &manifests, "node-packages")?;
        link(&node.packages, &workspace.root().join("tests/node_modules"))?;
        Ok(node)
    }

    /// As [`Node::install_from`], for the scripts that stand beside the manifest.
    pub(crate) fn install_beside(workspace: &Workspace, folder: &Path, name: &str) -> Result<Self> {
        let node = Self::install_from(workspace, folder, name)?;
        link(&node.packages, &folder.join("node_modules"))?;
        Ok(node)
    }

    /// Installs the packages that the files of `manifests` name into a folder called `name`, unless they are there.
    pub(crate) fn install_from(
        workspace: &Workspace,
        manifests: &Path,
        name: &str,
    ) -> Result<Self> {
        let path = path(workspace)?;
        let folder = workspace.tools().join(name);
        let mut wanted = String::new();
        for file in MANIFEST {
            wanted += &tools::read(&manifests.join(file))?;
        }
        tools::once(&folder, &wanted, || {
            for file in MANIFEST {
                fs::copy(manifests.join(file), folder.join(file))?;
            }
            command::run(
                Command::new("npm")
                    .args(["ci", "--ignore-scripts", "--loglevel=error"])
                    .current_dir(&folder)
                    .env("PATH", &path),
            )
        })?;
        let packages = folder.join("node_modules");
        Ok(Self {
            path,
            folder,
            packages,
        })
    }

    /// A command that runs a script.
    pub(crate) fn run(&self, script: &Path) -> Command {
        let mut command = Command::new("node");
        command.arg(script).env("PATH", &self.path);
        command
    }

    /// A `PATH` that has it.
    pub(crate) fn path(&self) -> &OsStr {
        &self.path
    }

    /// The folder that the packages are installed into.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file of an installed package.
    pub(crate) fn package_file(&self, path: &str) -> PathBuf {
        self.packages.join(path)
    }
}

/// Node looks for packages in the folders above a script; so the scripts find ours.
fn link(packages: &Path, link: &Path) -> Result<()> {
    if fs::read_link(link).is_ok_and(|target| target == packages) {
        return Ok(());
    }
    let _ = fs::remove_file(link);
    std::os::unix::fs::symlink(packages, link)
        .with_context(|| format!("cannot make {}", link.display()))
}

/// A `PATH` in which `node` is new enough.
fn path(workspace: &Workspace) -> Result<OsString> {
    if machine_version().is_some_and(|version| version >= OLDEST) {
        return Ok(std::env::var_os("PATH").unwrap_or_default());
    }
    let system = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        _ => bail!("Node {OLDEST} or later is missing; install it"),
    };
    let folder = workspace.tools().join("node");
    let package = format!("node-{system}@{PINNED}");
    tools::once(&folder, &package, || {
        command::run(
            Command::new("npm")
                .args([
                    "install",
                    "--no-save",
                    "--no-audit",
                    "--no-fund",
                    "--loglevel=error",
                    "--prefix",
                ])
                .arg(&folder)
                .arg(&package),
        )
    })?;
    command::path_with(&folder.join(format!("node_modules/node-{system}/bin")))
}

fn machine_version() -> Option<u32> {
    let version = command::output(Command::new("node").arg("--version")).ok()?;
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}
