//! Makes a catalogue from what the store holds.
//!
//! A document whose bytes did not change is not compiled again: its tools are taken over from the catalogue before.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use portcullis_base::{Digest, Slug};
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_openapi::RememberedNames;
use portcullis_openapi::variables::variables;
use portcullis_store::{
    DocumentSettings, Environment, Inbound, OAuthManifest, SchemeSettings, Snapshot, Toolset,
    UpstreamProvider, VariableValue,
};
use thiserror::Error;

use super::binding::{Company, Home};
use super::{
    Catalogue, EnvironmentValue, EnvironmentValues, External, PublishedDocument, PublishedTool,
    PublishedToolset, SignIn, answers,
};
use super::{binding, selection};
use crate::compiled::{CompiledDocument, KnownDocuments};
use crate::mcp::{dynamic, publish};
use crate::upstream::external::{ResolvedManifest, UnusableManifest};
use crate::upstream::providers::catalogue::{UnusableProvider, resolve};

/// Why no catalogue can be made.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// A document was not compiled before.
    #[error("document `{document}` ({source_name}) is not compiled")]
    Uncompiled {
        /// The document's slug.
        document: Slug,
        /// Where its content came from.
        source_name: String,
    },
    /// A toolset names a document that is not there.
    #[error("toolset `{toolset}` publishes document `{document}`, which does not exist")]
    UnknownDocument {
        /// The toolset's slug.
        toolset: Slug,
        /// The slug that it names.
        document: Slug,
    },
    /// A toolset names an environment that is not there.
    #[error("toolset `{toolset}` reads environment `{environment}`, which does not exist")]
    UnknownEnvironment {
        /// The toolset's slug.
        toolset: Slug,
        /// The slug that it names.
        environment: Slug,
    },
    /// A provider cannot be used as it is stored.
    #[error("provider `{provider}`: {reason}")]
    Provider {
        /// The provider's slug.
        provider: Slug,
        /// What is wrong with it.
        reason: UnusableProvider,
    },
    /// A manifest cannot be used as it is stored.
    #[error("manifest `{manifest}`: {reason}")]
    Manifest {
        /// The manifest's slug.
        manifest: Slug,
        /// What is wrong with it.
        reason: UnusableManifest,
    },
    /// A toolset takes a provider's own tokens, and names no manifest that is there.
    #[error("toolset `{toolset}` takes tokens of a manifest that does not exist")]
    UnknownManifest {
        /// The toolset's slug.
        toolset: Slug,
    },
    /// A toolset lets people in who sign in, and names no provider that is there.
    #[error(
        "toolset `{toolset}` lets people sign in, but the provider that it names does not exist"
    )]
    UnknownProvider {
        /// The toolset's slug.
        toolset: Slug,
    },
}

/// What toolsets refer to.
struct Parts<'a> {
    documents: HashMap<String, Arc<PublishedDocument>>,
    environments: HashMap<&'a str, Arc<EnvironmentValues>>,
    providers: HashMap<String, Arc<ResolvedProvider>>,
    manifests: HashMap<String, Arc<ResolvedManifest>>,
}

impl Catalogue {
    /// Puts together what the snapshot holds; takes over the documents of `before` that did not change, and the others from those that are `known`.
    ///
    /// Takes as long as writing the lists of tools: call it where blocking is allowed.
    ///
    /// # Errors
    ///
    /// When a document is not known, a provider cannot be used, or a toolset names a document, an environment or a provider that is not there.
    pub fn build(
        snapshot: &Snapshot,
        before: &Self,
        known: &KnownDocuments,
    ) -> Result<Self, CatalogueError> {
        let mut documents = HashMap::new();
        for stored in &snapshot.documents {
            let published = match before.unchanged(stored) {
                Some(same) => Arc::clone(same),
                None => Arc::new(published(stored, known)?),
            };
            documents.insert(stored.slug.as_str().to_owned(), published);
        }
        let environments = snapshot
            .environments
            .iter()
            .map(|environment| (environment.slug.as_str(), Arc::new(values(environment))))
            .collect();
        let parts = Parts {
            documents,
            environments,
            providers: providers(&snapshot.providers)?,
            manifests: manifests(&snapshot.manifests)?,
        };
        let mut toolsets = HashMap::new();
        for toolset in &snapshot.toolsets {
            let published = parts.published(toolset)?;
            toolsets.insert(toolset.slug.as_str().to_owned(), Arc::new(published));
        }
        Ok(Self {
            toolsets,
            documents: parts.documents,
            providers: parts.providers,
        })
    }

    /// Returns a document as it is published, where that is what is stored.
    pub(crate) fn unchanged(
        &self,
        stored: &portcullis_store::Document,
    ) -> Option<&Arc<PublishedDocument>> {
        let published = self.documents.get(stored.slug.as_str())?;
        let is_same = published.digest == stored.digest
            && published.names == stored.names
            && published.url.as_deref() == stored.remote_source()
            && published.scheme_settings == stored.schemes
            && published.settings == stored.settings;
        is_same.then_some(published)
    }
}

