//! What is published at this moment: toolsets with their compiled tools and the values of their environments.
//!
//! A catalogue is never changed; a new one is made from the store and swapped in whole.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use portcullis_base::{Digest, Origin, Secret, Slug};
use portcullis_mcp::{Introduction, ToolList};
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_oauth::issuer::redeem::OwnLifetimes;
use portcullis_oauth::scope::Scopes;
use portcullis_openapi::search::ToolIndex;
use portcullis_openapi::variables::VariableSpec;
use portcullis_openapi::{Presentation, SecurityScheme, Tool};
use portcullis_store::{DocumentSettings, Inbound, SchemeSettings};

use crate::upstream::external::ResolvedManifest;

mod answers;
pub(crate) mod binding;
mod build;
mod selection;

pub use build::CatalogueError;

/// Everything that is published.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// The toolsets, by slug.
    pub toolsets: HashMap<String, Arc<PublishedToolset>>,
    /// The documents, by slug; those that no toolset publishes too.
    pub documents: HashMap<String, Arc<PublishedDocument>>,
    /// The providers at which we are registered, by slug.
    pub providers: HashMap<String, Arc<ResolvedProvider>>,
}

/// One toolset, ready to serve.
#[derive(Debug)]
pub struct PublishedToolset {
    /// The slug.
    pub slug: Slug,
    /// What people read.
    pub title: String,
    /// What the model is told about the tools as a whole.
    pub instructions: Option<String>,
    /// The ways in.
    pub inbound: BTreeSet<Inbound>,
    /// Where people sign in and for what; present exactly where [`Inbound::OAuth`] is a way in.
    pub sign_in: Option<Arc<SignIn>>,
    /// Whose own access tokens are a way in; present exactly where [`Inbound::External`] is one.
    pub external: Option<Arc<External>>,
    /// Variables that callers may pass as headers, by name.
    pub caller_supplied: BTreeSet<String>,
    /// The environment, where the toolset has one.
    pub environment: Option<Arc<EnvironmentValues>>,
    /// What the operator may not have meant by its selections.
    pub selection_warnings: Vec<String>,
    /// What its selections leave out unless the operator says otherwise.
    pub selection_notes: Vec<String>,
    /// How many tools each tag has, by tag.
    pub tags: BTreeMap<String, usize>,
    /// Where tools are searched for instead of listed: the words of all of them.
    pub search: Option<ToolIndex>,
    /// The tools, by the name that clients call them by.
    pub tools: HashMap<String, PublishedTool>,
    /// What the toolset says of itself; see [`crate::mcp::publish`].
    pub introduction: Introduction,
    /// The tools as clients see them; see [`crate::mcp::publish`].
    pub list: ToolList,
}

/// Where people sign in to use a toolset, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The provider.
    pub provider: Slug,
    /// The scopes that the tools need, in the documents' words.
    pub scopes: Scopes,
    /// What the documents say that a scope is for, by scope; not every scope has a text.
    pub descriptions: BTreeMap<String, String>,
    /// Whether any tool is called with the person's token; otherwise the provider only says who the person is, and no token is kept.
    pub connects: bool,
    /// How long our tokens are good, where that is the toolset's own.
    pub lifetimes: OwnLifetimes,
}

/// A provider whose own authorization server signs people in to a toolset.
#[derive(Debug)]
pub struct External {
    /// The provider's manifest.
    pub manifest: Arc<ResolvedManifest>,
    /// What people sign in for there; the provider is the manifest.
    ///
    /// Where tokens are traded, the scopes of the documents are those of the tokens that come of it, and clients are told of those that the operator names.
    pub sign_in: SignIn,
}

/// A tool and the document that it comes from.
#[derive(Clone, Debug)]
pub struct PublishedTool {
    /// The compiled operation.
    pub tool: Arc<Tool>,
    /// Its document.
    pub document: Arc<PublishedDocument>,
    /// The document's schemes whose credential is the connection of the person who signed in to the toolset, each with the provider, by the scheme's key in the document.
    pub bound: Arc<BTreeMap<String, Slug>>,
    /// The provider whose connection is the credential because the document says nothing of any, and the operator does.
    pub provider: Option<Slug>,
    /// How much of its answers the model is given.
    pub presentation: Arc<Presentation>,
}

/// What a call needs to know of a document.
#[derive(Clone, Debug)]
pub struct PublishedDocument {
    /// The slug.
    pub slug: Slug,
    /// What people call the API.
    pub title: String,
    /// The digest of the document's bytes.
    pub digest: Digest,
    /// The URL that it came from, where it came from one.
    pub url: Option<String>,
    /// The digest of the names that its tools have, where they are not those without memory.
    pub names: Option<Digest>,
    /// The compiled operations.
    pub tools: Vec<Arc<Tool>>,
    /// The variables that its calls may read.
    pub variables: Vec<VariableSpec>,
    /// The security schemes, by their key in the document.
    pub schemes: HashMap<String, SecurityScheme>,
    /// The operations whose server has another origin than the document's own servers, by the tool's name.
    pub strays: HashMap<String, Origin>,
    /// What the operator says of the schemes.
    pub scheme_settings: BTreeMap<String, SchemeSettings>,
    /// What the operator says of the operations that say nothing of credentials.
    pub settings: DocumentSettings,
}

