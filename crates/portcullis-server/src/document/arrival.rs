//! A content that has come from a document's URL: what separates it from what is served, and what becomes of it.
//!
//! What a model reads is how a tool is poisoned, so that nothing of it changes without the operator's word, unless he said beforehand that it may.

use std::sync::Arc;

use portcullis_base::Timestamp;
use portcullis_openapi::{ToolDifference, difference};
use portcullis_store::{Actor, ApplyError, ChangePolicy, Document, DocumentPut, Store};

use super::history::{History, HistoryError};
use crate::compiled::CompiledDocument;

/// What becomes of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is served.
    Taken,
    /// It waits for the operator.
    Held,
}

/// A content that is neither served nor waits already.
#[derive(Debug)]
pub struct Arrival {
    /// What separates its tools from those that are served; nothing where that cannot be told.
    pub difference: Option<ToolDifference>,
    history: History,
    bytes: Arc<[u8]>,
    compiled: Arc<CompiledDocument>,
}

/// Decides what becomes of a content by what it changes, where that can be told.
#[must_use]
pub fn fate(changes: ChangePolicy, difference: Option<&ToolDifference>) -> Fate {
    // What nobody sees needs nobody's word; what cannot be compared may be anything.
    let nobody_sees_it = difference.is_some_and(ToolDifference::is_empty);
    match changes {
        ChangePolicy::Follow => Fate::Taken,
        ChangePolicy::Warn | ChangePolicy::Pin if nobody_sees_it => Fate::Taken,
        ChangePolicy::Warn | ChangePolicy::Pin => Fate::Held,
    }
}

/// Says in one line what separates a content from what is served.
#[must_use]
pub fn summary(difference: Option<&ToolDifference>) -> String {
    difference.map_or_else(|| INCOMPARABLE.to_owned(), ToolDifference::summary)
}

/// What is said where there is no difference to show.
const INCOMPARABLE: &str =
    "cannot be compared with what is served, which this version of Portcullis cannot read";

impl Arrival {
    /// Compares a content with what is served.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn of(
        store: &Store,
        history: History,
        bytes: Arc<[u8]>,
        compiled: Arc<CompiledDocument>,
    ) -> Result<Self, HistoryError> {
        let tools = history.names.apply(&compiled.tools);
        let served = history.compile_served(store).await?;
        let difference = served.map(|served| difference(served.view(), compiled.view(&tools)));
        Ok(Self {
            difference,
            history,
            bytes,
            compiled,
        })
    }

    /// Serves the content, or lets it wait, in one transaction.
    ///
    /// # Errors
    ///
    /// When the objects have changed meanwhile, or the store fails.
    pub async fn settle(
        self,
        fate: Fate,
        store: &Store,
        actor: Actor,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        let put = match fate {
            Fate::Taken => {
                let bytes = Arc::clone(&self.bytes);
                self.history.serving(&self.compiled, bytes, None, now)
            }
            Fate::Held => self.held(now),
        };
        let changes = self.history.change(put, actor);
        store.apply(changes, now).await.map(drop)
    }

    fn held(&self, now: Timestamp) -> DocumentPut {
        DocumentPut {
            document: Document {
                waiting: Some(self.compiled.digest),
                updated_at: now,
                ..self.history.document.clone()
            },
            content: None,
            waiting: Some(Arc::clone(&self.bytes)),
        }
    }
}

/// Says that the URL has what is served again, so that nothing waits any more.
pub(super) async fn settle_nothing(
    history: &History,
    store: &Store,
    actor: Actor,
    now: Timestamp,
) -> Result<(), ApplyError> {
    let put = DocumentPut {
        document: Document {
            waiting: None,
            ..history.document.clone()
        },
        content: None,
        waiting: None,
    };
    let changes = history.change(put, actor);
    store.apply(changes, now).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_06_a_change_of_tools_waits_unless_the_operator_said_that_it_may_come() {
        let nothing = ToolDifference::default();
        let something = ToolDifference {
            added: vec!["tool".to_owned()],
            ..ToolDifference::default()
        };
        for unknown in [Some(&something), None] {
            assert_eq!(fate(ChangePolicy::Warn, unknown), Fate::Held);
            assert_eq!(fate(ChangePolicy::Pin, unknown), Fate::Held);
            assert_eq!(fate(ChangePolicy::Follow, unknown), Fate::Taken);
        }
        assert_eq!(fate(ChangePolicy::Warn, Some(&nothing)), Fate::Taken);
        assert!(summary(None).starts_with("cannot be compared"));
    }
}
