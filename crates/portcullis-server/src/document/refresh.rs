//! Looks at the URLs of documents when they are due, one replica at a time, and does with a change what the operator says.
//!
//! A look that fails changes nothing: what is served stays, and the store says why.

use std::sync::Arc;
use std::time::Duration;

use portcullis_base::{Clock, Digest, SafeUrl};
use portcullis_store::{
    Actor, ApplyError, ChangePolicy, Document, DueDocument, LookOutcome, Store, StoreError,
    Validators,
};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;

use super::arrival::{Arrival, Fate, fate, settle_nothing, summary};
use super::fetch::{Fetched, FetchedContent, Fetcher, WHOLE_TIME};
use super::history::History;
use crate::compiled::CompiledDocument;
use crate::config::{Configuration, ConfigurationError};
use crate::telemetry::metrics::Metrics;

/// How long a claim lasts: longer than a look.
const CLAIM: Duration = WHOLE_TIME.saturating_add(Duration::from_mins(1));

/// How long a URL is left alone after a failure, where it is looked at less often.
pub(super) const REST: Duration = Duration::from_mins(5);

/// How often a change is thought out anew when others change objects meanwhile.
const ATTEMPTS: usize = 5;

/// Says of a configuration where documents are fetched, and whether it could be used with what is there.
#[derive(Clone, Debug)]
pub struct Judge(Arc<Configuration>);

impl Judge {
    /// Judges by a configuration.
    #[must_use]
    pub fn new(configuration: Arc<Configuration>) -> Self {
        Self(configuration)
    }

    /// Returns the URL of a document with its query, which the store does not have; nothing where the configuration names another one.
    fn url(&self, due: &DueDocument) -> Option<SafeUrl> {
        let object = self.0.objects.documents.get(&due.slug);
        let object = object.filter(|object| object.source == due.source);
        object.and_then(|object| object.url.clone())
    }

    /// Compiles a content as the configuration has it, or tells what keeps it from being used.
    fn judge(
        &self,
        due: &DueDocument,
        content: Arc<[u8]>,
    ) -> Result<Arc<CompiledDocument>, String> {
        let digest = Digest::of(&content);
        let bytes = Arc::clone(&content);
        let judged = self.0.with_remote(&due.slug, &due.source, content);
        let judged = judged.map_err(|error| with_problems(&error))?;
        let object = judged.objects.documents.get(&due.slug);
        match object.filter(|it| it.compiled.digest == digest) {
            Some(object) => Ok(Arc::clone(&object.compiled)),
            // Another replica may have another configuration by now.
            None => CompiledDocument::compile(digest, &bytes, Some(&due.source))
                .map(Arc::new)
                .map_err(|error| error.to_string()),
        }
    }
}

fn with_problems(error: &ConfigurationError) -> String {
    let problems = error.problems().iter().map(ToString::to_string);
    let problems: Vec<_> = problems.collect();
    format!(
        "the configuration cannot be used with it: {}",
        problems.join("; ")
    )
}

/// What looks at URLs.
pub struct DocumentRefresher {
    /// The store.
    pub store: Store,
    /// What fetches.
    pub fetcher: Fetcher,
    /// The numbers.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Woken when the store holds something else.
    pub revised: Arc<Notify>,
}

/// What came of one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// The URL has what it had.
    Same,
    /// Its content is served, and this is what became of the tools.
    Taken(String),
    /// Its content waits for the operator, and this is what it would change.
    Held(String),
    /// It has nothing that can be used.
    Failed(String),
    /// It took so long that somebody else looks since, or the document comes from elsewhere by now or in the configuration that there is here; nothing was written.
    Overtaken,
}

impl DocumentRefresher {
    /// Looks at every URL that is due, one after the other.
    ///
    /// # Errors
    ///
    /// When the store cannot be used.
    pub async fn look(&self, judge: &Judge) -> Result<Vec<Looked>, StoreError> {
        let mut looked = Vec::new();
        while let Some(due) = self
            .store
            .claim_document_look(CLAIM, self.clock.now())
            .await?
        {
            looked.push(self.look_at(&due, None, judge).await?);
        }
        Ok(looked)
    }

    /// Looks at one URL, does with a change what `changes` says, else what the operator says by then, and notes what came of it.
    ///
    /// # Errors
    ///
    /// When the store cannot be used.
    pub async fn look_at(
        &self,
        due: &DueDocument,
        changes: Option<ChangePolicy>,
        judge: &Judge,
    ) -> Result<Looked, StoreError> {
        let Some(url) = judge.url(due) else {
            // Whoever has the configuration that the store is of looks when the claim has run out.
            self.tell(due, &Looked::Overtaken);
            return Ok(Looked::Overtaken);
        };
        let (looked, validators) = match self.tried(due, &url, changes, judge).await {
            Ok(done) => done,
            Err(failure) => (Looked::Failed(failure), Validators::default()),
        };
        let now = self.clock.now();
        let every = Duration::from_secs(u64::from(due.remote.refresh_seconds));
        let (outcome, rest) = match &looked {
            Looked::Failed(failure) => (LookOutcome::Failed(failure.clone()), every.min(REST)),
            _ => (LookOutcome::Read(validators), every),
        };
        let next = now.after(rest);
        let noted = self.store.note_document_look(due, outcome, next, now).await;
        if looked.is_new() {
            // What was written stays, whether or not the look can be noted: it was the latest then.
            self.tell(due, &looked);
            self.revised.notify_one();
            noted?;
            return Ok(looked);
        }
        let looked = if noted? { looked } else { Looked::Overtaken };
        self.tell(due, &looked);
        Ok(looked)
    }

