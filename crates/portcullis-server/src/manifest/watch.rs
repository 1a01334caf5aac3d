//! Whether the providers of attached manifests still serve what the manifests say.
//!
//! Only tells: what clients are sent to and how tokens are judged changes when the operator writes it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use portcullis_base::{Clock, Digest, Timestamp};
use portcullis_oauth::manifest::difference::{Change, difference};

use super::discover::{NotFound, of_issuer};
use super::visit::Visitor;
use crate::telemetry::metrics::Metrics;
use crate::upstream::external::ResolvedManifest;

/// How long after it is first seen a manifest is compared: not while everything starts.
pub const FIRST: Duration = Duration::from_mins(5);

/// How often it is compared from then on.
pub const EVERY: Duration = Duration::from_hours(24);

/// The longest name of a member that is shown.
const LONGEST_NAME: usize = 64;

/// What was found about one manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Nothing grave changed.
    Same,
    /// Something grave changed.
    Changed {
        /// The members.
        members: Vec<String>,
    },
    /// Clients find nothing where they look.
    Gone(NotFound),
}

/// The comparisons that are due.
pub struct ManifestWatch {
    visitor: Visitor,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    /// When each manifest is compared next, by its digest: one that the operator changed is compared soon.
    due: HashMap<Digest, Timestamp>,
}

impl ManifestWatch {
    /// Makes a watch that has seen nothing yet.
    #[must_use]
    pub fn new(visitor: Visitor, metrics: Arc<Metrics>, clock: Arc<dyn Clock>) -> Self {
        Self {
            visitor,
            metrics,
            clock,
            due: HashMap::new(),
        }
    }

    /// Compares those manifests that are due, tells of them, and returns what was found.
    pub async fn look(&mut self, attached: &[Arc<ResolvedManifest>]) -> Vec<Notice> {
        let now = self.clock.now();
        self.due
            .retain(|digest, _| attached.iter().any(|it| it.digest == *digest));
        let mut notices = Vec::new();
        for manifest in attached {
            let due = self.due.entry(manifest.digest);
            let due = due.or_insert_with(|| now.after(FIRST));
            if now < *due {
                continue;
            }
            *due = now.after(EVERY);
            let notice = compare(&self.visitor, manifest).await;
            self.metrics.manifest_check(notice.outcome());
            notice.log(manifest);
            notices.push(notice);
        }
        notices
    }
}

async fn compare(visitor: &Visitor, manifest: &ResolvedManifest) -> Notice {
    let found = match of_issuer(visitor, manifest.manifest.issuer()).await {
        Ok(found) => found,
        // Then it is served again because nobody else serves it.
        Err(NotFound::Nowhere(_)) if manifest.republished => return Notice::Same,
        Err(error) => return Notice::Gone(error),
    };
    let changes = difference(&manifest.manifest, &found.manifest);
    let grave = changes.iter().filter(|it| it.is_grave);
    // Where the operator added to what is served, or took away from it, the two always differ.
    let grave = grave.filter(|it| !manifest.republished || is_other(it));
    let members: Vec<String> = grave.map(|it| name(it.member)).collect();
    if members.is_empty() {
        Notice::Same
    } else {
        Notice::Changed { members }
    }
}

fn is_other(change: &Change<'_>) -> bool {
    change.before.is_some() && change.after.is_some()
}

/// Returns the name of a member as it may stand in a log.
fn name(member: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if member.len() <= LONGEST_NAME && member.chars().all(is_plain) {
        member.to_owned()
    } else {
        "another endpoint".to_owned()
    }
}

impl Notice {
    fn outcome(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed { .. } => "changed",
            Self::Gone(_) => "failed",
        }
    }

    fn log(&self, manifest: &ResolvedManifest) {
        let slug = &manifest.slug;
        match self {
            Self::Same => {
                tracing::debug!(upstream.provider = %slug, "the provider's metadata is that of its manifest");
            }
            Self::Changed { members } => tracing::warn!(
                upstream.provider = %slug,
                members = members.join(", "),
                "the provider of the manifest `{slug}` serves something else now; see what changed by `portcullis manifest refresh {slug}`"
            ),
            // What was tried has lines of its own, which are for people and not for a log.
            Self::Gone(_) => tracing::warn!(
                upstream.provider = %slug,
                "the provider of the manifest `{slug}` serves no metadata where clients look; see why by `portcullis manifest check {slug}`"
            ),
        }
    }
}