/// An environment's variables in the clear.
#[derive(Debug)]
pub struct EnvironmentValues {
    /// The slug.
    pub slug: Slug,
    /// The values, by name.
    pub values: HashMap<String, EnvironmentValue>,
}

/// The most tools that `OpenAI`'s models take, and GitHub Copilot, of all servers together.
const MANY_TOOLS: usize = 128;

impl PublishedToolset {
    /// Says that clients and models cannot hold the tools, where that is so, and what helps.
    #[must_use]
    pub fn too_many_tools(&self) -> Option<String> {
        let count = self.list.len();
        if count <= MANY_TOOLS {
            return None;
        }
        let unseen = count - self.list.first_page();
        let unseen = match unseen {
            0 => String::new(),
            more => format!(
                ", and clients that ask for the first page of the list only do not see {more} of them"
            ),
        };
        Some(format!(
            "it lists {count} tools: models of OpenAI and GitHub Copilot take {MANY_TOOLS}, Cursor 40, of all servers together{unseen}; select fewer by `[toolsets.{0}.select.…]`, give clients `?tags=…` in the URL, or let them search for tools by `dynamic = true` in `[toolsets.{0}]`",
            self.slug
        ))
    }

    /// Returns what people sign in for, be it here or at the provider itself.
    #[must_use]
    pub fn signing_in(&self) -> Option<&SignIn> {
        let here = self.sign_in.as_deref();
        here.or_else(|| self.external.as_ref().map(|external| &external.sign_in))
    }

    /// Says that nobody here judges the tokens that callers bring, where that is so.
    #[must_use]
    pub fn unjudged_tokens(&self) -> Option<String> {
        let manifest = &self.external.as_ref()?.manifest;
        manifest.is_unvalidated().then(|| {
            format!(
                "only the API judges the tokens of `{0}` (`validation = \"upstream\"` in `[manifests.{0}]`): whoever holds any token of that provider's, be it issued to another application, comes in and gets as far as the API lets him",
                manifest.slug
            )
        })
    }

    /// Tells whether we serve the manifest of the provider, whose tokens are a way in.
    #[must_use]
    pub fn is_republished(&self) -> bool {
        let external = self.external.as_ref();
        external.is_some_and(|external| external.manifest.republished)
    }

    /// Returns the issuer that clients are sent to, to sign in.
    #[must_use]
    pub fn authorization_server(&self, public_url: &Origin) -> String {
        match &self.external {
            None => public_url.to_string(),
            Some(_) if self.is_republished() => self.endpoint(public_url),
            // Whatever clients find there, they compare with what is written here.
            Some(external) => external.manifest.manifest.issuer().to_owned(),
        }
    }

    /// Returns the URL of the MCP endpoint.
    #[must_use]
    pub fn endpoint(&self, public_url: &Origin) -> String {
        format!("{}/{}/mcp", public_url.as_str(), self.slug)
    }
}

impl Catalogue {
    /// Says what the operator of a toolset should know before anybody else does.
    pub fn warnings(&self, toolset: &PublishedToolset) -> impl Iterator<Item = String> {
        let open_door = self.open_door(toolset);
        let of_access = open_door.into_iter().chain(toolset.unjudged_tokens());
        let of_tools = toolset.selection_warnings.iter().cloned();
        of_access.chain(of_tools).chain(toolset.too_many_tools())
    }

    /// Says that anybody in the world can sign in to a toolset, where that is so and the operator did not say it.
    #[must_use]
    pub fn open_door(&self, toolset: &PublishedToolset) -> Option<String> {
        let slug = toolset.sign_in.as_ref()?.provider.as_str();
        let provider = self.providers.get(slug)?;
        provider.is_open_by_default().then(|| {
            format!(
                "anybody in the world who has an account at {} can sign in, and use the environment's credentials where tools need them; say in `[providers.{slug}]` who may, by `allow = [\"…\"]`, where `[\"*\"]` means everybody",
                provider.name()
            )
        })
    }
}

/// The slug of the environment that the variables of the process make, where a document is served alone.
pub const PROCESS_ENVIRONMENT: &str = "process";

/// One variable's value.
#[derive(Clone, Debug)]
pub struct EnvironmentValue {
    /// The text; kept out of sight even where it is no secret.
    pub text: Secret,
    /// Whether the operator declared it a secret.
    pub secret: bool,
}
