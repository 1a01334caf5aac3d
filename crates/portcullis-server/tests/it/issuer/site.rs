//! The gateway with two toolsets that people sign in to, a provider, and the API behind both.

mod around;
mod jobs;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use portcullis_base::{Clock, Digest, Origin, ProviderId, Secret, Slug, Timestamp};
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_oauth::issuer::redeem::OwnLifetimes;
use portcullis_oauth::scope::Scopes;
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::catalogue::{
    Catalogue, PublishedDocument, PublishedTool, PublishedToolset, SignIn,
};
use portcullis_server::compiled::KnownDocuments;
use portcullis_server::config::AuthorizationSettings;
use portcullis_server::http::forwarded::TrustedProxies;
use portcullis_server::http::judge::OriginPolicy;
use portcullis_server::http::settings::{BodyLimits, ListenerSettings};
use portcullis_server::http::surround::{Surroundings, surround};
use portcullis_server::issuer::{self, IssuerParts};
use portcullis_server::mcp::endpoint::{self, EndpointState};
use portcullis_server::mcp::keys::KeyCache;
use portcullis_server::mcp::{dynamic, publish};
use portcullis_server::upstream::external::ExternalTokens;
use portcullis_server::upstream::providers::Providers;
use portcullis_server::upstream::providers::catalogue::resolve;
use portcullis_server::upstream::vault::{Vault, VaultParts};
use portcullis_server::upstream::{Upstream, UpstreamLimits};
use portcullis_store::{
    Inbound, Keyring, MasterKey, Owner, ProviderEndpoints, ProviderSettings, Store,
    UpstreamProvider,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::hand::{Hand, loopback};
use crate::upstream::api::Server;
pub(super) use around::person_of;
use around::{PROVIDER_SECRET, api, document, provider};

/// Where the gateway is, as everybody sees it.
pub(super) const ORIGIN: &str = "https://mcp.example";

/// The MCP endpoint that most tests sign in to.
pub(super) const PETS: &str = "https://mcp.example/pets/mcp";

/// The gateway and what stands around it.
pub(super) struct Site {
    router: Router,
    pub(super) provider: Server,
    pub(super) api: Server,
    pub(super) clock: Arc<Hand>,
    pub(super) store: Store,
    pub(super) keys: Arc<KeyCache>,
    catalogue: Arc<ArcSwap<Catalogue>>,
    /// Goes with the last gateway over it.
    folder: Arc<TempDir>,
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

    /// Returns a parameter of the URL that the answer sends the browser to.
    pub(super) fn sent_to(&self, parameter: &str) -> Option<String> {
        parameter_of(self.header("location")?, parameter)
    }
}

/// Returns a parameter of a URL's query.
pub(super) fn parameter_of(url: &str, parameter: &str) -> Option<String> {
    let url = url::Url::parse(url).unwrap();
    let mut pairs = url.query_pairs();
    pairs
        .find(|(name, _)| name == parameter)
        .map(|(_, value)| value.into_owned())
}

fn published(slug: &str, document: &Arc<PublishedDocument>) -> PublishedToolset {
    let slug = Slug::parse(slug).unwrap();
    let idp = Slug::parse("idp").unwrap();
    let bound = Arc::new(BTreeMap::from([("login".to_owned(), idp.clone())]));
    let tools: HashMap<_, _> = document
        .tools
        .iter()
        .map(|tool| {
            let tool = PublishedTool {
                tool: Arc::clone(tool),
                document: Arc::clone(document),
                bound: Arc::clone(&bound),
                provider: None,
                presentation: Arc::default(),
            };
            (tool.tool.name.clone(), tool)
        })
        .collect();
    let description = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    PublishedToolset {
        selection_warnings: Vec::new(),
        selection_notes: Vec::new(),
        tags: BTreeMap::new(),
        search: None,
        introduction: publish::introduction(&slug, "Pets & people", None),
        list: publish::tool_list(&tools),
        title: format!("The <{slug}> of people"),
        slug,
        instructions: None,
        inbound: BTreeSet::from([Inbound::OAuth]),
        caller_supplied: BTreeSet::new(),
        environment: None,
        tools,
        external: None,
        sign_in: Some(Arc::new(SignIn {
            lifetimes: OwnLifetimes::default(),
            provider: idp,
            scopes: Scopes::parse("read write").unwrap(),
            descriptions: BTreeMap::from([
                description("read", "see who you are"),
                description("write", "change your name"),
            ]),
            connects: true,
        })),
    }
}

/// Makes a toolset of the document, for an API.
pub(super) fn toolset_at(slug: &str, api: &Server) -> PublishedToolset {
    published(slug, &compiled(api))
}

/// Has the tools of a toolset searched for instead of listed.
pub(super) fn searched(toolset: PublishedToolset) -> PublishedToolset {
    let tags = publish::tags(toolset.tools.values());
    PublishedToolset {
        search: Some(publish::tool_index(&toolset.tools)),
        list: dynamic::tool_list(&toolset.title, toolset.tools.len(), &tags),
        tags,
        ..toolset
    }
}

fn compiled(api: &Server) -> Arc<PublishedDocument> {
    let content = document(api);
    let compiled = KnownDocuments::default().document(Digest::of(&content), &content);
    let slug = Slug::parse("people").unwrap();
    let document = PublishedDocument::new(slug, &compiled.unwrap(), BTreeMap::new());
    Arc::new(document)
}

fn upstream_provider(slug: &str, provider: &Server, kept: Option<Duration>) -> ResolvedProvider {
    let url = |path: &str| Some(format!("{}{path}", provider.url()));
    let stored = UpstreamProvider {
        id: ProviderId::new(Timestamp::from_millis(0), &SystemRng),
        slug: Slug::parse(slug).unwrap(),
        owner: Owner::File,
        settings: ProviderSettings {
            profile: "oauth2".to_owned(),
            client_id: "portcullis".to_owned(),
            endpoints: ProviderEndpoints {
                authorization: url("/authorize"),
                token: url("/token"),
                userinfo: url("/me"),
                jwks: None,
                revocation: url("/revoke"),
            },
            keep_alive_seconds: kept.as_ref().map(Duration::as_secs),
            ..ProviderSettings::default()
        },
        client_secret: Some(Secret::new(PROVIDER_SECRET.to_owned())),
        updated_at: Timestamp::from_millis(0),
    };
    resolve(&stored).unwrap()
}

impl Site {
    /// Publishes `pets` and `cars`; people sign in at `idp`, and there is a second provider, `other`.
    pub(super) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Does the same with other settings.
    pub(super) async fn with(change: impl FnOnce(&mut AuthorizationSettings)) -> Self {
        let mut settings = AuthorizationSettings::default();
        change(&mut settings);
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("portcullis.db").display());
        let keyring = Keyring::new(MasterKey::new(&SystemRng));
        Self::over(open(&url, keyring).await, folder, settings).await
    }

    /// Starts two gateways over a database, each of which opens it for itself.
    pub(super) async fn pair(url: &str) -> [Self; 2] {
        let keyring = Keyring::new(MasterKey::new(&SystemRng));
        let folder = tempfile::tempdir().unwrap();
        let settings = AuthorizationSettings::default();
        let first = Self::over(open(url, keyring.clone()).await, folder, settings).await;
        let second = first.replica_over(open(url, keyring).await);
        [first, second]
    }

    async fn over(store: Store, folder: TempDir, settings: AuthorizationSettings) -> Self {
        let provider = Server::start(|received, _| provider(received)).await;
        let api = Server::start(|received, _| api(received)).await;
        let document = compiled(&api);
        let toolsets =
            ["pets", "cars"].map(|slug| (slug.to_owned(), Arc::new(published(slug, &document))));
        let providers = ["idp", "other"].map(|slug| {
            (
                slug.to_owned(),
                Arc::new(upstream_provider(slug, &provider, None)),
            )
        });
        let catalogue = Arc::new(ArcSwap::from_pointee(Catalogue {
            toolsets: toolsets.into_iter().collect(),
            documents: HashMap::new(),
            providers: providers.into_iter().collect(),
        }));
        let clock = Arc::new(Hand::default());
        clock.turn(Duration::from_hours(24 * 365));
        let keys = Arc::new(KeyCache::new(store.clone()));
        let router = router(&catalogue, &clock, &keys, &store, settings);
        Self {
            router,
            keys,
            provider,
            api,
            clock,
            store,
            catalogue,
            folder: Arc::new(folder),
        }
    }

    /// Starts another gateway over the same store.
    pub(super) fn replica(&self) -> Self {
        self.replica_over(self.store.clone())
    }

    fn replica_over(&self, store: Store) -> Self {
        let settings = AuthorizationSettings::default();
        let keys = Arc::new(KeyCache::new(store.clone()));
        Self {
            router: router(&self.catalogue, &self.clock, &keys, &store, settings),
            keys,
            provider: self.provider.clone(),
            api: self.api.clone(),
            clock: Arc::clone(&self.clock),
            store,
            catalogue: Arc::clone(&self.catalogue),
            folder: Arc::clone(&self.folder),
        }
    }

    /// Leaves only `pets` published.
    pub(super) fn publish_pets_only(&self) {
        let all = self.catalogue.load_full();
        let pets = all.toolsets.get("pets").cloned().unwrap();
        self.catalogue.store(Arc::new(Catalogue {
            toolsets: HashMap::from([("pets".to_owned(), pets)]),
            documents: HashMap::new(),
            providers: all.providers.clone(),
        }));
    }

    /// Publishes `pets` anew, with another sign-in.
    pub(super) fn publish_pets(&self, change: impl Fn(&mut SignIn)) {
        let all = self.catalogue.load_full();
        let mut pets = published("pets", &all.toolsets["pets"].tools["whoami"].document);
        let mut sign_in = pets.sign_in.as_deref().cloned().unwrap();
        change(&mut sign_in);
        pets.sign_in = Some(Arc::new(sign_in));
        let mut toolsets = all.toolsets.clone();
        toolsets.insert("pets".to_owned(), Arc::new(pets));
        self.catalogue.store(Arc::new(Catalogue {
            toolsets,
            documents: HashMap::new(),
            providers: all.providers.clone(),
        }));
    }

    /// Publishes a toolset and nothing else.
    pub(super) fn publish_only(&self, toolset: PublishedToolset) {
        let all = self.catalogue.load_full();
        self.catalogue.store(Arc::new(Catalogue {
            toolsets: HashMap::from([(toolset.slug.to_string(), Arc::new(toolset))]),
            documents: HashMap::new(),
            providers: all.providers.clone(),
        }));
    }

    /// Leaves the toolsets without the providers that people sign in at.
    pub(super) fn lose_providers(&self) {
        let all = self.catalogue.load_full();
        self.catalogue.store(Arc::new(Catalogue {
            toolsets: all.toolsets.clone(),
            documents: HashMap::new(),
            providers: HashMap::new(),
        }));
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn send(&self, mut request: Request<Body>) -> Answered {
        let host = "mcp.example".parse().unwrap();
        request.headers_mut().entry("host").or_insert(host);
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answered {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answered {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// Registers a client.
    pub(super) async fn register(&self, metadata: &Value) -> Answered {
        let request = Request::post("/register")
            .header("content-type", "application/json")
            .body(Body::from(metadata.to_string()));
        self.send(request.unwrap()).await
    }

    /// Registers a public client with one redirect URI and returns its id.
    pub(super) async fn client(&self, redirect_uri: &str) -> String {
        let metadata = json!({
            "client_name": "A <client>",
            "redirect_uris": [redirect_uri],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
        });
        let answered = self.register(&metadata).await;
        assert_eq!(answered.status, StatusCode::CREATED, "{answered:?}");
        answered.json()["client_id"].as_str().unwrap().to_owned()
    }

    /// Posts a form to the token endpoint.
    pub(super) async fn token(&self, fields: &[(&str, &str)]) -> Answered {
        self.token_with(fields, &[]).await
    }

    pub(super) async fn token_with(
        &self,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answered {
        self.form("/token", fields, headers).await
    }

    /// Posts a form to a path.
    pub(super) async fn form(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answered {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let mut request =
            Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(form.finish())).unwrap())
            .await
    }

    /// Calls a method of a toolset with a token.
    pub(super) async fn call(&self, slug: &str, token: &str, message: &Value) -> Answered {
        self.call_at(&format!("/{slug}/mcp"), token, message).await
    }

    /// Calls a method at an endpoint with a token.
    pub(super) async fn call_at(&self, path: &str, token: &str, message: &Value) -> Answered {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::from(message.to_string()));
        self.send(request.unwrap()).await
    }

    /// Calls a tool of `pets`.
    pub(super) async fn tool(&self, token: &str, tool: &str) -> Answered {
        self.tool_of("pets", token, tool).await
    }

    /// Calls a tool of a toolset.
    pub(super) async fn tool_of(&self, slug: &str, token: &str, tool: &str) -> Answered {
        let message = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": tool, "arguments": {}},
        });
        self.call(slug, token, &message).await
    }
}

async fn open(url: &str, keyring: Keyring) -> Store {
    let opened = Store::open(url, keyring, SystemClock.now(), Arc::new(SystemRng)).await;
    opened.unwrap()
}

fn router(
    catalogue: &Arc<ArcSwap<Catalogue>>,
    clock: &Arc<Hand>,
    keys: &Arc<KeyCache>,
    store: &Store,
    settings: AuthorizationSettings,
) -> Router {
    let limits = UpstreamLimits {
        connect: Duration::from_secs(5),
        call: Duration::from_mins(1),
        max_response_bytes: 1 << 20,
        max_calls: 100,
    };
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    let rng = Arc::new(SystemRng);
    let upstream = Upstream::new(
        loopback(),
        limits,
        Arc::default(),
        Arc::clone(&clock),
        rng.clone(),
    );
    let public_url = Origin::parse(ORIGIN).unwrap();
    let providers = Providers::new(upstream.http().clone(), Arc::clone(&clock));
    let providers = Arc::new(providers);
    let issuer = issuer::router(IssuerParts {
        store: store.clone(),
        catalogue: Arc::clone(catalogue),
        providers: Arc::clone(&providers),
        metrics: Arc::default(),
        clock: Arc::clone(&clock),
        rng: rng.clone(),
        public_url: public_url.clone(),
        settings,
        body_limits: BodyLimits::default(),
    });
    let endpoint = endpoint::router(Arc::new(EndpointState {
        catalogue: Arc::clone(catalogue),
        keys: Arc::clone(keys),
        vault: Arc::new(Vault::new(VaultParts {
            store: store.clone(),
            providers: Arc::clone(&providers),
            metrics: Arc::default(),
            clock: Arc::clone(&clock),
        })),
        external: ExternalTokens::new(providers, Arc::clone(&clock)),
        upstream: Arc::new(upstream),
        metrics: Arc::default(),
        clock: Arc::clone(&clock),
        public_url: public_url.clone(),
        body_limits: BodyLimits::default(),
    }));
    let listener = ListenerSettings::loopback(0);
    surround(
        endpoint.merge(issuer),
        Surroundings {
            policy: OriginPolicy::new(&listener, &public_url, &[], &[]),
            proxies: TrustedProxies::default(),
            metrics: Arc::default(),
            clock,
            rng,
        },
    )
}
