//! The objects that a configuration describes, in the store's words but without ids.
//!
//! Types only; each kind of object is read in its own file below, and `alone.rs` makes them of a document without a file.

mod alone;
mod answers;
mod archive;
mod client;
mod document;
mod environment;
mod external;
mod files;
pub(super) mod lifetimes;
mod manifest;
mod provider;
pub(super) mod remote;
mod sign_in;
mod toolset;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portcullis_base::{Digest, SafeUrl, Secret, Slug};
use portcullis_oauth::issuer::client::{ClientId, VerifiedClientMetadata};
use portcullis_oauth::issuer::redeem::OwnLifetimes;
use portcullis_openapi::Diagnostic;
use portcullis_openapi::variables::VariableSpec;
use portcullis_store::{
    AnswerSettings, DocumentSettings, Inbound, ManifestSettings, ProviderSettings, RemoteSettings,
    SchemeSettings, ToolsetDocument, VariableValue,
};

use super::file::File;
use super::reading::Reading;
use super::settings::Settings;
use crate::compiled::{CompiledDocument, KnownDocuments};

pub(super) use alone::objects as of_document;

/// Everything that the file owns once it is applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    /// The providers.
    pub providers: BTreeMap<Slug, ProviderObject>,
    /// The OAuth manifests.
    pub manifests: BTreeMap<Slug, ManifestObject>,
    /// The clients.
    pub clients: BTreeMap<ClientId, ClientObject>,
    /// The documents.
    pub documents: BTreeMap<Slug, DocumentObject>,
    /// The environments.
    pub environments: BTreeMap<Slug, EnvironmentObject>,
    /// The toolsets.
    pub toolsets: BTreeMap<Slug, ToolsetObject>,
}

impl Objects {
    /// Returns what was compiled, so that nobody compiles it again.
    #[must_use]
    pub fn compiled(&self) -> KnownDocuments {
        let documents = self.documents.values();
        documents.map(|it| Arc::clone(&it.compiled)).collect()
    }

    /// Lets the contents of documents go.
    pub(super) fn let_contents_go(&mut self) {
        for document in self.documents.values_mut() {
            document.content = Arc::default();
        }
    }
}

/// A provider at which people sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderObject {
    /// What the operator says of it.
    pub settings: ProviderSettings,
    /// The secret of the registration there.
    pub client_secret: Option<Secret>,
}

/// The OAuth manifest of a provider that registers MCP clients itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestObject {
    /// The path that it was read from, for people.
    pub source: String,
    /// The authorization server's metadata.
    pub content: Arc<str>,
    /// What the operator says of the provider's tokens.
    pub settings: ManifestSettings,
    /// The secret of our registration there.
    pub client_secret: Option<Secret>,
}

/// An MCP client that the operator registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientObject {
    /// What the operator says of it.
    pub metadata: VerifiedClientMetadata,
    /// The digest of its secret, where it has one.
    pub secret: Option<Digest>,
    /// Whether people's consent to it is remembered.
    pub remembers_consent: bool,
}

/// An OpenAPI document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentObject {
    /// The path that it was read from, or what stands for its URL ([`crate::config::RemoteDocument::source`]).
    pub source: String,
    /// The URL, where it comes from one.
    pub url: Option<SafeUrl>,
    /// What becomes of a change at its URL, where it comes from one.
    pub remote: Option<RemoteSettings>,
    /// The document: as it came, or one that holds the files that it refers to; nothing once the store has it.
    pub content: Arc<[u8]>,
    /// What the bytes become, with their digest.
    pub compiled: Arc<CompiledDocument>,
    /// Remarks about its files, and about references to what is not among them.
    pub remarks: Vec<Diagnostic>,
    /// How its security schemes are served.
    pub schemes: BTreeMap<String, SchemeSettings>,
    /// Whose token its operations bear of which it says nothing itself.
    pub settings: DocumentSettings,
    /// The variables that it reads.
    pub variables: Vec<VariableSpec>,
}

/// A named set of variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvironmentObject {
    /// The values, by name.
    pub variables: BTreeMap<String, VariableValue>,
}

/// The tools published together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolsetObject {
    /// A title for people.
    pub title: Option<String>,
    /// What the model is told about the tools as a whole.
    pub instructions: Option<String>,
    /// The documents whose operations it publishes.
    pub documents: Vec<ToolsetDocument>,
    /// Whether its tools are searched for instead of listed.
    pub dynamic: bool,
    /// How much of its answers the model is given.
    pub answers: AnswerSettings,
    /// The environment that credentials and server URLs are read from.
    pub environment: Option<Slug>,
    /// The ways in.
    pub inbound: BTreeSet<Inbound>,
    /// The provider that people sign in at.
    pub provider: Option<Slug>,
    /// The manifest of the provider whose own access tokens are a way in.
    pub manifest: Option<Slug>,
    /// Variables that callers may pass as headers.
    pub caller_supplied: BTreeSet<String>,
    /// How long our tokens for it are good, where that is its own.
    pub lifetimes: OwnLifetimes,
}

/// Reads the objects that a file describes.
///
/// What the settings say of listener and tokens holds for all of them.
pub(super) fn of_file(reading: &mut Reading<'_>, file: &File, settings: &Settings) -> Objects {
    let providers = provider::providers(reading, &file.providers);
    let clients = client::clients(reading, &file.clients);
    let manifests = manifest::manifests(reading, &file.manifests, &providers);
    let lenders = document::Lenders::new(&providers, &manifests);
    let documents = document::documents(reading, &file.documents, &lenders);
    let environments = environment::environments(reading, &file.environments, &documents);
    let surroundings = toolset::Surroundings {
        providers: &providers,
        manifests: &manifests,
        documents: &documents,
        environments: &environments,
        authenticated_only: settings.authenticated_only(),
        lifetimes: settings.authorization.lifetimes,
    };
    let toolsets = toolset::toolsets(reading, &file.toolsets, &surroundings);
    Objects {
        providers,
        manifests,
        clients,
        documents,
        environments,
        toolsets,
    }
}
