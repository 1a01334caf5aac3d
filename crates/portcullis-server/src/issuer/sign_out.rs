//! `/sign-out`: ends the browser's session, and shows the page again that asked who it is.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::response::Response;
use http::{HeaderMap, header};

use super::browser::csrf_token;
use super::consent::{failed, open_flow, own_form};
use super::{CONSENT, IssuerState, answer, page};
use crate::http::request_log::Particulars;

pub(super) async fn sign_out(
    State(state): State<Arc<IssuerState>>,
    Extension(particulars): Extension<Particulars>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Some(form) = own_form(&state, &headers, body).await else {
        return page::over(&particulars);
    };
    let named = form.get("flow").unwrap_or_default();
    let browser = match open_flow(&state, &particulars, named, &headers).await {
        Ok(Some((_, browser))) => browser,
        Ok(None) => return page::over(&particulars),
        Err(error) => return failed(&particulars, &error),
    };
    if form.get("csrf") != Some(&csrf_token(&browser, named)) {
        return page::over(&particulars);
    }
    if let Some(session) = state.cookies.session(&headers)
        && let Err(error) = state.parts.store.end_session(&session.digest()).await
    {
        return failed(&particulars, &error);
    }
    let location = format!("{CONSENT}?flow={named}");
    let mut response = answer::see_other(&location).expect("an id is visible ASCII");
    let cookie = state.cookies.end_session();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}
