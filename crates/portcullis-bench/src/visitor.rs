//! A client of OAuth and its person's browser in one: it registers, signs in, refreshes and calls.
//!
//! It does what pages ask for without looking at them, and knows what ours ask; another server may send it on by redirects alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, header};
use http_body_util::Full;
use portcullis_base::Secret;
use portcullis_oauth::pkce::CodeChallenge;
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::wire::{Answer, Detour, FORM, Wires, get, post};

/// Where the answer goes; nobody is asked for it.
const REDIRECT_URI: &str = "https://app.example/cb";

/// The scope of the API; `xtask` writes it into the document, and the peers know it.
const SCOPE: &str = "read";

/// What proves a code; a random one for each would be the generator's work and nobody else's.
const VERIFIER: &str = "a-verifier-of-the-bench-that-is-long-enough";

/// More steps than any sign-in has.
const MOST_STEPS: usize = 12;

/// Where things are at the server.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    registration: Url,
    authorization: Url,
    token: Url,
}

/// A client that was let in.
#[derive(Clone)]
pub(crate) struct SignedIn {
    pub(crate) client: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) expires_in: u64,
}

impl SignedIn {
    /// Reads what the token endpoint gave to a client.
    pub(crate) fn read(client: &str, answer: &Answer) -> anyhow::Result<Self> {
        let answer = answer.json()?;
        let expires_in = answer.get("expires_in").and_then(Value::as_u64);
        Ok(Self {
            client: client.to_owned(),
            access_token: text(&answer, "access_token")?,
            refresh_token: text(&answer, "refresh_token")?,
            expires_in: expires_in.context("no `expires_in`")?,
        })
    }
}

/// What visitors have in common.
pub(crate) struct Place {
    endpoints: Endpoints,
    /// The call that a token is for, but for the token.
    call: Request<Full<Bytes>>,
    resource: Url,
    expect: Option<String>,
    challenge: CodeChallenge,
    detour: Detour,
    visits: AtomicU32,
}

impl Place {
    /// Asks the server for its metadata.
    pub(crate) async fn find(
        resource: Url,
        call: Request<Full<Bytes>>,
        expect: Option<String>,
        detour: Detour,
    ) -> anyhow::Result<Self> {
        let document = resource.join("/.well-known/oauth-authorization-server")?;
        let mut wires = Wires::by(detour.clone());
        let answer = wires.send(&document, get(&document)?).await?;
        let metadata = answer.json()?;
        let endpoint = |name: &str| -> anyhow::Result<Url> {
            let url = metadata.get(name).and_then(Value::as_str);
            Ok(Url::parse(url.with_context(|| format!("no `{name}`"))?)?)
        };
        Ok(Self {
            endpoints: Endpoints {
                registration: endpoint("registration_endpoint")?,
                authorization: endpoint("authorization_endpoint")?,
                token: endpoint("token_endpoint")?,
            },
            call,
            resource,
            expect,
            challenge: CodeChallenge::of(&Secret::new(VERIFIER.to_owned())),
            detour,
            visits: AtomicU32::new(0),
        })
    }

    /// Returns connections to the server that go by its detour.
    pub(crate) fn wires(&self) -> Wires {
        Wires::by(self.detour.clone())
    }

    /// Makes the request that trades a refresh token.
    pub(crate) fn refreshing(
        &self,
        client: &str,
        refresh_token: &str,
    ) -> anyhow::Result<(Url, Request<Full<Bytes>>)> {
        let body = Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", client)
            .append_pair("refresh_token", refresh_token)
            .append_pair("resource", self.resource.as_str())
            .finish();
        let url = self.endpoints.token.clone();
        let request = post(&url, FORM, body)?;
        Ok((url, request))
    }

    /// Makes the call that the token is for.
    pub(crate) fn calling(
        &self,
        access_token: &str,
    ) -> anyhow::Result<(Url, Request<Full<Bytes>>)> {
        let mut request = self.call.clone();
        let bearer = HeaderValue::try_from(format!("Bearer {access_token}"))?;
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        Ok((self.resource.clone(), request))
    }

    /// Tells whether an answer to the call is the one that is to come.
    pub(crate) fn is_expected(&self, body: &str) -> bool {
        self.expect.as_ref().is_none_or(|it| body.contains(it))
    }
}

/// One visitor after the other, over the same connections.
pub(crate) struct Visitor {
    place: Arc<Place>,
    wires: Wires,
    cookies: BTreeMap<String, String>,
    /// Where the visitor seems to be: gateways count what one address begins.
    address: HeaderValue,
}

impl Visitor {
    pub(crate) fn new(place: Arc<Place>) -> Self {
        Self {
            wires: place.wires(),
            place,
            cookies: BTreeMap::new(),
            address: HeaderValue::from_static("10.0.0.1"),
        }
    }

    /// Registers a public client, from an address of its own, and returns its id.
    pub(crate) async fn register(&mut self) -> anyhow::Result<String> {
        let [_, a, b, c] = self
            .place
            .visits
            .fetch_add(1, Ordering::Relaxed)
            .to_be_bytes();
        self.address = HeaderValue::try_from(format!("10.{a}.{b}.{c}"))?;
        self.cookies.clear();
        let metadata = json!({
            "client_name": "Bench",
            "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
        });
        let url = self.place.endpoints.registration.clone();
        let request = post(&url, "application/json", metadata.to_string())?;
        let answer = self.send(&url, request).await?;
        text(&answer.json()?, "client_id")
    }

