//! The way out over a document made for one test.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use portcullis_base::{Blame, Clock, Digest, Secret, Slug};
use portcullis_openapi::Presentation;
use portcullis_server::ambient::SystemRng;
use portcullis_server::catalogue::{
    EnvironmentValue, EnvironmentValues, PublishedDocument, PublishedTool,
};
use portcullis_server::compiled::KnownDocuments;
use portcullis_server::mcp::caller::CallerValues;
use portcullis_server::telemetry::metrics::Metrics;
use portcullis_server::upstream::credentials::{ConnectionSource, CredentialSources};
use portcullis_server::upstream::policy::EgressPolicy;
use portcullis_server::upstream::{Upstream, UpstreamLimits};
use portcullis_store::{DocumentSettings, SchemeSettings};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::hand::{Hand, loopback};

/// Everything that a call needs.
pub(super) struct Way {
    pub(super) clock: Arc<Hand>,
    pub(super) metrics: Arc<Metrics>,
    upstream: Upstream,
    tools: HashMap<String, PublishedTool>,
    environment: EnvironmentValues,
    caller: CallerValues,
    caller_supplied: BTreeSet<String>,
    environment_allowed: bool,
    connection: Option<(Slug, Secret)>,
}

/// What came of a call: what the model reads.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) text: String,
    pub(super) is_error: bool,
    /// Whether the API refuses the person's token.
    pub(super) refuses_connection: bool,
    /// Who is to blame where no answer came.
    pub(super) blame: Option<Blame>,
    /// What the log says of that.
    pub(super) cause: String,
}

impl Way {
    /// Compiles a document, under the slug `api`.
    pub(super) fn to(document: &Value) -> Self {
        Self::with(document, loopback(), BTreeMap::new())
    }

    /// As [`Way::to`], with a policy and with what an operator says of schemes.
    pub(super) fn with(
        document: &Value,
        policy: EgressPolicy,
        scheme_settings: BTreeMap<String, SchemeSettings>,
    ) -> Self {
        let bytes = document.to_string();
        let digest = Digest::of(bytes.as_bytes());
        let compiled = KnownDocuments::default().document(digest, bytes.as_bytes());
        let slug = Slug::parse("api").unwrap();
        let published = PublishedDocument::new(slug, &compiled.unwrap(), scheme_settings);
        let published = Arc::new(published);
        let tools = published.tools.iter().map(|tool| {
            let document = Arc::clone(&published);
            let tool = Arc::clone(tool);
            let bound = Arc::default();
            let tool = PublishedTool {
                tool,
                document,
                bound,
                provider: None,
                presentation: Arc::default(),
            };
            (tool.tool.name.clone(), tool)
        });
        let clock = Arc::new(Hand::default());
        let metrics = Arc::new(Metrics::new());
        let limits = UpstreamLimits {
            connect: Duration::from_secs(2),
            call: Duration::from_secs(5),
            max_response_bytes: 1000,
            max_calls: 32,
        };
        Self {
            upstream: Upstream::new(
                policy,
                limits,
                Arc::clone(&metrics),
                Arc::clone(&clock) as Arc<dyn Clock>,
                Arc::new(SystemRng),
            ),
            metrics,
            clock,
            tools: tools.collect(),
            environment: EnvironmentValues {
                slug: Slug::parse("production").unwrap(),
                values: HashMap::new(),
            },
            caller: CallerValues::default(),
            caller_supplied: BTreeSet::new(),
            environment_allowed: true,
            connection: None,
        }
    }

    /// Sets a variable of the environment, as a secret.
    pub(super) fn set(mut self, name: &str, value: &str) -> Self {
        let value = EnvironmentValue {
            text: Secret::new(value.to_owned()),
            secret: true,
        };
        self.environment.values.insert(name.to_owned(), value);
        self
    }

