//! Where things are: the root of the workspace, and the ignored folder for tools.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::command;

/// The folders a run works with.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

#[derive(Deserialize)]
struct CargoMetadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

impl Workspace {
    /// Asks Cargo where the workspace and its target folder are.
    pub(crate) fn find() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let text = command::output(
            Command::new(cargo())
                .args([
                    "metadata",
                    "--no-deps",
                    "--format-version=1",
                    "--manifest-path",
                ])
                .arg(manifest),
        )?;
        let metadata: CargoMetadata = serde_json::from_str(&text)
            .context("cargo metadata printed something else than expected")?;
        Ok(Self {
            root: metadata.workspace_root,
            target: metadata.target_directory,
        })
    }

    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that Cargo builds into.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The folder, ignored by git, for everything that is downloaded.
    pub(crate) fn tools(&self) -> PathBuf {
        self.root.join(".tools")
    }

    /// A `cargo` command that runs in the root of the workspace.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(cargo());
        command.current_dir(&self.root);
        command
    }

    /// Builds what the tests are and run.
    ///
    /// The whole workspace with all its targets at once: a package built alone gives its dependencies other features,
    /// and Cargo builds those once more.
    pub(crate) fn build(&self) -> Result<()> {
        command::run(self.cargo().args([
            "build",
            "--workspace",
            "--all-targets",
            "--locked",
            "--quiet",
        ]))
    }

    /// The files git tracks or would track, as paths relative to the root, in order.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        let listing = command::output(Command::new("git").current_dir(&self.root).args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "--deduplicate",
        ]))?;
        let mut files: Vec<String> = listing
            .lines()
            .filter(|path| self.root.join(path).is_file())
            .map(str::to_owned)
            .collect();
        files.sort();
        Ok(files)
    }
}

fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
