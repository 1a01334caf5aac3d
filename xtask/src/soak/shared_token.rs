//! `shared-token`: processes of one person share a file with tokens for weeks, some of their answers are lost, and nobody is signed out; a thief who comes late is caught each time.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::people::Person;
use super::programs::Soak;
use super::site::{Engine, Plan, Site};
use crate::postgres::Cluster;

/// How many processes there are of each habit; 43 is what somebody counted on one machine.
const HABITS: [(&str, usize); 3] = [("reads", 20), ("keeps", 18), ("stubborn", 5)];

/// How many answers of a hundred get lost.
const LOST: &str = "--lose=5";

const HOUR: Duration = Duration::from_hours(1);

/// How often the stubborn ones are at work, and how often at most until all of them have other tokens.
const WORK_STEP: Duration = Duration::from_secs(8);
const MOST_STEPS: u32 = 40;

/// The minutes of an hour in which those come who look into the file.
const LATER: [u64; 3] = [5, 23, 41];

const REPLAYS: &str = "portcullis_refresh_token_replays_total";

/// What is counted.
#[derive(Default)]
struct Count {
    uses: u64,
    refreshes: u64,
    lost: u64,
    signed_out: u64,
}

struct Household<'a> {
    site: Site<'a>,
    people: Vec<Person>,
    stubborn: usize,
    count: Count,
    dice: u64,
    /// How far the clock was turned.
    now: Duration,
    /// When the access tokens of the processes expire, as the clock is turned.
    expiries: Vec<Duration>,
}

pub(crate) fn run(soak: &Soak, cluster: &Cluster) -> Result<()> {
    let plan = Plan {
        name: "shared-token",
        engine: Engine::Postgres(cluster),
        replicas: 3,
        skews_ms: &[],
        provider: &["--life-seconds=3000", "--rotation=rotates"],
        more: "",
        public_port: None,
    };
    let site = Site::start(soak, &plan)?;
    let mut household = Household::start(soak, site)?;
    for hour in 0..soak.days * 24 {
        household
            .hour()
            .with_context(|| format!("in hour {hour}"))?;
    }
    let replays = household.site.metric(REPLAYS)?;
    let Count {
        uses,
        refreshes,
        lost,
        signed_out,
    } = household.count;
    println!(
        "{} processes with one file, {} days, three replicas on PostgreSQL: {uses} uses, {refreshes} refreshes, {lost} answers lost, {signed_out} sign-outs",
        household.people.len(),
        soak.days,
    );
    ensure!(
        signed_out == 0 && replays == 0,
        "honest people were signed out"
    );
    ensure!(lost > 0, "no answer was lost");
    household.thieves(soak.rounds / 25, cluster)
}

impl<'a> Household<'a> {
    fn start(soak: &Soak, site: Site<'a>) -> Result<Self> {
        let mut people = Vec::new();
        for (habit, count) in HABITS {
            let habit = format!("--habit={habit}");
            for _ in 0..count {
                let seed = format!("--seed={}", people.len());
                people.push(Person::start(soak, &site, &[&habit, &seed, LOST])?);
            }
        }
        let first = people.first_mut().context("nobody is there")?;
        first.does("sign-in")?;
        let stubborn = HABITS.last().map_or(0, |(_, count)| *count);
        let expiries = vec![Duration::ZERO; people.len()];
        let mut household = Self {
            site,
            people,
            stubborn,
            count: Count::default(),
            dice: 1,
            now: Duration::ZERO,
            expiries,
        };
        // All of them read the file once.
        let all: Vec<usize> = (0..household.people.len()).collect();
        household.make_use(&all)?;
        Ok(household)
    }

