//! An MCP client that nobody knows: it finds out by itself where to register and where to send the browser.

use std::net::Ipv4Addr;

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::routing::get;
use portcullis_base::Secret;
use portcullis_oauth::pkce::{self, CodeChallenge};
use portcullis_server::ambient::SystemRng;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use rmcp::model::CallToolRequestParams;
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use url::Url;

use super::http::{FORM, Http, form};
use super::text_of;

/// What the client calls itself.
pub(super) const NAME: &str = "Self-test of the demo";

const JSON: &str = "application/json";

/// An MCP endpoint, and the authorization server in front of it.
pub(super) struct Server {
    pub(super) endpoint: String,
    pub(super) issuer: String,
    pub(super) scope: String,
    authorize: String,
    token: String,
    register: String,
}

/// Calls the endpoint with no token, and returns where the challenge says to read on.
pub(super) async fn challenge(http: &Http, endpoint: &str) -> anyhow::Result<String> {
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}});
    let answer = http.post(endpoint, JSON, initialize.to_string(), HeaderMap::new());
    let answer = answer.await?;
    ensure!(
        answer.status == StatusCode::UNAUTHORIZED,
        "{} instead of a challenge",
        answer.status
    );
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    let named = challenge.split_once("resource_metadata=\"");
    let url = named.and_then(|(_, rest)| rest.split_once('"'));
    let (url, _) = url.with_context(|| format!("no metadata in the challenge {challenge:?}"))?;
    Ok(url.to_owned())
}

impl Server {
    /// Reads both metadata documents, of the endpoint and of its authorization server.
    pub(super) async fn discover(
        http: &Http,
        endpoint: &str,
        metadata: &str,
    ) -> anyhow::Result<Self> {
        let resource = http.get(metadata, HeaderMap::new()).await?;
        let resource = resource.json(StatusCode::OK)?;
        ensure!(
            text(&resource, "/resource")? == endpoint,
            "the metadata is about another endpoint: {resource}"
        );
        let issuer = text(&resource, "/authorization_servers/0")?;
        let place = format!("{issuer}/.well-known/oauth-authorization-server");
        let server = http.get(&place, HeaderMap::new()).await?;
        let server = server.json(StatusCode::OK)?;
        ensure!(
            text(&server, "/issuer")? == issuer,
            "the metadata is of another issuer: {server}"
        );
        let scopes = resource
            .pointer("/scopes_supported")
            .and_then(Value::as_array);
        let scopes: Vec<&str> = scopes
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        Ok(Self {
            endpoint: endpoint.to_owned(),
            issuer,
            scope: scopes.join(" "),
            authorize: text(&server, "/authorization_endpoint")?,
            token: text(&server, "/token_endpoint")?,
            register: text(&server, "/registration_endpoint")?,
        })
    }
}

/// A client that has registered itself, and waits for answers on a port of its own.
pub(super) struct Client {
    pub(super) redirect_uri: String,
    pub(super) server: Server,
    http: Http,
    id: String,
    answers: mpsc::UnboundedReceiver<String>,
}

/// A sign-in under way, and what only the client knows of it.
pub(super) struct Asked {
    pub(super) url: String,
    state: Secret,
    verifier: Secret,
}

/// What the client holds for a person.
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
}

