//! Where a browser is sent so that a person signs in: the authorization request ([RFC 6749 §4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1)).
//!
//! What the MCP client asked for goes to the provider in the profile's words only: neither its `resource` nor its scopes as they came.

use portcullis_base::{Plain, Secret, UpstreamState};
use url::form_urlencoded;

use super::ready::ReadyProvider;
use crate::pkce::{self, CodeChallenge};
use crate::scope::Scopes;

/// What a sign-in is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInPurpose {
    /// Only to know who the person is; no token is kept.
    Identity,
    /// To call the provider's API for the person.
    Tokens,
}

/// One sign-in.
#[derive(Clone, Copy, Debug)]
pub struct SignInRequest<'a> {
    /// What it is for.
    pub purpose: SignInPurpose,
    /// Our callback.
    pub redirect_uri: &'a str,
    /// The scopes that the person approved, in our documents' words.
    pub scopes: &'a Scopes,
    /// What comes back with the answer.
    pub state: &'a Plain<UpstreamState>,
    /// The challenge of our verifier.
    pub challenge: &'a CodeChallenge,
    /// What comes back in the id token.
    pub nonce: &'a Secret,
    /// The API that the token is for; sent only where the profile says so.
    pub resource: Option<&'a str>,
}

/// Returns the URL that the person's browser goes to.
#[must_use]
pub fn begin(ready: &ReadyProvider, request: &SignInRequest<'_>) -> String {
    let provider = ready.provider();
    let profile = provider.profile();
    let scope = requested_scopes(ready, request.purpose, request.scopes);
    let scope = scope.join(&profile.scopes.separator);
    let mut own = vec![
        ("response_type", "code"),
        ("client_id", &provider.client().id),
        ("redirect_uri", request.redirect_uri),
        ("state", request.state.expose()),
    ];
    if !scope.is_empty() {
        own.push(("scope", &scope));
    }
    if profile.pkce {
        own.push(("code_challenge", request.challenge.as_str()));
        own.push(("code_challenge_method", pkce::METHOD));
    }
    if profile.reads_id_tokens() {
        own.push(("nonce", request.nonce.expose()));
    }
    if let Some(resource) = request.resource.filter(|_| profile.forward_resource) {
        own.push(("resource", resource));
    }
    // The operator's word counts more than the profile's; ours is none of theirs.
    let offline = (request.purpose == SignInPurpose::Tokens).then_some(&profile.offline_parameters);
    let further = [
        Some(provider.parameters()),
        offline,
        Some(&profile.authorization_parameters),
    ];
    for (name, value) in further.into_iter().flatten().flatten() {
        if !own.iter().any(|(taken, _)| taken == name) {
            own.push((name, value));
        }
    }
    appended(ready.authorization().as_url().as_str(), &own)
}

/// Returns the scopes that a sign-in asks the provider for, in its words.
#[must_use]
pub fn requested_scopes(
    ready: &ReadyProvider,
    purpose: SignInPurpose,
    scopes: &Scopes,
) -> Vec<String> {
    let provider = ready.provider();
    let rules = &provider.profile().scopes;
    let mut requested: Vec<String> = rules.identity.clone();
    requested.extend(provider.scopes_for_rules().cloned());
    if purpose == SignInPurpose::Tokens {
        requested.extend(scopes.iter().flat_map(|ours| rules.theirs(ours)));
        requested.extend(provider.scopes().iter().cloned());
        requested.extend(ready.offline_scope().map(str::to_owned));
    }
    let mut once = Vec::with_capacity(requested.len());
    for scope in requested {
        if !once.contains(&scope) {
            once.push(scope);
        }
    }
    once
}

/// Appends to a query, which stays as it is; spaces become `%20`, which every server reads.
fn appended(url: &str, parameters: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish()
        .replace('+', "%20");
    let separator = match url.split_once('?') {
        None => "?",
        Some((_, before)) if before.is_empty() || before.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{url}{separator}{query}")
}

#[cfg(test)]
mod tests;
