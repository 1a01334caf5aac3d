//! `one-refresh`: a thousand calls at three replicas while the provider's token expires, and the provider is asked once.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::people::Person;
use super::programs::Soak;
use super::site::{Engine, Plan, Site};
use crate::postgres::Cluster;

/// How many calls there are at one moment.
const CALLS: u64 = 1000;

/// How often the token expires.
const EXPIRIES: u64 = 10;

/// How long the provider's tokens are good, and how much of that is left when one comes close to its end: less than the shortest margin in which it is renewed.
const LIFE: Duration = Duration::from_mins(10);
const LEFT: Duration = Duration::from_secs(25);

pub(crate) fn run(soak: &Soak, cluster: &Cluster) -> Result<()> {
    let plan = Plan {
        name: "one-refresh",
        engine: Engine::Postgres(cluster),
        replicas: 3,
        skews_ms: &[],
        provider: &[
            "--life-seconds=600",
            "--rotation=rotates",
            "--refresh-ms=300",
        ],
        more: "[authorization]\naccess_token_seconds = 86400\n",
        public_port: None,
    };
    let site = Site::start(soak, &plan)?;
    let mut person = Person::start(soak, &site, &[])?;
    person.does("sign-in")?;
    person.does("use")?;
    let mut slowest = 0;
    for expiry in 0..EXPIRIES {
        let has_expired = expiry % 2 == 0;
        let by = if has_expired {
            LIFE + LEFT
        } else {
            LIFE.saturating_sub(LEFT)
        };
        site.turn(by)?;
        let before = site.provider.journal()?;
        let report = person.does(&format!("burst {CALLS}"))?;
        let after = site.provider.journal()?;
        let refreshes = after.refreshes - before.refreshes;
        slowest = slowest.max(report.slowest_ms);
        ensure!(
            refreshes == 1 && after.refused == before.refused,
            "the provider was asked {refreshes} times at expiry {expiry}"
        );
        ensure!(
            report.answers.get("200") == Some(&CALLS),
            "calls failed at expiry {expiry}: {:?} {}",
            report.answers,
            report.odd
        );
        ensure!(
            after.denied == before.denied,
            "the API saw a token that is not good at expiry {expiry}"
        );
    }
    println!(
        "{CALLS} calls at one moment, three replicas on PostgreSQL, {EXPIRIES} expiries, half of them ahead of time: one refresh each, no call failed, the slowest took {slowest} ms"
    );
    Ok(())
}
