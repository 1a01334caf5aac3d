//! `/consent`: the page that asks the person, and what becomes of the answer.
//!
//! The page shows what is stored of the flow, and its form carries nothing but the flow's id and a proof of the browser: what is approved is what was asked for.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use portcullis_base::{Browser, FlowId, Plain};
use portcullis_oauth::client::begin::requested_scopes;
use portcullis_oauth::issuer::client::{Client, ClientOrigin};
use portcullis_oauth::issuer::flow::{FLOW_LIFETIME, Flow, STEP_LIFETIME};
use portcullis_oauth::issuer::person::SessionRow;
use portcullis_oauth::issuer::remember::may_be_remembered;
use portcullis_oauth::redirect_uri::{RedirectKind, RedirectUri};
use portcullis_oauth::scope::{OFFLINE_ACCESS, Scopes};
use portcullis_oauth::wire::error::{OAuthError, OAuthErrorCode};
use portcullis_oauth::wire::form::Parameters;
use portcullis_store::{Actor, AuditEntry, StoreError};

use super::browser::csrf_token;
use super::departure::{Departure, Destination, purpose};
use super::page::{self, ConsentPage, DestinationKind, ProblemPage, ScopeLine, ToolsetChoice};
use super::{IssuerState, Published, answer, authorize};
use crate::catalogue::PublishedToolset;
use crate::http::body;
use crate::http::request_log::Particulars;
use crate::page::STYLE;

pub(super) async fn show(
    State(state): State<Arc<IssuerState>>,
    Extension(particulars): Extension<Particulars>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let parameters = Parameters::read(query.unwrap_or_default().as_bytes());
    let flow = parameters.as_ref().ok().and_then(|it| it.get("flow"));
    let flow = flow.unwrap_or_default();
    let outcome = match open_flow(&state, &particulars, flow, &headers).await {
        Ok(Some((flow, browser))) => {
            consent_page(&state, &particulars, &flow, &browser, &headers).await
        }
        Ok(None) => Ok(page::over(&particulars)),
        Err(error) => Err(error),
    };
    outcome.unwrap_or_else(|error| failed(&particulars, &error))
}

pub(super) async fn decide(
    State(state): State<Arc<IssuerState>>,
    Extension(particulars): Extension<Particulars>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Some(form) = own_form(&state, &headers, body).await else {
        particulars.cause("the form is malformed");
        return page::over(&particulars);
    };
    decided(&state, &particulars, &form, &headers)
        .await
        .unwrap_or_else(|error| failed(&particulars, &error))
}

/// Reads the form of one of our pages.
pub(super) async fn own_form(
    state: &IssuerState,
    headers: &HeaderMap,
    body: Body,
) -> Option<Parameters> {
    // Browsers say where a form comes from; `Origin` is judged around all routes.
    let is_foreign = headers
        .get("sec-fetch-site")
        .is_some_and(|site| site != "same-origin" && site != "none");
    if is_foreign {
        return None;
    }
    let bytes = body::collect(body, state.parts.body_limits).await.ok()?;
    Parameters::read(&bytes).ok()
}

/// Finds the flow of a form or page, if it is open in this browser.
pub(super) async fn open_flow(
    state: &IssuerState,
    particulars: &Particulars,
    flow: &str,
    headers: &HeaderMap,
) -> Result<Option<(Flow, Plain<Browser>)>, StoreError> {
    let Ok(id) = FlowId::parse(flow) else {
        particulars.cause("no flow is named");
        return Ok(None);
    };
    particulars.flow(id);
    let Some(browser) = state.cookies.browser(headers) else {
        particulars.cause("the browser has no cookie of ours");
        return Ok(None);
    };
    let flow = state.parts.store.flow(&id).await?;
    let now = state.parts.clock.now();
    let open = flow.filter(|flow| flow.is_open_in(&browser.digest(), now));
    if open.is_none() {
        particulars.cause("the flow is over, or another browser's");
    }
    Ok(open.map(|flow| (flow, browser)))
}

/// Returns the session of the browser, if it stands, and notes that it is used.
pub(super) async fn session(
    state: &IssuerState,
    headers: &HeaderMap,
) -> Result<Option<SessionRow>, StoreError> {
    let Some(session) = state.cookies.session(headers) else {
        return Ok(None);
    };
    let now = state.parts.clock.now();
    let digest = session.digest();
    let row = state.parts.store.session(&digest).await?;
    let Some(row) = row.filter(|row| row.is_good(now)) else {
        return Ok(None);
    };
    state.parts.store.use_session(&digest, now).await?;
    Ok(Some(row))
}

