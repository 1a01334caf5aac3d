//! A gateway of one or more replicas on one database, with a provider behind it that is the API, too.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::clock::Clock;
use super::http;
use super::programs::{Running, Soak, SoakProvider};
use crate::bench::request::{Request, document_with_sign_in};
use crate::command;
use crate::postgres::Cluster;
use crate::program::free_port;

/// How many tools the toolset has; one of them is called.
const TOOLS: usize = 3;

/// Where a gateway keeps what it knows.
#[derive(Clone, Copy)]
pub(crate) enum Engine<'a> {
    Sqlite,
    Postgres(&'a Cluster),
}

impl Engine<'_> {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// Makes an empty database and returns its part of the configuration.
    fn storage(self, name: &str) -> Result<String> {
        Ok(match self {
            Self::Sqlite => String::new(),
            Self::Postgres(cluster) => {
                let url = cluster.database(&name.replace('-', "_"))?;
                format!("[storage]\nurl = \"{url}\"\n")
            }
        })
    }
}

/// What a site is to be.
pub(crate) struct Plan<'a> {
    pub(crate) name: &'a str,
    pub(crate) engine: Engine<'a>,
    pub(crate) replicas: usize,
    /// How far the clocks of replicas are off; those that are not named are right.
    pub(crate) skews_ms: &'a [i64],
    /// What the provider is told.
    pub(crate) provider: &'a [&'a str],
    /// The section `[authorization]` of the configuration, and what else follows.
    pub(crate) more: &'a str,
    /// The port that clients know, where it is none of a replica.
    pub(crate) public_port: Option<u16>,
}

/// One process of the gateway.
pub(crate) struct Replica {
    pub(crate) port: u16,
    configuration: PathBuf,
    log: PathBuf,
    /// Its own clock, where it is not the common one.
    clock: Option<Clock>,
    running: Option<Running>,
}

impl Replica {
    fn argument(&self) -> String {
        format!("--gateway=127.0.0.1:{}", self.port)
    }
}

/// A gateway that serves, and its provider.
pub(crate) struct Site<'a> {
    pub(crate) folder: PathBuf,
    pub(crate) provider: SoakProvider,
    pub(crate) replicas: Vec<Replica>,
    /// What a client is told: the call that it makes, and where the replicas are.
    pub(crate) call: Vec<String>,
    soak: &'a Soak,
}

impl<'a> Site<'a> {
    /// Starts the provider and all replicas.
    pub(crate) fn start(soak: &'a Soak, plan: &Plan<'_>) -> Result<Self> {
        let mut site = Self::prepare(soak, plan)?;
        for number in 0..site.replicas.len() {
            site.restart(number)?;
        }
        Ok(site)
    }

    /// Starts the provider, and writes what the replicas need.
    pub(crate) fn prepare(soak: &'a Soak, plan: &Plan<'_>) -> Result<Self> {
        let folder = soak.folder(plan.name)?;
        let provider = soak.provider(&folder, plan.provider)?;
        let ports = (0..plan.replicas).map(|_| free_port());
        let ports: Vec<u16> = ports.collect::<Result<_>>()?;
        let first = *ports.first().context("a site without replicas")?;
        let public_port = plan.public_port.unwrap_or(first);
        let storage = plan.engine.storage(plan.name)?;
        let tail = configuration(&folder, &provider)?;
        let mut replicas = Vec::new();
        for (number, port) in ports.into_iter().enumerate() {
            let configuration = folder.join(format!("portcullis-{number}.toml"));
            let head = head(port, public_port);
            fs::write(
                &configuration,
                format!("{head}{storage}{tail}{}", plan.more),
            )?;
            let file = folder.join(format!("{number}.clock"));
            let skew = plan.skews_ms.get(number);
            let clock = skew
                .map(|skew| soak.clock.skewed(file, *skew))
                .transpose()?;
            replicas.push(Replica {
                clock,
                port,
                configuration,
                log: folder.join(format!("gateway-{number}.log")),
                running: None,
            });
        }
        let url = format!("http://127.0.0.1:{public_port}/bench/mcp");
        let mut call = Request::call(&folder, &url, "none")?.arguments().to_vec();
        if plan.public_port.is_none() {
            call.extend(replicas.iter().map(Replica::argument));
        }
        Ok(Self {
            folder,
            provider,
            replicas,
            call,
            soak,
        })
    }

