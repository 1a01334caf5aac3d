//! `cargo xtask fuzz`: libFuzzer on what strangers write, from the committed corpora on, each target for a minute.
//!
//! What it finds new goes to the target folder, and into the committed corpora only where it is asked to; a crash fails the run and leaves its input in `fuzz/artifacts`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::steps::Steps;
use crate::workspace::Workspace;
use crate::{command, system, tools};

/// The targets in `fuzz/fuzz_targets`.
const TARGETS: [&str; 3] = ["document", "plan", "outcome"];

/// The longest input that is tried.
const MAX_BYTES: u32 = 64 << 10;

/// The longest input that is kept under version control.
const MAX_KEPT_BYTES: u64 = 4 << 10;

#[derive(clap::Args)]
pub(crate) struct FuzzArguments {
    /// The targets, of `document`, `plan` and `outcome`; all of them where absent
    targets: Vec<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Put what reaches more of the code into the committed corpora
    #[arg(long)]
    keep: bool,
}

/// Runs the targets and fails if one of them crashes.
pub(crate) fn run(workspace: &Workspace, arguments: &FuzzArguments) -> Result<()> {
    if let Some(unknown) = arguments
        .targets
        .iter()
        .find(|target| !TARGETS.contains(&target.as_str()))
    {
        bail!(
            "`{unknown}` is no target; choose among {}",
            TARGETS.join(", ")
        );
    }
    system::require(&[system::PYTHON], false)?;
    let fuzzer = Fuzzer::prepare(workspace)?;
    let mut steps = Steps::only(arguments.targets.clone());
    for target in TARGETS {
        steps.run(target, || fuzzer.fuzz(target, arguments));
    }
    steps.finish()
}

struct Fuzzer<'a> {
    workspace: &'a Workspace,
    program: PathBuf,
    /// The machine's own target: the program would build for the one that it was built for itself.
    host: String,
}

impl<'a> Fuzzer<'a> {
    fn prepare(workspace: &'a Workspace) -> Result<Self> {
        let version = Command::new("rustc").args(["+nightly", "-vV"]).output()?;
        ensure!(
            version.status.success(),
            "libFuzzer needs a nightly toolchain: rustup toolchain install nightly"
        );
        let version = String::from_utf8(version.stdout)?;
        let host = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .context("rustc does not say what it runs on")?;
        Ok(Self {
            workspace,
            program: tools::python_packages(workspace, "cargo-fuzz")?.join("bin/cargo-fuzz"),
            host: host.to_owned(),
        })
    }

    fn fuzz(&self, target: &str, arguments: &FuzzArguments) -> Result<()> {
        let found = self.folder().join("found").join(target);
        let corpus = self.corpus(target);
        std::fs::create_dir_all(&found)?;
        let mut fuzz = self.command("run", target);
        fuzz.arg(&found).arg(&corpus);
        if target == "document" {
            let documents = "crates/portcullis-openapi/tests/documents";
            fuzz.arg(self.workspace.root().join(documents));
        }
        fuzz.arg("--").args([
            format!("-max_total_time={}", arguments.seconds),
            format!("-max_len={MAX_BYTES}"),
            "-timeout=5".to_owned(),
            "-rss_limit_mb=2048".to_owned(),
            "-print_final_stats=1".to_owned(),
            "-verbosity=0".to_owned(),
        ]);
        command::run(&mut fuzz)?;
        if arguments.keep {
            self.keep(target, &found, &corpus)?;
        }
        Ok(())
    }

    /// Adds the inputs that reach what no other one does, the short ones only.
    fn keep(&self, target: &str, found: &Path, corpus: &Path) -> Result<()> {
        command::run(self.command("cmin", target).arg(found))?;
        for entry in std::fs::read_dir(found)? {
            let entry = entry?;
            if entry.metadata()?.len() <= MAX_KEPT_BYTES {
                std::fs::copy(entry.path(), corpus.join(entry.file_name()))?;
            }
        }
        command::run(self.command("cmin", target).arg(corpus))
    }

    fn command(&self, action: &str, target: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["fuzz", action, "--fuzz-dir"])
            .arg(self.workspace.root().join("fuzz"))
            .arg("--target-dir")
            .arg(self.folder())
            .args(["--target", &self.host, target])
            .env("RUSTUP_TOOLCHAIN", "nightly");
        command
    }

    fn folder(&self) -> PathBuf {
        self.workspace.target().join("fuzz")
    }

    fn corpus(&self, target: &str) -> PathBuf {
        self.workspace.root().join("fuzz/corpus").join(target)
    }
}
