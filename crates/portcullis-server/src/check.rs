//! What a configuration publishes and what it lacks: the report of `portcullis check`.
//!
//! Compiles documents and decides credentials as the gateway does, but opens no store and calls nothing.

mod findings;

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_base::{Origin, Rng, Secret, Slug, Timestamp};
use portcullis_oauth::issuer::client::{ClientId, TokenEndpointAuthMethod};
use portcullis_oauth::redirect_uri::RedirectUri;
use portcullis_openapi::variables::VariableSpec;
use portcullis_store::Inbound;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::catalogue::{Catalogue, CatalogueError, PublishedDocument, PublishedToolset};
use crate::config::{ClientObject, Configuration, apply};
use crate::mcp::caller::CallerValues;
use crate::upstream::credentials::{ConnectionSource, CredentialSources, decide};

pub use findings::{CheckedFinding, Remark};

/// Everything that `portcullis check` tells.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The documents, by slug.
    pub documents: Vec<CheckedDocument>,
    /// The tools of all documents, in the documents' order.
    pub tools: Vec<CheckedTool>,
    /// The toolsets, by slug.
    pub toolsets: Vec<CheckedToolset>,
    /// The clients that the operator registers, by id.
    pub clients: Vec<CheckedClient>,
}

/// A document: what could not be used, and what it reads.
#[derive(Debug, Serialize)]
pub struct CheckedDocument {
    /// The slug.
    pub slug: Slug,
    /// Where it was read from.
    pub source: String,
    /// What it calls itself.
    pub title: String,
    /// What was found, by severity and code, the gravest first.
    pub findings: Vec<CheckedFinding>,
    /// Each place where something was found.
    pub diagnostics: Vec<Remark>,
    /// The variables that its tools read.
    pub variables: Vec<CheckedVariable>,
}

/// A variable.
#[derive(Debug, Serialize)]
pub struct CheckedVariable {
    /// Its names, the full one first.
    pub names: Vec<String>,
    /// The security scheme that it belongs to.
    pub scheme: Option<String>,
    /// Whether it must not stand in a configuration file.
    pub secret: bool,
}

/// A tool.
#[derive(Debug, Serialize)]
pub struct CheckedTool {
    /// The document that it comes from.
    pub document: Slug,
    /// The name.
    pub name: String,
    /// The title.
    pub title: Option<String>,
    /// The description.
    pub description: String,
    /// The method of the request.
    pub method: &'static str,
    /// Where the operation stands in the document.
    pub pointer: String,
    /// The schema of its arguments, as models are shown it.
    pub input_schema: Box<RawValue>,
    /// The schema of its answers.
    pub output_schema: Option<Box<RawValue>>,
}

/// A toolset.
#[derive(Debug, Serialize)]
pub struct CheckedToolset {
    /// The slug.
    pub slug: Slug,
    /// What people read.
    pub title: String,
    /// The MCP endpoint; a path only where the port is not known yet.
    pub endpoint: String,
    /// The ways in.
    pub inbound: Vec<Inbound>,
    /// The names of its tools.
    pub tools: Vec<String>,
    /// What keeps tools from being called.
    pub missing: Vec<Missing>,
    /// What the operator may not have meant.
    pub warnings: Vec<String>,
    /// What is left out unless the operator says otherwise.
    pub notes: Vec<String>,
}

/// A client that the operator registers.
#[derive(Debug, Serialize)]
pub struct CheckedClient {
    /// Its id.
    pub client_id: ClientId,
    /// What people read.
    pub name: String,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// How it authenticates.
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    /// Whether people's consent to it is remembered.
    pub remember_consent: bool,
}

/// What keeps tools from being called.
#[derive(Debug, Serialize)]
pub struct Missing {
    /// What is missing, and where it is set.
    pub reason: String,
    /// The tools.
    pub tools: Vec<String>,
}

