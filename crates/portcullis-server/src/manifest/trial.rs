//! Whether a provider takes our URL as `resource`: registers a client for a moment, and asks for a sign-in that nobody goes on with.
//!
//! Only errors tell: what a provider makes of `resource` in the end, it tells with the first token.

use http::{HeaderValue, Method, header};
use portcullis_base::{Rng, SafeUrl, Secret};
use portcullis_oauth::manifest::Manifest;
use portcullis_oauth::manifest::check::ResourceVerdict;
use portcullis_oauth::pkce::{self, CodeChallenge};
use portcullis_oauth::resource::Resource;
use serde_json::{Value, json};

use super::visit::{Question, Unfit, Visitor, text};
use crate::doctor::finding::{Finding, Part, quoted};

const CHECK: &str = "trial";

/// What the client is called, so that whoever finds it at the provider knows what it is.
const NAME: &str = "Portcullis check";

/// Where the provider would send a code; nobody listens there.
const REDIRECT_URI: &str = "http://127.0.0.1/callback";

/// The client that was registered.
struct Client {
    id: String,
    /// Where it is deleted, and with which token (RFC 7592).
    management: Option<(SafeUrl, Secret)>,
}

/// What a trial brought to light.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tried {
    /// What the provider makes of `resource`.
    pub(super) resource: ResourceVerdict,
    /// Whether it sent `iss` along (RFC 9207), whatever its manifest says; that it did not tells nothing.
    pub(super) iss_was_seen: bool,
}

/// Tries what the provider makes of `resource`; tells of it in `part`.
pub(super) async fn try_resource(
    visitor: &Visitor,
    manifest: &Manifest,
    resource: Option<&Resource>,
    rng: &dyn Rng,
    part: &mut Part,
) -> Tried {
    let (Some(resource), Some(registration), Some(authorization)) = (
        resource,
        manifest.url("registration_endpoint"),
        manifest.url("authorization_endpoint"),
    ) else {
        part.add(Finding::note(
            CHECK,
            "nothing is tried: that takes a `registration_endpoint`, an `authorization_endpoint`, and the URL of a toolset (`--toolset` or `--resource`)",
        ));
        return Tried::default();
    };
    let client = match register(visitor, &registration).await {
        Ok(client) => client,
        Err(reason) => {
            part.add(Finding::wrong(
                CHECK,
                format!("no client can be registered: {reason}"),
                "see whether the provider lets anybody register; otherwise use the mode `oauth`, with a client that you register by hand",
            ));
            return Tried::default();
        }
    };
    let challenge = CodeChallenge::of(&pkce::verifier(rng));
    let url = request(&authorization, &client.id, challenge.as_str(), resource);
    let (outcome, iss_was_seen) = ask(visitor, &url).await;
    part.add(match &outcome {
        Outcome::Refused => Finding::note(CHECK, "a client was registered, and its request for a sign-in refused with `invalid_target`"),
        Outcome::Error(error) => Finding::doubtful(
            CHECK,
            format!("a client was registered, and its request for a sign-in refused with {}", quoted(error)),
            "ask the provider what the request lacks",
        ),
        Outcome::Shown => Finding::note(CHECK, "a client was registered, and its request for a sign-in not refused at once; whether tokens are for your endpoint is told by the first sign-in"),
    });
    part.add(delete(visitor, &registration, client).await);
    Tried {
        resource: match outcome {
            Outcome::Refused => ResourceVerdict::Refused,
            Outcome::Error(_) | Outcome::Shown => ResourceVerdict::Untried,
        },
        iss_was_seen,
    }
}

