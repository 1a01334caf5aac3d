//! The gateway as a client meets it: its documents, its refusals, and that nothing on the way changes them.

use http::header;
use portcullis_base::{Origin, Slug};
use portcullis_store::TokenValidation;
use serde_json::json;

use super::answer::{caching, exchange, json as json_of, member, text};
use super::finding::{Finding, Part, PartKind, quoted};
use crate::catalogue::{External, PublishedToolset};
use crate::issuer::{AUTHORIZE, INTROSPECT, REGISTER, REVOKE, TOKEN};
use crate::upstream::external::ResolvedDelegation;

/// The check that fails where nothing answers at all.
pub(super) const SILENT: &str = "reachable";

/// What the documents of a gateway with another configuration are mended by.
const SAME_FILE: &str = "see that the gateway at this address runs with this configuration file and the same `public_url`, then start it again";

/// Where manifests that we serve again stand.
const REPUBLISHED: &str = "/.well-known/oauth-authorization-server";

/// A client that nobody knows.
pub(super) struct Visitor<'a> {
    /// The way to the gateway.
    pub(super) http: crate::upstream::http::Http,
    /// Where it is.
    pub(super) public_url: &'a Origin,
}

impl Visitor<'_> {
    /// Looks whether anything answers, and, where people sign in here, at the authorization server.
    pub(super) async fn gateway(&self, signs_in_here: bool) -> Part {
        let mut part = Part::new(PartKind::Gateway, self.public_url.as_str());
        let url = self.url("/.well-known/oauth-authorization-server");
        let answer = match exchange(&self.http, &url, None).await {
            Ok(answer) => answer,
            Err(reason) => {
                part.add(Finding::wrong(
                    SILENT,
                    format!("{url} does not answer: {reason}"),
                    "start the gateway; then see that `public_url` leads to it from here: the name, the port, the proxy and its certificate",
                ));
                return part;
            }
        };
        part.add(Finding::good(SILENT, "something answers there"));
        if !signs_in_here {
            return part;
        }
        match json_of("metadata", &url, &answer, 200) {
            Ok(document) => {
                self.judge_metadata(&mut part, &url, &document);
                part.add(caching("cache", &url, &answer));
            }
            Err(finding) => part.add(finding),
        }
        self.try_registration(&mut part).await;
        part
    }

    fn judge_metadata(&self, part: &mut Part, url: &str, document: &serde_json::Value) {
        let issuer = member(document, "issuer");
        if issuer != self.public_url.as_str() {
            part.add(Finding::wrong(
                "issuer",
                format!(
                    "{url} names the issuer {}, which is not {}; clients compare letter by letter",
                    quoted(issuer),
                    self.public_url
                ),
                SAME_FILE,
            ));
            return;
        }
        part.add(Finding::good("issuer", format!("the issuer is {issuer}")));
        let endpoints = [
            ("authorization_endpoint", AUTHORIZE),
            ("token_endpoint", TOKEN),
            ("registration_endpoint", REGISTER),
            ("revocation_endpoint", REVOKE),
            ("introspection_endpoint", INTROSPECT),
        ];
        for (name, path) in endpoints {
            let found = member(document, name);
            if found != self.url(path) {
                part.add(Finding::wrong(
                    "endpoints",
                    format!("{url} names {} as `{name}`", quoted(found)),
                    SAME_FILE,
                ));
            }
        }
    }

    /// Registers nonsense, which must be refused in words that a client understands.
    async fn try_registration(&self, part: &mut Part) {
        const CHECK: &str = "registration";
        let url = self.url(REGISTER);
        let nonsense =
            json!({"redirect_uris": ["javascript:alert(1)"], "client_name": "portcullis doctor"});
        let answer = match exchange(&self.http, &url, Some(&nonsense)).await {
            Ok(answer) => answer,
            Err(reason) => {
                part.add(Finding::wrong(
                    CHECK,
                    format!("{url} does not answer: {reason}"),
                    "let the proxy pass `POST` to this path on to the gateway",
                ));
                return;
            }
        };
        if answer.status == http::StatusCode::TOO_MANY_REQUESTS {
            part.add(Finding::doubtful(
                CHECK,
                format!("{url} takes no more registrations from this address for now"),
                "wait a minute; where that does not help, name the proxy in `trusted_proxies`, so that not everybody has its address",
            ));
            return;
        }
        part.add(match json_of(CHECK, &url, &answer, 400) {
            Ok(body) if member(&body, "error") == "invalid_redirect_uri" => {
                Finding::good(CHECK, format!("{url} refuses nonsense as clients expect"))
            }
            Ok(body) => Finding::wrong(
                CHECK,
                format!(
                    "{url} refuses nonsense with {} instead of invalid_redirect_uri",
                    quoted(member(&body, "error"))
                ),
                SAME_FILE,
            ),
            Err(finding) => finding,
        });
    }

    /// Looks at a toolset that people sign in to; where nothing `answers`, only at what it is for.
    pub(super) async fn toolset(&self, toolset: &PublishedToolset, answers: bool) -> Part {
        let mut part = Part::new(PartKind::Toolset, toolset.slug.as_str());
        part.add(Finding::note("purpose", purpose(toolset)));
        if answers {
            let slug = &toolset.slug;
            let resource = self.url(&format!("/{slug}/mcp"));
            let document = self.url(&format!("/.well-known/oauth-protected-resource/{slug}/mcp"));
            self.judge_resource(&mut part, &document, &resource, toolset)
                .await;
            self.judge_challenge(&mut part, &document, &resource).await;
            if toolset.is_republished() {
                self.judge_republished(&mut part, slug, &resource).await;
            }
        }
        part
    }

    async fn judge_resource(
        &self,
        part: &mut Part,
        url: &str,
        resource: &str,
        toolset: &PublishedToolset,
    ) {
        const CHECK: &str = "resource_metadata";
        let answer = match exchange(&self.http, url, None).await {
            Ok(answer) => answer,
            Err(reason) => {
                part.add(Finding::wrong(
                    CHECK,
                    format!("{url} does not answer: {reason}"),
                    "let the proxy pass `/.well-known/` on to the gateway",
                ));
                return;
            }
        };
        let document = match json_of(CHECK, url, &answer, 200) {
            Ok(document) => document,
            Err(finding) => {
                part.add(finding);
                return;
            }
        };
        let named = member(&document, "resource");
        if named == resource {
            part.add(Finding::good(
                "resource",
                format!("the resource is {named}"),
            ));
        } else {
            part.add(Finding::wrong(
                "resource",
                format!(
                    "{url} names the resource {}, and clients ask for {resource}",
                    quoted(named)
                ),
                SAME_FILE,
            ));
        }
        let expected = toolset.authorization_server(self.public_url);
        let servers = document.get("authorization_servers");
        if servers != Some(&json!([expected])) {
            part.add(Finding::wrong(
                "authorization_servers",
                format!("{url} names other authorization servers than {expected}"),
                SAME_FILE,
            ));
        }
        part.add(caching("cache", url, &answer));
    }

    /// Looks at the provider's manifest as we serve it.
    async fn judge_republished(&self, part: &mut Part, slug: &Slug, resource: &str) {
        const CHECK: &str = "republished";
        let url = self.url(&format!("{REPUBLISHED}/{slug}/mcp"));
        let answer = match exchange(&self.http, &url, None).await {
            Ok(answer) => answer,
            Err(reason) => {
                part.add(Finding::wrong(
                    CHECK,
                    format!("{url} does not answer: {reason}"),
                    "let the proxy pass `/.well-known/` on to the gateway",
                ));
                return;
            }
        };
        part.add(match json_of(CHECK, &url, &answer, 200) {
            Ok(document) if member(&document, "issuer") == resource => {
                Finding::good(CHECK, format!("{url} is the provider's manifest"))
            }
            Ok(document) => Finding::wrong(
                CHECK,
                format!(
                    "{url} names the issuer {}, which is not {resource}",
                    quoted(member(&document, "issuer"))
                ),
                SAME_FILE,
            ),
            Err(finding) => finding,
        });
    }

    async fn judge_challenge(&self, part: &mut Part, document: &str, resource: &str) {
        const CHECK: &str = "challenge";
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
        let answer = match exchange(&self.http, resource, Some(&message)).await {
            Ok(answer) => answer,
            Err(reason) => {
                part.add(Finding::wrong(
                    CHECK,
                    format!("{resource} does not answer: {reason}"),
                    "let the proxy pass `POST` to this path on to the gateway",
                ));
                return;
            }
        };
        if let Err(finding) = json_of(CHECK, resource, &answer, 401) {
            part.add(finding);
            return;
        }
        let challenge = text(&answer, &header::WWW_AUTHENTICATE);
        let named = challenge
            .strip_prefix("Bearer ")
            .and_then(|parameters| parameters.split_once("resource_metadata=\""))
            .and_then(|(_, rest)| rest.split_once('"'));
        part.add(match named {
            Some((named, _)) if named == document => {
                Finding::good(CHECK, "who brings no token is told where to sign in")
            }
            Some((named, _)) => Finding::wrong(
                CHECK,
                format!(
                    "the 401 of {resource} names {} as its document, which is not {document}",
                    quoted(named)
                ),
                SAME_FILE,
            ),
            None if challenge.is_empty() => Finding::wrong(
                CHECK,
                format!("the 401 of {resource} arrives without `WWW-Authenticate`, so that no client begins to sign in"),
                "let the proxy leave `WWW-Authenticate` in the gateway's answers",
            ),
            None => Finding::wrong(
                CHECK,
                format!(
                    "the 401 of {resource} asks for something else than a sign-in: {}",
                    quoted(challenge)
                ),
                "let nothing in front ask for a password of its own, and see that the gateway runs with this configuration file",
            ),
        });
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }
}

