//! What a provider knows of the people who signed in: which tokens are good, and how often it was asked for others.
//!
//! A provider that rotates takes a refresh token that comes again for a stolen one and ends the account's tokens, as strict ones do.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::since_epoch;

/// What becomes of a refresh token that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Rotation {
    /// It stays good.
    Keeps,
    /// It is replaced.
    Rotates,
}

/// What a provider was asked of one person.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Account {
    /// How often other tokens were given.
    pub(super) refreshes: u64,
    /// How often a refresh token was refused.
    pub(super) refused: u64,
    has_ended: bool,
    /// The number of the refresh token that is good.
    #[serde(skip)]
    refresh: u64,
    /// The access tokens, by number, and when they expire.
    #[serde(skip)]
    access: Vec<Duration>,
}

/// All accounts.
pub(super) struct Accounts {
    rotation: Rotation,
    life: Duration,
    people: BTreeMap<u64, Account>,
    /// Calls of the API that bore no good token.
    denied: u64,
    calls: u64,
}

impl Accounts {
    pub(super) fn new(rotation: Rotation, life: Duration) -> Self {
        Self {
            rotation,
            life,
            people: BTreeMap::new(),
            denied: 0,
            calls: 0,
        }
    }

    /// Gives somebody his first tokens.
    pub(super) fn sign_in(&mut self, person: u64) -> Value {
        self.people.insert(person, Account::default());
        self.give(person)
    }

    /// Gives other tokens for a refresh token, unless it is not good.
    pub(super) fn refresh(&mut self, token: &str) -> Option<Value> {
        let (person, number) = parts(token, 'r')?;
        let account = self.people.get_mut(&person)?;
        if account.has_ended || number != account.refresh {
            account.refused += 1;
            account.has_ended = true;
            return None;
        }
        account.refreshes += 1;
        if self.rotation == Rotation::Rotates {
            account.refresh += 1;
        }
        Some(self.give(person))
    }

    fn give(&mut self, person: u64) -> Value {
        let expiry = since_epoch() + self.life;
        let account = self.people.entry(person).or_default();
        account.access.push(expiry);
        json!({
            "access_token": format!("a-{person}-{}", account.access.len() - 1),
            "refresh_token": format!("r-{person}-{}", account.refresh),
            "token_type": "Bearer",
            "expires_in": self.life.as_secs(),
        })
    }

    /// Tells whose an access token is, where it is good.
    pub(super) fn holder(&self, token: &str) -> Option<u64> {
        let (person, number) = parts(token, 'a')?;
        let account = self.people.get(&person)?;
        let expiry = account.access.get(usize::try_from(number).ok()?)?;
        (!account.has_ended && since_epoch() < *expiry).then_some(person)
    }

    /// Counts a call of the API, and tells whether it may be answered.
    pub(super) fn may_call(&mut self, token: &str) -> bool {
        self.calls += 1;
        let is_good = self.holder(token).is_some();
        self.denied += u64::from(!is_good);
        is_good
    }

    /// Tells everything that happened so far, summed up.
    pub(super) fn journal(&self) -> Value {
        let people = self.people.values();
        json!({
            "people": self.people.len(),
            "refreshes": people.clone().map(|it| it.refreshes).sum::<u64>(),
            "refused": people.map(|it| it.refused).sum::<u64>(),
            "calls": self.calls,
            "denied": self.denied,
        })
    }
}

/// Takes a token apart: its kind, its person and its number.
fn parts(token: &str, kind: char) -> Option<(u64, u64)> {
    let (person, number) = token
        .strip_prefix(kind)?
        .strip_prefix('-')?
        .split_once('-')?;
    Some((person.parse().ok()?, number.parse().ok()?))
}
