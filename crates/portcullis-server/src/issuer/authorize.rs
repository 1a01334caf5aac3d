//! `/authorize`: a client sends a browser here, and the person is asked.

use std::sync::Arc;

use axum::extract::{Extension, RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use portcullis_base::{Browser, FlowId, Plain};
use portcullis_oauth::issuer::authorize::{
    Outcome, Refused, Untrusted, authorize as judge, client_of,
};
use portcullis_oauth::issuer::flow::{AuthorizationRequest, Flow, FlowState, STEP_LIFETIME};
use portcullis_oauth::redirect_uri::{RedirectKind, RedirectUri};
use portcullis_oauth::wire::form::Parameters;
use portcullis_store::{Actor, AuditEntry, InsertFlowError, StoreError};

use super::again::{self, Visit};
use super::departure::Departure;
use super::page::{self, ProblemPage};
use super::{CONSENT, IssuerState, answer};
use crate::http::request_log::{ClientAddress, Particulars};

pub(super) async fn authorize(
    State(state): State<Arc<IssuerState>>,
    Extension(particulars): Extension<Particulars>,
    address: Option<Extension<ClientAddress>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if !state
        .flows
        .takes(address.map(|Extension(ClientAddress(it))| it))
    {
        particulars.cause("too many sign-ins begin at this address");
        return page::too_many();
    }
    match begin(&state, &particulars, query.as_deref(), &headers).await {
        Ok(response) => response,
        Err(error) => {
            let told = answer::unavailable(&error);
            particulars.blame(error.blame());
            particulars.cause(told.description);
            page::unavailable(&particulars)
        }
    }
}

async fn begin(
    state: &IssuerState,
    particulars: &Particulars,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<Response, StoreError> {
    let parameters = match Parameters::read(query.unwrap_or_default().as_bytes()) {
        Ok(parameters) => parameters,
        Err(invalid) => {
            let text = invalid.to_string();
            particulars.cause(&text);
            return Ok(untrusted(&text));
        }
    };
    let client = match client_of(&parameters) {
        Ok(id) => state.parts.store.client(&id).await?,
        Err(untrusted_request) => return Ok(refuse(particulars, &untrusted_request)),
    };
    let published = state.published();
    match judge(&parameters, client.as_ref(), &state.policy(&published)) {
        Outcome::Untrusted(why) => Ok(refuse(particulars, &why)),
        Outcome::Refused(refused) => Ok(refused_page(state, particulars, &refused)),
        Outcome::Pending(request) => {
            let departure = match &client {
                Some(client) => {
                    let visit = Visit {
                        client,
                        parameters: &parameters,
                        request: &request,
                        headers,
                    };
                    again::departure(state, &visit).await?
                }
                None => None,
            };
            let beginning = Beginning { request, departure };
            beginning.store(state, particulars, headers).await
        }
    }
}

/// A flow that begins: at the page that asks, or where the person approved before, on the way to the provider.
pub(super) struct Beginning {
    pub(super) request: AuthorizationRequest,
    pub(super) departure: Option<Departure>,
}

impl Beginning {
    /// Stores the flow and sends the browser on; a reload of where it gets makes no second flow.
    pub(super) async fn store(
        self,
        state: &IssuerState,
        particulars: &Particulars,
        headers: &HeaderMap,
    ) -> Result<Response, StoreError> {
        let parts = &state.parts;
        let now = parts.clock.now();
        let browser = state
            .cookies
            .browser(headers)
            .unwrap_or_else(|| Plain::<Browser>::new(&*parts.rng));
        let id = FlowId::new(now, &*parts.rng);
        let client = self.request.client.to_string();
        let departure = self.departure.as_ref();
        let repeated = departure.and_then(|it| it.at_provider.consent_of);
        let (location, flow_state) = match self.departure {
            None => (format!("{CONSENT}?flow={id}"), FlowState::Pending),
            Some(departure) => (departure.url, FlowState::AtProvider(departure.at_provider)),
        };
        let flow = Flow {
            id,
            request: self.request,
            browser: browser.digest(),
            state: flow_state,
            created_at: now,
            expires_at: now.after(STEP_LIFETIME),
        };
        particulars.flow(id);
        match parts.store.insert_flow(flow).await {
            Ok(()) => {}
            Err(InsertFlowError::Store(error)) => return Err(error),
            Err(full @ InsertFlowError::FlowsFull) => {
                particulars.cause(&full.to_string());
                return Ok(page::unavailable(particulars));
            }
        }
        if let Some(subject) = repeated {
            let actor = Actor::new(subject.to_string());
            let entry = AuditEntry::new(actor, "consent.repeated", client);
            parts.store.insert_audit(entry, now).await?;
        }
        let Some(mut response) = answer::see_other(&location) else {
            particulars.cause("the provider's URL cannot be sent");
            return Ok(page::unavailable(particulars));
        };
        // Anew each time, so that it outlives the flow.
        let cookie = state.cookies.set_browser(&browser);
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(response)
    }
}

fn refuse(particulars: &Particulars, why: &Untrusted) -> Response {
    let text = why.to_string();
    particulars.cause(&text);
    untrusted(&text)
}

/// RFC 6749 §4.1.2.1: the person is told, and the browser goes nowhere.
fn untrusted(text: &str) -> Response {
    ProblemPage::new(
        "This link cannot be used",
        "The program that sent you here asked in a way that this gateway does not accept.",
        &sentence(text),
    )
    .response(StatusCode::BAD_REQUEST)
}

fn refused_page(state: &IssuerState, particulars: &Particulars, refused: &Refused) -> Response {
    particulars.cause(&refused.error.to_string());
    let location = answer::error_location(
        &refused.redirect_uri,
        refused.error,
        refused.state.as_deref(),
        &state.parts.public_url,
    );
    if refused.at_once
        && let Some(response) = answer::see_other(&location)
    {
        return response;
    }
    let label = return_label(&refused.redirect_uri);
    ProblemPage::new(
        "The request was refused",
        "The program that sent you here asked for something that this gateway does not give.",
        &sentence(refused.error.description),
    )
    .link(&location, &label)
    .response(StatusCode::BAD_REQUEST)
}

/// Makes a sentence for a page of a message for programs.
fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(char::to_uppercase);
    let first = first.into_iter().flatten();
    first.chain(characters).chain(['.']).collect()
}

/// Names the way back to a client.
pub(super) fn return_label(redirect_uri: &str) -> String {
    let uri = RedirectUri::parse(redirect_uri).ok();
    match uri.as_ref().map(RedirectUri::kind) {
        Some(RedirectKind::Https { host }) => format!("Return to {host}"),
        _ => "Return to the program".to_owned(),
    }
}

/// Returns the host that a redirect URI leads to, or its scheme where that is some program's own.
pub(super) fn destination(redirect_uri: &str) -> String {
    match RedirectUri::parse(redirect_uri) {
        Ok(uri) => uri.host().to_owned(),
        Err(_) => "the program".to_owned(),
    }
}
