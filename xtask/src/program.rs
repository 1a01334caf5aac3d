//! A program that runs beside the tests and is reached on a port of loopback.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long a program may take until it accepts connections.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is to be started.
pub(crate) struct Start {
    /// What people call it.
    pub(crate) name: &'static str,
    pub(crate) command: Command,
    /// The port that it opens last.
    pub(crate) port: u16,
}

/// A program under our eyes; dropping it ends it.
pub(crate) struct Program {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Program {
    /// Starts a program, its output in a file of `folder`, and waits until it accepts connections on `port`.
    pub(crate) fn start(
        name: &str,
        command: &mut Command,
        port: u16,
        folder: &Path,
    ) -> Result<Self> {
        let mut program = Self::spawn(name, command, folder)?;
        program.wait(port)?;
        Ok(program)
    }

    /// As [`Program::start`], of several side by side.
    pub(crate) fn start_all(starts: Vec<Start>, folder: &Path) -> Result<Vec<Self>> {
        let mut programs = Vec::new();
        let mut ports = Vec::new();
        for mut start in starts {
            programs.push(Self::spawn(start.name, &mut start.command, folder)?);
            ports.push(start.port);
        }
        for (program, port) in programs.iter_mut().zip(ports) {
            program.wait(port)?;
        }
        Ok(programs)
    }

    fn spawn(name: &str, command: &mut Command, folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output =
            File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self {
            child,
            name: name.to_owned(),
            log,
        })
    }

    /// What the program has printed so far.
    pub(crate) fn output(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn wait(&mut self, port: u16) -> Result<()> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended at once ({status}):\n{}", self.name, self.output());
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!(
            "{} did not listen on port {port} in {PATIENCE:?}:\n{}",
            self.name,
            self.output()
        )
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens on at this moment.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port on loopback")?;
    Ok(listener.local_addr()?.port())
}