/// Says what a sign-in is good for.
fn purpose(toolset: &PublishedToolset) -> String {
    let Some(sign_in) = toolset.signing_in() else {
        return "nobody signs in".to_owned();
    };
    let provider = &sign_in.provider;
    if let Some(external) = &toolset.external {
        return of_tokens(external);
    }
    if !sign_in.connects {
        return format!(
            "`{provider}` only says who people are: no tool is called with their own token"
        );
    }
    let scopes = if sign_in.scopes.is_empty() {
        "without a scope of its own".to_owned()
    } else {
        format!("with the scopes {}", sign_in.scopes)
    };
    format!("tools are called with the token that people get at `{provider}`, {scopes}")
}

/// Says what the provider's own tokens are good for.
fn of_tokens(external: &External) -> String {
    let provider = &external.manifest.slug;
    let judge = match external.manifest.validation.kind() {
        TokenValidation::Jwt => "by their signatures",
        TokenValidation::Introspection => "by asking the provider",
        TokenValidation::Probe => "by a request that tells whom they are for",
        TokenValidation::Upstream => "by nobody but the API",
    };
    let bears = match &external.manifest.delegation {
        None => "the environment's credentials",
        Some(ResolvedDelegation::Forward) => "those tokens themselves",
        Some(ResolvedDelegation::Trade { .. }) => "what those tokens are traded for",
    };
    format!(
        "clients bring tokens of `{provider}`, which are judged {judge}; tools are called with {bears}"
    )
}
