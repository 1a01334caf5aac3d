//! W2: clients that register, sign in and refresh; and the gateway that W1 calls with a token of ours.
//!
//! Ours is durable: what it answers with is on disk before.

use std::path::Path;
use std::process::Command;

use super::BenchArguments;
use super::parts::{Bench, Gateway, Load};
use super::peers::{AUTHORIZATION_SERVER, Peers};
use super::report::Table;
use super::request::{Request, TOOLS, document_with_sign_in};
use super::running::{OTHER_CORE, Running, pinned};
use crate::command;
use crate::program::free_port;

const OURS: &str = "Portcullis";

/// Everybody is somebody else behind a proxy that is trusted: one address may begin only so much.
const LISTENER: &str =
    "trusted_proxies = [\"127.0.0.1\"]\nforwarded_header = \"x-forwarded-for\"\n";

/// A gateway that people sign in to, and the provider that lets them in at once.
pub(crate) struct SignInGateway {
    pub(crate) gateway: Gateway,
    provider: Running,
}

impl SignInGateway {
    /// Starts both; `more` is added to the configuration.
    pub(crate) fn start(
        bench: &Bench,
        name: &str,
        upstream: &Running,
        more: &str,
    ) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut command = pinned(OTHER_CORE, bench.generator());
        command.args(["provider", &port.to_string()]);
        let provider = Running::start(command, port, "/")?;
        let mut started = Self {
            gateway: gateway(bench, name, upstream, &provider, more)?,
            provider,
        };
        started.gateway.key = started.access_token(bench)?;
        Ok(started)
    }

    /// Starts another gateway with the same provider; nobody has signed in there yet.
    pub(crate) fn replica(
        &self,
        bench: &Bench,
        name: &str,
        upstream: &Running,
        more: &str,
    ) -> anyhow::Result<Gateway> {
        gateway(bench, name, upstream, &self.provider, more)
    }

    /// Signs somebody in.
    fn access_token(&self, bench: &Bench) -> anyhow::Result<String> {
        let request = Request::call(&bench.folder, &self.gateway.url(), "none")?;
        let mut command = Command::new(bench.generator());
        let printed = command::output(command.arg("token").args(request.arguments()))?;
        Ok(printed.trim().to_owned())
    }
}

fn gateway(
    bench: &Bench,
    name: &str,
    upstream: &Running,
    provider: &Running,
    more: &str,
) -> anyhow::Result<Gateway> {
    let origin = format!("http://127.0.0.1:{}", provider.port);
    let folder = &bench.folder;
    let document = document_with_sign_in(folder, TOOLS, upstream.port, &origin)?;
    let secret = folder.join("provider-secret");
    std::fs::write(&secret, "a secret that the provider does not look at")?;
    let configuration = configuration(upstream, &origin, &secret, &document);
    Ok(Gateway {
        running: bench.serve(name, &format!("{LISTENER}{configuration}{more}"))?,
        key: String::new(),
    })
}

fn configuration(upstream: &Running, provider: &str, secret: &Path, document: &Path) -> String {
    format!(
        "[upstream]\nallow = [\"http://127.0.0.1:{}\", \"{provider}\"]\n\
         [providers.bench]\nprofile = \"oauth2\"\nclient_id = \"bench\"\nclient_secret_file = \"{}\"\n\
         authorization_endpoint = \"{provider}/authorize\"\ntoken_endpoint = \"{provider}/token\"\n\
         userinfo_endpoint = \"{provider}/me\"\n\
         [documents.bench]\nfile = \"{}\"\n\
         [toolsets.bench]\ndocuments = [\"bench\"]\ninbound = [\"oauth\"]\nprovider = \"bench\"\n",
        upstream.port,
        secret.display(),
        document.display()
    )
}

/// One side of W2.
struct Side<'a> {
    name: &'a str,
    running: &'a Running,
    request: Request,
}

/// W2: registrations, refreshes and whole flows.
pub(crate) fn sign_in(
    bench: &Bench,
    peers: Option<&Peers>,
    arguments: &BenchArguments,
) -> anyhow::Result<()> {
    let upstream = bench.upstream()?;
    let ours = SignInGateway::start(bench, "w2", &upstream, "")?;
    let peer = peers.map(Peers::authorization_server).transpose()?;
    let folder = &bench.folder;
    let mut sides = vec![Side {
        name: OURS,
        running: &ours.gateway.running,
        request: Request::call(folder, &ours.gateway.url(), "none")?,
    }];
    if let Some(peer) = &peer {
        sides.push(Side {
            name: peer.name,
            running: &peer.running,
            request: Request::call_of_any_result(folder, &peer.url(), "none")?,
        });
    }
    let stick = if peer.is_some() {
        AUTHORIZATION_SERVER
    } else {
        OURS
    };
    measure(bench, &sides, stick, arguments)
}

fn measure(
    bench: &Bench,
    sides: &[Side<'_>],
    stick: &'static str,
    arguments: &BenchArguments,
) -> anyhow::Result<()> {
    let works = ["register", "refresh", "flow"];
    let mut tables = works.map(|work| {
        let speed = Table::new(format!("W2 {work}, 16 connections"), "a second", stick);
        let cpu = Table::new(format!("W2 {work}, CPU of the server"), "µs each", stick);
        let time = Table::new(format!("W2 {work}"), "µs at the median", stick);
        (work, [speed, cpu, time])
    });
    for _ in 0..arguments.rounds {
        for (work, [speed, cpu, time]) in &mut tables {
            for side in sides {
                let load = bench.sign_ins(side.running, &side.request, work, arguments.seconds)?;
                speed.record(side.name, load.calls_per_second);
                cpu.record(side.name, load.cpu_us_per_call);
                time.record(side.name, load.p50_us);
            }
        }
    }
    for (_, tables) in &tables {
        tables.iter().for_each(Table::print);
    }
    Ok(())
}

impl Bench {
    /// Loads an authorization server and measures it.
    pub(crate) fn sign_ins(
        &self,
        running: &Running,
        request: &Request,
        work: &str,
        seconds: f64,
    ) -> anyhow::Result<Load> {
        let mut command = pinned(OTHER_CORE, self.generator());
        command
            .args(["sign-in", work])
            .args(request.arguments())
            .args(["--seconds", &seconds.to_string()]);
        for pid in running.pids() {
            command.args(["--pid", &pid.to_string()]);
        }
        super::parts::json(command)
    }
}
