//! Access tokens that are tried out: a request at the provider whose answer tells whom the token is for, where there are neither signatures nor introspection.
//!
//! That a token works shows that somebody has it, not that it was issued for us: any other application's token would open us (RFC 6749 §10.16).
//! So a probe compares an audience or a client id, or it is no validation; [`Comparison`] is made of nothing less.
//! Only the answer is judged; whoever sends the request bounds it and remembers the outcome.

use std::time::Duration;

use portcullis_base::Timestamp;
use serde_json::Value;
use thiserror::Error;

use super::external::{ExternalAccess, Refusal, accepts, judge_expiry, read_scopes};
use crate::claims::{is_subject, since_epoch};
use crate::json_pointer::{self, JsonPointer};

/// What an answer must say for a token to open anything.
#[derive(Clone, Debug)]
pub struct ProbePolicy {
    /// Under which issuer the subjects are unique.
    pub issuer: String,
    /// What is compared.
    pub comparison: Comparison,
    /// Where `true` must stand, for providers that answer well about dead tokens too.
    pub alive: Option<JsonPointer>,
    /// Where further things stand.
    pub pointers: ProbePointers,
    /// How far clocks may differ.
    pub leeway: Duration,
}

/// Where in an answer things stand; what has a pointer must be there, but for scopes.
#[derive(Clone, Debug, Default)]
pub struct ProbePointers {
    /// What the provider calls the person, a text or a whole number.
    pub subject: Option<JsonPointer>,
    /// The client that the token was issued to.
    pub client: Option<JsonPointer>,
    /// The scopes, separated by spaces or in a list.
    pub scope: Option<JsonPointer>,
    /// When the token expires.
    pub expiry: Option<ExpiryPointer>,
}

/// Where and how an answer tells until when a token is good; numbers, or texts of numbers.
#[derive(Clone, Debug)]
pub enum ExpiryPointer {
    /// In seconds since the epoch.
    At(JsonPointer),
    /// In seconds from now.
    In(JsonPointer),
}

/// An audience or a client id, and which are accepted.
#[derive(Clone, Debug)]
pub struct Comparison {
    at: JsonPointer,
    accepted: Vec<String>,
}

/// A probe without anything to compare.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "a probe must compare an audience or a client id with at least one value that is accepted, none of them empty: that a token works does not show whom it is for"
)]
pub struct NothingCompared;

impl Comparison {
    /// Compares what stands at a pointer, a text, a whole number or a list of them, with what is accepted.
    ///
    /// # Errors
    ///
    /// When nothing is accepted, or the empty text is.
    pub fn new(at: JsonPointer, accepted: Vec<String>) -> Result<Self, NothingCompared> {
        if accepted.is_empty() || accepted.iter().any(String::is_empty) {
            return Err(NothingCompared);
        }
        Ok(Self { at, accepted })
    }

    fn judge(&self, answer: &Value) -> Result<(), Refusal> {
        let is_ours = |value| Some(accepts(&self.accepted, &json_pointer::id(value)?));
        let is_ours = match self.at.find(answer) {
            None | Some(Value::Null) => return Err(Refusal::NoAudience),
            Some(Value::Array(several)) => several
                .iter()
                .map(is_ours)
                .try_fold(false, |any, one| Some(one? || any)),
            Some(one) => is_ours(one),
        };
        match is_ours {
            Some(true) => Ok(()),
            Some(false) => Err(Refusal::OtherAudience),
            None => Err(Refusal::Claim("audience of the probe")),
        }
    }
}

/// Judges the answer to a probe.
///
/// # Errors
///
/// When the provider does not say that the token is good, for us and at this time, or does not answer as it should.
pub fn judge(
    status: u16,
    body: &[u8],
    policy: &ProbePolicy,
    now: Timestamp,
) -> Result<ExternalAccess, Refusal> {
    match status {
        200..300 => {}
        // What providers say of tokens that are not good. Whatever else they say, that the place is gone or that it is too often, would send everybody to sign in, in vain.
        400 | 401 => return Err(Refusal::Inactive),
        _ => return Err(Refusal::Unanswered { status }),
    }
    let answer: Value = serde_json::from_slice(body).map_err(|_| Refusal::Unreadable)?;
    if policy
        .alive
        .as_ref()
        .is_some_and(|alive| !alive.is_true(&answer))
    {
        return Err(Refusal::Inactive);
    }
    policy.comparison.judge(&answer)?;
    let pointers = &policy.pointers;
    let subject = told(pointers.subject.as_ref(), &answer, "subject of the probe")?;
    if subject
        .as_deref()
        .is_some_and(|subject| !is_subject(subject))
    {
        return Err(Refusal::Claim("subject of the probe"));
    }
    let scopes = pointers
        .scope
        .as_ref()
        .and_then(|scope| scope.find(&answer));
    let scopes = scopes
        .map(|scopes| read_scopes(scopes).ok_or(Refusal::Claim("scope of the probe")))
        .transpose()?;
    let expires_at = pointers
        .expiry
        .as_ref()
        .map(|expiry| expiry.judge(&answer, policy.leeway, now))
        .transpose()?;
    Ok(ExternalAccess {
        issuer: policy.issuer.clone(),
        subject,
        client: told(pointers.client.as_ref(), &answer, "client of the probe")?,
        scopes,
        expires_at,
    })
}

fn told(
    pointer: Option<&JsonPointer>,
    answer: &Value,
    name: &'static str,
) -> Result<Option<String>, Refusal> {
    pointer
        .map(|pointer| pointer.id(answer).ok_or(Refusal::Claim(name)))
        .transpose()
}

impl ExpiryPointer {
    fn judge(
        &self,
        answer: &Value,
        leeway: Duration,
        now: Timestamp,
    ) -> Result<Timestamp, Refusal> {
        const MISSING: Refusal = Refusal::Claim("expiry of the probe");
        let (Self::At(pointer) | Self::In(pointer)) = self;
        let seconds = pointer.find(answer).and_then(seconds).ok_or(MISSING)?;
        match self {
            Self::At(_) => {
                let at = since_epoch(seconds).ok_or(MISSING)?;
                judge_expiry(Some(at), leeway, now)?;
                Ok(at)
            }
            // No clock but ours is asked, so there is no leeway.
            Self::In(_) if seconds <= 0.0 => Err(Refusal::Expired),
            Self::In(_) => {
                let rest = Duration::try_from_secs_f64(seconds).map_err(|_| MISSING)?;
                Ok(now.after(rest))
            }
        }
    }
}

fn seconds(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