impl Client {
    pub(super) async fn register(http: &Http, server: Server) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let redirect_uri = format!("http://{}/callback", listener.local_addr()?);
        let (sender, answers) = mpsc::unbounded_channel();
        let router = Router::new().route("/callback", get(receive));
        tokio::spawn(async move { axum::serve(listener, router.with_state(sender)).await });
        let metadata = json!({
            "client_name": NAME,
            "redirect_uris": [redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        });
        let answer = http.post(
            &server.register,
            JSON,
            metadata.to_string(),
            HeaderMap::new(),
        );
        let registered = answer.await?.json(StatusCode::CREATED)?;
        Ok(Self {
            id: text(&registered, "/client_id")?,
            redirect_uri,
            server,
            http: http.clone(),
            answers,
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Makes the URL that the browser is to open.
    pub(super) fn ask(&self) -> anyhow::Result<Asked> {
        let state = pkce::verifier(&SystemRng);
        let verifier = pkce::verifier(&SystemRng);
        let mut url = Url::parse(&self.server.authorize)?;
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", &self.server.scope),
            ("state", state.expose()),
            ("code_challenge", CodeChallenge::of(&verifier).as_str()),
            ("code_challenge_method", pkce::METHOD),
            ("resource", &self.server.endpoint),
        ]);
        Ok(Asked {
            url: url.into(),
            state,
            verifier,
        })
    }

    /// Takes the answer that the browser has brought, and returns its code.
    pub(super) fn code(&mut self, asked: &Asked) -> anyhow::Result<String> {
        let query = self
            .answers
            .try_recv()
            .context("the browser brought nothing")?;
        let fields: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
        let field = |name: &str| {
            let found = fields.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| &**value)
        };
        ensure!(
            field("state") == Some(asked.state.expose()),
            "the answer belongs to another request"
        );
        ensure!(
            field("iss") == Some(&self.server.issuer),
            "the answer is of another issuer"
        );
        let code = field("code").with_context(|| format!("no code: {query}"))?;
        Ok(code.to_owned())
    }

    /// Redeems a code.
    pub(super) async fn redeem(&self, asked: &Asked, code: &str) -> anyhow::Result<Tokens> {
        self.tokens(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", asked.verifier.expose()),
        ])
        .await
    }

    /// Asks for new tokens without the person.
    pub(super) async fn refresh(&self, tokens: &Tokens) -> anyhow::Result<Tokens> {
        self.tokens(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", &tokens.refresh),
        ])
        .await
    }

    async fn tokens(&self, fields: &[(&str, &str)]) -> anyhow::Result<Tokens> {
        let common = [
            ("client_id", &*self.id),
            ("resource", &self.server.endpoint),
        ];
        let body = form(fields.iter().copied().chain(common));
        let answer = self
            .http
            .post(&self.server.token, FORM, body, HeaderMap::new());
        let answer = answer.await?.json(StatusCode::OK)?;
        Ok(Tokens {
            access: text(&answer, "/access_token")?,
            refresh: text(&answer, "/refresh_token")?,
        })
    }
}

async fn receive(
    State(answers): State<mpsc::UnboundedSender<String>>,
    RawQuery(query): RawQuery,
) -> &'static str {
    match answers.send(query.unwrap_or_default()) {
        Ok(()) => "You can close this page.",
        Err(_) => "Nobody waits for this.",
    }
}

/// A connection of the official Rust SDK, with somebody's token.
pub(super) struct Connection(RunningService<RoleClient, ()>);

impl Connection {
    pub(super) async fn open(endpoint: &str, tokens: &Tokens) -> anyhow::Result<Self> {
        let config = StreamableHttpClientTransportConfig::with_uri(endpoint);
        let config = config.auth_header(&*tokens.access);
        let transport = StreamableHttpClientTransport::from_config(config);
        Ok(Self(().serve(transport).await.context("connecting")?))
    }

    /// Returns the names of the tools.
    pub(super) async fn tools(&self) -> anyhow::Result<Vec<String>> {
        let tools = self.0.list_all_tools().await.context("listing the tools")?;
        Ok(tools.iter().map(|tool| tool.name.to_string()).collect())
    }

    /// Calls a tool, and returns its text and whether it tells of a failure.
    pub(super) async fn call(
        &self,
        tool: &'static str,
        arguments: &Value,
    ) -> anyhow::Result<(String, bool)> {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let call = CallToolRequestParams::new(tool).with_arguments(arguments);
        let result = self.0.call_tool(call).await;
        let result = result.with_context(|| format!("calling {tool}"))?;
        Ok((text_of(&result), result.is_error.unwrap_or(false)))
    }

    pub(super) async fn close(self) -> anyhow::Result<()> {
        self.0.cancel().await?;
        Ok(())
    }
}

/// Returns the text at a place of a document.
fn text(document: &Value, pointer: &str) -> anyhow::Result<String> {
    let text = document.pointer(pointer).and_then(Value::as_str);
    let text = text.with_context(|| format!("no text at {pointer} in {document}"))?;
    Ok(text.to_owned())
}
