//! Sign-ins at providers on loopback, from metadata to who the person is.

mod discovery;
mod identity;
mod revocation;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use portcullis_base::{ProviderId, Secret, Slug, Timestamp};
use portcullis_oauth::client::begin::SignInPurpose;
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_oauth::client::ready::ReadyProvider;
use portcullis_oauth::scope::Scopes;
use portcullis_server::ambient::SystemRng;
use portcullis_server::upstream::http::Http;
use portcullis_server::upstream::policy::EgressPolicy;
use portcullis_server::upstream::providers::{
    CodeRedemption, ProviderError, ProviderTokens, Providers, catalogue,
};
use portcullis_store::{Owner, ProviderEndpoints, ProviderSettings, UpstreamProvider};
use serde_json::{Value, json};

use super::api::{Received, Server, json as answer};
use crate::hand::{Hand, loopback};

/// What we send with a code, and must never see again.
const CODE: &str = "the-code-of-the-person";
const VERIFIER: &str = "the-verifier-of-our-request";
const SECRET: &str = "our secret & more";
const NONCE: &str = "the-nonce-of-our-request";

/// The way to providers, with its clock.
struct Gateway {
    providers: Providers,
    clock: Arc<Hand>,
}

impl Gateway {
    fn new() -> Self {
        Self::with(loopback())
    }

    fn with(policy: EgressPolicy) -> Self {
        let clock = Arc::new(Hand::default());
        clock.turn(Duration::from_secs(1_000_000));
        let http = Http::new(policy, Duration::from_secs(2));
        Self {
            providers: Providers::new(http, Arc::clone(&clock) as Arc<_>),
            clock,
        }
    }

    async fn ready(&self, provider: &Arc<ResolvedProvider>) -> ReadyProvider {
        self.providers
            .ready(provider)
            .await
            .expect("a provider that can be used")
    }

    /// Redeems the code for the scopes `read` and `write`.
    async fn redeem(&self, ready: &ReadyProvider) -> Result<ProviderTokens, ProviderError> {
        self.redeem_for(ready, SignInPurpose::Tokens).await
    }

    async fn redeem_for(
        &self,
        ready: &ReadyProvider,
        purpose: SignInPurpose,
    ) -> Result<ProviderTokens, ProviderError> {
        let redemption = CodeRedemption {
            purpose,
            code: &secret(CODE),
            redirect_uri: "https://gw.example/callback/acme",
            verifier: &secret(VERIFIER),
            scopes: &Scopes::parse("read write").unwrap(),
            resource: Some("https://api.example"),
        };
        self.providers.redeem_code(ready, &redemption).await
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// Resolves a provider as the operator's settings have it.
fn provider(settings: ProviderSettings) -> Arc<ResolvedProvider> {
    let stored = UpstreamProvider {
        id: ProviderId::new(Timestamp::from_millis(0), &SystemRng),
        slug: Slug::parse("acme").unwrap(),
        owner: Owner::File,
        settings: ProviderSettings {
            client_id: "us".to_owned(),
            ..settings
        },
        client_secret: Some(secret(SECRET)),
        updated_at: Timestamp::from_millis(0),
    };
    Arc::new(catalogue::resolve(&stored).expect("settings that go together"))
}

/// Has a profile use the endpoints `/authorize`, `/token`, `/user` and `/keys` of a server.
fn at(server: &Server, profile: &str) -> ProviderSettings {
    let url = |path: &str| Some(format!("{}{path}", server.url()));
    ProviderSettings {
        profile: profile.to_owned(),
        endpoints: ProviderEndpoints {
            authorization: url("/authorize"),
            token: url("/token"),
            userinfo: url("/user"),
            jwks: url("/keys"),
            revocation: None,
        },
        ..ProviderSettings::default()
    }
}

/// Has the profile `oidc` discover a server.
fn discovering(server: &Server) -> Arc<ResolvedProvider> {
    provider(ProviderSettings {
        profile: "oidc".to_owned(),
        issuer: Some(server.url()),
        ..ProviderSettings::default()
    })
}

/// The metadata of a server that a request came to, with further members.
fn metadata(received: &Received, members: &Value) -> Response<Body> {
    let issuer = format!("http://{}", received.header("host").unwrap());
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/user"),
        "jwks_uri": format!("{issuer}/keys"),
    });
    for (name, value) in members.as_object().unwrap() {
        document[name] = value.clone();
    }
    answer(200, &document)
}

fn path(received: &Received) -> &str {
    received.path_and_query.split('?').next().unwrap()
}

fn paths(server: &Server) -> Vec<String> {
    let received = server.received();
    received
        .iter()
        .map(|received| received.path_and_query.clone())
        .collect()
}
