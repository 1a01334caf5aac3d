//! A program under measurement: pinned to a core, awaited until it answers, ended with its owner.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// The core of the measured system, and the core of everything else.
pub(crate) const MEASURED_CORE: &str = "0";
pub(crate) const OTHER_CORE: &str = "1";

/// How long a program may take until it answers; some take seconds.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// How long a program is left alone before it is said to be idle, and how often it is asked something then.
const SETTLING: Duration = Duration::from_secs(2);
const ASKED_WHILE_SETTLING: usize = 1000;

/// How long a program may take to end when it is asked to.
const END_PATIENCE: Duration = Duration::from_secs(3);

/// A process that ends with its owner.
pub(crate) struct Running {
    child: Child,
    pub(crate) port: u16,
    /// From the start of the process to its first answer.
    pub(crate) started_in: Duration,
}

impl Running {
    /// Starts a program and waits until it answers a request for `path`, whatever it answers.
    pub(crate) fn start(mut command: Command, port: u16, path: &str) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {command:?}"))?;
        let mut running = Self {
            child,
            port,
            started_in: Duration::ZERO,
        };
        while begun.elapsed() < START_PATIENCE {
            if answers(port, path) {
                running.started_in = begun.elapsed();
                return Ok(running);
            }
            if let Some(status) = running.child.try_wait()? {
                bail!("{command:?} ended with {status}");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        bail!("{command:?} did not answer on port {port} in {START_PATIENCE:?}")
    }

    /// Returns the process and its children: nginx answers in a worker.
    pub(crate) fn pids(&self) -> Vec<u32> {
        let own = self.child.id();
        let children =
            std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        std::iter::once(own)
            .chain(
                children
                    .split_whitespace()
                    .filter_map(|pid| pid.parse().ok()),
            )
            .collect()
    }

    /// Gives the program the time and the occasion to give memory back: it does so beside its work.
    pub(crate) fn settle(&self) {
        std::thread::sleep(SETTLING);
        for _ in 0..ASKED_WHILE_SETTLING {
            answers(self.port, "/health/ready");
        }
    }

    /// Returns the resident memory of the process and its children, in MiB.
    pub(crate) fn resident_mib(&self) -> anyhow::Result<f64> {
        self.pids().into_iter().map(resident_mib).sum()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Asked first, because nginx would leave its worker behind.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let begun = Instant::now();
        while begun.elapsed() < END_PATIENCE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a command that runs on one core.
pub(crate) fn pinned(core: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", core]).arg(program);
    command
}

fn answers(port: u16, path: &str) -> bool {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    stream.set_read_timeout(Some(START_PATIENCE)).is_ok()
        && stream.write_all(request.as_bytes()).is_ok()
        && matches!(stream.read(&mut [0; 1]), Ok(1))
}

fn resident_mib(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib: f64 = status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .trim()
                .strip_suffix(" kB")?
                .trim()
                .parse()
                .ok()
        })
        .context("the process has ended")?;
    Ok(kib / 1024.0)
}
