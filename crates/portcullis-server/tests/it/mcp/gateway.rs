//! The endpoint's router over a catalogue made by hand.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use portcullis_base::{ApiKey, ApiKeyId, Clock, Digest, Origin, Plain, Secret, Slug, Timestamp};
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::catalogue::{
    Catalogue, EnvironmentValue, EnvironmentValues, PublishedDocument, PublishedTool,
    PublishedToolset,
};
use portcullis_server::compiled::KnownDocuments;
use portcullis_server::http::settings::BodyLimits;
use portcullis_server::mcp::endpoint::{EndpointState, router};
use portcullis_server::mcp::keys::KeyCache;
use portcullis_server::mcp::{dynamic, publish};
use portcullis_server::telemetry::metrics::Metrics;
use portcullis_server::upstream::external::ExternalTokens;
use portcullis_server::upstream::providers::Providers;
use portcullis_server::upstream::vault::{Vault, VaultParts};
use portcullis_server::upstream::{Upstream, UpstreamLimits};
use portcullis_store::{Actor, ApiKeyRow, Inbound, Keyring, MasterKey, Store};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::api::Api;
use crate::hand::{Hand, loopback};

/// The key that the environment of `pets` holds for the API.
pub(super) const OPERATORS_KEY: &str = "the-operators-key";

/// Returns the key that a toolset's environment holds for the API.
pub(super) fn key_of(toolset: &str) -> String {
    match toolset {
        "pets" => OPERATORS_KEY.to_owned(),
        other => format!("{OPERATORS_KEY}-of-{other}"),
    }
}