async fn register(visitor: &Visitor, endpoint: &SafeUrl) -> Result<Client, String> {
    let metadata = json!({
        "client_name": NAME,
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    });
    let question = Question::new(Method::POST, endpoint).json(&metadata);
    let answer = visitor.ask(question).await;
    let answer = answer.map_err(|unfit| unfit.to_string())?;
    let status = answer.status.as_u16();
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let member = |name| body.get(name).and_then(Value::as_str);
    // "The server responds with an HTTP 201 Created status code" (RFC 7591 §3.2.1), and some with 200.
    let (200 | 201, Some(id)) = (status, member("client_id")) else {
        let error = member("error").map(|it| format!(", {}", quoted(it)));
        return Err(format!("status {status}{}", error.unwrap_or_default()));
    };
    let management = member("registration_client_uri")
        .and_then(|url| SafeUrl::parse(url).ok())
        .zip(member("registration_access_token"))
        .map(|(url, token)| (url, Secret::new(token.to_owned())));
    Ok(Client {
        id: id.to_owned(),
        management,
    })
}

fn request(endpoint: &SafeUrl, client: &str, challenge: &str, resource: &Resource) -> SafeUrl {
    let mut url = endpoint.as_url().clone();
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", client)
        .append_pair("redirect_uri", REDIRECT_URI)
        .append_pair("code_challenge", challenge)
        .append_pair("code_challenge_method", pkce::METHOD)
        .append_pair("state", "portcullis-check")
        .append_pair("resource", resource.as_str());
    SafeUrl::from_url(url).expect("a query makes no URL unsafe")
}

/// What came of the request for a sign-in.
enum Outcome {
    /// `invalid_target`.
    Refused,
    /// Another error.
    Error(String),
    /// A page, or a redirect to one.
    Shown,
}

/// Asks for a sign-in, and tells whether `iss` came along.
async fn ask(visitor: &Visitor, url: &SafeUrl) -> (Outcome, bool) {
    let Ok(answer) = visitor.ask(Question::get(url)).await else {
        return (Outcome::Shown, false);
    };
    let location = text(&answer, &header::LOCATION);
    let target = url.as_url().join(location).ok();
    let sent_back = target.filter(|_| location.starts_with(REDIRECT_URI));
    let told = |name| {
        let target = sent_back.as_ref()?;
        let mut pairs = target.query_pairs();
        pairs
            .find(|(told, _)| told == name)
            .map(|(_, value)| value.into_owned())
    };
    let error = match sent_back {
        Some(_) => told("error"),
        // Some write the error for the person, and as JSON for whoever takes no page.
        None => serde_json::from_slice::<Value>(&answer.body)
            .ok()
            .and_then(|body| Some(body.get("error")?.as_str()?.to_owned())),
    };
    let outcome = match error.as_deref() {
        Some("invalid_target") => Outcome::Refused,
        Some(error) => Outcome::Error(error.to_owned()),
        None => Outcome::Shown,
    };
    (outcome, told("iss").is_some())
}

/// Deletes the client where the provider lets it (RFC 7592 §2.3); its token goes to the registration's own origin only.
async fn delete(visitor: &Visitor, registration: &SafeUrl, client: Client) -> Finding {
    let id = quoted(&client.id);
    let management = client.management;
    let own = management.filter(|(url, _)| url.origin() == registration.origin());
    let outcome = match own {
        Some((url, token)) => unregister(visitor, &url, &token).await,
        None => Err("the provider names no place for it".to_owned()),
    };
    match outcome {
        Ok(()) => Finding::note(CHECK, format!("the client {id} was deleted again")),
        Err(reason) => Finding::doubtful(
            CHECK,
            format!("the client {id}, {NAME:?}, stays at the provider: {reason}"),
            "delete it there, if the provider lets you",
        ),
    }
}

async fn unregister(visitor: &Visitor, url: &SafeUrl, token: &Secret) -> Result<(), String> {
    let bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()));
    let mut bearer = bearer.map_err(|_| "its token fits no header".to_owned())?;
    bearer.set_sensitive(true);
    let question = Question::new(Method::DELETE, url).with(header::AUTHORIZATION, bearer);
    match visitor.ask(question).await {
        Ok(answer) if answer.status.is_success() => Ok(()),
        Ok(answer) => Err(Unfit::Status(answer.status.as_u16()).to_string()),
        Err(unfit) => Err(unfit.to_string()),
    }
}
