//! Tokens of a provider's own authorization server: judged before anything is called.

mod crowded;
mod introspection;
mod probed;
mod publication;
mod signed;
mod traded;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use portcullis_base::{Digest, Secret, Slug};
use portcullis_oauth::issuer::redeem::OwnLifetimes;
use portcullis_oauth::scope::Scopes;
use portcullis_server::catalogue::{External, SignIn};
use portcullis_server::upstream::external::ResolvedManifest;
use portcullis_store::{Inbound, ManifestSettings, TokenValidation};
use serde_json::{Value, json};

use super::site::{Answered, PETS, Site, toolset_at};
use crate::signer::Signer;
use crate::upstream::api::{Received, Server, json as answer};

/// How the provider calls itself.
const ISSUER: &str = "https://as.example";

/// When the tests begin, in seconds.
const NOW: u64 = 365 * 24 * 60 * 60;

/// What the provider does; tests change it while it serves.
#[derive(Clone)]
struct Says {
    keys: Vec<Signer>,
    /// The status of every answer but those about tokens, where the provider is not well.
    ails: Option<u16>,
    /// What it answers about a token.
    introspection: (u16, Value),
    /// What it gives for a token.
    trade: (u16, Value),
    /// What it gives us for ourselves.
    ours: (u16, Value),
}

/// The gateway with one toolset, `pets`, for holders of the provider's tokens.
struct Outside {
    site: Site,
    provider: Server,
    api: Server,
    says: Arc<Mutex<Says>>,
    signer: Signer,
}

/// Says what the operator says who judges tokens by their signatures and passes them on.
fn signed() -> ManifestSettings {
    settings(TokenValidation::Jwt)
}

fn settings(validation: TokenValidation) -> ManifestSettings {
    ManifestSettings {
        validation,
        audiences: Vec::new(),
        clients_without_audience: Vec::new(),
        token_issuer: None,
        algorithms: Vec::new(),
        probe: None,
        cache_seconds: None,
        client_id: Some("us".to_owned()),
        delegation: Some(portcullis_store::Delegation::Forward),
        scopes: Vec::new(),
        exchange: portcullis_store::ExchangeSettings::default(),
        republished: false,
    }
}

/// Names a token, which the gateway would take out of an answer.
fn fingerprint(token: &str) -> String {
    Digest::of(token.as_bytes()).fingerprint()
}

/// The API: it says which token it was called with, and refuses some.
fn api(received: &Received) -> Response<Body> {
    let token = received.header("authorization").unwrap_or_default();
    let token = token.trim_start_matches("Bearer ");
    if token.is_empty() || token.contains("unloved") {
        return answer(401, &json!({"message": "bad credentials"}));
    }
    answer(200, &json!({"called_with": fingerprint(token)}))
}

impl Outside {
    async fn start(settings: ManifestSettings) -> Self {
        let signer = Signer::new("k1");
        let says = Arc::new(Mutex::new(Says {
            keys: vec![signer.clone()],
            ails: None,
            introspection: (200, json!({"active": false})),
            trade: (400, json!({"error": "invalid_request"})),
            ours: (400, json!({"error": "unauthorized_client"})),
        }));
        let shared = Arc::clone(&says);
        let provider = Server::start(move |received, _| {
            let says = shared.lock().unwrap().clone();
            match (received.path_and_query.as_str(), says.ails) {
                ("/introspect" | "/tokeninfo", None) => {
                    answer(says.introspection.0, &says.introspection.1)
                }
                ("/token", None)
                    if received.field("grant_type").as_deref() == Some("client_credentials") =>
                {
                    answer(says.ours.0, &says.ours.1)
                }
                ("/token", None) => answer(says.trade.0, &says.trade.1),
                ("/keys", None) => {
                    let keys: Vec<_> = says.keys.iter().map(Signer::jwk).collect();
                    answer(200, &json!({"keys": keys}))
                }
                (_, status) => answer(status.unwrap_or(404), &json!({})),
            }
        });
        let provider = provider.await;
        let outside = Self {
            site: Site::start().await,
            api: Server::start(|received, _| api(received)).await,
            provider,
            says,
            signer,
        };
        outside.publish(&settings, &[Inbound::External]);
        outside
    }

