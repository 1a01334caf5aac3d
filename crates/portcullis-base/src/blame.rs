//! Who caused a failure, and whether trying again can help.

use std::time::Duration;

/// The party whose change would mend a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The MCP client or the model sent something wrong.
    Caller,
    /// The operator's configuration is wrong or incomplete.
    Operator,
    /// The upstream API or provider failed.
    Upstream,
    /// Portcullis failed.
    Us,
}

impl Blame {
    /// Returns the value of the `blame` field of a log line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Operator => "operator",
            Self::Upstream => "upstream",
            Self::Us => "us",
        }
    }
}

/// Whether the same request can succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same request fails again until somebody changes something.
    Never,
    /// The same request may succeed at any time.
    Anytime,
    /// The same request may succeed once this much time has passed.
    After(Duration),
}
