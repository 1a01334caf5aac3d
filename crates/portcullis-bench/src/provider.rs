//! A provider that lets everybody in at once, each as a person of their own: what it costs to ask a real one is not what is measured.
//!
//! A number stands for the person, in the code, in the token and as the subject.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::form_urlencoded;

use crate::signer::Signer;

/// Serves on a port of loopback until the process ends.
pub(crate) async fn run(port: u16, key: Option<Signer>) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| format!("port {port} cannot be listened at"))?;
    let state = Arc::new(State {
        people: AtomicU64::new(0),
        keys: key.map(|key| key.set()),
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let state = Arc::clone(&state);
        let service = service_fn(move |request| {
            let state = Arc::clone(&state);
            async move { Ok::<_, Infallible>(answer(request, &state).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// What the provider knows.
struct State {
    people: AtomicU64,
    /// The set of its public keys, where it signs tokens.
    keys: Option<Value>,
}

async fn answer(request: Request<Incoming>, state: &State) -> Response<Full<Bytes>> {
    match request.uri().path() {
        "/authorize" => {
            let person = state.people.fetch_add(1, Ordering::Relaxed);
            back(request.uri().query().unwrap_or_default(), person)
        }
        "/token" => token(request).await,
        "/me" => me(&request),
        "/keys" => json_answer(StatusCode::OK, state.keys.as_ref().unwrap_or(&Value::Null)),
        _ => json_answer(StatusCode::NOT_FOUND, &json!({})),
    }
}

/// Sends the browser back with a code.
pub(crate) fn back(query: &str, person: u64) -> Response<Full<Bytes>> {
    let value = |name: &str| value_of(query.as_bytes(), name).unwrap_or_default();
    let answer = form_urlencoded::Serializer::new(String::new())
        .append_pair("code", &person.to_string())
        .append_pair("state", &value("state"))
        .finish();
    let location = format!("{}?{answer}", value("redirect_uri"));
    let Ok(location) = HeaderValue::try_from(location) else {
        return json_answer(StatusCode::BAD_REQUEST, &json!({}));
    };
    let mut response = json_answer(StatusCode::SEE_OTHER, &json!({}));
    response.headers_mut().insert(header::LOCATION, location);
    response
}

async fn token(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let Ok(body) = request.into_body().collect().await else {
        return json_answer(StatusCode::BAD_REQUEST, &json!({}));
    };
    match value_of(&body.to_bytes(), "code") {
        Some(person) => json_answer(
            StatusCode::OK,
            &json!({ "access_token": person, "token_type": "Bearer", "expires_in": 3600 }),
        ),
        None => json_answer(
            StatusCode::BAD_REQUEST,
            &json!({ "error": "invalid_grant" }),
        ),
    }
}

fn me(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let given = request.headers().get(header::AUTHORIZATION);
    let token = given.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match token {
        Some(person) => json_answer(StatusCode::OK, &json!({ "sub": person })),
        None => json_answer(StatusCode::UNAUTHORIZED, &json!({})),
    }
}

pub(crate) fn value_of(form: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(form)
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
}

pub(crate) fn json_answer(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