    async fn tried(
        &self,
        due: &DueDocument,
        url: &SafeUrl,
        changes: Option<ChangePolicy>,
        judge: &Judge,
    ) -> Result<(Looked, Validators), String> {
        let fetched = self.fetcher.fetch(url, &due.validators).await;
        match fetched.map_err(|error| error.to_string())? {
            Fetched::Same => Ok((Looked::Same, due.validators.clone())),
            Fetched::Content(FetchedContent {
                bytes,
                validators,
                remarks,
            }) => {
                let bytes: Arc<[u8]> = bytes.into();
                let (due_too, judge, content) = (due.clone(), judge.clone(), Arc::clone(&bytes));
                let judged = spawn_blocking(move || judge.judge(&due_too, content)).await;
                let compiled = judged.map_err(|error| error.to_string())??;
                let looked = self.settle(due, changes, bytes, compiled).await?;
                if looked.is_new() && !remarks.is_empty() {
                    tell_remarks(due, remarks.len());
                }
                Ok((looked, validators))
            }
        }
    }

    async fn settle(
        &self,
        due: &DueDocument,
        changes: Option<ChangePolicy>,
        bytes: Arc<[u8]>,
        compiled: Arc<CompiledDocument>,
    ) -> Result<Looked, String> {
        let told = |error: &dyn ToString| error.to_string();
        for _ in 0..ATTEMPTS {
            let history = History::read(&self.store, &due.slug).await;
            let history = history.map_err(|error| told(&error))?;
            // Asked after that: whoever has begun another look since makes this change a stale one.
            let holds = self.store.holds_document_look(due).await;
            if !holds.map_err(|error| told(&error))? {
                return Ok(Looked::Overtaken);
            }
            let policy = policy(due, &history.document)?;
            let (actor, now) = (
                Actor::new(format!("url:{}", shown(&due.source))),
                self.clock.now(),
            );
            let document = &history.document;
            let settled = if document.digest == compiled.digest {
                if document.waiting.is_none() {
                    return Ok(Looked::Same);
                }
                let settled = settle_nothing(&history, &self.store, actor, now).await;
                settled.map(|()| Looked::Same)
            } else if document.waiting == Some(compiled.digest) {
                // It was not taken up when it came, or set aside since.
                return Ok(Looked::Same);
            } else {
                let (bytes, compiled) = (Arc::clone(&bytes), Arc::clone(&compiled));
                let arrival = Arrival::of(&self.store, history, bytes, compiled).await;
                let arrival = arrival.map_err(|error| told(&error))?;
                let difference = arrival.difference.as_ref();
                let (fate, summary) = (
                    fate(changes.unwrap_or(policy), difference),
                    summary(difference),
                );
                let settled = arrival.settle(fate, &self.store, actor, now).await;
                settled.map(|()| match fate {
                    Fate::Taken => Looked::Taken(summary),
                    Fate::Held => Looked::Held(summary),
                })
            };
            match settled {
                Err(ApplyError::Stale) => {}
                settled => return settled.map_err(|error| told(&error)),
            }
        }
        Err(ApplyError::Stale.to_string())
    }

    fn tell(&self, due: &DueDocument, looked: &Looked) {
        let (document, url) = (due.slug.as_str(), shown(&due.source));
        self.metrics.document_look(looked.outcome());
        match looked {
            Looked::Same => {
                tracing::debug!(document, url, "the URL of the document has what it had");
            }
            Looked::Taken(tools) => tracing::info!(
                document,
                url,
                tools,
                "the document at its URL has changed, and is served as it is now"
            ),
            Looked::Held(tools) => tracing::warn!(
                document,
                url,
                tools,
                "the document at its URL has changed, and waits: see `portcullis document diff {document}`, and take it up by `portcullis document accept {document}`"
            ),
            Looked::Overtaken => tracing::debug!(
                document,
                url,
                "the look at the URL of the document does not count: somebody else looks since, or the document comes from another URL"
            ),
            // Why may be in the words of whoever answered, which are for people and not for a log.
            Looked::Failed(_) => tracing::warn!(
                document,
                url,
                "what the URL of the document has cannot be used, and the document stays as it is; `portcullis document list` says why"
            ),
        }
    }
}

fn tell_remarks(due: &DueDocument, remarks: usize) {
    tracing::warn!(
        document = due.slug.as_str(),
        url = shown(&due.source),
        remarks,
        "the document at its URL refers to what could not be read; `portcullis check` lists it"
    );
}

/// Returns a URL without its query, which may carry a key.
#[must_use]
pub fn shown(url: &str) -> &str {
    url.split_once('?').map_or(url, |(before, _)| before)
}

/// Returns what the operator says of a change, unless the document is another one by now or comes from elsewhere.
fn policy(due: &DueDocument, document: &Document) -> Result<ChangePolicy, String> {
    let is_same = document.id == due.id && document.remote_source() == Some(&due.source);
    let remote = document.remote.filter(|_| is_same);
    let policy = remote.map(|remote| remote.changes);
    policy.ok_or_else(|| "the document comes from elsewhere since, and stays as it is".to_owned())
}

impl Looked {
    /// Tells whether the content was written.
    fn is_new(&self) -> bool {
        matches!(self, Self::Taken(_) | Self::Held(_))
    }

    fn outcome(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Taken(_) => "taken",
            Self::Held(_) => "waits",
            Self::Failed(_) => "failed",
            Self::Overtaken => "overtaken",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_which_may_carry_a_key_is_not_shown() {
        assert_eq!(
            shown("https://a.example/v1?key=s3cr3t"),
            "https://a.example/v1"
        );
        assert_eq!(shown("https://a.example/v1"), "https://a.example/v1");
    }
}