async fn consent_page(
    state: &IssuerState,
    particulars: &Particulars,
    flow: &Flow,
    browser: &Plain<Browser>,
    headers: &HeaderMap,
) -> Result<Response, StoreError> {
    let request = &flow.request;
    let Some(client) = state.parts.store.client(&request.client).await? else {
        return Ok(page::over(particulars));
    };
    let published = state.published();
    let toolsets = choices(&published, flow);
    if toolsets.is_empty() {
        return Ok(page::over(particulars));
    }
    let session = session(state, headers).await?;
    let asked = provider_scopes(state, &published, flow, &toolsets).await;
    let id = flow.id.to_string();
    let page = ConsentPage {
        style: STYLE,
        csrf: csrf_token(browser, &id),
        flow: id,
        client: &client.metadata.name,
        is_vouched_for: client.origin == ClientOrigin::PreRegistered,
        redirect_uri: &request.redirect_uri,
        destination: &authorize::destination(&request.redirect_uri),
        kind: kind_of(&client, &request.redirect_uri),
        scopes: lines(&request.scopes, &toolsets),
        provider: provider_name(&published, &toolsets),
        asked,
        is_remembered: may_be_remembered(&client, &request.redirect_uri),
        person: session.as_ref().and_then(|row| row.label.as_deref()),
        toolsets: toolsets
            .iter()
            .map(|toolset| ToolsetChoice {
                slug: toolset.slug.as_str(),
                title: &toolset.title,
            })
            .collect(),
    };
    Ok(page.response())
}

/// Returns the toolset that the request names, or all where it names none.
fn choices<'a>(published: &'a Published, flow: &Flow) -> Vec<&'a PublishedToolset> {
    let slugs = published.toolsets.iter().map(|(slug, _)| slug);
    slugs
        .filter(|slug| {
            let named = flow.request.toolset.as_ref();
            named.is_none_or(|named| named == *slug)
        })
        .filter_map(|slug| published.toolset(slug.as_str()))
        .map(AsRef::as_ref)
        .collect()
}

