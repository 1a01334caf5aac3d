//! We as authorization server: from a client that registers to its tokens, and the pages in between.
//!
//! Decides nothing about OAuth, which is `portcullis-oauth`'s: a handler reads the request and what is stored, asks the rule, stores what it says and answers.
//! Every flow has an id that its pages show and its log lines bear.

mod again;
mod answer;
mod authorize;
mod browser;
mod callback;
mod client_request;
mod consent;
mod departure;
mod document;
mod introspect;
mod page;
mod register;
mod revoke;
mod sign_out;
mod token;

use std::num::NonZeroU32;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use portcullis_base::{Clock, Origin, Rng, Slug};
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_oauth::issuer::authorize::AuthorizationPolicy;
use portcullis_oauth::issuer::redeem::TokenLifetimes;
use portcullis_oauth::scope::Scopes;
use portcullis_store::{Inbound, Store};

use crate::catalogue::{Catalogue, PublishedToolset};
use crate::config::AuthorizationSettings;
use crate::http::quota::AddressQuota;
use crate::http::settings::BodyLimits;
use crate::telemetry::metrics::Metrics;
use crate::upstream::providers::Providers;

use browser::CookieNames;

/// The path of the authorization endpoint.
pub const AUTHORIZE: &str = "/authorize";
/// The path of the token endpoint.
pub const TOKEN: &str = "/token";
/// The path of the revocation endpoint.
pub const REVOKE: &str = "/revoke";
/// The path of the introspection endpoint.
pub const INTROSPECT: &str = "/introspect";
/// The path of the registration endpoint.
pub const REGISTER: &str = "/register";
/// The path of the page that asks the person.
const CONSENT: &str = "/consent";
/// The path that ends a browser session.
const SIGN_OUT: &str = "/sign-out";

/// Registrations of one address within a minute.
const REGISTRATIONS: NonZeroU32 = NonZeroU32::new(60).expect("more than none");

/// Sign-ins that one address may begin within a minute: in the ten minutes that they live, too few to keep others out.
const FLOWS: NonZeroU32 = NonZeroU32::new(240).expect("more than none");

/// What an [`IssuerState`] is made of.
pub struct IssuerParts {
    /// Where clients, flows, grants and connections are kept.
    pub store: Store,
    /// What is published.
    pub catalogue: Arc<ArcSwap<Catalogue>>,
    /// The upstream providers, and the way to them.
    pub providers: Arc<Providers>,
    /// For lifetimes.
    pub clock: Arc<dyn Clock>,
    /// Where what goes wrong is counted.
    pub metrics: Arc<Metrics>,
    /// For codes, tokens and states.
    pub rng: Arc<dyn Rng>,
    /// Our issuer.
    pub public_url: Origin,
    /// What the operator says of us.
    pub settings: AuthorizationSettings,
    /// How slow a body may be.
    pub body_limits: BodyLimits,
}

/// What the routes work with.
pub struct IssuerState {
    parts: IssuerParts,
    cookies: CookieNames,
    registrations: AddressQuota,
    flows: AddressQuota,
}

/// Makes the router of the authorization server.
pub fn router(parts: IssuerParts) -> Router {
    let state = Arc::new(IssuerState {
        cookies: CookieNames::new(&parts.public_url),
        registrations: AddressQuota::per_minute(REGISTRATIONS),
        flows: AddressQuota::per_minute(FLOWS),
        parts,
    });
    // Whoever still holds a token of ours is told that it is good no more, not that nobody is there.
    let always = Router::new()
        .route(TOKEN, post(token::token))
        .route(REVOKE, post(revoke::revoke))
        .route(INTROSPECT, post(introspect::introspect))
        .route(
            "/.well-known/oauth-authorization-server/{toolset}/mcp",
            get(document::republished),
        )
        .route(
            "/.well-known/oauth-protected-resource",
            get(document::only_resource),
        )
        .route(
            "/.well-known/oauth-protected-resource/{toolset}/mcp",
            get(document::resource),
        )
        .route(
            "/.well-known/oauth-protected-resource/{toolset}/mcp/",
            get(document::resource),
        )
        .route("/.well-known/{*rest}", get(document::nothing))
        .with_state(Arc::clone(&state));
    Router::new()
        .route(
            "/.well-known/oauth-authorization-server",
            get(document::authorization_server),
        )
        .route(REGISTER, post(register::register))
        .route(AUTHORIZE, get(authorize::authorize))
        .route(CONSENT, get(consent::show).post(consent::decide))
        .route("/callback/{provider}", get(callback::callback))
        .route(SIGN_OUT, post(sign_out::sign_out))
        .layer(from_fn_with_state(Arc::clone(&state), where_needed))
        .with_state(state)
        .merge(always)
}

/// Answers that there is nothing where no toolset takes our tokens: a client that looks for a sign-in must not begin one that leads nowhere.
async fn where_needed(
    State(state): State<Arc<IssuerState>>,
    request: Request,
    next: Next,
) -> Response {
    if state.published().toolsets.is_empty() {
        return document::nothing().await;
    }
    next.run(request).await
}

/// The toolsets that take our tokens, as they are at one moment.
struct Published {
    catalogue: Arc<Catalogue>,
    toolsets: Vec<(Slug, Scopes)>,
}

impl IssuerState {
    fn published(&self) -> Published {
        let catalogue = self.parts.catalogue.load_full();
        let mut toolsets: Vec<_> = catalogue
            .toolsets
            .values()
            .filter(|toolset| toolset.inbound.contains(&Inbound::OAuth))
            .filter_map(|toolset| {
                let sign_in = toolset.sign_in.as_ref()?;
                Some((toolset.slug.clone(), sign_in.scopes.clone()))
            })
            .collect();
        toolsets.sort();
        Published {
            catalogue,
            toolsets,
        }
    }

    fn policy<'a>(&'a self, published: &'a Published) -> AuthorizationPolicy<'a> {
        AuthorizationPolicy {
            public_url: &self.parts.public_url,
            toolsets: &published.toolsets,
            trusted_redirect_hosts: &self.parts.settings.trusted_redirect_hosts,
        }
    }

    /// Returns how long tokens for a toolset are good.
    fn lifetimes(&self, published: &Published, toolset: &Slug) -> TokenLifetimes {
        let usual = self.parts.settings.lifetimes;
        let toolset = published.catalogue.toolsets.get(toolset.as_str());
        let sign_in = toolset.and_then(|toolset| toolset.sign_in.as_ref());
        sign_in.map_or(usual, |sign_in| usual.at(&sign_in.lifetimes))
    }

    /// Returns the URL of one of our paths.
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.parts.public_url.as_str())
    }
}

impl Published {
    /// Returns a provider at which we are registered.
    fn provider(&self, slug: &str) -> Option<&Arc<ResolvedProvider>> {
        self.catalogue.providers.get(slug)
    }

    /// Returns a toolset that takes our tokens.
    fn toolset(&self, slug: &str) -> Option<&Arc<PublishedToolset>> {
        let toolset = self.catalogue.toolsets.get(slug)?;
        self.toolsets
            .iter()
            .any(|(known, _)| known.as_str() == slug)
            .then_some(toolset)
    }
}
