//! A throw-away PostgreSQL cluster: made in a temporary folder, reached on loopback, gone at the end.
//!
//! PostgreSQL refuses to run as root, so there it runs as the user `postgres`, whom the server's package brings.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::program::free_port;
use crate::{command, system};

/// The variable in which tests find the cluster; each test makes a database of its own in it.
pub(crate) const URL_VARIABLE: &str = "PORTCULLIS_TEST_POSTGRES_URL";

/// A running cluster; dropping it stops the server and removes its files.
pub(crate) struct Cluster {
    folder: TempDir,
    server: Child,
    /// What started the server.
    command: Command,
    port: u16,
}

impl Cluster {
    /// Makes a cluster of which nothing is worth keeping, and waits until it answers.
    pub(crate) fn start() -> Result<Self> {
        Self::with(&FAST)
    }

    /// Makes a cluster that keeps what it was told.
    pub(crate) fn durable() -> Result<Self> {
        Self::with(&[])
    }

    /// As [`Cluster::start`], of a server with variables in its environment, by which its clock can be turned.
    pub(crate) fn by_clock(variables: &[(&str, OsString)]) -> Result<Self> {
        Self::in_environment(&FAST, variables)
    }

    /// As [`Cluster::by_clock`], of a server that keeps what it was told, whatever befalls it.
    pub(crate) fn durable_by_clock(variables: &[(&str, OsString)]) -> Result<Self> {
        Self::in_environment(&[], variables)
    }

    /// Makes a cluster with further settings of the server.
    pub(crate) fn with(more: &[&str]) -> Result<Self> {
        Self::in_environment(more, &[])
    }

