//! Manifests, fetched from and tried at providers on loopback.

#![expect(
    clippy::unwrap_used,
    reason = "these are tests, and so are the functions that they share"
)]

#[expect(clippy::panic, clippy::indexing_slicing, reason = "tests share it")]
mod administered;
mod examined;
mod found;
mod watched;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use portcullis_base::Origin;
use portcullis_server::manifest::visit::Visitor;
use portcullis_server::upstream::http::Http;
use portcullis_server::upstream::policy::EgressPolicy;
use serde_json::{Value, json};

use crate::signer::Signer;
use crate::upstream::api::{Received, Server, json as answer};

/// Where RFC 8414 puts metadata.
const OAUTH: &str = "/.well-known/oauth-authorization-server";

/// Where OpenID Connect puts it.
const OPENID: &str = "/.well-known/openid-configuration";

type Answering = Box<dyn Fn(&Received) -> Option<Response<Body>> + Send>;

/// A provider with which nothing is wrong, until a test has it answer otherwise.
struct Provider {
    server: Server,
    answering: Arc<Mutex<Answering>>,
}

impl Provider {
    async fn start() -> Self {
        let answering: Arc<Mutex<Answering>> = Arc::new(Mutex::new(Box::new(|_| None)));
        let shared = Arc::clone(&answering);
        let keys = json!({"keys": [Signer::new("k1").jwk()]});
        let server = Server::start(move |received, _| {
            let special = (shared.lock().unwrap())(received);
            special.unwrap_or_else(|| usual(received, &keys))
        });
        Self {
            server: server.await,
            answering,
        }
    }

    /// Answers otherwise from now on, where `answering` does.
    fn answer_by(&self, answering: impl Fn(&Received) -> Option<Response<Body>> + Send + 'static) {
        *self.answering.lock().unwrap() = Box::new(answering);
    }

    /// Changes the metadata.
    fn serve(&self, change: impl Fn(&mut Value) + Send + 'static) {
        let url = self.server.url();
        self.answer_by(move |received| {
            let mut document = metadata(&url);
            change(&mut document);
            (received.path_and_query == OAUTH).then(|| open(answer(200, &document)))
        });
    }

    fn url(&self) -> String {
        self.server.url()
    }

    /// Returns a visitor who may go to the provider, and nowhere else that is not public.
    fn visitor(&self) -> Visitor {
        let origin = Origin::parse(&self.url()).unwrap();
        let policy = EgressPolicy::default().allow_origin(origin);
        Visitor::by(Http::new(policy, Duration::from_secs(5)))
    }

    fn asked(&self, path: &str) -> bool {
        let mut received = self.server.received().into_iter();
        received.any(|it| it.path_and_query == path)
    }
}

fn usual(received: &Received, keys: &Value) -> Response<Body> {
    let host = received.header("host").unwrap();
    let path = received.path_and_query.split('?').next().unwrap();
    open(match path {
        OAUTH => answer(200, &metadata(&format!("http://{host}"))),
        "/keys" => answer(200, keys),
        "/authorize" => answer(400, &json!({"error": "invalid_request"})),
        "/token" | "/register" => answer(204, &json!({})),
        _ => answer(404, &json!({})),
    })
}

fn open(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert("access-control-allow-origin", "*".parse().unwrap());
    response
}

fn metadata(url: &str) -> Value {
    json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "registration_endpoint": format!("{url}/register"),
        "jwks_uri": format!("{url}/keys"),
        "scopes_supported": ["read", "offline_access"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "x_of_the_provider": [1, {"a": null}]
    })
}

fn page() -> Response<Body> {
    let body = Body::from("<!doctype html><title>Not found</title>");
    let response = Response::builder().header("content-type", "text/html");
    response.body(body).unwrap()
}

fn redirect(to: &str) -> Response<Body> {
    let response = Response::builder().status(302).header("location", to);
    response.body(Body::empty()).unwrap()
}