    /// Lets an hour go by, until the first of the stubborn ones needs other tokens, and all of them have some.
    fn hour(&mut self) -> Result<()> {
        let stubborn = self.people.len() - self.stubborn..self.people.len();
        let expiries = stubborn.clone().filter_map(|it| self.expiries.get(it));
        let start = *expiries.min().context("nobody is stubborn")?;
        for step in 0..MOST_STEPS {
            self.turn_to(start + WORK_STEP * step)?;
            let mut awake = self.some(3);
            for number in stubborn.clone() {
                // Each at moments of its own, and none idle for long.
                if self.draw(2) == 0 || (number + usize::try_from(step)?).is_multiple_of(3) {
                    awake.push(number);
                }
            }
            self.make_use(&awake)?;
            let mut expiries = stubborn.clone().filter_map(|it| self.expiries.get(it));
            if expiries.all(|expiry| *expiry > start + HOUR / 2) {
                break;
            }
        }
        for minute in LATER {
            self.turn_to(start + Duration::from_secs(minute * 60))?;
            let awake = self.some(5);
            self.make_use(&awake)?;
        }
        Ok(())
    }

    /// Turns the clock to a moment, unless that has gone by.
    fn turn_to(&mut self, moment: Duration) -> Result<()> {
        let by = moment.saturating_sub(self.now);
        self.now += by;
        self.site.turn(by)
    }

    /// Draws some of those who look into the file.
    fn some(&mut self, count: usize) -> Vec<usize> {
        let others = self.people.len() - self.stubborn;
        let mut some: Vec<usize> = (0..count).map(|_| self.draw(others)).collect();
        some.sort_unstable();
        some.dedup();
        some
    }

    fn draw(&mut self, end: usize) -> usize {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.dice >> 33).unwrap_or(0) % end.max(1)
    }

    /// Has some processes make a call, all at once.
    fn make_use(&mut self, awake: &[usize]) -> Result<()> {
        for number in awake {
            self.person(*number)?.tell("use")?;
        }
        for number in awake {
            let report = self.person(*number)?.hear()?;
            if let Some(expiry) = self.expiries.get_mut(*number) {
                *expiry = self.now + Duration::from_millis(report.left_ms);
            }
            self.count.uses += 1;
            self.count.refreshes += report.refreshes;
            self.count.lost += report.lost;
            match &*report.outcome {
                "ok" | "put_off" => {}
                "signed_out" => {
                    self.count.signed_out += 1;
                    anyhow::bail!("process {number} was signed out: {}", report.detail);
                }
                _ => anyhow::bail!("process {number} came to {report:?}"),
            }
        }
        Ok(())
    }

    fn person(&mut self, number: usize) -> Result<&mut Person> {
        self.people.get_mut(number).context("no such process")
    }

    /// Somebody copies the file and comes when its owner has gone on for a while.
    fn thieves(&mut self, rounds: u64, cluster: &Cluster) -> Result<()> {
        let mut caught = 0;
        for round in 0..rounds {
            // Two who look into the file: one owner is enough, and the thief has a process of his own.
            let owner = 0;
            let thief = 1;
            self.person(owner)?.does("sign-in")?;
            self.site.turn(HOUR)?;
            self.make_use(&[owner])?;
            self.person(thief)?.does("copy")?;
            self.site.turn(HOUR)?;
            while self.person(owner)?.asked("use")?.outcome != "ok" {}
            // From a moment after the window to days later.
            let late = 61 + u64::try_from(self.draw(3600))? * (1 + round % 72);
            self.site.turn(Duration::from_secs(late))?;
            let report = self.person(thief)?.asked("replay")?;
            let owners = self.person(owner)?.asked("use")?;
            let is_caught = report.outcome == "refused" && owners.outcome == "signed_out";
            caught += u64::from(is_caught);
            ensure!(
                is_caught,
                "a thief got {report:?}, and its owner {owners:?}"
            );
        }
        let counted = self.site.metric(REPLAYS)?;
        let rows = "SELECT count(*) FROM audit WHERE action = 'refresh_token.replayed'";
        let rows = cluster.ask("shared_token", rows)?;
        println!(
            "thieves after the window: {caught} of {rounds} caught, {counted} counted by the metric, {rows} rows of the audit"
        );
        ensure!(
            counted == rounds && rows == rounds.to_string(),
            "the operator is not told of every thief"
        );
        Ok(())
    }
}
