//! `?tags=a,b` in the URL of an endpoint: a client that wants fewer tools than the toolset has.
//!
//! It narrows what that client sees, finds and calls, and is no protection: whoever may use the endpoint may leave it out.
//! Nothing is kept for it between requests, so that strangers' URLs cost no memory, and clients without it pay nothing.

use portcullis_mcp::ProtocolError;
use portcullis_oauth::resource::{TAGS, naming_query};

use crate::catalogue::{PublishedTool, PublishedToolset};

/// The most words of a URL that are looked up among the tags; the rest is left out of account.
const MAX_ASKED: usize = 100;

/// The most tags that are named to a client whose own are unknown.
const MAX_NAMED: usize = 20;

/// Which of a toolset's tools a client asks for.
#[derive(Debug)]
pub(super) enum Narrowing {
    /// All of them.
    Nothing,
    /// Those with one of the tags, which are written as the toolset has them.
    Tags {
        tags: Vec<String>,
        /// The query, where clients may take it for a part of the endpoint's name.
        query: Option<String>,
    },
    /// Those with tags that no tool has: rather an error than a server without tools, at which nobody sees why.
    Unknown(ProtocolError),
}

impl Narrowing {
    /// Reads the query of an endpoint's URL.
    ///
    /// Tags are separated by commas, and may differ in case; those that no tool has count where none of them is known.
    pub(super) fn read(query: Option<&str>, toolset: &PublishedToolset) -> Self {
        let Some(query) = query else {
            return Self::Nothing;
        };
        let asked = words(query);
        if asked.is_empty() {
            return Self::Nothing;
        }
        let named = toolset.tags.keys();
        let tags: Vec<String> = named
            .filter(|tag| asked.iter().any(|word| tag.eq_ignore_ascii_case(word)))
            .cloned()
            .collect();
        if tags.is_empty() {
            return Self::Unknown(ProtocolError::UnknownTags(known(toolset)));
        }
        Self::Tags {
            tags,
            query: naming_query(Some(query)).map(str::to_owned),
        }
    }

    /// Tells whether some tools are left out.
    pub(super) fn is_narrow(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// Tells whether a tool is among those that the client asks for.
    pub(super) fn admits(&self, tool: &PublishedTool) -> bool {
        match self {
            Self::Nothing => true,
            Self::Tags { tags, .. } => tool.tool.tags.iter().any(|tag| tags.contains(tag)),
            Self::Unknown(_) => false,
        }
    }

    /// Returns the query that the client may take for a part of the endpoint's name.
    pub(super) fn query(&self) -> Option<&str> {
        match self {
            Self::Tags { query, .. } => query.as_deref(),
            Self::Nothing | Self::Unknown(_) => None,
        }
    }

    /// Says what is wrong with what the client asks for.
    pub(super) fn fault(&self) -> Option<&ProtocolError> {
        match self {
            Self::Unknown(error) => Some(error),
            Self::Nothing | Self::Tags { .. } => None,
        }
    }
}

/// Reads the words that may be tags.
fn words(query: &str) -> Vec<String> {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let mut words = Vec::new();
    for (_, value) in pairs.filter(|(name, _)| name == TAGS) {
        // A tag may have a comma in its name.
        for word in std::iter::once(&*value).chain(value.split(',')) {
            if words.len() < MAX_ASKED && !word.trim().is_empty() {
                words.push(word.trim().to_owned());
            }
        }
    }
    words
}

/// Lists the tags that a client may ask for.
fn known(toolset: &PublishedToolset) -> String {
    let named: Vec<String> = toolset
        .tags
        .keys()
        .take(MAX_NAMED)
        .map(|tag| format!("`{tag}`"))
        .collect();
    match (
        named.is_empty(),
        toolset.tags.len().saturating_sub(MAX_NAMED),
    ) {
        (true, _) => "its tools have none".to_owned(),
        (false, 0) => format!("there are {}", named.join(", ")),
        (false, more) => format!("there are {} and {more} more", named.join(", ")),
    }
}
