//! Remembered consent at work: whoever approved before goes on at once, and has to come back as the same person.
//!
//! What may be remembered and when it counts is `portcullis_oauth::issuer::remember`'s; whatever is missing for it has the person asked.

use http::HeaderMap;
use portcullis_oauth::issuer::client::Client;
use portcullis_oauth::issuer::flow::{AtProvider, AuthorizationRequest};
use portcullis_oauth::issuer::person::Identity;
use portcullis_oauth::issuer::remember::{consent_needed, may_be_remembered, may_be_repeated};
use portcullis_oauth::wire::form::Parameters;
use portcullis_store::StoreError;

use super::departure::{Departure, Destination};
use super::{IssuerState, consent};

/// A good authorization request, and how it came.
pub(super) struct Visit<'a> {
    pub(super) client: &'a Client,
    pub(super) parameters: &'a Parameters,
    pub(super) request: &'a AuthorizationRequest,
    pub(super) headers: &'a HeaderMap,
}

/// Makes a browser ready to leave for the provider without a page, where its person approved the same before.
pub(super) async fn departure(
    state: &IssuerState,
    visit: &Visit<'_>,
) -> Result<Option<Departure>, StoreError> {
    let request = visit.request;
    let fetch_site = visit.headers.get("sec-fetch-site");
    let fetch_site = fetch_site.and_then(|site| site.to_str().ok());
    if !may_be_remembered(visit.client, &request.redirect_uri)
        || !may_be_repeated(visit.parameters, fetch_site)
    {
        return Ok(None);
    }
    let Some(session) = consent::session(state, visit.headers).await? else {
        return Ok(None);
    };
    let published = state.published();
    let slug = request.toolset.as_ref();
    let toolset = slug.and_then(|slug| published.toolset(slug.as_str()));
    let destination = toolset.and_then(|toolset| {
        let sign_in = toolset.sign_in.as_deref()?;
        Some(Destination {
            toolset: &toolset.slug,
            sign_in,
            provider: published.provider(sign_in.provider.as_str())?,
        })
    });
    let Some(destination) = destination else {
        return Ok(None);
    };
    let scopes = destination.scopes(request);
    let now = state.parts.clock.now();
    let provider = &destination.sign_in.provider;
    let Some(needed) = consent_needed(request, &scopes, provider, &session, now) else {
        return Ok(None);
    };
    if !state.parts.store.remembers(&needed, now).await? {
        return Ok(None);
    }
    // Where the provider cannot be reached, the page says so once the person goes on.
    let prepared = Departure::prepare(state, request, destination).await.ok();
    Ok(prepared.map(|mut departure| {
        departure.at_provider.consent_of = Some(needed.subject);
        departure
    }))
}

/// Tells whether the person who came back is the one whose consent the flow rests on, if it rests on an earlier one.
pub(super) async fn is_the_same(
    state: &IssuerState,
    at_provider: &AtProvider,
    identity: Option<&Identity>,
) -> Result<bool, StoreError> {
    let Some(subject) = at_provider.consent_of else {
        return Ok(true);
    };
    let Some(identity) = identity else {
        return Ok(false);
    };
    let came = state.parts.store.subject(identity).await?;
    Ok(came == Some(subject))
}
