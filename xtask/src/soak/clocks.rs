//! `clocks`: three replicas whose clocks are five minutes apart, and a crowd whose codes, tokens and renewals pass from one to the other.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::crowd::Crowd;
use super::programs::Soak;
use super::site::{Engine, Plan, Site};
use crate::postgres::Cluster;

/// How far the replicas are off.
const SKEWS_MS: [i64; 3] = [-150_000, 0, 150_000];

const CROWD: [&str; 5] = [
    "--connections=12",
    "--refresh=20",
    "--sign-in=1",
    "--pace-ms=60",
    "--seconds=24",
];

/// How often the clocks are turned forward, and by how much: a quarter of an hour in all, and less at a time than a code is good for.
const TURNS: u64 = 40;
const TURN: Duration = Duration::from_secs(25);
const REST: Duration = Duration::from_millis(500);

pub(crate) fn run(soak: &Soak, cluster: &Cluster) -> Result<()> {
    let plan = Plan {
        name: "clocks",
        engine: Engine::Postgres(cluster),
        replicas: 3,
        skews_ms: &SKEWS_MS,
        provider: &["--life-seconds=300"],
        more: "",
        public_port: None,
    };
    let site = Site::start(soak, &plan)?;
    let crowd = Crowd::start(soak, &site, &CROWD)?;
    for turn in 0..TURNS {
        crowd.wait_until(REST * u32::try_from(turn + 1)?);
        site.turn(TURN)?;
    }
    let met = crowd.met()?;
    let journal = site.provider.journal()?;
    println!(
        "three replicas whose clocks are five minutes apart, a quarter of an hour: {} calls, {} refreshes, {} sign-ins with {} begun again, {} renewals at the provider; {} lost, {} sign-outs ({})",
        met.calls,
        met.refreshes,
        met.sign_ins,
        met.sign_ins_again,
        journal.refreshes,
        met.given_up,
        met.signed_out,
        met.failures()
    );
    met.is_unharmed()?;
    ensure!(
        met.sign_ins > 0 && met.sign_ins_again == 0,
        "sign-ins failed"
    );
    ensure!(journal.refreshes > 0, "nothing was renewed");
    Ok(())
}
