//! One process of a person, who may have many that share a file with tokens: it does what it reads from standard input, a word a line, and prints a line of JSON for each.
//!
//! Some of its answers get lost: it hangs up after sending, or never looks at what came.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;
use url::Url;

use super::chance::Chance;
use super::credentials::Credentials;
use super::{pause, throng};
use crate::load::{self, LoadArguments};
use crate::visitor::{Place, SignedIn, Visitor};
use crate::wire::{Answer, Detour, Wires};

/// More turns than a use ever needs.
const MOST_TURNS: usize = 40;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long it waits before it comes again where nobody says.
const REST: Duration = Duration::from_millis(200);

/// The longest that it waits for an answer which it is not going to read.
const HASTE: Duration = Duration::from_millis(6);

#[derive(clap::Args)]
pub(crate) struct ProcessArguments {
    /// The call that the tokens are for; its URL is the resource.
    #[command(flatten)]
    call: LoadArguments,
    /// Where the gateway is reached, as `HOST:PORT`; several are taken in turn.
    #[arg(long = "gateway")]
    gateways: Vec<String>,
    /// The file with the tokens.
    #[arg(long)]
    file: PathBuf,
    /// What the process does with the tokens.
    #[arg(long, value_enum, default_value = "reads")]
    habit: Habit,
    /// How many answers of a hundred get lost.
    #[arg(long, default_value_t = 0)]
    lose: u64,
    /// What its chance begins with.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// What a process does with the tokens that it shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Habit {
    /// It reads the file before each use.
    Reads,
    /// It keeps the tokens in memory, and reads the file again when they are of no use any more.
    Keeps,
    /// It keeps the tokens in memory, and reads the file once; it writes what it gets.
    Stubborn,
}

/// What came of a line of input.
#[derive(Default, Serialize)]
struct Report {
    /// `ok`, `put_off` after a lost answer, `signed_out`, or `failed`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    refreshes: u32,
    lost: u32,
    /// How often the gateway asked to come again later.
    later: u32,
    /// How long the access token at hand is good by this process's clock.
    left_ms: u64,
}

/// What came of a refresh.
enum Refreshing {
    Given(Credentials),
    Lost,
    Refused(String),
    Later,
}

struct Process {
    place: Arc<Place>,
    wires: Wires,
    addresses: Vec<String>,
    file: PathBuf,
    habit: Habit,
    lose: u64,
    chance: Chance,
    kept: Option<Credentials>,
    /// What a thief has copied.
    copy: Option<Credentials>,
}

/// Does what stands on standard input until that ends.
pub(crate) async fn run(arguments: ProcessArguments) -> anyhow::Result<()> {
    let resource = Url::parse(&arguments.call.url.to_string())?;
    let detour = Detour::of(&resource, &arguments.gateways);
    let request = load::request(&arguments.call)?;
    let place = Place::find(resource, request, arguments.call.expect.clone(), detour).await?;
    let place = Arc::new(place);
    let mut process = Process {
        wires: place.wires(),
        place,
        addresses: arguments.gateways,
        file: arguments.file,
        habit: arguments.habit,
        lose: arguments.lose,
        chance: Chance::new(arguments.seed),
        kept: None,
        copy: None,
    };
    let mut lines = lines();
    while let Some(line) = lines.recv().await {
        let report = process.obey(&line).await;
        let report = report
            .unwrap_or_else(|error| json!({ "outcome": "failed", "detail": format!("{error:#}") }));
        crate::print_line(&report.to_string());
    }
    Ok(())
}

/// Reads standard input on a thread of its own, so that connections are looked after meanwhile.
fn lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

impl Process {
    async fn obey(&mut self, line: &str) -> anyhow::Result<Value> {
        let (word, number) = line.split_once(' ').unwrap_or((line, "1"));
        match word {
            "sign-in" => {
                let mut visitor = Visitor::new(Arc::clone(&self.place));
                self.take(Credentials::of(visitor.sign_in().await?))?;
                Ok(json!({ "outcome": "ok" }))
            }
            "use" => {
                let mut report = self.make_use().await?;
                report.left_ms = self.kept.as_ref().map_or(0, Credentials::left_ms);
                Ok(serde_json::to_value(report)?)
            }
            "copy" => {
                self.copy = Some(Credentials::read(&self.file)?);
                Ok(json!({ "outcome": "ok" }))
            }
            "replay" => self.replay().await,
            "burst" => {
                let token = self.tokens()?.access_token;
                throng::burst(&self.place, &self.addresses, &token, number.parse()?).await
            }
            "race" => {
                let before = self.tokens()?;
                throng::race(&self.place, &self.addresses, &before, number.parse()?).await
            }
            _ => bail!("`{line}` is nothing that a process does"),
        }
    }