    /// Publishes the toolset.
    fn publish(&self, settings: &ManifestSettings, inbound: &[Inbound]) {
        self.publish_as("pets", settings, inbound);
    }

    fn publish_as(&self, toolset: &str, settings: &ManifestSettings, inbound: &[Inbound]) {
        let introspection = format!("{}/introspect", self.provider.url());
        self.publish_asking(&introspection, toolset, settings, inbound);
    }

    /// Publishes a toolset whose tokens are asked about elsewhere.
    fn publish_asking(
        &self,
        introspection: &str,
        toolset: &str,
        settings: &ManifestSettings,
        inbound: &[Inbound],
    ) {
        let at = |path: &str| format!("{}{path}", self.provider.url());
        let content = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://as.example/authorize",
            "token_endpoint": at("/token"),
            "registration_endpoint": "https://as.example/register",
            "jwks_uri": at("/keys"),
            "introspection_endpoint": introspection,
            "code_challenge_methods_supported": ["S256"],
            "x_of_the_provider": true,
        });
        let slug = Slug::parse("idp").unwrap();
        let secret = Secret::new("our secret".to_owned());
        let content = content.to_string();
        let manifest = ResolvedManifest::new(&slug, &content, settings, Some(&secret)).unwrap();
        let mut toolset = toolset_at(toolset, &self.api);
        toolset.inbound = inbound.iter().copied().collect::<BTreeSet<_>>();
        toolset.sign_in = None;
        toolset.caller_supplied = BTreeSet::from(["PEOPLE_ACCESS_TOKEN".to_owned()]);
        toolset.external = Some(Arc::new(External {
            manifest: Arc::new(manifest),
            sign_in: SignIn {
                lifetimes: OwnLifetimes::default(),
                provider: slug,
                scopes: Scopes::parse("read write").unwrap(),
                descriptions: std::collections::BTreeMap::new(),
                connects: true,
            },
        }));
        self.site.publish_only(toolset);
    }

    fn change(&self, change: impl Fn(&mut Says)) {
        change(&mut self.says.lock().unwrap());
    }

    /// Signs a token that is good, but for the members that are changed; null takes one out.
    fn token(&self, changes: &Value) -> String {
        self.signer.token(&claims(changes))
    }

    async fn whoami(&self, token: &str) -> Answered {
        self.site.tool(token, "whoami").await
    }

    /// Counts the requests to a path of the provider's.
    fn asked(&self, path: &str) -> usize {
        let received = self.provider.received();
        received
            .iter()
            .filter(|it| it.path_and_query == path)
            .count()
    }
}

/// Returns the claims of a token that is good, but for the members that are changed.
fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "sub": "person-1", "aud": PETS, "client_id": "assistant",
        "iat": NOW, "exp": NOW + 3600, "scope": "read write",
    });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// Sees that a call was made with a token.
fn assert_called_with(answered: &Answered, token: &str) {
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    let structured = &answered.json()["result"]["structuredContent"];
    assert_eq!(
        structured["called_with"],
        fingerprint(token),
        "{answered:?}"
    );
}

/// Sees that a token is refused for a reason, by a challenge that leads to the provider.
fn assert_refused(answered: &Answered, reason: &str) {
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{answered:?}");
    let challenge = answered.header("www-authenticate").unwrap();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    assert!(challenge.contains(reason), "{challenge}");
    let metadata =
        "resource_metadata=\"https://mcp.example/.well-known/oauth-protected-resource/pets/mcp\"";
    assert!(challenge.contains(metadata), "{challenge}");
}

/// Turns the clock.
fn turn(outside: &Outside, by: Duration) {
    outside.site.clock.turn(by);
}
