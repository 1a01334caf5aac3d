//! `killed`: the gateway is killed while it renews a person's tokens at the provider, at each step and at random; the connection is lost only where a provider that rotates has given tokens which never came to be stored.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::http;
use super::people::Person;
use super::programs::Soak;
use super::site::{Engine, Plan, Site};
use crate::postgres::Cluster;

/// When the gateway is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// The provider has the request, and has done nothing yet.
    Received,
    /// The provider has given other tokens, and its answer never leaves.
    Committed,
    /// The answer has left, at most a few milliseconds ago.
    Answered,
    /// Any time after the call was made.
    Any,
}

const MOMENTS: [Moment; 4] = [
    Moment::Received,
    Moment::Committed,
    Moment::Answered,
    Moment::Any,
];

/// How long the provider's tokens are good, and how long a claim on a renewal is held at most.
const LIFE: Duration = Duration::from_mins(10);
const CLAIM: Duration = Duration::from_secs(61);

/// The longest that the answer is left in the gateway's hands, and that a call is left alone.
const IN_HAND_MICROS: u64 = 6_000;
const ANY_MICROS: u64 = 30_000;

/// What became of the rounds, by the moment of the kill.
#[derive(Default)]
struct Tally {
    rounds: [u64; 4],
    lost: [u64; 4],
    /// The longest after the provider's answer that a kill still lost it.
    longest_micros: u64,
}

pub(crate) fn run(soak: &Soak, cluster: &Cluster) -> Result<()> {
    for (rotation, rounds) in [("keeps", soak.rounds), ("rotates", soak.rounds / 2)] {
        for engine in [Engine::Sqlite, Engine::Postgres(cluster)] {
            let name = format!("killed-{rotation}-{}", engine.name().to_lowercase());
            let rotates = format!("--rotation={rotation}");
            let plan = Plan {
                name: &name,
                engine,
                replicas: 1,
                skews_ms: &[],
                provider: &["--life-seconds=600", &rotates],
                more: "",
                public_port: None,
            };
            let site = Site::start(soak, &plan)?;
            let person = Person::start(soak, &site, &[])?;
            let mut round = Round {
                site,
                person,
                tally: Tally::default(),
                dice: 7,
            };
            round.person.does("sign-in")?;
            for number in 0..rounds / 2 {
                round.once(number, rotation == "rotates")?;
            }
            round.tell(rotation, engine.name());
            if let Engine::Postgres(cluster) = engine {
                round.are_told(cluster, &name)?;
            }
        }
    }
    Ok(())
}

struct Round<'a> {
    site: Site<'a>,
    person: Person,
    tally: Tally,
    dice: u64,
}

impl Round<'_> {
    /// Kills the gateway once, starts it again, and looks whether the person is still signed in.
    fn once(&mut self, number: u64, rotates: bool) -> Result<()> {
        let index = usize::try_from(number % 4)?;
        let moment = MOMENTS.get(index).copied().unwrap_or(Moment::Any);
        self.site.turn(LIFE + Duration::from_secs(1))?;
        let before = self.site.provider.journal()?;
        let in_hand = self.kill_at(moment)?;
        let killed = self.site.provider.journal()?;
        self.person.hear()?;
        self.site.restart(0)?;
        self.site.turn(CLAIM)?;
        let mut report = self.person.asked("use")?;
        if report.outcome == "put_off" {
            report = self.person.asked("use")?;
        }
        let after = self.site.provider.journal()?;
        self.count(index, 1, 0);
        match &*report.outcome {
            "ok" => ensure!(
                after.denied == before.denied,
                "the API saw a token that is not good"
            ),
            "signed_out" => {
                ensure!(
                    rotates && killed.refreshes == before.refreshes + 1,
                    "a connection was lost that need not be, killed at {moment:?}: {report:?}"
                );
                ensure!(
                    after.refused - killed.refused <= 1 && report.refreshes <= 2,
                    "somebody went round in a circle: {report:?}, {after:?}"
                );
                self.count(index, 0, 1);
                self.tally.longest_micros = self.tally.longest_micros.max(in_hand);
                self.person.does("sign-in")?;
                self.person.does("use")?;
            }
            _ => bail!("killed at {moment:?}, and a call then came to {report:?}"),
        }
        Ok(())
    }

    /// Makes a call and kills the gateway at that moment of it; returns how long the answer was in its hands.
    fn kill_at(&mut self, moment: Moment) -> Result<u64> {
        let step = match moment {
            Moment::Received => "received",
            Moment::Committed => "committed",
            Moment::Answered => "answered",
            Moment::Any => {
                self.person.tell("use")?;
                let wait = self.draw(ANY_MICROS);
                thread::sleep(Duration::from_micros(wait));
                self.site.kill(0);
                return Ok(0);
            }
        };
        let port = self.site.provider.port;
        http::get(port, &format!("/arm?at={step}"))?;
        self.person.tell("use")?;
        let reached = http::get(port, "/reached").context("the provider was not asked")?;
        ensure!(reached.0 == 200, "the provider was not asked");
        if moment == Moment::Answered {
            // Mostly at once: what is looked for is the moment between having and keeping.
            let most = self.draw(IN_HAND_MICROS);
            let wait = self.draw(most + 1);
            thread::sleep(Duration::from_micros(wait));
            self.site.kill(0);
            return Ok(wait);
        }
        self.site.kill(0);
        Ok(0)
    }

    fn count(&mut self, index: usize, rounds: u64, lost: u64) {
        if let Some(count) = self.tally.rounds.get_mut(index) {
            *count += rounds;
        }
        if let Some(count) = self.tally.lost.get_mut(index) {
            *count += lost;
        }
    }

    fn tell(&self, rotation: &str, engine: &str) {
        let rounds: u64 = self.tally.rounds.iter().sum();
        let lost: u64 = self.tally.lost.iter().sum();
        let by_moment = MOMENTS.iter().zip(self.tally.lost).zip(self.tally.rounds);
        let by_moment: Vec<String> = by_moment
            .map(|((moment, lost), rounds)| {
                format!(
                    "{} {lost} of {rounds}",
                    format!("{moment:?}").to_lowercase()
                )
            })
            .collect();
        let longest = match self.tally.longest_micros {
            0 => String::new(),
            micros => format!("; the latest kill that lost an answer came {micros} µs after it"),
        };
        println!(
            "a provider that {rotation}, {engine}: {rounds} times killed, {lost} connections lost ({}){longest}",
            by_moment.join(", "),
        );
    }

    /// Compares with what the store says of those who have to sign in again.
    fn are_told(&self, cluster: &Cluster, name: &str) -> Result<()> {
        let lost: u64 = self.tally.lost.iter().sum();
        let ended = "SELECT count(*) FROM grants WHERE end_reason = 'connection_lost'";
        let ended = cluster.ask(&name.replace('-', "_"), ended)?;
        ensure!(
            ended == lost.to_string(),
            "{lost} were lost, and {ended} grants have ended for that"
        );
        Ok(())
    }

    fn draw(&mut self, end: u64) -> u64 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % end
    }
}
