//! A person who has allowed too little for a call: the client is told to ask for more, and the person for everything at once.

use portcullis_oauth::guard::admit::lacks;
use portcullis_oauth::guard::step_up::{Refused, step_up};
use portcullis_oauth::issuer::person::Connection;
use portcullis_oauth::scope::Scopes;

use super::borrowed::NEW_CONNECTION;
use super::caller::Refusal;
use super::endpoint::Exchange;
use crate::catalogue::PublishedTool;
use crate::upstream::credentials::needed_scopes;

impl Exchange {
    /// Refuses a person whose token does not reach as far as a tool needs; the challenge asks for all of the tool's scopes at once.
    pub(super) fn lacks_scopes(&self, tool: &PublishedTool) -> Option<Refusal> {
        // What the API needs of a token that his is traded for is the provider's to judge.
        if self.is_trading() {
            return None;
        }
        let granted = self.caller.scopes()?;
        let sign_in = self.toolset.signing_in()?;
        let needed = needed_scopes(tool, &sign_in.provider, granted);
        // Some clients ask for what the challenge names and nothing else, so that it names what they have too.
        let wanted = granted.without(&Scopes::offline()).union(&needed);
        lacks(granted, &needed).then_some(Refusal::Scope(wanted))
    }

    /// Has the client ask for more where the API itself finds that the person's token lacks scopes, and another sign-in may bring them.
    ///
    /// `named` are those that the API names, in the provider's words; one that the toolset does not have cannot be asked for.
    pub(super) fn steps_up(
        &self,
        tool: &PublishedTool,
        connection: Option<&Connection>,
        named: &Scopes,
    ) -> Option<Refusal> {
        if self.is_trading() {
            return None;
        }
        let sign_in = self.toolset.signing_in()?;
        let granted = self.caller.scopes();
        let provider = self.state.provider(&sign_in.provider);
        let covered = |wanted: &Scopes, theirs: &Scopes| match &provider {
            Some(provider) => {
                let rules = &provider.profile().scopes;
                rules.granted(wanted, &[], Some(&theirs.to_string())).ours
            }
            None => wanted.intersection(theirs),
        };
        let none = Scopes::default();
        let by_document = needed_scopes(tool, &sign_in.provider, granted.unwrap_or(&none));
        let needed = by_document.union(&covered(&sign_in.scopes, named));
        let held = match connection {
            Some(connection) => covered(&needed, &connection.scopes),
            // Of the provider's own token its scopes are all that is known.
            None => granted.cloned().unwrap_or_default(),
        };
        step_up(&Refused {
            granted,
            needed: &needed,
            held: &held,
            is_new: self.has_just_come(connection),
        })
        .map(Refusal::Scope)
    }

    fn is_trading(&self) -> bool {
        let external = self.toolset.external.as_ref();
        external.is_some_and(|external| external.manifest.is_trading())
    }

    /// Tells whether the person signed in so short a time ago that another sign-in would bring the same.
    fn has_just_come(&self, connection: Option<&Connection>) -> bool {
        let now = self.state.clock.now();
        let since = match (connection, self.caller.bearer()) {
            (Some(_), _) => self.caller.token().map(|token| token.grant.created_at),
            (None, bearer) => bearer.map(|bearer| bearer.good.since),
        };
        since.is_none_or(|since| now.since(since) < NEW_CONNECTION)
    }
}