fn providers(
    stored: &[UpstreamProvider],
) -> Result<HashMap<String, Arc<ResolvedProvider>>, CatalogueError> {
    let resolved = stored.iter().map(|stored| {
        let slug = stored.slug.as_str().to_owned();
        match resolve(stored) {
            Ok(provider) => Ok((slug, Arc::new(provider))),
            Err(reason) => Err(CatalogueError::Provider {
                provider: stored.slug.clone(),
                reason,
            }),
        }
    });
    resolved.collect()
}

fn manifests(
    stored: &[OAuthManifest],
) -> Result<HashMap<String, Arc<ResolvedManifest>>, CatalogueError> {
    let resolved = stored.iter().map(|stored| {
        let manifest = ResolvedManifest::of(stored).map_err(|reason| CatalogueError::Manifest {
            manifest: stored.slug.clone(),
            reason,
        })?;
        Ok((stored.slug.as_str().to_owned(), Arc::new(manifest)))
    });
    resolved.collect()
}

fn published(
    stored: &portcullis_store::Document,
    known: &KnownDocuments,
) -> Result<PublishedDocument, CatalogueError> {
    let uncompiled = || CatalogueError::Uncompiled {
        document: stored.slug.clone(),
        source_name: stored.source.clone(),
    };
    let document = known
        .known(stored.digest, stored.remote_source())
        .ok_or_else(uncompiled)?;
    let names = stored
        .names
        .map(|digest| known.names(digest).map(|names| (digest, names)));
    let names = names
        .map(|names| names.ok_or_else(uncompiled))
        .transpose()?;
    tracing::info!(
        document = %stored.slug,
        tools = document.tools.len(),
        diagnostics = document.diagnostics.len(),
        "document compiled; `portcullis check` shows what could not be used"
    );
    let schemes = stored.schemes.clone();
    let published = PublishedDocument::new(stored.slug.clone(), document, schemes);
    let published = published.with_settings(stored.settings.clone());
    Ok(match names {
        Some((digest, names)) => published.with_names(digest, names),
        None => published,
    })
}

impl PublishedDocument {
    /// Puts together what calls need to know of a compiled document.
    #[must_use]
    pub fn new(
        slug: Slug,
        compiled: &CompiledDocument,
        scheme_settings: BTreeMap<String, SchemeSettings>,
    ) -> Self {
        let schemes = compiled.schemes.iter();
        Self {
            title: compiled.title.clone(),
            digest: compiled.digest,
            url: compiled.url.clone(),
            names: None,
            variables: variables(slug.as_str(), &compiled.schemes, &compiled.server_variables),
            schemes: schemes
                .map(|scheme| (scheme.name.clone(), scheme.clone()))
                .collect(),
            strays: compiled.strays.clone(),
            scheme_settings,
            settings: DocumentSettings::default(),
            tools: compiled.tools.clone(),
            slug,
        }
    }

    /// Gives the tools the names that are remembered.
    #[must_use]
    pub fn with_names(self, digest: Digest, names: &RememberedNames) -> Self {
        let tools = names.apply(&self.tools);
        let renamed = self.tools.iter().zip(&tools);
        let strays = renamed.filter_map(|(before, after)| {
            let origin = self.strays.get(&before.name)?;
            Some((after.name.clone(), origin.clone()))
        });
        Self {
            strays: strays.collect(),
            names: Some(digest),
            tools,
            ..self
        }
    }

    /// Adds what the operator says of the operations that say nothing of credentials.
    #[must_use]
    pub fn with_settings(self, settings: DocumentSettings) -> Self {
        Self { settings, ..self }
    }
}

fn values(environment: &Environment) -> EnvironmentValues {
    let value = |value: &VariableValue| match value {
        VariableValue::Plain(text) => EnvironmentValue {
            text: portcullis_base::Secret::new(text.clone()),
            secret: false,
        },
        VariableValue::Secret(text) => EnvironmentValue {
            text: text.clone(),
            secret: true,
        },
    };
    let values = environment
        .variables
        .iter()
        .map(|(name, variable)| (name.clone(), value(&variable.value)))
        .collect();
    EnvironmentValues {
        slug: environment.slug.clone(),
        values,
    }
}