    /// Makes a call, by other tokens where those at hand are of no use.
    async fn make_use(&mut self) -> anyhow::Result<Report> {
        let mut report = Report::default();
        for _ in 0..MOST_TURNS {
            let tokens = self.tokens()?;
            if tokens.have_expired() {
                if self.looks_again(&tokens)? {
                    continue;
                }
                match self.refresh(&tokens, &mut report).await? {
                    Refreshing::Given(given) => self.take(given)?,
                    Refreshing::Lost if self.habit == Habit::Stubborn => {}
                    Refreshing::Lost if self.chance.percent(50) => {}
                    Refreshing::Lost => return Ok(report.ended("put_off", "")),
                    Refreshing::Later => {}
                    // Somebody else may have written other tokens meanwhile.
                    Refreshing::Refused(_) if self.looks_again(&tokens)? => {}
                    Refreshing::Refused(error) => return Ok(report.ended("signed_out", &error)),
                }
                continue;
            }
            let (url, request) = self.place.calling(&tokens.access_token)?;
            let answer = timeout(PATIENCE, self.wires.send(&url, request)).await;
            match answer {
                Ok(Ok(answer)) if answer.status == StatusCode::OK => {
                    return Ok(if self.place.is_expected(&answer.body) {
                        report.ended("ok", "")
                    } else {
                        report.ended("failed", &answer.body)
                    });
                }
                Ok(Ok(answer)) if answer.status == StatusCode::UNAUTHORIZED => {
                    self.expire(tokens)?;
                }
                Ok(Ok(answer)) if is_later(&answer) => {
                    report.later += 1;
                    pause(REST).await;
                }
                Ok(Ok(answer)) => return Ok(report.ended("failed", &answer.body)),
                Ok(Err(error)) => return Ok(report.ended("cut", &format!("{error:#}"))),
                Err(_) => return Ok(report.ended("failed", "no answer")),
            }
        }
        Ok(report.ended("failed", "no end of turns"))
    }

    /// Returns the tokens that this process goes by.
    fn tokens(&mut self) -> anyhow::Result<Credentials> {
        if self.habit != Habit::Reads
            && let Some(kept) = &self.kept
        {
            return Ok(kept.clone());
        }
        let read = Credentials::read(&self.file)?;
        // What was refused stays so until the file says something else.
        if let Some(kept) = &self.kept
            && kept.access_token == read.access_token
        {
            return Ok(kept.clone());
        }
        self.kept = Some(read.clone());
        Ok(read)
    }

    /// Tells whether the file holds other tokens than those that are of no use, and takes them over.
    fn looks_again(&mut self, useless: &Credentials) -> anyhow::Result<bool> {
        if self.habit == Habit::Stubborn {
            return Ok(false);
        }
        let read = Credentials::read(&self.file)?;
        let is_other = read.access_token != useless.access_token;
        if is_other {
            self.kept = Some(read);
        }
        Ok(is_other)
    }

    fn take(&mut self, given: Credentials) -> anyhow::Result<()> {
        given.write(&self.file)?;
        self.kept = Some(given);
        Ok(())
    }

    /// Takes a refused access token for expired.
    fn expire(&mut self, mut tokens: Credentials) -> anyhow::Result<()> {
        if !self.looks_again(&tokens)? {
            tokens.expire();
            self.kept = Some(tokens);
        }
        Ok(())
    }

    async fn refresh(
        &mut self,
        tokens: &Credentials,
        report: &mut Report,
    ) -> anyhow::Result<Refreshing> {
        let (url, request) = self
            .place
            .refreshing(&tokens.client, &tokens.refresh_token)?;
        let is_lost = self.chance.percent(self.lose);
        let patience = if is_lost && self.chance.percent(50) {
            self.chance.time(HASTE)
        } else {
            PATIENCE
        };
        let answer = timeout(patience, self.wires.send(&url, request)).await;
        report.refreshes += 1;
        if is_lost {
            report.lost += 1;
            return Ok(Refreshing::Lost);
        }
        match answer.context("no answer to a refresh")? {
            Ok(answer) if answer.status == StatusCode::OK => {
                let given = SignedIn::read(&tokens.client, &answer)?;
                Ok(Refreshing::Given(Credentials::of(given)))
            }
            Ok(answer) if is_later(&answer) => {
                report.later += 1;
                pause(REST).await;
                Ok(Refreshing::Later)
            }
            Ok(answer) => Ok(Refreshing::Refused(answer.body)),
            Err(_) => {
                report.lost += 1;
                Ok(Refreshing::Lost)
            }
        }
    }

    /// Presents what was copied, as a thief does.
    async fn replay(&mut self) -> anyhow::Result<Value> {
        let copy = self.copy.clone().context("nothing was copied")?;
        let (url, request) = self.place.refreshing(&copy.client, &copy.refresh_token)?;
        let answer = self.wires.send(&url, request).await?;
        let outcome = if answer.status == StatusCode::OK {
            "ok"
        } else {
            "refused"
        };
        Ok(json!({ "outcome": outcome, "detail": answer.body }))
    }
}

impl Report {
    fn ended(mut self, outcome: &'static str, detail: &str) -> Self {
        self.outcome = outcome;
        detail.clone_into(&mut self.detail);
        self
    }
}

/// Tells whether a server asks to come again, or a proxy found nobody behind.
fn is_later(answer: &Answer) -> bool {
    matches!(answer.status.as_u16(), 429 | 502..=504)
}
