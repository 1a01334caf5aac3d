//! The programs of a soak, built, and how they are started and ended.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use super::clock::{self, Clock};
use super::{SoakArguments, http};
use crate::program::free_port;
use crate::workspace::Workspace;
use crate::{command, system};

/// How long a program may take until it answers.
const PATIENCE: Duration = Duration::from_mins(1);

/// How many files a program may have open: the sockets of a thousand calls, and some.
const OPEN_FILES: &str = "--nofile=4096:";

/// What every step works with.
pub(crate) struct Soak {
    pub(crate) days: u64,
    pub(crate) rounds: u64,
    pub(crate) gateway: PathBuf,
    bench: PathBuf,
    /// What everybody goes by, the database included.
    pub(crate) clock: Clock,
    folder: PathBuf,
    /// Goes with the soak, unless somebody wants to keep it.
    _folder: Option<TempDir>,
    _clock: TempDir,
}

impl Soak {
    /// Builds the programs and looks for what else is needed.
    pub(crate) fn prepare(workspace: &Workspace, arguments: &SoakArguments) -> Result<Self> {
        let needed = [
            system::POSTGRES,
            system::FAKETIME,
            system::PRLIMIT,
            system::NGINX,
        ];
        system::require(&needed, arguments.install)?;
        let own = std::process::id().to_string();
        command::run(Command::new("prlimit").args(["--pid", &own, OPEN_FILES]))?;
        let (profile, folder) = if arguments.debug {
            (&["--workspace", "--bins"][..], "debug")
        } else {
            let packages = &["--release", "-p", "portcullis", "-p", "portcullis-bench"];
            (&packages[..], "release")
        };
        let mut cargo = workspace.cargo();
        command::run(cargo.args(["build", "--locked", "--quiet"]).args(profile))?;
        let built = workspace.target().join(folder);
        let temporary = match &arguments.folder {
            Some(_) => None,
            None => Some(
                tempfile::Builder::new()
                    .prefix("portcullis-soak-")
                    .tempdir()?,
            ),
        };
        let folder = match (&arguments.folder, &temporary) {
            (Some(folder), _) => folder.clone(),
            (None, Some(folder)) => folder.path().to_owned(),
            (None, None) => bail!("no folder for the soak"),
        };
        fs::create_dir_all(&folder)?;
        // The database's own user reads it, too.
        let clock = tempfile::Builder::new()
            .prefix("portcullis-clock-")
            .permissions(Permissions::from_mode(0o755))
            .tempdir()?;
        let library = system::faketime_library().context("libfaketime is not there")?;
        Ok(Self {
            days: arguments.days,
            rounds: arguments.rounds,
            gateway: built.join("portcullis"),
            bench: built.join("portcullis-bench"),
            clock: Clock::new(clock.path().join("clock"), &library, 0)?,
            folder: fs::canonicalize(folder)?,
            _folder: temporary,
            _clock: clock,
        })
    }

    /// Makes an empty folder for a step.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Makes a command of the program that plays everybody but the gateway.
    pub(crate) fn play(&self, part: &str) -> Command {
        let mut command = Command::new(&self.bench);
        command.arg(part);
        self.clock.apply(&mut command);
        command
    }

    /// Starts a provider.
    pub(crate) fn provider(&self, folder: &Path, arguments: &[&str]) -> Result<SoakProvider> {
        let port = free_port()?;
        let mut command = self.play("soak-provider");
        command.arg(port.to_string()).args(arguments);
        let running = Running::start(command, port, "/journal", &folder.join("provider.log"))?;
        Ok(SoakProvider { port, running })
    }
}

/// A provider that tells what it was asked.
pub(crate) struct SoakProvider {
    pub(crate) port: u16,
    #[expect(dead_code, reason = "it is held so that it runs")]
    running: Running,
}

/// What a provider was asked so far.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
pub(crate) struct Journal {
    pub(crate) refreshes: u64,
    pub(crate) refused: u64,
    pub(crate) denied: u64,
}

impl SoakProvider {
    /// Asks what it was asked.
    pub(crate) fn journal(&self) -> Result<Journal> {
        http::json(self.port, "/journal")
    }

    /// Where it is.
    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// A process that answers on a port; dropping it kills it.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Starts a program, what it prints at the end of a file, and waits until it answers `path` with 200.
    pub(crate) fn start(command: Command, port: u16, path: &str, log: &Path) -> Result<Self> {
        let mut running = Self::spawn(command, log)?;
        running.wait(port, path, log)?;
        Ok(running)
    }

    /// Starts a program without waiting for it.
    pub(crate) fn spawn(mut command: Command, log: &Path) -> Result<Self> {
        let output = OpenOptions::new().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self { child })
    }

    /// Asks the program to stop, and waits until it has.
    pub(crate) fn stop(&mut self) -> Result<()> {
        command::run(Command::new("kill").arg(self.child.id().to_string()))?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until the program answers `path` with 200.
    pub(crate) fn wait(&mut self, port: u16, path: &str, log: &Path) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if http::get(port, path).is_ok_and(|(status, _)| status == 200) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                let told = fs::read_to_string(log).unwrap_or_default();
                let last: Vec<&str> = told.lines().rev().take(5).collect();
                bail!("a program ended with {status}:\n{}", last.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        bail!(
            "nothing answered on port {port} in {PATIENCE:?}; see {}",
            log.display()
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
        clock::forget(self.child.id());
    }
}