impl Parts<'_> {
    fn published(&self, toolset: &Toolset) -> Result<PublishedToolset, CatalogueError> {
        let provider = self.provider(toolset)?;
        let manifest = self.manifest(toolset)?;
        // A token that the API is not sent is no credential of its tools.
        let sent = manifest.filter(|manifest| manifest.delegation.is_some());
        let sent = sent.map(|manifest| Home::Manifest(manifest));
        let home = provider.map(Home::Provider).or(sent);
        let (mut chosen, titles) = self.tools(toolset, home)?;
        let mut remarks = selection::Remarks::default();
        for part in &toolset.documents {
            if let Some(document) = self.documents.get(part.document.as_str()) {
                remarks.look(&part.select, document);
            }
        }
        let own_names: Vec<_> = chosen
            .iter()
            .map(|tool| (tool.document.slug.as_str(), tool.tool.name.as_str()))
            .collect();
        let names = selection::names(&own_names);
        let unmeant = answers::present(&toolset.answers, &names, &mut chosen);
        remarks.warnings.extend(unmeant);
        let title = toolset.title.clone().unwrap_or_else(|| titles.join(", "));
        let tags = publish::tags(&chosen);
        let own = toolset.instructions.as_deref();
        let (search, list, instructions) = if toolset.dynamic {
            let index = publish::tool_index(names.iter().zip(&chosen));
            let list = dynamic::tool_list(&title, names.len(), &tags);
            (
                Some(index),
                list,
                Some(dynamic::instructions(own, names.len())),
            )
        } else {
            let list = publish::tool_list(names.iter().zip(&chosen));
            (None, list, toolset.instructions.clone())
        };
        Ok(PublishedToolset {
            introduction: publish::introduction(&toolset.slug, &title, instructions.as_deref()),
            tags,
            search,
            slug: toolset.slug.clone(),
            title,
            instructions: toolset.instructions.clone(),
            inbound: toolset.inbound.clone(),
            sign_in: provider.map(|it| {
                let sign_in = binding::sign_in(it.slug(), &chosen);
                Arc::new(SignIn {
                    lifetimes: toolset.lifetimes,
                    ..sign_in
                })
            }),
            external: manifest.map(|manifest| {
                let mut sign_in = binding::sign_in(&manifest.slug, &chosen);
                if manifest.is_trading() {
                    sign_in.scopes = manifest.scopes.clone();
                }
                let manifest = Arc::clone(manifest);
                Arc::new(External { manifest, sign_in })
            }),
            caller_supplied: toolset.caller_supplied.clone(),
            environment: self.environment(toolset)?,
            list,
            selection_warnings: remarks.warnings,
            selection_notes: remarks.notes,
            tools: names.into_iter().zip(chosen).collect(),
        })
    }

    /// Finds the tools of a toolset, in the order of its documents, and the documents' titles.
    fn tools(
        &self,
        toolset: &Toolset,
        home: Option<Home<'_>>,
    ) -> Result<(Vec<PublishedTool>, Vec<&str>), CatalogueError> {
        let mut chosen = Vec::new();
        let mut titles = Vec::new();
        let company = Company::of(&toolset.documents);
        for part in &toolset.documents {
            let document = self.documents.get(part.document.as_str()).ok_or_else(|| {
                CatalogueError::UnknownDocument {
                    toolset: toolset.slug.clone(),
                    document: part.document.clone(),
                }
            })?;
            titles.push(document.title.as_str());
            chosen.extend(binding::tools(document, &part.select, company, home));
        }
        Ok((chosen, titles))
    }

    fn environment(
        &self,
        toolset: &Toolset,
    ) -> Result<Option<Arc<EnvironmentValues>>, CatalogueError> {
        let Some(slug) = &toolset.environment else {
            return Ok(None);
        };
        let found = self.environments.get(slug.as_str()).cloned();
        found
            .map(Some)
            .ok_or_else(|| CatalogueError::UnknownEnvironment {
                toolset: toolset.slug.clone(),
                environment: slug.clone(),
            })
    }

    /// Returns the manifest whose tokens are a way in, where they are.
    fn manifest(
        &self,
        toolset: &Toolset,
    ) -> Result<Option<&Arc<ResolvedManifest>>, CatalogueError> {
        if !toolset.inbound.contains(&Inbound::External) {
            return Ok(None);
        }
        let slug = toolset.manifest.as_ref();
        let found = slug.and_then(|slug| self.manifests.get(slug.as_str()));
        let unknown = || CatalogueError::UnknownManifest {
            toolset: toolset.slug.clone(),
        };
        found.map(Some).ok_or_else(unknown)
    }

    /// Returns the provider that people sign in at, where they do.
    fn provider(&self, toolset: &Toolset) -> Result<Option<&ResolvedProvider>, CatalogueError> {
        if !toolset.inbound.contains(&Inbound::OAuth) {
            return Ok(None);
        }
        let slug = toolset.provider.as_ref();
        let found = slug.and_then(|slug| self.providers.get(slug.as_str()));
        found
            .map(|provider| Some(provider.as_ref()))
            .ok_or_else(|| CatalogueError::UnknownProvider {
                toolset: toolset.slug.clone(),
            })
    }
}