    /// Sets a variable of the environment, for all to see.
    pub(super) fn set_plain(mut self, name: &str, value: &str) -> Self {
        let value = EnvironmentValue {
            text: Secret::new(value.to_owned()),
            secret: false,
        };
        self.environment.values.insert(name.to_owned(), value);
        self
    }

    /// Declares variables as the caller's and has him pass them.
    pub(super) fn passed(mut self, values: &[(&str, &str)]) -> Self {
        let values = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Secret::new((*value).to_owned())));
        self.caller = values.collect();
        self
    }

    /// Declares variables that the caller may pass.
    pub(super) fn declared(mut self, names: &[&str]) -> Self {
        self.caller_supplied = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// Has the caller come in by his headers alone.
    pub(super) fn by_headers(mut self) -> Self {
        self.environment_allowed = false;
        self
    }

    /// Binds a scheme to a provider.
    pub(super) fn bound(mut self, scheme: &str, provider: &str) -> Self {
        let provider = Slug::parse(provider).unwrap();
        let bound = Arc::new(BTreeMap::from([(scheme.to_owned(), provider)]));
        for tool in self.tools.values_mut() {
            tool.bound = Arc::clone(&bound);
        }
        self
    }

    /// Has the operator name a provider for the operations that the document says nothing about.
    pub(super) fn lent(mut self, provider: &str, origins: &[&str]) -> Self {
        let settings = DocumentSettings {
            provider: Some(provider.to_owned()),
            scopes: Vec::new(),
            origins: origins.iter().map(|&origin| origin.to_owned()).collect(),
        };
        for tool in self.tools.values_mut() {
            let document = PublishedDocument::clone(&tool.document);
            tool.document = Arc::new(document.with_settings(settings.clone()));
            let is_silent = !tool.tool.declares_security;
            tool.provider = is_silent.then(|| Slug::parse(provider).unwrap());
        }
        self
    }

    /// Has the caller sign in at a provider.
    pub(super) fn connected(mut self, provider: &str, token: &str) -> Self {
        let provider = Slug::parse(provider).unwrap();
        self.connection = Some((provider, Secret::new(token.to_owned())));
        self
    }

    /// Returns the schema of a tool's arguments.
    pub(super) fn arguments(&self, tool: &str) -> String {
        self.tools[tool].tool.input_schema().get().to_owned()
    }

    pub(super) async fn call(&self, tool: &str, arguments: Value) -> Told {
        let tool = &self.tools[tool];
        let arguments = RawValue::from_string(arguments.to_string()).unwrap();
        let plan = tool.tool.plan(Some(&arguments)).unwrap();
        let sources = CredentialSources {
            environment: Some(&self.environment),
            caller: &self.caller,
            caller_supplied: &self.caller_supplied,
            environment_allowed: self.environment_allowed,
            connection: self
                .connection
                .as_ref()
                .map(|(provider, token)| ConnectionSource { provider, token }),
        };
        match self.upstream.call(tool, plan, &sources).await {
            Ok(answer) => {
                let outcome = tool
                    .tool
                    .outcome(&answer.response(), &Presentation::default());
                Told {
                    text: format!("{:?}", outcome.content),
                    is_error: outcome.is_error,
                    refuses_connection: answer.refuses_connection(),
                    blame: None,
                    cause: String::new(),
                }
            }
            Err(error) => Told {
                text: error.to_string(),
                is_error: true,
                refuses_connection: false,
                blame: Some(error.blame()),
                cause: error.cause().to_owned(),
            },
        }
    }
}

/// Describes an API with one operation `list`, and one that changes something, `create`.
pub(super) fn document(server: &str, security: Value, schemes: Value) -> Value {
    let responses = serde_json::json!({"default": {"description": "anything"}});
    let mut document = serde_json::json!({
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "1"},
        "servers": [{"url": server}],
        "paths": {"/things": {
            "get": {"operationId": "list", "responses": responses},
            "post": {"operationId": "create", "responses": responses},
        }},
        "components": {},
    });
    document["security"] = security;
    document["components"]["securitySchemes"] = schemes;
    document
}
