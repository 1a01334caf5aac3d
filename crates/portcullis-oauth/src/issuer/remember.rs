//! Remembered consent: when a person who approved before is not asked again.
//!
//! Whoever could have a consent repeated without the person's doing would have their tokens, so that it is remembered only where all of this holds.
//! The operator registered the client and says so, and its redirect URI is one of the web: which program gets the answer on a person's machine nobody can tell ([RFC 8252 §8.6](https://www.rfc-editor.org/rfc/rfc8252#section-8.6)).
//! No other site sent the browser, as far as the browser tells.
//! The browser knows who the person is, and exactly this client, redirect URI, toolset and set of scopes were approved; looking that up is the store's.

use portcullis_base::{Slug, Timestamp};

use super::client::{Client, ClientOrigin};
use super::flow::AuthorizationRequest;
use super::person::{RememberedConsent, SessionRow};
use crate::redirect_uri::RedirectKind;
use crate::scope::Scopes;
use crate::wire::form::Parameters;

/// Tells whether what a person approves for a client at a redirect URI may be remembered.
#[must_use]
pub fn may_be_remembered(client: &Client, redirect_uri: &str) -> bool {
    let mut registered = client.metadata.redirect_uris.iter();
    let is_web = registered
        .find(|uri| uri.matches(redirect_uri))
        .is_some_and(|uri| matches!(uri.kind(), RedirectKind::Https { .. }));
    client.origin == ClientOrigin::PreRegistered && client.remembers_consent && is_web
}

/// Tells whether a request comes in a way in which nobody has to be asked; `fetch_site` is the browser's `Sec-Fetch-Site`.
///
/// Browsers count every redirect on the way of a link, so that a site which sends the browser through another is seen all the same.
/// Of an address that a person or a program opened they say `none`, whatever redirects follow ([Fetch Metadata, `Sec-Fetch-Site`](https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header)).
/// A server that a program means to sign in at can thus send it here; the answer's `iss` tells the program so ([RFC 9207 §2.4](https://www.rfc-editor.org/rfc/rfc9207#section-2.4)).
/// A client that says what the person shall be prompted for gets what it asks for.
#[must_use]
pub fn may_be_repeated(parameters: &Parameters, fetch_site: Option<&str>) -> bool {
    matches!(fetch_site, Some("none" | "same-origin")) && !parameters.has("prompt")
}

/// Returns the consent that lets a request go on without a page, for the store to look up.
///
/// None where the request leaves something to choose, or the person is signed in at another provider than `provider`, which the toolset needs, or no longer.
#[must_use]
pub fn consent_needed(
    request: &AuthorizationRequest,
    scopes: &Scopes,
    provider: &Slug,
    session: &SessionRow,
    now: Timestamp,
) -> Option<RememberedConsent> {
    if !session.is_good(now) || session.provider != *provider {
        return None;
    }
    Some(RememberedConsent {
        subject: session.subject,
        client: request.client.clone(),
        redirect_uri: request.redirect_uri.clone(),
        toolset: request.toolset.clone()?,
        scopes: scopes.clone(),
    })
}

#[cfg(test)]
mod tests;
