//! W2 with replicas: refreshes of one gateway and of two over one PostgreSQL, durable, each gateway held to a quarter of a core.
//!
//! So little for each, because the database and the load share what is left of a small machine.

use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

use super::BenchArguments;
use super::parts::{Bench, Gateway, Load};
use super::report::Table;
use super::request::Request;
use super::running::Running;
use super::sign_in::SignInGateway;
use crate::postgres::Cluster;
use crate::system;

/// Of a core, in hundredths.
const SHARE: &str = "25";

const ONE: &str = "one replica";
const TWO: &str = "two replicas";

/// Holds a process to its share of a core.
struct Quota(Child);

impl Quota {
    fn of(running: &Running) -> anyhow::Result<Self> {
        let pid = *running.pids().first().context("the process has ended")?;
        let mut command = Command::new("cpulimit");
        command.args(["--limit", SHARE, "--lazy", "--pid", &pid.to_string()]);
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(quiet.spawn().context("starting cpulimit")?))
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // Asked, since it leaves a process stopped when it is killed.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// Measures both in turns.
pub(crate) fn replicas(bench: &Bench, arguments: &BenchArguments) -> anyhow::Result<()> {
    system::require(&[system::POSTGRES, system::CPULIMIT], arguments.install)?;
    let cluster = Cluster::durable()?;
    let upstream = bench.upstream()?;
    let storage = format!("[storage]\nurl = \"{}\"\n", cluster.url());
    let first = SignInGateway::start(bench, "replica-1", &upstream, &storage)?;
    // The first start makes the key.
    let key = bench.folder.join("replica-1/data/master.key");
    let storage = format!("{storage}master_key_file = \"{}\"\n", key.display());
    let second = first.replica(bench, "replica-2", &upstream, &storage)?;
    let quotas = [&first.gateway.running, &second.running].map(Quota::of);
    let _quotas: Vec<Quota> = quotas.into_iter().collect::<anyhow::Result<_>>()?;
    let (one, two) = ([&first.gateway], [&first.gateway, &second]);
    let mut speed = Table::new(
        "W2 refresh on PostgreSQL, a quarter of a core each",
        "a second",
        ONE,
    );
    let mut time = Table::new("W2 refresh on PostgreSQL", "µs at the median", ONE);
    for _ in 0..arguments.rounds {
        for (name, gateways) in [(ONE, &one[..]), (TWO, &two[..])] {
            let loads = at_once(bench, gateways, arguments.seconds)?;
            speed.record(name, loads.iter().map(|load| load.calls_per_second).sum());
            time.record(
                name,
                loads.iter().map(|load| load.p50_us).fold(0.0, f64::max),
            );
        }
    }
    speed.print();
    time.print();
    Ok(())
}

/// Loads gateways at the same time, each over connections of its own.
fn at_once(bench: &Bench, gateways: &[&Gateway], seconds: f64) -> anyhow::Result<Vec<Load>> {
    std::thread::scope(|scope| {
        let mut loads = Vec::new();
        for gateway in gateways {
            let folder = &bench.folder;
            let request = Request::call(folder, &gateway.url(), "none")?;
            loads.push(
                scope.spawn(move || bench.sign_ins(&gateway.running, &request, "refresh", seconds)),
            );
        }
        let loads = loads.into_iter().map(|load| {
            load.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        loads.collect()
    })
}
