//! A plan and its credentials become an HTTP request.
//!
//! The request is built from nothing: what the plan says, what the credentials say, and no header of the caller's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use portcullis_base::Secret;
use portcullis_openapi::{self as openapi, Place, PlanError, RequestPlan};
use thiserror::Error;

use super::credentials::Credential;

/// A credential whose value is known, so that it can be written into a request.
#[derive(Debug)]
pub(super) enum Attachment<'a> {
    ApiKey {
        place: Place,
        name: &'a str,
        value: &'a Secret,
    },
    Bearer(&'a Secret),
    Basic(Secret),
}

/// Why a request cannot be written.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum RequestError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(
        "a credential of this tool holds characters that cannot be sent in a header or cookie; set it anew, without line breaks"
    )]
    Unsendable,
    #[error("two credentials of this tool belong into the same header; the document asks for both")]
    SameHeader,
    #[error("the plan has a header that cannot be sent")]
    Header,
}

impl<'a> Attachment<'a> {
    /// Takes a credential that needs nothing fetched; `token` stands for the one that does.
    pub(super) fn of(credential: &Credential<'a>, token: Option<&'a Secret>) -> Option<Self> {
        Some(match credential {
            Credential::ApiKey { place, name, value } => Self::ApiKey {
                place: *place,
                name,
                value,
            },
            Credential::Bearer(token) | Credential::Connection(token) => Self::Bearer(token),
            Credential::Basic { username, password } => Self::Basic(basic(username, password)),
            Credential::ClientCredentials(_) => Self::Bearer(token?),
        })
    }

    /// Returns what must not be seen in an answer.
    pub(super) fn secret(&self) -> &Secret {
        match self {
            Self::ApiKey { value, .. } => value,
            Self::Bearer(token) => token,
            Self::Basic(pair) => pair,
        }
    }
}

/// Joins both halves as RFC 7617 §2 says.
fn basic(username: &Secret, password: &Secret) -> Secret {
    let pair = Secret::new(format!("{}:{}", username.expose(), password.expose()));
    Secret::new(STANDARD.encode(pair.expose()))
}

/// Writes the request.
pub(super) fn write(
    mut plan: RequestPlan,
    server: &str,
    attachments: &[Attachment<'_>],
) -> Result<Request<Full<Bytes>>, RequestError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &plan.headers {
        let name = HeaderName::try_from(name).map_err(|_| RequestError::Header)?;
        let value = HeaderValue::try_from(value).map_err(|_| RequestError::Header)?;
        headers.append(name, value);
    }
    let mut credentials = HeaderMap::new();
    let mut cookies = std::mem::take(&mut plan.cookies);
    for attachment in attachments {
        attach(attachment, &mut plan, &mut credentials, &mut cookies)?;
    }
    for (name, value) in &credentials {
        headers.insert(name, value.clone());
    }
    if !cookies.is_empty() {
        headers.insert(header::COOKIE, cookie(&cookies)?);
    }
    let accept = HeaderValue::try_from(&plan.accept).map_err(|_| RequestError::Header)?;
    headers.insert(header::ACCEPT, accept);
    let url = plan.url(server)?;
    let uri = Uri::try_from(url.as_str()).map_err(|_| PlanError::Server)?;
    let body = match plan.body {
        Some(body) => {
            let media_type =
                HeaderValue::try_from(&body.content_type).map_err(|_| RequestError::Header)?;
            headers.insert(header::CONTENT_TYPE, media_type);
            Bytes::from(body.bytes)
        }
        None => Bytes::new(),
    };
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method(plan.method);
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}

fn attach(
    attachment: &Attachment<'_>,
    plan: &mut RequestPlan,
    headers: &mut HeaderMap,
    cookies: &mut Vec<(String, String)>,
) -> Result<(), RequestError> {
    let (name, value) = match attachment {
        Attachment::Bearer(token) => {
            let value = Secret::new(format!("Bearer {}", token.expose()));
            (header::AUTHORIZATION, sensitive(&value)?)
        }
        Attachment::Basic(pair) => {
            let value = Secret::new(format!("Basic {}", pair.expose()));
            (header::AUTHORIZATION, sensitive(&value)?)
        }
        Attachment::ApiKey { place, name, value } => match place {
            Place::Query | Place::QueryString => {
                return Ok(plan.append_query(name, value.expose())?);
            }
            Place::Cookie => {
                if !value.expose().bytes().all(is_cookie_octet) {
                    return Err(RequestError::Unsendable);
                }
                cookies.retain(|(taken, _)| !openapi::names_collide(taken, name));
                cookies.push(((*name).to_owned(), value.expose().to_owned()));
                return Ok(());
            }
            Place::Header | Place::Path => {
                let name = HeaderName::try_from(*name).map_err(|_| RequestError::Header)?;
                (name, sensitive(value)?)
            }
        },
    };
    match headers.insert(name, value) {
        Some(_) => Err(RequestError::SameHeader),
        None => Ok(()),
    }
}

