//! W6 for people: what a call and a refresh cost while a database holds ever more grants of others.

use std::process::Command;

use super::BenchArguments;
use super::parts::{Bench, Pace};
use super::report::Table;
use super::request::Request;
use super::sign_in::SignInGateway;
use crate::command;
use crate::workspace::Workspace;

const SIZES: [(&str, u32); 3] = [
    ("100 grants", 100),
    ("10,000 grants", 10_000),
    ("1,000,000 grants", 1_000_000),
];

/// Measures all sizes in turns.
pub(crate) fn grants(
    workspace: &Workspace,
    bench: &Bench,
    arguments: &BenchArguments,
) -> anyhow::Result<()> {
    let example = ["--package", "portcullis-store", "--example", "fill"];
    let build = ["build", "--release", "--locked"];
    command::run(workspace.cargo().args(build).args(example))?;
    let fill = workspace.target().join("release/examples/fill");
    let upstream = bench.upstream()?;
    let mut sides = Vec::new();
    for (name, count) in SIZES {
        let folder = format!("grants-{count}");
        // The first start makes the database, and one person whom the others are made after.
        drop(SignInGateway::start(bench, &folder, &upstream, "")?);
        let database = bench.folder.join(&folder).join("data/portcullis.db");
        command::run(Command::new(&fill).arg(database).arg(count.to_string()))?;
        let gateway = SignInGateway::start(bench, &folder, &upstream, "")?;
        sides.push((name, gateway));
    }
    let (stick, _) = SIZES[0];
    let mut call = Table::new("W6 call among grants", "CPU µs", stick);
    let mut refresh = Table::new("W6 refresh among grants", "CPU µs", stick);
    for _ in 0..arguments.rounds {
        for (name, side) in &sides {
            let (running, url) = (&side.gateway.running, side.gateway.url());
            let request = Request::call(&bench.folder, &url, &side.gateway.key)?;
            let load = bench.load(running, &request, Pace::Full(arguments.seconds))?;
            call.record(name, load.cpu_us_per_call);
            let request = Request::call(&bench.folder, &url, "none")?;
            let load = bench.sign_ins(running, &request, "refresh", arguments.seconds)?;
            refresh.record(name, load.cpu_us_per_call);
        }
    }
    call.print();
    refresh.print();
    Ok(())
}