fn lines<'a>(scopes: &'a Scopes, toolsets: &[&'a PublishedToolset]) -> Vec<ScopeLine<'a>> {
    let description = |name: &str| {
        let mut sign_ins = toolsets.iter().filter_map(|it| it.sign_in.as_ref());
        sign_ins.find_map(|it| it.descriptions.get(name).map(String::as_str))
    };
    scopes
        .iter()
        .map(|name| ScopeLine {
            name,
            description: match name {
                OFFLINE_ACCESS => "Stay connected while you are away",
                name => description(name).unwrap_or_default(),
            },
        })
        .collect()
}

/// Returns what the provider will be asked for, in its words; nothing where that is not known before the choice.
async fn provider_scopes(
    state: &IssuerState,
    published: &Published,
    flow: &Flow,
    toolsets: &[&PublishedToolset],
) -> Vec<String> {
    let [only] = toolsets else {
        return Vec::new();
    };
    let Some(sign_in) = only.sign_in.as_ref() else {
        return Vec::new();
    };
    let Some(provider) = published.provider(sign_in.provider.as_str()) else {
        return Vec::new();
    };
    // A provider that cannot be reached is told of when the person goes there.
    let Ok(ready) = state.parts.providers.ready(provider).await else {
        return Vec::new();
    };
    let scopes = flow.request.scopes.intersection(&sign_in.scopes);
    requested_scopes(&ready, purpose(sign_in), &scopes)
}

fn provider_name(published: &Published, toolsets: &[&PublishedToolset]) -> Option<String> {
    let [only] = toolsets else {
        return None;
    };
    let slug = &only.sign_in.as_ref()?.provider;
    Some(published.provider(slug.as_str())?.name().to_owned())
}

fn kind_of(client: &Client, redirect_uri: &str) -> DestinationKind {
    let mut registered = client.metadata.redirect_uris.iter();
    let kind = registered
        .find(|uri| uri.matches(redirect_uri))
        .map(RedirectUri::kind);
    match kind {
        Some(RedirectKind::Https { .. }) => DestinationKind::Web,
        Some(RedirectKind::Loopback) => DestinationKind::OwnMachine,
        Some(RedirectKind::PrivateUse { .. }) | None => DestinationKind::Program,
    }
}

async fn decided(
    state: &IssuerState,
    particulars: &Particulars,
    form: &Parameters,
    headers: &HeaderMap,
) -> Result<Response, StoreError> {
    let named = form.get("flow").unwrap_or_default();
    let Some((flow, browser)) = open_flow(state, particulars, named, headers).await? else {
        return Ok(page::over(particulars));
    };
    if form.get("csrf") != Some(&csrf_token(&browser, named)) {
        particulars.cause("the form is not of this browser's page");
        return Ok(page::over(particulars));
    }
    match form.get("decision") {
        Some("approve") => approve(state, particulars, &flow, form.get("toolset")).await,
        Some("deny") => deny(state, particulars, &flow).await,
        _ => Ok(page::over(particulars)),
    }
}

async fn deny(
    state: &IssuerState,
    particulars: &Particulars,
    flow: &Flow,
) -> Result<Response, StoreError> {
    let now = state.parts.clock.now();
    let ended = state.parts.store.end_flow(&flow.id, &flow.browser, now);
    if !ended.await? {
        return Ok(page::over(particulars));
    }
    particulars.cause("the person did not allow it");
    note(state, flow, "consent.denied").await?;
    let error = OAuthError::new(OAuthErrorCode::AccessDenied, "the person did not allow it");
    let request = &flow.request;
    let location = answer::error_location(
        &request.redirect_uri,
        error,
        request.state.as_deref(),
        &state.parts.public_url,
    );
    Ok(page::moving_on(
        "Not allowed",
        "Nothing was given away, and the program is told so.",
        &location,
        &authorize::return_label(&request.redirect_uri),
    ))
}

/// Sends the browser to the provider: only now, and only this browser can come back.
pub(super) async fn approve(
    state: &IssuerState,
    particulars: &Particulars,
    flow: &Flow,
    chosen: Option<&str>,
) -> Result<Response, StoreError> {
    let parts = &state.parts;
    let published = state.published();
    let candidates = choices(&published, flow);
    let toolset = match candidates.as_slice() {
        [only] => Some(only),
        several => several
            .iter()
            .find(|toolset| Some(toolset.slug.as_str()) == chosen),
    };
    let sign_in = toolset.and_then(|toolset| Some((toolset, toolset.sign_in.as_ref()?)));
    let Some((toolset, sign_in)) = sign_in else {
        return Ok(page::over(particulars));
    };
    let Some(provider) = published.provider(sign_in.provider.as_str()) else {
        particulars.cause("the provider of the toolset cannot be used");
        return Ok(page::unavailable(particulars));
    };
    let destination = Destination {
        toolset: &toolset.slug,
        sign_in,
        provider,
    };
    let departure = match Departure::prepare(state, &flow.request, destination).await {
        Ok(departure) => departure,
        Err(error) => {
            particulars.blame(error.blame());
            particulars.cause(&error.to_string());
            return Ok(provider_fails(flow));
        }
    };
    let now = parts.clock.now();
    let approved = parts.store.approve_flow(
        &flow.id,
        &flow.browser,
        departure.at_provider,
        now.after(STEP_LIFETIME)
            .min(flow.created_at.after(FLOW_LIFETIME)),
        now,
    );
    if !approved.await? {
        return Ok(page::over(particulars));
    }
    note(state, flow, "consent.given").await?;
    let name = provider.name();
    Ok(page::moving_on(
        &format!("On to {name}"),
        "You sign in there and come back by yourself.",
        &departure.url,
        &format!("Continue to {name}"),
    ))
}

/// Records a decision of somebody whom nobody can name yet: by the flow, which the sign-in names too.
async fn note(state: &IssuerState, flow: &Flow, action: &'static str) -> Result<(), StoreError> {
    let actor = Actor::new(flow.id.to_string());
    let entry = AuditEntry::new(actor, action, flow.request.client.to_string());
    let now = state.parts.clock.now();
    state.parts.store.insert_audit(entry, now).await
}

fn provider_fails(flow: &Flow) -> Response {
    ProblemPage::new(
        "The provider cannot be reached",
        "The gateway cannot send you to the place where you sign in.",
        "Try again in a minute. If it stays like this, tell whoever runs the gateway.",
    )
    .flow(flow.id)
    .response(StatusCode::BAD_GATEWAY)
}

pub(super) fn failed(particulars: &Particulars, error: &StoreError) -> Response {
    let told = answer::unavailable(error);
    particulars.blame(error.blame());
    particulars.cause(told.description);
    page::unavailable(particulars)
}