fn sensitive(text: &Secret) -> Result<HeaderValue, RequestError> {
    let mut value = HeaderValue::from_str(text.expose()).map_err(|_| RequestError::Unsendable)?;
    value.set_sensitive(true);
    Ok(value)
}

fn cookie(cookies: &[(String, String)]) -> Result<HeaderValue, RequestError> {
    let pairs: Vec<_> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    sensitive(&Secret::new(pairs.join("; ")))
}

/// Tells whether a byte is a cookie-octet (RFC 6265 §4.1.1).
fn is_cookie_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}

fn method(method: openapi::Method) -> Method {
    match method {
        openapi::Method::Get => Method::GET,
        openapi::Method::Head => Method::HEAD,
        openapi::Method::Options => Method::OPTIONS,
        openapi::Method::Post => Method::POST,
        openapi::Method::Put => Method::PUT,
        openapi::Method::Patch => Method::PATCH,
        openapi::Method::Delete => Method::DELETE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> RequestPlan {
        RequestPlan {
            method: openapi::Method::Get,
            path: "/pets".to_owned(),
            query: "a=1".to_owned(),
            headers: vec![("X-Trace".to_owned(), "t".to_owned())],
            cookies: vec![("theme".to_owned(), "dark".to_owned())],
            accept: "application/json".to_owned(),
            body: None,
            notes: Vec::new(),
        }
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn key<'a>(place: Place, name: &'a str, value: &'a Secret) -> Attachment<'a> {
        Attachment::ApiKey { place, name, value }
    }

    #[test]
    fn o_09_a_request_has_no_header_but_those_of_the_plan_and_the_credential() {
        let token = secret("t0ken");
        let request = write(
            plan(),
            "https://a.example/v1",
            &[Attachment::Bearer(&token)],
        );
        let request = request.expect("a request");
        assert_eq!(request.uri(), "https://a.example/v1/pets?a=1");
        let headers: Vec<_> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().expect("text")))
            .collect();
        assert_eq!(
            headers,
            [
                ("x-trace", "t"),
                ("authorization", "Bearer t0ken"),
                ("cookie", "theme=dark"),
                ("accept", "application/json"),
            ]
        );
        assert!(request.headers()["authorization"].is_sensitive());
    }

    #[test]
    fn o_05_a_key_in_the_query_comes_last_and_is_encoded() {
        let value = secret("k&x=1#");
        let request = write(
            plan(),
            "https://a.example",
            &[key(Place::Query, "api_key", &value)],
        );
        let uri = request.expect("a request").uri().to_string();
        assert_eq!(uri, "https://a.example/pets?a=1&api_key=k%26x%3D1%23");
        let refused = write(
            plan(),
            "https://a.example",
            &[key(Place::Query, "A", &value)],
        );
        assert_eq!(
            refused.expect_err("refused"),
            RequestError::Plan(PlanError::NameTaken)
        );
    }

    #[test]
    fn o_06_a_key_in_a_cookie_replaces_its_namesake_and_cannot_add_another() {
        let value = secret("mine");
        let request = write(
            plan(),
            "https://a.example",
            &[key(Place::Cookie, "theme", &value)],
        );
        assert_eq!(
            request.expect("a request").headers()["cookie"],
            "theme=mine"
        );
        let value = secret("a; admin=1");
        let refused = write(
            plan(),
            "https://a.example",
            &[key(Place::Cookie, "k", &value)],
        );
        assert_eq!(refused.expect_err("refused"), RequestError::Unsendable);
    }

    #[test]
    fn o_04_a_credential_counts_more_than_a_header_of_its_name() {
        let value = secret("mine");
        let request = write(
            plan(),
            "https://a.example",
            &[key(Place::Header, "x-trace", &value)],
        );
        let request = request.expect("a request");
        let values: Vec<_> = request.headers().get_all("x-trace").iter().collect();
        assert_eq!(values, ["mine"]);
    }

    #[test]
    fn a_credential_that_cannot_be_sent_is_refused() {
        let value = secret("a\r\nX-Admin: 1");
        for attachment in [
            Attachment::Bearer(&value),
            key(Place::Header, "X-Key", &value),
        ] {
            let refused = write(plan(), "https://a.example", &[attachment]);
            assert_eq!(refused.expect_err("refused"), RequestError::Unsendable);
        }
    }

    #[test]
    fn two_credentials_never_share_a_header() {
        let token = secret("t");
        let pair = basic(&secret("u"), &secret(""));
        assert_eq!(pair.expose(), "dTo=");
        let attachments = [Attachment::Bearer(&token), Attachment::Basic(pair)];
        let refused = write(plan(), "https://a.example", &attachments);
        assert_eq!(refused.expect_err("refused"), RequestError::SameHeader);
    }
}
