//! `cargo xtask check`: what can be judged without running the program.
//!
//! Advisories are not among it: their database is on a network that a checkout may not reach.

use std::process::Command;

use crate::steps::Steps;
use crate::workspace::Workspace;
use crate::{command, tidy, tools};

/// Adds the steps of `check` to a run.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps) {
    steps.run("tidy", || tidy::run(workspace));
    steps.run("fmt", || {
        command::run(workspace.cargo().args(["fmt", "--all", "--check"]))
    });
    steps.run("typos", || {
        let tools = tools::cargo_tools(workspace)?;
        command::run(Command::new(tools.join("typos")).current_dir(workspace.root()))
    });
    steps.run("deny", || {
        let tools = tools::cargo_tools(workspace)?;
        command::run(
            workspace
                .cargo()
                .args(["deny", "check", "bans", "licenses", "sources"])
                .env("PATH", command::path_with(&tools)?),
        )
    });
    steps.run("clippy", || {
        command::run(workspace.cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ]))
    });
    steps.run("doc", || {
        command::run(
            workspace
                .cargo()
                .args([
                    "doc",
                    "--workspace",
                    "--no-deps",
                    "--document-private-items",
                    "--locked",
                    "--quiet",
                ])
                .env("RUSTDOCFLAGS", "-D warnings"),
        )
    });
}
