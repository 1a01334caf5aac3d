//! Where a manifest comes from: the metadata of an issuer, the authorization server of an MCP server, or the sign-in that an OpenAPI document describes.

use std::fmt;

use http::{Method, header};
use portcullis_base::SafeUrl;
use portcullis_oauth::manifest::check::DocumentKind;
use portcullis_oauth::manifest::documented::discovered_issuer;
use portcullis_oauth::manifest::protected_resource::{self, ProtectedResource};
use portcullis_oauth::manifest::{InvalidManifest, Manifest, locations};
use portcullis_openapi::{SchemeFlow, SchemeKind, SecurityScheme};
use serde_json::{Value, json};
use thiserror::Error;

use super::visit::{Question, Unfit, Visitor, text};
use crate::doctor::finding::quoted;

/// A manifest, and how it was come by.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The manifest.
    pub manifest: Manifest,
    /// Which kind of document it was.
    pub kind: DocumentKind,
    /// Where it was found: a URL, or in words.
    pub place: String,
    /// What the operator should know about it.
    pub remarks: Vec<String>,
}

/// Nothing that could be a manifest.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NotFound {
    /// What was asked for is no URL that could be asked.
    #[error("{url} cannot be asked: {reason}")]
    Url {
        /// What it is, quoted.
        url: String,
        /// Why not.
        reason: String,
    },
    /// Nothing of use stands in any place.
    #[error("no authorization server's metadata was found:{0}")]
    Nowhere(Places),
    /// A document knows of no sign-in.
    #[error(
        "the document describes no sign-in: it has neither an `openIdConnect` scheme nor an `oauth2` scheme with an authorization and a token URL"
    )]
    NoScheme,
}

/// Places that were looked at, each with why there is nothing of use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(pub Vec<(String, Unfit)>);

impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, unfit) in &self.0 {
            write!(f, "\n  {place}\n    {unfit}")?;
        }
        let other = self.0.iter().find_map(|(_, unfit)| match unfit {
            Unfit::Document(InvalidManifest::OtherIssuer { found, .. }) => Some(found),
            _ => None,
        });
        match other {
            Some(issuer) => write!(f, "\nthe issuer may be meant that was found: {issuer:?}"),
            None => Ok(()),
        }
    }
}

/// Finds the metadata of an issuer, as clients look for it; a slash at its end is overlooked.
///
/// # Errors
///
/// When no place has any that names the issuer.
pub async fn of_issuer(visitor: &Visitor, issuer: &str) -> Result<Found, NotFound> {
    let url = parsed(issuer)?;
    let mut tried = Places::default();
    for place in locations(&url) {
        match metadata(visitor, &place, issuer).await {
            Ok(manifest) => return Ok(Found::at(place, manifest)),
            Err(unfit) => {
                let is_last = unfit.holds_for_origin();
                tried.0.push((place, unfit));
                if is_last {
                    break;
                }
            }
        }
    }
    Err(NotFound::Nowhere(tried))
}

/// Finds the metadata of an issuer, or of the authorization server that the MCP server at `url` names.
///
/// # Errors
///
/// When `url` is neither, or its server's metadata is not to be had.
pub async fn of_url(visitor: &Visitor, url: &str) -> Result<Found, NotFound> {
    match of_issuer(visitor, url).await {
        Err(NotFound::Nowhere(tried)) if !is_closed(&tried) => of_server(visitor, url, tried).await,
        outcome => outcome,
    }
}

/// Finds the metadata of the sign-in that a document describes.
///
/// Where only the endpoints are known, the manifest names nothing else, and the remarks say what to add.
///
/// # Errors
///
/// When the document describes none, or what it names is not to be had.
pub async fn of_schemes(visitor: &Visitor, schemes: &[SecurityScheme]) -> Result<Found, NotFound> {
    let discovery = schemes.iter().find_map(|scheme| match &scheme.kind {
        SchemeKind::OpenIdConnect { url } => Some(url),
        _ => None,
    });
    if let Some(url) = discovery {
        return of_issuer(visitor, discovered_issuer(url).unwrap_or(url)).await;
    }
    let flows = schemes.iter().flat_map(|scheme| match &scheme.kind {
        SchemeKind::OAuth2 { flows } => flows.as_slice(),
        _ => &[],
    });
    let mut endpoints = flows.filter_map(Endpoints::of);
    let endpoints = endpoints.next().ok_or(NotFound::NoScheme)?;
    let issuer = parsed(endpoints.authorization)?.origin().to_string();
    match of_issuer(visitor, &issuer).await {
        Ok(found) if found.manifest.is_at(endpoints.authorization) => Ok(found),
        Ok(found) => Ok(endpoints.alone(
            &issuer,
            format!(
                "the metadata at {} has another authorization endpoint",
                found.place
            ),
        )),
        Err(error) => Ok(endpoints.alone(&issuer, error.to_string())),
    }
}

