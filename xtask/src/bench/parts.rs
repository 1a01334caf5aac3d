//! What a bench run starts: nginx as upstream and as the stick, the gateway, peers, and the load generator.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use crate::program::free_port;
use crate::workspace::Workspace;
use crate::{command, system};

/// The core of the measured system, and the core of everything else.
const MEASURED_CORE: &str = "0";
const OTHER_CORE: &str = "1";

/// The programs under test, built, and a folder for their files.
pub(crate) struct Bench {
    pub(crate) folder: PathBuf,
    gateway: PathBuf,
    generator: PathBuf,
}

/// What the load generator prints.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Load {
    pub(crate) calls_per_second: f64,
    pub(crate) cpu_us_per_call: f64,
    pub(crate) p50_us: f64,
}

/// What the import measurement prints.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Import {
    pub(crate) median_ms: f64,
    pub(crate) peak_memory_kib: f64,
    pub(crate) tools: f64,
    pub(crate) list_us: f64,
}

/// A process that ends with its owner.
pub(crate) struct Running {
    child: Child,
    pub(crate) port: u16,
}

impl Drop for Running {
    fn drop(&mut self) {
        // A process that has ended by itself has nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
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

    /// Returns the resident memory of the process, in MiB.
    pub(crate) fn resident_mib(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
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
}

impl Bench {
    /// Builds the gateway and the load generator in release mode.
    pub(crate) fn prepare(workspace: &Workspace) -> anyhow::Result<Self> {
        system::require(&[system::NGINX, system::TASKSET], false)?;
        let packages = ["-p", "portcullis", "-p", "portcullis-bench"];
        command::run(
            workspace
                .cargo()
                .args(["build", "--release"])
                .args(packages),
        )?;
        let folder = std::env::temp_dir().join(format!("portcullis-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let release = workspace.target().join("release");
        Ok(Self {
            folder,
            gateway: release.join("portcullis"),
            generator: release.join("portcullis-bench"),
        })
    }

    /// Starts nginx answering one kilobyte of JSON: the API behind.
    pub(crate) fn upstream(&self) -> anyhow::Result<Running> {
        let answer = format!(r#"{{"name":"A1","note":"{}"}}"#, "x".repeat(1000));
        self.nginx(
            "upstream",
            OTHER_CORE,
            &format!("location / {{ default_type application/json; return 200 '{answer}'; }}"),
            "",
        )
    }

    /// Starts nginx as a plain reverse proxy: the stick.
    pub(crate) fn proxy(&self, upstream: &Running) -> anyhow::Result<Running> {
        let location = "location / { proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ''; }";
        let pool = format!(
            "upstream behind {{ server 127.0.0.1:{}; keepalive 64; }}",
            upstream.port
        );
        self.nginx("proxy", MEASURED_CORE, location, &pool)
    }

    fn nginx(&self, name: &str, core: &str, location: &str, pool: &str) -> anyhow::Result<Running> {
        let port = free_port()?;
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder)?;
        let configuration = format!(
            "daemon off; worker_processes 1; pid nginx.pid; error_log stderr crit; events {{ worker_connections 4096; }}\n\
             http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 1h; client_body_temp_path .; proxy_temp_path .; \
             fastcgi_temp_path .; uwsgi_temp_path .; scgi_temp_path .; {pool}\n server {{ listen 127.0.0.1:{port}; {location} }} }}\n"
        );
        std::fs::write(folder.join("nginx.conf"), configuration)?;
        let mut command = pinned(core, "nginx");
        command
            .arg("-p")
            .arg(&folder)
            .args(["-c", "nginx.conf", "-e", "stderr"]);
        start(command, port)
    }

    /// Starts the gateway with a configuration whose listener is filled in.
    pub(crate) fn gateway(&self, name: &str, configuration: &str) -> anyhow::Result<Running> {
        let port = free_port()?;
        let file = self.configuration_file(name, port, configuration)?;
        let mut command = pinned(MEASURED_CORE, &self.gateway);
        command.arg("serve").arg(&file);
        start(command, port)
    }

    fn configuration_file(
        &self,
        name: &str,
        port: u16,
        configuration: &str,
    ) -> anyhow::Result<PathBuf> {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder)?;
        let file = folder.join("portcullis.toml");
        let head = format!(
            "data_dir = \"{}\"\n[listener]\nlisten = [\"127.0.0.1:{port}\"]\n",
            folder.join("data").display()
        );
        std::fs::write(&file, head + configuration)?;
        Ok(file)
    }

    /// Makes an API key for the gateway called `name`, which has been started once.
    pub(crate) fn api_key(&self, name: &str) -> anyhow::Result<String> {
        let output = Command::new(&self.gateway)
            .args(["key", "create", "bench", "--config"])
            .arg(self.folder.join(name).join("portcullis.toml"))
            .output()?;
        ensure!(
            output.status.success(),
            "no key: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout)?;
        text.split_whitespace()
            .find(|word| word.starts_with("pc_key_"))
            .map(str::to_owned)
            .context("no key was printed")
    }

    /// Runs the load generator.
    pub(crate) fn load(
        &self,
        url: &str,
        of: &Running,
        arguments: &[String],
    ) -> anyhow::Result<Load> {
        let mut command = pinned(OTHER_CORE, &self.generator);
        command.arg("load").arg(url).args(arguments);
        for pid in of.pids() {
            command.arg("--pid").arg(pid.to_string());
        }
        json(command)
    }

    /// Measures an import in a process of its own.
    pub(crate) fn import(&self, document: &Path, parse_only: bool) -> anyhow::Result<Import> {
        let mut command = pinned(MEASURED_CORE, &self.generator);
        command.arg("import").arg(document);
        if parse_only {
            command.arg("--parse-only");
        }
        json(command)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // What is left in the temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn json<T: for<'a> Deserialize<'a>>(mut command: Command) -> anyhow::Result<T> {
    let output = command.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{command:?} failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn pinned(core: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", core]).arg(program);
    command
}

fn start(mut command: Command, port: u16) -> anyhow::Result<Running> {
    let child = command
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .with_context(|| format!("starting {command:?}"))?;
    let mut running = Running { child, port };
    for _ in 0..3000 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(running);
        }
        if let Some(status) = running.child.try_wait()? {
            bail!("{command:?} ended with {status}");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    bail!("{command:?} did not listen on port {port}")
}
