//! A crowd of people who call, refresh and now and then sign in anew, and come again where they are told to or the connection was cut; it tells what they met.
//!
//! What they do is safe to repeat: reading, and refreshing, which gives the same successor.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

use super::chance::Chance;
use super::pause;
use crate::load::{self, LoadArguments, now};
use crate::visitor::{Place, SignedIn, Visitor};
use crate::wire::{Answer, Detour, Wires};

/// How long one waits for an answer before one asks again.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long one goes on asking.
const PERSISTENCE: Duration = Duration::from_mins(1);

/// How long one waits where nobody says; a server's `Retry-After` counts instead, but at most so long.
const REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(1);

#[derive(clap::Args)]
pub(crate) struct CrowdArguments {
    /// The call that people make; as many people as connections, for so many seconds.
    #[command(flatten)]
    call: LoadArguments,
    /// Where the gateway is reached, as `HOST:PORT`; several are taken in turn.
    #[arg(long = "gateway")]
    gateways: Vec<String>,
    /// How many turns of a hundred are refreshes.
    #[arg(long, default_value_t = 10)]
    refresh: u64,
    /// How many turns of a hundred are sign-ins.
    #[arg(long, default_value_t = 0)]
    sign_in: u64,
    /// The time between two turns of one person.
    #[arg(long, default_value_t = 20)]
    pace_ms: u64,
    /// What chance begins with.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// What the crowd met.
#[derive(Default, Serialize)]
struct Met {
    calls: u64,
    refreshes: u64,
    sign_ins: u64,
    /// Sign-ins that were begun again from the start.
    sign_ins_again: u64,
    /// Calls and refreshes that were made again.
    repeated: u64,
    /// Calls and refreshes that came to nothing, however often they were made.
    given_up: u64,
    signed_out: u64,
    /// Answers that were no success, and how many of each.
    answers: BTreeMap<String, u64>,
    /// Answers that asked to come later without saying when.
    without_retry_after: u64,
    /// When answers failed, in tenths of a second since the beginning.
    failed_at: Vec<u128>,
    /// The longest that anything took, all its repetitions included.
    longest_ms: u128,
}

struct Crowd {
    place: Arc<Place>,
    met: Mutex<Met>,
    start: Instant,
    end: Instant,
    refresh: u64,
    sign_in: u64,
    pace: Duration,
}

/// Lets the crowd in, prints `begun`, and tells what it met when its time is over.
pub(crate) async fn run(arguments: CrowdArguments) -> anyhow::Result<String> {
    let resource = Url::parse(&arguments.call.url.to_string())?;
    let detour = Detour::of(&resource, &arguments.gateways);
    let request = load::request(&arguments.call)?;
    let place = Place::find(resource, request, arguments.call.expect.clone(), detour).await?;
    let place = Arc::new(place);
    let mut people = Vec::new();
    for _ in 0..arguments.call.connections {
        let mut visitor = Visitor::new(Arc::clone(&place));
        let signed_in = visitor.sign_in().await?;
        people.push((visitor, signed_in));
    }
    let start = now();
    let crowd = Arc::new(Crowd {
        place,
        met: Mutex::default(),
        start,
        end: start + Duration::from_secs_f64(arguments.call.seconds),
        refresh: arguments.refresh,
        sign_in: arguments.sign_in,
        pace: Duration::from_millis(arguments.pace_ms),
    });
    crate::print_line("begun");
    let mut lives = JoinSet::new();
    for (number, (visitor, signed_in)) in (0..).zip(people) {
        let crowd = Arc::clone(&crowd);
        let chance = Chance::new(arguments.seed + number);
        lives.spawn(async move { crowd.live(visitor, signed_in, chance).await });
    }
    for lived in lives.join_all().await {
        lived?;
    }
    let met = crowd.met.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(serde_json::to_string(&*met)?)
}

impl Crowd {
    async fn live(
        &self,
        mut visitor: Visitor,
        mut signed_in: SignedIn,
        mut chance: Chance,
    ) -> anyhow::Result<()> {
        let mut wires = self.place.wires();
        while now() < self.end {
            let turn = chance.below(100);
            let begun = now();
            let goes_on = if turn < self.sign_in {
                self.anew(&mut visitor, &mut signed_in).await;
                true
            } else if turn < self.sign_in + self.refresh {
                self.renew(&mut wires, &mut signed_in).await?
            } else {
                self.call(&mut wires, &mut signed_in).await?
            };
            let took = (now() - begun).as_millis();
            self.note(|met| met.longest_ms = met.longest_ms.max(took));
            if !goes_on {
                return Ok(());
            }
            pause(chance.time(2 * self.pace)).await;
        }
        Ok(())
    }