/// The endpoints that a document names.
struct Endpoints<'a> {
    authorization: &'a str,
    token: &'a str,
    flow: &'a SchemeFlow,
}

impl<'a> Endpoints<'a> {
    fn of(flow: &'a SchemeFlow) -> Option<Self> {
        Some(Self {
            authorization: flow.authorization_url.as_deref()?,
            token: flow.token_url.as_deref()?,
            flow,
        })
    }

    /// Makes a manifest of nothing else.
    fn alone(&self, issuer: &str, reason: String) -> Found {
        let scopes: Vec<&String> = self.flow.scopes.keys().collect();
        let members = json!({
            "issuer": issuer,
            "authorization_endpoint": self.authorization,
            "token_endpoint": self.token,
            "scopes_supported": scopes,
        });
        let manifest = Manifest::parse(members.to_string().as_bytes());
        Found {
            manifest: manifest.expect("the issuer is an origin, which is not empty"),
            kind: DocumentKind::OAuth,
            place: "the document's endpoints".to_owned(),
            remarks: vec![
                reason,
                "only what the document says stands in the manifest; add what you know of the provider: its `issuer`, `registration_endpoint`, `jwks_uri` or `introspection_endpoint`, `response_types_supported`, `code_challenge_methods_supported` and `token_endpoint_auth_methods_supported`; then let it be served again, by `republish = true`".to_owned(),
            ],
        }
    }
}

impl Found {
    fn at(place: String, manifest: Manifest) -> Self {
        Self {
            manifest,
            kind: kind(&place),
            place,
            remarks: Vec::new(),
        }
    }
}

/// Tells by its place which kind of document metadata is.
fn kind(place: &str) -> DocumentKind {
    if place.contains("/.well-known/openid-configuration") {
        DocumentKind::OpenId
    } else {
        DocumentKind::OAuth
    }
}

async fn metadata(visitor: &Visitor, place: &str, issuer: &str) -> Result<Manifest, Unfit> {
    let url = SafeUrl::parse(place);
    let url = url.map_err(|error| Unfit::Unreachable(error.to_string()))?;
    let body = visitor.document(&url).await?;
    let manifest = Manifest::parse(&body)?;
    if manifest.issuer().trim_end_matches('/') == issuer.trim_end_matches('/') {
        return Ok(manifest);
    }
    Ok(Manifest::read(&body, issuer)?)
}

/// Finds the authorization server of an MCP server.
async fn of_server(visitor: &Visitor, url: &str, mut tried: Places) -> Result<Found, NotFound> {
    let server = parsed(url)?;
    let mut places = protected_resource::locations(&server);
    // What the server itself says counts more than what stands at a usual place.
    if let Some(named) = challenged(visitor, &server).await {
        let named = named.as_url().to_string();
        places.retain(|place| *place != named);
        places.insert(0, named);
    }
    for place in places {
        let resource = match resource(visitor, &place).await {
            Ok(resource) => resource,
            Err(unfit) => {
                tried.0.push((place, unfit));
                continue;
            }
        };
        for issuer in &resource.authorization_servers {
            match of_issuer(visitor, issuer).await {
                Ok(mut found) => {
                    found.remarks.push(about(&resource));
                    return Ok(found);
                }
                Err(NotFound::Nowhere(places)) => tried.0.extend(places.0),
                Err(error) => return Err(error),
            }
        }
    }
    Err(NotFound::Nowhere(tried))
}

/// Asks an MCP server without a token, and returns the place that its challenge names.
async fn challenged(visitor: &Visitor, server: &SafeUrl) -> Option<SafeUrl> {
    let ping: Value = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let question = Question::new(Method::POST, server).json(&ping);
    let answer = visitor.ask(question).await.ok()?;
    protected_resource::named_by(text(&answer, &header::WWW_AUTHENTICATE))
}

async fn resource(visitor: &Visitor, place: &str) -> Result<ProtectedResource, Unfit> {
    let url = SafeUrl::parse(place);
    let url = url.map_err(|error| Unfit::Unreachable(error.to_string()))?;
    let body = visitor.document(&url).await?;
    Ok(ProtectedResource::read(&body)?)
}

fn about(resource: &ProtectedResource) -> String {
    let named = quoted(&resource.resource);
    let scopes = match &resource.scopes {
        Some(scopes) => format!(", with the scopes {}", quoted(&scopes.join(" "))),
        None => String::new(),
    };
    format!(
        "the provider's own MCP server is the resource {named}{scopes}; tokens for it are not tokens for your endpoint, and the provider may know no other resource: `portcullis manifest check --register` tries"
    )
}

fn is_closed(tried: &Places) -> bool {
    tried.0.iter().any(|(_, unfit)| unfit.holds_for_origin())
}

fn parsed(url: &str) -> Result<SafeUrl, NotFound> {
    SafeUrl::parse(url).map_err(|error| NotFound::Url {
        url: quoted(url),
        reason: error.to_string(),
    })
}