    /// Kills a replica, as it is.
    pub(crate) fn kill(&mut self, number: usize) {
        if let Some(replica) = self.replicas.get_mut(number) {
            replica.running = None;
        }
    }

    /// Asks a replica to stop, and waits until it has.
    pub(crate) fn stop(&mut self, number: usize) -> Result<()> {
        let replica = self.replicas.get_mut(number).context("no such replica")?;
        if let Some(running) = &mut replica.running {
            running.stop()?;
        }
        replica.running = None;
        Ok(())
    }

    /// Turns all clocks forward.
    pub(crate) fn turn(&self, by: Duration) -> Result<()> {
        self.soak.clock.turn(by)?;
        let clocks = self.replicas.iter().filter_map(|it| it.clock.as_ref());
        for clock in clocks {
            clock.turn(by)?;
        }
        Ok(())
    }

    /// Starts a replica, anew where it runs, and waits until it is ready.
    pub(crate) fn restart(&mut self, number: usize) -> Result<()> {
        let replica = self.replicas.get_mut(number).context("no such replica")?;
        replica.running = None;
        let mut command = Command::new(&self.soak.gateway);
        command.arg("serve").arg(&replica.configuration);
        let clock = replica.clock.as_ref().unwrap_or(&self.soak.clock);
        clock.apply(&mut command);
        let log = &replica.log;
        let running = Running::start(command, replica.port, "/health/ready", log)?;
        replica.running = Some(running);
        Ok(())
    }

    /// Runs a command of the gateway's program with the first replica's configuration, and returns what it prints.
    pub(crate) fn command(&self, arguments: &[&str]) -> Result<String> {
        let replica = self.replicas.first().context("no replica")?;
        let mut command = Command::new(&self.soak.gateway);
        command
            .args(arguments)
            .arg("--config")
            .arg(&replica.configuration);
        self.soak.clock.apply(&mut command);
        command::output(&mut command)
    }

    /// Adds to the configuration of the first replica, which reads it by itself.
    pub(crate) fn configure(&self, more: &str) -> Result<()> {
        let replica = self.replicas.first().context("no replica")?;
        let text = fs::read_to_string(&replica.configuration)?;
        Ok(fs::write(&replica.configuration, text + more)?)
    }

    /// Adds up what all replicas count.
    pub(crate) fn metric(&self, name: &str) -> Result<u64> {
        let ports = self.replicas.iter().map(|replica| replica.port);
        ports.map(|port| http::metric(port, name)).sum()
    }
}

fn head(port: u16, public_port: u16) -> String {
    format!(
        "data_dir = \"data\"\n[listener]\nlisten = [\"127.0.0.1:{port}\"]\n\
         public_url = \"http://127.0.0.1:{public_port}\"\n\
         trusted_proxies = [\"127.0.0.1\"]\nforwarded_header = \"x-forwarded-for\"\n\
         [logging]\nlevel = \"info\"\n"
    )
}

/// Writes the document and the secret, and what the configuration says of them.
fn configuration(folder: &Path, provider: &SoakProvider) -> Result<String> {
    let origin = provider.origin();
    let document = document_with_sign_in(folder, TOOLS, provider.port, &origin)?;
    let secret = folder.join("provider-secret");
    fs::write(&secret, "a secret that the provider does not look at")?;
    Ok(format!(
        "[upstream]\nallow = [\"{origin}\"]\n\
         [providers.bench]\nprofile = \"oauth2\"\nclient_id = \"bench\"\nclient_secret_file = \"{}\"\n\
         authorization_endpoint = \"{origin}/authorize\"\ntoken_endpoint = \"{origin}/token\"\n\
         userinfo_endpoint = \"{origin}/me\"\n\
         [documents.bench]\nfile = \"{}\"\n\
         [toolsets.bench]\ndocuments = [\"bench\"]\ninbound = [\"oauth\"]\nprovider = \"bench\"\n",
        secret.display(),
        document.display()
    ))
}
