//! Forms with our credentials, as token endpoints and their neighbours take them (RFC 6749 §2.3.1 and §4.4.2).

use bytes::Bytes;
use http::uri::InvalidUri;
use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use portcullis_base::{SafeUrl, Secret};
use portcullis_oauth::client_auth::ClientAuthentication;
use portcullis_oauth::wire::token::form;

/// Makes a request of fields, our own credentials and further parameters; JSON is wanted.
///
/// # Errors
///
/// When the URL is too long.
pub(super) fn post<'a>(
    url: &SafeUrl,
    fields: impl IntoIterator<Item = (&'static str, &'a str)>,
    authentication: Option<ClientAuthentication>,
    further: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Request<Full<Bytes>>, InvalidUri> {
    let (authorization, credentials) = match authentication {
        Some(ClientAuthentication::Header(value)) => (Some(value), Vec::new()),
        Some(ClientAuthentication::Form(fields)) => (None, fields),
        None => (None, Vec::new()),
    };
    let body = form(fields, &credentials, further);
    let mut request = Request::new(Full::new(Bytes::copy_from_slice(body.expose().as_bytes())));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::try_from(url.as_url().as_str())?;
    let headers = request.headers_mut();
    for (name, value) in [
        (header::ACCEPT, "application/json"),
        (header::CONTENT_TYPE, "application/x-www-form-urlencoded"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(authorization) = authorization {
        headers.insert(header::AUTHORIZATION, basic(&authorization));
    }
    Ok(request)
}

/// Makes the header of our credentials: Base64 after `Basic `, whatever the halves are.
pub(in crate::upstream) fn basic(authorization: &Secret) -> HeaderValue {
    let mut value = HeaderValue::from_str(authorization.expose())
        .expect("Base64 consists of what a header can carry");
    value.set_sensitive(true);
    value
}
