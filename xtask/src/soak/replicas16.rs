//! `replicas16`: sixteen replicas on one PostgreSQL: whole sign-ins whose steps go to one after the other, a refresh and a renewal asked for at all of them at once.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::crowd::Crowd;
use super::http;
use super::people::Person;
use super::programs::Soak;
use super::site::{Engine, Plan, Site};
use crate::postgres::Cluster;

const REPLICAS: usize = 16;

/// How often one token is presented, and one expired connection needed, at all replicas at once.
const RACES: u64 = 10;
const AT_ONCE: u64 = 160;

/// The toolset that is published while all of them serve.
const KEYED: &str = "keyed";

/// How soon all of them are to have it: files are read once they have been the same for two seconds.
const PUBLISHED: Duration = Duration::from_secs(10);

/// How soon all of them are to know of a key, and of its end.
const KNOWN: Duration = Duration::from_secs(3);

/// How long is waited for either.
const PATIENCE: Duration = Duration::from_mins(1);

const CROWD: [&str; 5] = [
    "--connections=16",
    "--refresh=20",
    "--sign-in=10",
    "--pace-ms=100",
    "--seconds=15",
];

pub(crate) fn run(soak: &Soak, cluster: &Cluster) -> Result<()> {
    let plan = Plan {
        name: "replicas16",
        engine: Engine::Postgres(cluster),
        replicas: REPLICAS,
        skews_ms: &[],
        provider: &[
            "--life-seconds=600",
            "--rotation=rotates",
            "--refresh-ms=200",
        ],
        more: "",
        public_port: None,
    };
    let site = Site::start(soak, &plan)?;
    let met = Crowd::start(soak, &site, &CROWD)?.met()?;
    println!(
        "{REPLICAS} replicas on PostgreSQL: {} calls, {} refreshes, {} sign-ins with {} begun again, {} lost, {} sign-outs ({})",
        met.calls,
        met.refreshes,
        met.sign_ins,
        met.sign_ins_again,
        met.given_up,
        met.signed_out,
        met.failures()
    );
    met.is_unharmed()?;
    ensure!(met.sign_ins_again == 0, "sign-ins failed");
    races(soak, &site)?;
    changes(&site)
}

/// A toolset, a key for it, and the key's end, made at one replica, until all of them go by it.
fn changes(site: &Site<'_>) -> Result<()> {
    let toolset = format!("[toolsets.{KEYED}]\ndocuments = [\"bench\"]\ninbound = [\"api_key\"]\n");
    site.configure(&toolset)?;
    let published = agreed(site, None, 401)?;
    let printed = site.command(&["key", "create", "soak"])?;
    let mut words = printed.split_whitespace();
    let key = words.find(|word| word.starts_with("pc_key_"));
    let key = key.context("no key was printed")?;
    let made = agreed(site, Some(key), 200)?;
    site.command(&["key", "revoke", "soak"])?;
    let ended = agreed(site, Some(key), 401)?;
    println!(
        "at all {REPLICAS} of them: a toolset {:.1} s after it was written to one's configuration, a key {} ms after it was made, its end {} ms after it was revoked",
        published.as_secs_f64(),
        made.as_millis(),
        ended.as_millis()
    );
    ensure!(published <= PUBLISHED, "the toolset took too long");
    ensure!(made.max(ended) <= KNOWN, "the key took too long");
    Ok(())
}

/// Waits until every replica answers so, and says how long that took.
fn agreed(site: &Site<'_>, key: Option<&str>, status: u16) -> Result<Duration> {
    let begun = Instant::now();
    for replica in &site.replicas {
        while http::ping(replica.port, KEYED, key)? != status {
            ensure!(begun.elapsed() < PATIENCE, "a replica does not follow");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    Ok(begun.elapsed())
}

fn races(soak: &Soak, site: &Site<'_>) -> Result<()> {
    let mut person = Person::start(soak, site, &[])?;
    let mut asked = 0;
    for _ in 0..RACES {
        person.does("sign-in")?;
        let race = person.does(&format!("race {AT_ONCE}"))?;
        ensure!(
            race.answers.get("200") == Some(&AT_ONCE) && race.successors == 1,
            "one token gave {} successors: {:?}",
            race.successors,
            race.answers
        );
        site.turn(Duration::from_mins(11))?;
        let before = site.provider.journal()?;
        let burst = person.does(&format!("burst {AT_ONCE}"))?;
        let after = site.provider.journal()?;
        asked += after.refreshes - before.refreshes;
        ensure!(
            burst.answers.get("200") == Some(&AT_ONCE),
            "calls failed: {:?} {}",
            burst.answers,
            burst.odd
        );
    }
    println!(
        "{RACES} times {AT_ONCE} refreshes of one token, and {AT_ONCE} calls over an expired connection, at all of them at once: one successor each, {asked} refreshes at the provider"
    );
    ensure!(asked == RACES, "the provider was asked more than once");
    Ok(())
}
