//! `database`: PostgreSQL crashes, stands still, has no connection to give, and fails over to a copy, under load; people are told to come again, and nobody is signed out.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::crowd::Crowd;
use super::programs::Soak;
use super::site::{Engine, Plan, Site};
use crate::postgres::Cluster;

const CROWD: [&str; 5] = [
    "--connections=30",
    "--refresh=20",
    "--sign-in=2",
    "--pace-ms=40",
    "--seconds=60",
];

/// How long after the database is back the last failure may come.
const RECOVERY: Duration = Duration::from_secs(5);

/// When each fault begins, and for how long it lasts where nothing else says.
const BEGINS: [u64; 4] = [4, 15, 30, 44];
const LASTS: Duration = Duration::from_secs(4);

/// Answers that would sign people out.
const FALSE_ENDS: [&str; 3] = ["call: 401", "refresh: 400", "refresh: 401"];

pub(crate) fn run(soak: &Soak) -> Result<()> {
    // What a crash may lose is not what is asked here.
    let mut cluster = Cluster::durable_by_clock(&soak.clock.variables())?;
    let plan = Plan {
        name: "database",
        engine: Engine::Postgres(&cluster),
        replicas: 3,
        skews_ms: &[],
        provider: &["--life-seconds=3600"],
        more: "",
        public_port: None,
    };
    let site = Site::start(soak, &plan)?;
    let crowd = Crowd::start(soak, &site, &CROWD)?;
    let mut backs = Vec::new();
    for (fault, begins) in FAULTS.iter().zip(BEGINS) {
        crowd.wait_until(Duration::from_secs(begins));
        let away = fault.befall(&mut cluster, soak)?;
        backs.push((fault, crowd.elapsed(), away));
    }
    let met = crowd.met()?;
    let ends = BEGINS
        .iter()
        .skip(1)
        .map(|begins| Duration::from_secs(*begins));
    let ends = ends.chain([Duration::MAX]);
    let mut is_late = false;
    for ((fault, back, away), end) in backs.iter().zip(ends) {
        let recovery = met.recovery(*back, end);
        is_late |= recovery > RECOVERY;
        println!(
            "PostgreSQL {}, away for {:.1} s: the last failure {:.1} s after it was back",
            fault.name(),
            away.as_secs_f64(),
            recovery.as_secs_f64()
        );
    }
    println!(
        "{} calls, {} refreshes, {} sign-ins; {} repeated, {} lost, {} sign-outs; the longest took {} ms ({})",
        met.calls,
        met.refreshes,
        met.sign_ins,
        met.repeated,
        met.given_up,
        met.signed_out,
        met.longest_ms,
        met.failures()
    );
    met.is_unharmed()?;
    let is_false = |how: &String| FALSE_ENDS.iter().any(|end| how.starts_with(end));
    ensure!(
        !met.answers.keys().any(is_false),
        "people were told something false"
    );
    ensure!(
        met.without_retry_after == 0,
        "a 503 did not say when to come again"
    );
    ensure!(!is_late, "it took more than {RECOVERY:?} to recover");
    Ok(())
}

/// What befalls the database.
enum Fault {
    Crash,
    Pause,
    Connections,
    FailOver,
}

const FAULTS: [Fault; 4] = [
    Fault::Crash,
    Fault::Pause,
    Fault::Connections,
    Fault::FailOver,
];

impl Fault {
    fn name(&self) -> &'static str {
        match self {
            Self::Crash => "crashed and started again",
            Self::Pause => "stood still (SIGSTOP)",
            Self::Connections => "lost all connections and gave none",
            Self::FailOver => "was lost, and a copy took its place",
        }
    }

    /// Befalls it and is over; says how long it took.
    fn befall(&self, cluster: &mut Cluster, soak: &Soak) -> Result<Duration> {
        let copy = match self {
            Self::FailOver => Some(cluster.standby(&soak.clock.variables())?),
            _ => None,
        };
        let begun = Instant::now();
        match copy {
            Some(copy) => cluster.fail_over(copy)?,
            None => self.pass(cluster)?,
        }
        Ok(begun.elapsed())
    }

    /// What befalls the server and leaves it the same.
    fn pass(&self, cluster: &mut Cluster) -> Result<()> {
        match self {
            Self::Crash | Self::FailOver => cluster.crash(),
            Self::Pause => {
                cluster.signal("STOP")?;
                std::thread::sleep(LASTS);
                cluster.signal("CONT")
            }
            Self::Connections => {
                let limit =
                    |count: i32| format!("ALTER DATABASE database CONNECTION LIMIT {count}");
                cluster.ask("postgres", &limit(0))?;
                let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'database'";
                cluster.ask("postgres", end)?;
                std::thread::sleep(LASTS);
                cluster.ask("postgres", &limit(-1))?;
                Ok(())
            }
        }
    }
}