    /// Goes the whole way from a client that nobody knows to its first tokens.
    pub(crate) async fn sign_in(&mut self) -> anyhow::Result<SignedIn> {
        let client = self.register().await?;
        let mut authorize = self.place.endpoints.authorization.clone();
        authorize
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &client)
            .append_pair("redirect_uri", REDIRECT_URI)
            .append_pair("state", "bench")
            .append_pair("scope", SCOPE)
            .append_pair("code_challenge", self.place.challenge.as_str())
            .append_pair("code_challenge_method", "S256")
            .append_pair("resource", self.place.resource.as_str());
        let code = self.code(authorize).await?;
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", &client),
            ("code", &code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        self.tokens(&client, &form).await
    }

    /// Trades the refresh token for other tokens.
    pub(crate) async fn refresh(&mut self, signed_in: &SignedIn) -> anyhow::Result<SignedIn> {
        let (client, token) = (&signed_in.client, &signed_in.refresh_token);
        let (url, request) = self.place.refreshing(client, token)?;
        let answer = self.send(&url, request).await?;
        SignedIn::read(client, &answer)
    }

    /// Makes the call that the token is for.
    pub(crate) async fn call(&mut self, signed_in: &SignedIn) -> anyhow::Result<()> {
        let (url, request) = self.place.calling(&signed_in.access_token)?;
        let answer = self.send(&url, request).await?;
        let body = answer.good()?;
        ensure!(
            self.place.is_expected(body),
            "the call was answered with {body}"
        );
        Ok(())
    }

    async fn tokens(&mut self, client: &str, form: &[(&str, &str)]) -> anyhow::Result<SignedIn> {
        let url = self.place.endpoints.token.clone();
        let body = Serializer::new(String::new())
            .extend_pairs(form)
            .append_pair("resource", self.place.resource.as_str())
            .finish();
        let answer = self.send(&url, post(&url, FORM, body)?).await?;
        SignedIn::read(client, &answer)
    }

    /// Follows redirects and pages from `url` on until the client gets its code.
    async fn code(&mut self, url: Url) -> anyhow::Result<String> {
        let mut request = get(&url)?;
        let mut at = url;
        for _ in 0..MOST_STEPS {
            let answer = self.send(&at, request).await?;
            (at, request) = match &answer.location {
                Some(location) if location.starts_with(REDIRECT_URI) => {
                    let url = Url::parse(location)?;
                    let code = url.query_pairs().find(|(name, _)| name == "code");
                    let code = code.with_context(|| format!("no code in {location}"))?;
                    return Ok(code.1.into_owned());
                }
                Some(location) => {
                    let next = at.join(location)?;
                    let request = get(&next)?;
                    (next, request)
                }
                None => asked_for(&at, answer.good()?)?,
            };
        }
        bail!("a sign-in has too many steps, the last at {at}")
    }

    async fn send(
        &mut self,
        url: &Url,
        mut request: Request<Full<Bytes>>,
    ) -> anyhow::Result<Answer> {
        let headers = request.headers_mut();
        let is_theirs = url.authority() == self.place.resource.authority();
        if is_theirs {
            headers.insert("x-forwarded-for", self.address.clone());
            if !self.cookies.is_empty() {
                let pairs = self.cookies.iter();
                let pairs: Vec<_> = pairs
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                headers.insert(header::COOKIE, HeaderValue::try_from(pairs.join("; "))?);
            }
        }
        let answer = self.wires.send(url, request).await?;
        if is_theirs {
            self.keep(&answer.headers);
        }
        Ok(answer)
    }

    fn keep(&mut self, headers: &HeaderMap) {
        let cookies = headers.get_all(header::SET_COOKIE).iter();
        for cookie in cookies.filter_map(|cookie| cookie.to_str().ok()) {
            let pair = cookie.split(';').next().and_then(|it| it.split_once('='));
            if let Some((name, value)) = pair {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// Returns what one of our pages asks for: it moves on by itself, or wants to be approved.
fn asked_for(at: &Url, page: &str) -> anyhow::Result<(Url, Request<Full<Bytes>>)> {
    if let Some(next) = between(page, "content=\"0;url=", "\"") {
        let next = at.join(&next.replace("&#38;", "&"))?;
        let request = get(&next)?;
        return Ok((next, request));
    }
    let value = |name: &str| {
        between(page, &format!("name=\"{name}\" value=\""), "\"")
            .with_context(|| format!("no `{name}` in the page at {at}"))
    };
    let form = Serializer::new(String::new())
        .append_pair("flow", value("flow")?)
        .append_pair("csrf", value("csrf")?)
        .append_pair("decision", "approve")
        .finish();
    let mut next = at.clone();
    next.set_query(None);
    let request = post(&next, FORM, form)?;
    Ok((next, request))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

fn text(answer: &Value, name: &str) -> anyhow::Result<String> {
    let value = answer.get(name).and_then(Value::as_str);
    let value = value.with_context(|| format!("no `{name}` in {answer}"))?;
    Ok(value.to_owned())
}
