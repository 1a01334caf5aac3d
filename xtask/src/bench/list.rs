//! The list against its own bytes: what `tools/list` costs beyond sending them.

use super::BenchArguments;
use super::parts::{Bench, Pace};
use super::report::Table;
use super::request::{Request, document};

const TOOLS: usize = 1000;

const FILE: &str = "the same bytes as a static file";
const LIST: &str = "tools/list";

/// Loads a gateway of 1,000 tools with `tools/list`, and the gateway's HTTP server with the same bytes.
pub(crate) fn list(bench: &Bench, arguments: &BenchArguments) -> anyhow::Result<()> {
    let upstream = bench.upstream()?;
    let document = document(&bench.folder, TOOLS, upstream.port)?;
    let gateway = bench.gateway("list", &document, &upstream, "")?;
    let asking = Request::list(&bench.folder, &gateway.url(), &gateway.key)?;
    let file = bench.static_file(&asking)?;
    let mut rate = Table::new("list of 1,000 tools", "a second", FILE);
    let mut cpu = Table::new("list of 1,000 tools, CPU of the server", "µs each", FILE);
    for _ in 0..arguments.rounds {
        for (side, running, request) in [
            (FILE, &file, Request::file(file.port)),
            (LIST, &gateway.running, asking.clone()),
        ] {
            let load = bench.load(running, &request, Pace::Full(arguments.seconds))?;
            rate.record(side, load.calls_per_second);
            cpu.record(side, load.cpu_us_per_call);
        }
    }
    rate.print();
    cpu.print();
    Ok(())
}
