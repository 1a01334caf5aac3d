//! The provider of the demo: made-up people sign in at it, and the gateway gets their tokens.
//!
//! For trying out only: nobody needs a password, and everything is forgotten at the end.
//! It registers no client, as most providers do not; the gateway's callback is entered by hand, as an operator would do it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use portcullis_oauth::pkce::{self, CodeChallenge};
use portcullis_server::ambient::SystemRng;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

/// The client id of the gateway's registration.
pub(crate) const CLIENT_ID: &str = "portcullis";
/// The client secret of the gateway's registration.
pub(crate) const CLIENT_SECRET: &str = "provider-demo-secret";

/// Somebody made up.
pub(crate) struct Person {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) boat: &'static str,
}

/// Everybody who has an account.
pub(crate) const PEOPLE: [Person; 3] = [
    Person {
        id: "nora",
        name: "Nora Quay",
        boat: "Curlew",
    },
    Person {
        id: "finn",
        name: "Finn Mast",
        boat: "Godwit",
    },
    Person {
        id: "mia",
        name: "Mia Ketch",
        boat: "Petrel",
    },
];

/// Whose a token is, and what it is good for.
#[derive(Clone)]
pub(crate) struct Granted {
    pub(crate) person: &'static Person,
    pub(crate) scope: String,
}

/// The provider, and what it remembers.
pub(crate) struct DemoProvider {
    issuer: String,
    callback: OnceLock<String>,
    codes: Mutex<HashMap<String, (Granted, CodeChallenge)>>,
    tokens: Mutex<HashMap<String, Granted>>,
}

impl DemoProvider {
    pub(crate) fn new(issuer: String) -> Self {
        Self {
            issuer,
            callback: OnceLock::new(),
            codes: Mutex::default(),
            tokens: Mutex::default(),
        }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Enters the callback of the gateway's registration; the first one counts.
    pub(crate) fn register(&self, callback: String) {
        self.callback.get_or_init(|| callback);
    }

    /// Returns whose token a request bears.
    pub(crate) fn granted(&self, headers: &HeaderMap) -> Option<Granted> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let token = value.strip_prefix("Bearer ")?;
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(token).cloned()
    }

    fn is_registered(&self, asked: &Asked) -> bool {
        asked.client_id == CLIENT_ID && self.callback.get() == Some(&asked.redirect_uri)
    }
}

/// Returns the provider's endpoints.
pub(crate) fn router(provider: Arc<DemoProvider>) -> Router {
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/authorize", get(authorize))
        .route("/sign-in", post(sign_in))
        .route("/token", post(token))
        .route("/userinfo", get(userinfo))
        .with_state(provider)
}

/// RFC 8414, without a registration endpoint.
async fn metadata(State(provider): State<Arc<DemoProvider>>) -> Json<Value> {
    let issuer = provider.issuer();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "code_challenge_methods_supported": [pkce::METHOD],
        "authorization_response_iss_parameter_supported": true,
    }))
}

/// An authorization request.
#[derive(Deserialize)]
struct Asked {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    state: String,
    code_challenge: String,
    code_challenge_method: String,
    #[serde(default)]
    scope: String,
}

impl Asked {
    fn fields(&self) -> [(&'static str, &str); 7] {
        [
            ("response_type", &self.response_type),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("state", &self.state),
            ("code_challenge", &self.code_challenge),
            ("code_challenge_method", &self.code_challenge_method),
            ("scope", &self.scope),
        ]
    }

    /// Judges the request, and returns its challenge.
    fn judge(&self, provider: &DemoProvider) -> Result<CodeChallenge, &'static str> {
        if !provider.is_registered(self) {
            return Err("no client is registered here with this id and this redirect URI");
        }
        if self.response_type != "code" || self.code_challenge_method != pkce::METHOD {
            return Err("only codes are given here, with a challenge of S256");
        }
        CodeChallenge::parse(&self.code_challenge).map_err(|_| "the challenge is malformed")
    }
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    fields: [(&'static str, &'a str); 7],
    people: &'static [Person],
}

async fn authorize(
    State(provider): State<Arc<DemoProvider>>,
    Query(asked): Query<Asked>,
) -> Response {
    if let Err(reason) = asked.judge(&provider) {
        return (StatusCode::BAD_REQUEST, reason).into_response();
    }
    let page = SignInPage {
        fields: asked.fields(),
        people: &PEOPLE,
    };
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    match page.render() {
        Ok(html) => ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[derive(Deserialize)]
struct Chosen {
    person: String,
    #[serde(flatten)]
    asked: Asked,
}

async fn sign_in(
    State(provider): State<Arc<DemoProvider>>,
    Form(chosen): Form<Chosen>,
) -> Response {
    let Chosen { person, asked } = chosen;
    let challenge = match asked.judge(&provider) {
        Ok(challenge) => challenge,
        Err(reason) => return (StatusCode::BAD_REQUEST, reason).into_response(),
    };
    let Ok(mut location) = Url::parse(&asked.redirect_uri) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let answer = match PEOPLE.iter().find(|known| known.id == person) {
        Some(person) => {
            let code = random();
            let scope = asked.scope;
            let mut codes = provider
                .codes
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            codes.insert(code.clone(), (Granted { person, scope }, challenge));
            ("code", code)
        }
        None => ("error", "access_denied".to_owned()),
    };
    location
        .query_pairs_mut()
        .append_pair(answer.0, &answer.1)
        .append_pair("state", &asked.state)
        .append_pair("iss", provider.issuer());
    Redirect::to(location.as_str()).into_response()
}

#[derive(Deserialize)]
struct TokenRequest {
    grant_type: String,
    client_id: String,
    client_secret: String,
    code: String,
    redirect_uri: String,
    code_verifier: String,
}

async fn token(
    State(provider): State<Arc<DemoProvider>>,
    Form(request): Form<TokenRequest>,
) -> Response {
    let error = |status, code: &str| (status, Json(json!({ "error": code }))).into_response();
    if request.client_id != CLIENT_ID || request.client_secret != CLIENT_SECRET {
        return error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    if request.grant_type != "authorization_code" {
        return error(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let used = provider
        .codes
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(&request.code);
    let is_same_place = provider.callback.get() == Some(&request.redirect_uri);
    let Some((granted, _)) =
        used.filter(|(_, challenge)| is_same_place && challenge.is_of(&request.code_verifier))
    else {
        return error(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    let token = random();
    let answer = json!({ "access_token": token, "token_type": "Bearer", "scope": granted.scope });
    let mut tokens = provider
        .tokens
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    tokens.insert(token, granted);
    ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}

async fn userinfo(State(provider): State<Arc<DemoProvider>>, headers: HeaderMap) -> Response {
    match provider.granted(&headers) {
        Some(Granted { person, .. }) => {
            Json(json!({ "sub": person.id, "name": person.name })).into_response()
        }
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// Returns 256 random bits as text.
fn random() -> String {
    pkce::verifier(&SystemRng).expose().to_owned()
}
