//! What a bench run starts: nginx as upstream and as the stick, the gateway, and the load generator.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::request::Request;
use super::running::{MEASURED_CORE, OTHER_CORE, Running, pinned};
use crate::program::free_port;
use crate::workspace::Workspace;
use crate::{command, system};

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
    pub(crate) ready_ms: f64,
    pub(crate) ready_peak_kib: f64,
    pub(crate) tools: f64,
    /// A peer's is not measured.
    #[serde(flatten)]
    pub(crate) list: Option<Listing>,
}

/// What the import measurement prints of the list.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Listing {
    pub(crate) listed_ms: f64,
    pub(crate) listed_peak_kib: f64,
    pub(crate) list_us: f64,
}

/// How the load generator asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// As fast as the answers come, for so many seconds.
    Full(f64),
    /// So many calls a second, for two seconds.
    Rate(u32),
}

/// A gateway with a toolset called `bench`, and a key or an access token for it.
pub(crate) struct Gateway {
    pub(crate) running: Running,
    pub(crate) key: String,
}

impl Gateway {
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/bench/mcp", self.running.port)
    }
}

impl Bench {
    /// Returns the load generator, which is the provider of those who sign in, too.
    pub(crate) fn generator(&self) -> &Path {
        &self.generator
    }

    /// Builds both as tests do, where nothing depends on their speed.
    pub(crate) fn of_debug(workspace: &Workspace, install: bool) -> anyhow::Result<Self> {
        let needed = [system::NGINX, system::TASKSET, system::POSTGRES];
        system::require(&needed, install)?;
        workspace.build()?;
        Self::of(&workspace.target().join("debug"))
    }

    fn of(programs: &Path) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("portcullis-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            folder,
            gateway: programs.join("portcullis"),
            generator: programs.join("portcullis-bench"),
        })
    }

    /// Builds the gateway and the load generator in release mode.
    pub(crate) fn prepare(workspace: &Workspace, install: bool) -> anyhow::Result<Self> {
        system::require(&[system::NGINX, system::TASKSET], install)?;
        let packages = ["-p", "portcullis", "-p", "portcullis-bench"];
        command::run(
            workspace
                .cargo()
                .args(["build", "--release", "--locked"])
                .args(packages),
        )?;
        Self::of(&workspace.target().join("release"))
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
            "upstream behind {{ server 127.0.0.1:{}; keepalive 64; keepalive_requests 100000000; }}",
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
        Running::start(command, port, "/")
    }

    /// Starts the gateway with a configuration whose listener is filled in.
    pub(crate) fn serve(&self, name: &str, configuration: &str) -> anyhow::Result<Running> {
        let port = free_port()?;
        let file = self.configuration_file(name, port, configuration)?;
        let mut command = pinned(MEASURED_CORE, &self.gateway);
        command.arg("serve").arg(&file);
        Running::start(command, port, "/health/ready")
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
            "data_dir = \"data\"\n[listener]\nlisten = [\"127.0.0.1:{port}\"]\npublic_url = \"http://127.0.0.1:{port}\"\n"
        );
        std::fs::write(&file, head + configuration)?;
        Ok(file)
    }

    /// Starts a gateway that publishes a document, and makes a key for it; `more` is added to its configuration.
    pub(crate) fn gateway(
        &self,
        name: &str,
        document: &Path,
        upstream: &Running,
        more: &str,
    ) -> anyhow::Result<Gateway> {
        let configuration = format!(
            "[upstream]\nallow = [\"http://127.0.0.1:{}\"]\n\
             [documents.bench]\nfile = \"{}\"\n\
             [toolsets.bench]\ndocuments = [\"bench\"]\ninbound = [\"api_key\"]\n{more}",
            upstream.port,
            document.display()
        );
        let running = self.serve(name, &configuration)?;
        let key = self.api_key(name, running.port)?;
        Ok(Gateway { running, key })
    }

    /// Makes an API key for the gateway called `name`, which may have some of an earlier start.
    fn api_key(&self, name: &str, port: u16) -> anyhow::Result<String> {
        let printed = command::output(
            Command::new(&self.gateway)
                .args(["key", "create", &format!("bench-{port}"), "--config"])
                .arg(self.folder.join(name).join("portcullis.toml")),
        )?;
        printed
            .split_whitespace()
            .find(|word| word.starts_with("pc_key_"))
            .map(str::to_owned)
            .context("no key was printed")
    }

    /// Serves what a request comes to from memory, by the gateway's own HTTP server.
    pub(crate) fn static_file(&self, of: &Request) -> anyhow::Result<Running> {
        let port = free_port()?;
        let mut command = pinned(MEASURED_CORE, &self.generator);
        command.args(["static", "--port", &port.to_string()]);
        command.args(of.arguments());
        Running::start(command, port, "/")
    }

    /// Loads a program and measures it.
    pub(crate) fn load(
        &self,
        running: &Running,
        request: &Request,
        pace: Pace,
    ) -> anyhow::Result<Load> {
        let mut command = pinned(OTHER_CORE, &self.generator);
        command.arg("load").args(request.arguments());
        match pace {
            Pace::Full(seconds) => command.args(["--seconds", &seconds.to_string()]),
            Pace::Rate(rate) => command.args(["--seconds", "2", "--rate", &rate.to_string()]),
        };
        for pid in running.pids() {
            command.args(["--pid", &pid.to_string()]);
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

/// Runs a measurement and reads the line that it prints.
pub(crate) fn json<T: for<'a> Deserialize<'a>>(mut command: Command) -> anyhow::Result<T> {
    let output = command.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{command:?} failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}
