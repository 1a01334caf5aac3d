//! The works of `docs/performance.md` that load or start programs.

use super::BenchArguments;
use super::parts::{Bench, Gateway, Pace};
use super::peers::{self, Peers};
use super::report::Table;
use super::request::{Request, TOOLS, document};
use super::running::Running;
use super::sign_in::SignInGateway;

/// What the others are compared with.
const STICK: &str = "nginx as reverse proxy";

/// Calls a second that every side keeps up with.
const SLOW: u32 = 25;
/// Calls a second that only the fast sides keep up with.
const FAST: u32 = 1000;

/// One side of W1.
struct Side<'a> {
    name: &'a str,
    running: &'a Running,
    request: Request,
    /// Whether it keeps up with [`FAST`].
    is_fast: bool,
}

/// W1: an authenticated call of a GET tool, against nginx as a reverse proxy in front of the same upstream.
pub(crate) fn calls(
    bench: &Bench,
    peers: Option<&Peers>,
    arguments: &BenchArguments,
) -> anyhow::Result<()> {
    let upstream = bench.upstream()?;
    let proxy = bench.proxy(&upstream)?;
    let document = document(&bench.folder, TOOLS, upstream.port)?;
    let ours = bench.gateway("w1", &document, &upstream, "")?;
    let silent = "[logging]\nlevel = \"warn\"\n";
    let silent = bench.gateway("w1-silent", &document, &upstream, silent)?;
    let signed_in = SignInGateway::start(bench, "w1-token", &upstream, "")?;
    let peers = match peers {
        Some(peers) => peers.start(&document)?,
        None => Vec::new(),
    };
    let mut sides = Vec::new();
    for (name, running) in [("the upstream itself", &upstream), (STICK, &proxy)] {
        sides.push(Side {
            name,
            running,
            request: Request::direct(running.port),
            is_fast: true,
        });
    }
    for (name, gateway) in [
        ("Portcullis", &ours),
        ("Portcullis, no line per request", &silent),
        ("Portcullis, our access token", &signed_in.gateway),
    ] {
        sides.push(Side {
            name,
            running: &gateway.running,
            request: Request::call(&bench.folder, &gateway.url(), &gateway.key)?,
            is_fast: true,
        });
    }
    for peer in &peers {
        sides.push(Side {
            name: peer.name,
            running: &peer.running,
            request: Request::call(&bench.folder, &peer.url(), peers::KEY)?,
            is_fast: false,
        });
    }
    measure_calls(bench, &sides, arguments)
}

fn measure_calls(
    bench: &Bench,
    sides: &[Side<'_>],
    arguments: &BenchArguments,
) -> anyhow::Result<()> {
    let mut speed = Table::new("W1 calls, 16 connections", "calls/s", STICK);
    let mut cpu = Table::new("W1 CPU of the measured process", "µs a call", STICK);
    let mut fast = Table::new("W1 at 1,000 calls/s", "µs at the median", STICK);
    let mut slow = Table::new("W1 at 25 calls/s", "µs at the median", STICK);
    let mut memory = Table::new("W1 memory under load", "MiB resident", STICK);
    for _ in 0..arguments.rounds {
        for side in sides {
            let pace = Pace::Full(arguments.seconds);
            let load = bench.load(side.running, &side.request, pace)?;
            speed.record(side.name, load.calls_per_second);
            cpu.record(side.name, load.cpu_us_per_call);
            memory.record(side.name, side.running.resident_mib()?);
            if side.is_fast {
                let load = bench.load(side.running, &side.request, Pace::Rate(FAST))?;
                fast.record(side.name, load.p50_us);
            }
            let load = bench.load(side.running, &side.request, Pace::Rate(SLOW))?;
            slow.record(side.name, load.p50_us);
        }
    }
    for table in [speed, cpu, fast, slow, memory] {
        table.print();
    }
    Ok(())
}

/// W4 and W5: memory when idle, and the time from start to the first answer, without a document.
pub(crate) fn idle_and_start(
    bench: &Bench,
    peers: Option<&Peers>,
    arguments: &BenchArguments,
) -> anyhow::Result<()> {
    let upstream = bench.upstream()?;
    let document = document(&bench.folder, TOOLS, upstream.port)?;
    let mut memory = Table::new("W4 idle", "MiB resident", STICK);
    let mut time = Table::new("W5 start to first answer", "ms", STICK);
    let mut record = |name: &str, running: &Running| -> anyhow::Result<()> {
        memory.record(name, running.resident_mib()?);
        time.record(name, running.started_in.as_secs_f64() * 1e3);
        Ok(())
    };
    for round in 0..=arguments.rounds {
        let proxy = bench.proxy(&upstream)?;
        let fresh = bench.serve(&format!("w5-{round}"), "")?;
        let again = bench.serve("w5", "")?;
        // The first round makes the database, and has the disk's cache warmed.
        if round == 0 {
            continue;
        }
        record(STICK, &proxy)?;
        record("Portcullis, database made", &fresh)?;
        record("Portcullis, database there", &again)?;
        drop((proxy, fresh, again));
        let with_tools = bench.gateway("w5-tools", &document, &upstream, "")?;
        record("Portcullis, 20 tools", &with_tools.running)?;
        drop(with_tools);
        if let Some(peers) = peers {
            for peer in peers.start(&document)? {
                record(&format!("{}, 20 tools", peer.name), &peer.running)?;
            }
        }
    }
    memory.print();
    time.print();
    Ok(())
}

/// W6: what a call and a list cost as the tools of a toolset grow.
///
/// A page holds 500 tools, so that the pages of the larger toolsets are of one size.
pub(crate) fn growth(bench: &Bench, arguments: &BenchArguments) -> anyhow::Result<()> {
    let upstream = bench.upstream()?;
    let sizes = [
        ("20 tools", 20),
        ("500 tools", 500),
        ("1,000 tools", 1000),
        ("10,000 tools", 10_000),
    ];
    let mut gateways: Vec<(&str, Gateway)> = Vec::new();
    for (name, count) in sizes {
        let document = document(&bench.folder, count, upstream.port)?;
        let folder = format!("w6-{count}");
        gateways.push((name, bench.gateway(&folder, &document, &upstream, "")?));
    }
    let mut call = Table::new("W6 call", "CPU µs", "20 tools");
    let mut list = Table::new("W6 first page of the list", "CPU µs", "500 tools");
    for _ in 0..arguments.rounds {
        for (name, gateway) in &gateways {
            let (folder, running) = (&bench.folder, &gateway.running);
            let pace = Pace::Full(arguments.seconds);
            let request = Request::call(folder, &gateway.url(), &gateway.key)?;
            call.record(name, bench.load(running, &request, pace)?.cpu_us_per_call);
            let request = Request::list(folder, &gateway.url(), &gateway.key)?;
            list.record(name, bench.load(running, &request, pace)?.cpu_us_per_call);
        }
    }
    call.print();
    list.print();
    Ok(())
}