/// The endpoint, and what stands around it.
pub(super) struct Gateway {
    router: Router,
    pub(super) api: Api,
    pub(super) clock: Arc<Hand>,
    pub(super) metrics: Arc<Metrics>,
    store: Store,
    _folder: TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answered {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

fn published(
    slug: &str,
    inbound: &[Inbound],
    document: &Arc<PublishedDocument>,
) -> PublishedToolset {
    let slug = Slug::parse(slug).unwrap();
    let tools: HashMap<_, _> = document
        .tools
        .iter()
        .map(|tool| {
            let tool = PublishedTool {
                tool: Arc::clone(tool),
                document: Arc::clone(document),
                bound: Arc::default(),
                provider: None,
                presentation: Arc::default(),
            };
            (tool.tool.name.clone(), tool)
        })
        .collect();
    let key = EnvironmentValue {
        text: Secret::new(key_of(slug.as_str())),
        secret: true,
    };
    PublishedToolset {
        selection_warnings: Vec::new(),
        selection_notes: Vec::new(),
        tags: publish::tags(tools.values()),
        search: None,
        introduction: publish::introduction(&slug, "Pets <of all kinds>", Some("Feed them.")),
        list: publish::tool_list(&tools),
        slug,
        title: "Pets <of all kinds>".to_owned(),
        instructions: Some("Feed them.".to_owned()),
        inbound: inbound.iter().copied().collect(),
        external: None,
        sign_in: None,
        caller_supplied: BTreeSet::from(["PETS_KEY".to_owned()]),
        environment: Some(Arc::new(EnvironmentValues {
            slug: Slug::parse("pets").unwrap(),
            values: HashMap::from([("PETS_KEY".to_owned(), key)]),
        })),
        tools,
    }
}

/// Has the tools of a toolset searched for instead of listed.
fn searched(toolset: PublishedToolset) -> PublishedToolset {
    let count = toolset.tools.len();
    let how = dynamic::instructions(Some("Feed them."), count);
    PublishedToolset {
        introduction: publish::introduction(&toolset.slug, &toolset.title, Some(&how)),
        search: Some(publish::tool_index(&toolset.tools)),
        list: dynamic::tool_list(&toolset.title, count, &toolset.tags),
        ..toolset
    }
}

fn upstream(clock: Arc<dyn Clock>) -> Upstream {
    let limits = UpstreamLimits {
        connect: Duration::from_secs(5),
        call: Duration::from_mins(1),
        max_response_bytes: 1 << 20,
        max_calls: 100,
    };
    Upstream::new(
        loopback(),
        limits,
        Arc::default(),
        clock,
        Arc::new(SystemRng),
    )
}

fn actor() -> Actor {
    Actor::new("test")
}

async fn open(folder: &Path) -> Store {
    let url = format!("sqlite:{}", folder.join("portcullis.db").display());
    let keyring = Keyring::new(MasterKey::new(&SystemRng));
    let opened = Store::open(&url, keyring, SystemClock.now(), Arc::new(SystemRng)).await;
    opened.unwrap()
}

/// A request to build upon, as clients send it.
pub(super) fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
}

/// A message of the versions with a handshake.
pub(super) fn message(method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string()
}

/// A call in the version without a handshake: headers and body.
pub(super) fn modern_call(name: &str, arguments: &Value) -> ([(&'static str, String); 3], String) {
    let version = "2026-07-28";
    let params = json!({"name": name, "arguments": arguments, "_meta": {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    }});
    let headers = [
        ("mcp-protocol-version", version.to_owned()),
        ("mcp-method", "tools/call".to_owned()),
        ("mcp-name", name.to_owned()),
    ];
    (headers, message("tools/call", &params))
}

impl Gateway {
    /// Publishes the API as `pets` and, to be searched, as `finder`, with the ways in that are given, and as `other`, by key only.
    pub(super) async fn start(inbound: &[Inbound]) -> Self {
        let api = Api::start().await;
        let content = api.document();
        let compiled = KnownDocuments::default().document(Digest::of(&content), &content);
        let slug = Slug::parse("pets").unwrap();
        let document = PublishedDocument::new(slug, &compiled.unwrap(), BTreeMap::new());
        let document = Arc::new(document);
        let toolsets = [("pets", inbound), ("other", &[Inbound::ApiKey])];
        let toolsets = toolsets.map(|(slug, inbound)| {
            (
                slug.to_owned(),
                Arc::new(published(slug, inbound, &document)),
            )
        });
        let finder = Arc::new(searched(published("finder", inbound, &document)));
        let finder = ("finder".to_owned(), finder);
        let catalogue = Catalogue {
            toolsets: toolsets.into_iter().chain([finder]).collect(),
            documents: HashMap::new(),
            providers: HashMap::new(),
        };
        let clock = Arc::new(Hand::default());
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).await;
        let upstream = upstream(Arc::clone(&clock) as Arc<dyn Clock>);
        let ticking = Arc::clone(&clock) as Arc<dyn Clock>;
        let providers = Providers::new(upstream.http().clone(), Arc::clone(&ticking));
        let providers = Arc::new(providers);
        let metrics = Arc::<Metrics>::default();
        let state = EndpointState {
            catalogue: Arc::new(ArcSwap::from_pointee(catalogue)),
            keys: Arc::new(KeyCache::new(store.clone())),
            vault: Arc::new(Vault::new(VaultParts {
                store: store.clone(),
                providers: Arc::clone(&providers),
                metrics: Arc::default(),
                clock: Arc::clone(&ticking),
            })),
            external: ExternalTokens::new(providers, ticking),
            upstream: Arc::new(upstream),
            metrics: Arc::clone(&metrics),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            public_url: Origin::parse("http://localhost:8080").unwrap(),
            body_limits: BodyLimits::default(),
        };
        Self {
            router: router(Arc::new(state)),
            api,
            clock,
            metrics,
            store,
            _folder: folder,
        }
    }

    /// Sends a request and gives the response as it comes.
    pub(super) async fn respond(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn send(&self, request: Request<Body>) -> Answered {
        let (parts, body) = self.respond(request).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answered {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// Posts a body to `pets`.
    pub(super) async fn post(&self, headers: &[(&str, &str)], body: String) -> Answered {
        self.post_to("/pets/mcp", headers, body).await
    }

    /// Posts a body to an endpoint.
    pub(super) async fn post_to(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answered {
        let mut builder = request(Method::POST, path);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        self.send(builder.body(Body::from(body)).unwrap()).await
    }

    /// Calls a tool of `pets` and returns the result.
    pub(super) async fn call(
        &self,
        headers: &[(&str, &str)],
        name: &str,
        arguments: Value,
    ) -> Value {
        let params = json!({"name": name, "arguments": arguments});
        let answered = self.post(headers, message("tools/call", &params)).await;
        assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
        answered.json()["result"].clone()
    }

    /// Makes a key that opens the given toolsets, or all of them.
    pub(super) async fn key(&self, toolsets: &[&str]) -> Plain<ApiKey> {
        self.insert_key(toolsets, None).await
    }

    /// Makes a key that opens everything until it expires.
    pub(super) async fn key_until(&self, expiry: Timestamp) -> Plain<ApiKey> {
        self.insert_key(&[], Some(expiry)).await
    }

    async fn insert_key(&self, toolsets: &[&str], expires_at: Option<Timestamp>) -> Plain<ApiKey> {
        let key = Plain::<ApiKey>::new(&SystemRng);
        let now = self.clock.now();
        let id = ApiKeyId::new(now, &SystemRng);
        let row = ApiKeyRow {
            id,
            name: id.to_string(),
            digest: key.digest(),
            toolsets: toolsets.iter().map(|s| Slug::parse(s).unwrap()).collect(),
            created_at: now,
            expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        self.store.insert_api_key(row, actor(), now).await.unwrap();
        key
    }

    /// Returns what is stored of a key.
    pub(super) async fn row(&self, key: &Plain<ApiKey>) -> ApiKeyRow {
        let row = self.store.api_key_by_digest(&key.digest()).await;
        row.unwrap().unwrap()
    }

    pub(super) async fn revoke(&self, key: &Plain<ApiKey>) {
        let id = self.row(key).await.id;
        let revoked = self
            .store
            .revoke_api_key(id, actor(), self.clock.now())
            .await;
        assert!(revoked.unwrap());
    }
}