    /// Signs in anew, from the start where something comes between.
    async fn anew(&self, visitor: &mut Visitor, signed_in: &mut SignedIn) {
        let begun = now();
        while now() - begun < PERSISTENCE {
            match timeout(PERSISTENCE, visitor.sign_in()).await {
                Ok(Ok(tokens)) => {
                    *signed_in = tokens;
                    return self.note(|met| met.sign_ins += 1);
                }
                Ok(Err(error)) => {
                    let text = format!("sign-in: {error:#}");
                    self.failed(text.chars().take(120).collect());
                }
                Err(_) => self.failed("sign-in: no answer".to_owned()),
            }
            self.note(|met| met.sign_ins_again += 1);
            pause(REST).await;
        }
        self.note(|met| met.given_up += 1);
    }

    async fn call(&self, wires: &mut Wires, signed_in: &mut SignedIn) -> anyhow::Result<bool> {
        let (url, request) = self.place.calling(&signed_in.access_token)?;
        let Some(answer) = self.persist("call", wires, &url, &request).await else {
            return Ok(true);
        };
        if answer.status == StatusCode::UNAUTHORIZED {
            self.failed("call: 401".to_owned());
            return self.renew(wires, signed_in).await;
        }
        if !self.place.is_expected(&answer.body) {
            let text = format!("call: {} {}", answer.status.as_u16(), answer.body);
            self.failed(text.chars().take(200).collect());
            self.note(|met| met.given_up += 1);
            return Ok(true);
        }
        self.note(|met| met.calls += 1);
        Ok(true)
    }

    /// Refreshes; whoever gets nothing for his refresh token is signed out.
    async fn renew(&self, wires: &mut Wires, signed_in: &mut SignedIn) -> anyhow::Result<bool> {
        let (client, token) = (&signed_in.client, &signed_in.refresh_token);
        let (url, request) = self.place.refreshing(client, token)?;
        let Some(answer) = self.persist("refresh", wires, &url, &request).await else {
            return Ok(true);
        };
        if answer.status != StatusCode::OK {
            let text = format!("refresh: {} {}", answer.status.as_u16(), answer.body);
            self.failed(text.chars().take(200).collect());
            self.note(|met| met.signed_out += 1);
            return Ok(false);
        }
        *signed_in = SignedIn::read(&signed_in.client, &answer)?;
        self.note(|met| met.refreshes += 1);
        Ok(true)
    }

    /// Asks until there is an answer that is one.
    async fn persist(
        &self,
        what: &str,
        wires: &mut Wires,
        url: &Url,
        request: &Request<Full<Bytes>>,
    ) -> Option<Answer> {
        let begun = now();
        while now() - begun < PERSISTENCE {
            let rest = match timeout(PATIENCE, wires.send(url, request.clone())).await {
                Ok(Ok(answer)) if is_later(&answer) => {
                    self.failed(format!("{what}: {}", answer.status.as_u16()));
                    let said = retry_after(&answer);
                    // What a proxy says of a server that is away bears no such header.
                    let is_ours = answer.status == StatusCode::SERVICE_UNAVAILABLE;
                    if is_ours && said.is_none() {
                        self.note(|met| met.without_retry_after += 1);
                    }
                    said.unwrap_or(REST).min(LONGEST_REST)
                }
                Ok(Ok(answer)) => return Some(answer),
                Ok(Err(_)) => {
                    self.failed(format!("{what}: cut"));
                    REST
                }
                Err(_) => {
                    self.failed(format!("{what}: no answer"));
                    REST
                }
            };
            self.note(|met| met.repeated += 1);
            pause(rest).await;
        }
        self.note(|met| met.given_up += 1);
        None
    }

    fn failed(&self, how: String) {
        let at = (now() - self.start).as_millis() / 100;
        self.note(|met| {
            *met.answers.entry(how).or_default() += 1;
            if met.failed_at.last() != Some(&at) {
                met.failed_at.push(at);
            }
        });
    }

    fn note(&self, change: impl FnOnce(&mut Met)) {
        change(&mut self.met.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn is_later(answer: &Answer) -> bool {
    matches!(answer.status.as_u16(), 429 | 502..=504)
}

fn retry_after(answer: &Answer) -> Option<Duration> {
    let value = answer.headers.get(header::RETRY_AFTER)?;
    Some(Duration::from_secs(value.to_str().ok()?.parse().ok()?))
}