impl Report {
    /// Looks at everything that a configuration describes.
    ///
    /// # Errors
    ///
    /// When no catalogue can be made of it.
    pub fn of(
        configuration: &Configuration,
        now: Timestamp,
        rng: &dyn Rng,
    ) -> Result<Self, CatalogueError> {
        let snapshot = apply::preview(configuration, now, rng);
        let known = configuration.objects.compiled();
        let catalogue = Catalogue::build(&snapshot, &Catalogue::default(), &known)?;
        let published: BTreeMap<&str, &Arc<PublishedDocument>> = catalogue
            .documents
            .iter()
            .map(|(slug, document)| (slug.as_str(), document))
            .collect();
        let documents = configuration
            .objects
            .documents
            .iter()
            .filter_map(|(slug, object)| {
                let title = published.get(slug.as_str())?.title.clone();
                let remarks = findings::remarks(object);
                Some(CheckedDocument {
                    slug: slug.clone(),
                    source: object.source.clone(),
                    title,
                    findings: findings::grouped(&remarks),
                    diagnostics: remarks,
                    variables: object.variables.iter().map(variable).collect(),
                })
            })
            .collect();
        let toolsets: BTreeMap<&str, &Arc<PublishedToolset>> = catalogue
            .toolsets
            .iter()
            .map(|(slug, toolset)| (slug.as_str(), toolset))
            .collect();
        let public_url = configuration.settings.access.public_url.as_ref();
        Ok(Self {
            documents,
            tools: published.values().flat_map(|it| tools(it)).collect(),
            toolsets: toolsets
                .values()
                .map(|it| CheckedToolset {
                    warnings: catalogue.warnings(it).collect(),
                    ..checked_toolset(it, public_url)
                })
                .collect(),
            clients: configuration
                .objects
                .clients
                .iter()
                .map(|(id, it)| checked_client(id, it))
                .collect(),
        })
    }

    /// Tells whether an operation could not become a tool.
    #[must_use]
    pub fn has_lost_operations(&self) -> bool {
        let mut all = self.documents.iter().flat_map(|it| &it.findings);
        all.any(CheckedFinding::is_error)
    }
}

fn variable(spec: &VariableSpec) -> CheckedVariable {
    CheckedVariable {
        names: spec.names().map(str::to_owned).collect(),
        scheme: spec.scheme.clone(),
        secret: spec.purpose.is_secret(),
    }
}

fn tools(document: &PublishedDocument) -> impl Iterator<Item = CheckedTool> {
    document.tools.iter().map(|tool| CheckedTool {
        document: document.slug.clone(),
        name: tool.name.clone(),
        title: tool.title.clone(),
        description: tool.description.clone(),
        method: tool.request.method.as_str(),
        pointer: tool.pointer.clone(),
        input_schema: tool.input_schema(),
        output_schema: tool.output_schema.as_deref().map(ToOwned::to_owned),
    })
}

fn checked_toolset(toolset: &PublishedToolset, public_url: Option<&Origin>) -> CheckedToolset {
    let base = public_url.map_or("", Origin::as_str);
    let mut names: Vec<String> = toolset.tools.keys().cloned().collect();
    names.sort_unstable();
    CheckedToolset {
        slug: toolset.slug.clone(),
        title: toolset.title.clone(),
        endpoint: format!("{base}/{}/mcp", toolset.slug),
        inbound: toolset.inbound.iter().copied().collect(),
        missing: missing(toolset, &names),
        warnings: Vec::new(),
        notes: toolset.selection_notes.clone(),
        tools: names,
    }
}

fn checked_client(id: &ClientId, object: &ClientObject) -> CheckedClient {
    let metadata = &object.metadata;
    CheckedClient {
        client_id: id.clone(),
        name: metadata.name.clone(),
        redirect_uris: metadata.redirect_uris.clone(),
        token_endpoint_auth_method: metadata.auth_method,
        remember_consent: object.remembers_consent,
    }
}

/// Finds the tools that could not be called even if callers passed everything that they may, addresses excepted, and signed in where they can.
fn missing(toolset: &PublishedToolset, names: &[String]) -> Vec<Missing> {
    let addresses: Vec<&str> = toolset
        .tools
        .values()
        .flat_map(|tool| &tool.document.variables)
        .filter(|spec| spec.purpose.directs())
        .flat_map(VariableSpec::names)
        .collect();
    let caller: CallerValues = toolset
        .caller_supplied
        .iter()
        .filter(|name| !addresses.contains(&name.as_str()))
        .map(|name| (name.clone(), Secret::new("given".to_owned())))
        .collect();
    let token = Secret::new("given".to_owned());
    let connection = toolset.signing_in().map(|sign_in| ConnectionSource {
        provider: &sign_in.provider,
        token: &token,
    });
    let external = toolset.external.as_ref();
    let is_unvalidated = external.is_some_and(|external| external.manifest.is_unvalidated());
    let headers_only = toolset.inbound.iter().all(|way| match way {
        Inbound::Headers => true,
        Inbound::External => is_unvalidated,
        Inbound::Open | Inbound::ApiKey | Inbound::OAuth => false,
    });
    let sources = CredentialSources {
        environment: toolset.environment.as_deref(),
        caller: &caller,
        caller_supplied: &toolset.caller_supplied,
        environment_allowed: !headers_only,
        connection,
    };
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in names {
        let Some(published) = toolset.tools.get(name) else {
            continue;
        };
        if let Err(error) = decide(published, sources) {
            found
                .entry(error.to_string())
                .or_default()
                .push(name.clone());
        }
    }
    found
        .into_iter()
        .map(|(reason, tools)| Missing { reason, tools })
        .collect()
}