    fn in_environment(more: &[&str], variables: &[(&str, OsString)]) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("portcullis-postgres-")
            .tempdir()?;
        if system::is_root() {
            command::run(Command::new("chown").arg("postgres").arg(folder.path()))?;
        }
        let cluster = folder.path().join("cluster");
        command::output(
            as_postgres("initdb")?
                .args([
                    "--no-sync",
                    "--auth=trust",
                    "--username=postgres",
                    "--encoding=UTF8",
                    "--locale=C",
                ])
                .arg("--pgdata")
                .arg(&cluster),
        )?;
        let port = free_port()?;
        let mut command = as_postgres_in("postgres", variables)?;
        command
            .arg("-D")
            .arg(&cluster)
            .arg("-k")
            .arg(folder.path())
            .args(settings(port, more));
        let log = std::fs::File::create(folder.path().join("log"))?;
        let server = spawn(&mut command, log)?;
        let mut running = Self {
            folder,
            server,
            command,
            port,
        };
        running.wait()?;
        Ok(running)
    }

    /// Ends the server as if it had crashed, and starts it again.
    pub(crate) fn crash(&mut self) -> Result<()> {
        self.stop()?;
        self.start_again()
    }

    fn start_again(&mut self) -> Result<()> {
        let log = std::fs::File::options();
        let log = log
            .clone()
            .append(true)
            .open(self.folder.path().join("log"))?;
        self.server = spawn(&mut self.command, log)?;
        self.wait()
    }

    /// Starts a copy of the server that has every commit before it is answered, by whatever clock `variables` turn.
    pub(crate) fn standby(&self, variables: &[(&str, OsString)]) -> Result<Standby> {
        let folder = self.folder.path().join("standby");
        command::output(
            as_postgres("pg_basebackup")?
                .args(["--host=127.0.0.1", "--username=postgres", "--no-sync"])
                .args(["--write-recovery-conf", "--checkpoint=fast", "--pgdata"])
                .arg(&folder)
                .arg(format!("--port={}", self.port)),
        )?;
        let mut command = as_postgres_in("postgres", variables)?;
        command
            .arg("-D")
            .arg(&folder)
            .arg("-k")
            .arg(self.folder.path())
            .args(settings(free_port()?, &[]));
        let log = std::fs::File::create(self.folder.path().join("standby.log"))?;
        let standby = Standby {
            folder,
            server: spawn(&mut command, log)?,
        };
        let wait_for = "ALTER SYSTEM SET synchronous_standby_names = '*'";
        self.ask("postgres", wait_for)?;
        self.ask("postgres", "SELECT pg_reload_conf()")?;
        let in_step = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        for _ in 0..200 {
            if self.ask("postgres", in_step)? == "1" {
                return Ok(standby);
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("the standby does not follow")
    }

    /// Loses the server for good, and has its copy take its place and its address.
    pub(crate) fn fail_over(&mut self, mut standby: Standby) -> Result<()> {
        self.stop()?;
        standby.pg_ctl(&["promote", "--wait"])?;
        standby.pg_ctl(&["stop", "--mode=fast"])?;
        has_ended(&mut standby.server)?;
        let folder = self.folder.path();
        std::fs::rename(folder.join("cluster"), folder.join("lost"))?;
        std::fs::rename(&standby.folder, folder.join("cluster"))?;
        self.start_again()
    }

    /// Sends a signal, such as `STOP`, to every process of the server.
    pub(crate) fn signal(&self, signal: &str) -> Result<()> {
        let file = self.folder.path().join("cluster/postmaster.pid");
        let text = std::fs::read_to_string(file)?;
        let postmaster = text.lines().next().unwrap_or_default().trim();
        let children = format!("/proc/{postmaster}/task/{postmaster}/children");
        let children = std::fs::read_to_string(children)?;
        let signal = format!("-{signal}");
        command::run(Command::new("kill").arg(&signal).arg(postmaster))?;
        // One of them may end meanwhile; what started the server stands still with it, and does not go on by itself.
        Command::new("kill")
            .arg(&signal)
            .arg(self.server.id().to_string())
            .args(children.split_whitespace())
            .stderr(Stdio::null())
            .status()?;
        Ok(())
    }

    /// Where the cluster is reached, as its superuser.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Makes an empty database of a user of its own, who may be refused what a superuser may not, and returns its URL.
    pub(crate) fn database(&self, name: &str) -> Result<String> {
        self.ask("postgres", &format!("CREATE ROLE {name} LOGIN"))?;
        self.ask("postgres", &format!("CREATE DATABASE {name} OWNER {name}"))?;
        Ok(format!("postgres://{name}@127.0.0.1:{}/{name}", self.port))
    }

    /// Runs a statement in a database and returns what it gives, bare.
    pub(crate) fn ask(&self, database: &str, statement: &str) -> Result<String> {
        let told = command::output(
            as_postgres("psql")?
                .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
                .args(["--host=127.0.0.1", "--username=postgres"])
                .arg(format!("--port={}", self.port))
                .args(["--dbname", database, "--command", statement]),
        )?;
        Ok(told.trim().to_owned())
    }

    fn wait(&mut self) -> Result<()> {
        for _ in 0..200 {
            let asked = as_postgres("pg_isready")?
                .args(["--quiet", "--host=127.0.0.1", "--username=postgres"])
                .arg(format!("--port={}", self.port))
                .status()?;
            if asked.success() {
                return Ok(());
            }
            if self.server.try_wait()?.is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("postgres did not come up:\n{}", self.log())
    }

    /// Counts the lines of the server's log that have a text in them.
    pub(crate) fn log_lines(&self, text: &str) -> usize {
        let log = self.log();
        log.lines().filter(|line| line.contains(text)).count()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn stop(&mut self) -> Result<()> {
        command::output(
            as_postgres("pg_ctl")?
                .args(["stop", "--silent", "--mode=immediate", "--pgdata"])
                .arg(self.folder.path().join("cluster")),
        )?;
        has_ended(&mut self.server)
    }
}

/// A copy of a server that follows it.
pub(crate) struct Standby {
    folder: PathBuf,
    server: Child,
}

impl Standby {
    fn pg_ctl(&self, arguments: &[&str]) -> Result<()> {
        command::output(
            as_postgres("pg_ctl")?
                .args(arguments)
                .args(["--silent", "--pgdata"])
                .arg(&self.folder),
        )?;
        Ok(())
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        if matches!(self.server.try_wait(), Ok(None)) {
            // It may be gone already; either way nothing of it is worth keeping.
            let _ = self.pg_ctl(&["stop", "--mode=immediate"]);
            let _ = self.server.wait();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("warning: the PostgreSQL of the tests was not stopped: {error:#}");
        }
    }
}

/// Speed over durability.
const FAST: [&str; 3] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
];

fn settings(port: u16, more: &[&str]) -> Vec<String> {
    let mut arguments = vec!["-p".to_owned(), port.to_string()];
    for setting in [&["listen_addresses=127.0.0.1", "max_connections=300"], more].concat() {
        arguments.extend(["-c".to_owned(), setting.to_owned()]);
    }
    arguments
}

/// Waits for what started a server, whose server has ended.
///
/// `runuser` stops itself when it sees that its child stands still, be it long after the child was let go on; so it is woken until it is gone.
fn has_ended(server: &mut Child) -> Result<()> {
    for _ in 0..200 {
        if server.try_wait()?.is_some() {
            return Ok(());
        }
        command::run(
            Command::new("kill")
                .arg("-CONT")
                .arg(server.id().to_string()),
        )?;
        thread::sleep(Duration::from_millis(50));
    }
    bail!("what started postgres does not end")
}

fn spawn(command: &mut Command, log: std::fs::File) -> Result<Child> {
    command
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .context("cannot start postgres")
}

fn as_postgres(program: &str) -> Result<Command> {
    as_postgres_in(program, &[])
}

/// As [`as_postgres`], with variables that nobody but the program sees.
fn as_postgres_in(program: &str, variables: &[(&str, OsString)]) -> Result<Command> {
    let path = system::postgres_program(program)
        .with_context(|| format!("cannot find PostgreSQL's {program}"))?;
    let mut command = if system::is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "env"]);
        command
    } else {
        Command::new("env")
    };
    for (name, value) in variables {
        let mut pair = OsString::from(format!("{name}="));
        pair.push(value);
        command.arg(pair);
    }
    command.arg(path);
    Ok(in_root_folder(command))
}

/// The user `postgres` may not be allowed to enter the project's folder.
fn in_root_folder(mut command: Command) -> Command {
    command.current_dir(PathBuf::from(Path::new("/")));
    command
}
