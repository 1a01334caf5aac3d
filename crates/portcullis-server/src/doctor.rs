//! Whether signing in can work, as far as that can be told without a person: the report of `portcullis doctor`.
//!
//! Asks a running gateway through its public URL, as a client does, and the providers as the gateway does; changes nothing, and is given documents from URLs as the store has them, whose schema stays as it is.
//! What a gateway or a provider wrote stands in a finding only quoted and cut short: it is for the operator's eyes.

mod answer;
pub(crate) mod finding;
mod gateway;
mod provider;

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_base::{Clock, Origin, Rng, Slug};
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_oauth::resource::Resource;
use serde::Serialize;
use thiserror::Error;

use crate::catalogue::{Catalogue, CatalogueError, External, PublishedToolset, SignIn};
use crate::config::{Configuration, apply};
use crate::gateway::egress_policy;
use crate::manifest::examine::{Examinee, Trial, examine};
use crate::manifest::visit::Visitor;
use crate::upstream::http::Http;
use crate::upstream::providers::Providers;

pub use finding::{Finding, Part, PartKind, Verdict};

/// Everything that was found.
#[derive(Debug, Serialize)]
pub struct Examination {
    /// What was looked at, and what was found about it.
    pub parts: Vec<Part>,
}

/// Why nothing can be looked at.
#[derive(Debug, Error)]
pub enum ExaminationError {
    /// No catalogue can be made of the configuration.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// Nobody knows where the gateway is.
    #[error(
        "the gateway has no URL to ask, since the system chooses its port; pass `--public-url` with the URL that the gateway's log names"
    )]
    NoPublicUrl,
    /// The toolset that was named is not there.
    #[error("there is no toolset `{0}`")]
    NoToolset(Slug),
    /// Nobody signs in.
    #[error(
        "nobody signs in anywhere: no toolset has `oauth` or `external` among its ways in, so there is nothing to look at"
    )]
    NobodySignsIn,
    /// Nobody signs in to the toolset that was named.
    #[error(
        "nobody signs in to the toolset `{0}`: neither `oauth` nor `external` is among its ways in"
    )]
    NobodySignsInTo(Slug),
}

impl Examination {
    /// Looks at the gateway that a configuration describes, at its toolsets that people sign in to (or the one that is named), and at their providers.
    ///
    /// # Errors
    ///
    /// When there is nothing to look at.
    pub async fn of(
        configuration: &Configuration,
        toolset: Option<&Slug>,
        clock: Arc<dyn Clock>,
        rng: &dyn Rng,
    ) -> Result<Self, ExaminationError> {
        let snapshot = apply::preview(configuration, clock.now(), rng);
        let known = configuration.objects.compiled();
        let catalogue = Catalogue::build(&snapshot, &Catalogue::default(), &known)?;
        let toolsets = chosen(&catalogue, toolset)?;
        let public_url = configuration.settings.access.public_url.as_ref();
        let public_url = public_url.ok_or(ExaminationError::NoPublicUrl)?;

        let upstream = &configuration.settings.upstream;
        let policy = egress_policy(upstream);
        // The gateway itself may be at a place that its calls may not go to.
        let own = policy.clone().allow_origin(public_url.clone());
        let visitor = gateway::Visitor {
            http: Http::new(own, upstream.connect),
            public_url,
        };
        let mut parts = Vec::new();
        let signs_in_here = toolsets.iter().any(|toolset| toolset.sign_in.is_some());
        let gateway = visitor.gateway(signs_in_here).await;
        let answers = !gateway.has(gateway::SILENT);
        parts.push(gateway);
        for toolset in &toolsets {
            parts.push(visitor.toolset(toolset, answers).await);
        }
        let http = Http::new(policy, upstream.connect);
        for toolset in &toolsets {
            if let Some(external) = &toolset.external {
                let visitor = Visitor::by(http.clone());
                parts.push(manifest(&visitor, toolset, external, public_url).await);
            }
        }
        let providers = Providers::new(http, clock);
        let registrar = provider::Registrar {
            providers: &providers,
            public_url,
            rng,
        };
        for (provider, sign_ins) in by_provider(&catalogue, &toolsets) {
            parts.push(registrar.provider(provider, &sign_ins).await);
        }
        Ok(Self { parts })
    }

    /// Returns how many findings have a verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        let findings = self.parts.iter().flat_map(|part| &part.findings);
        findings.filter(|it| it.verdict == verdict).count()
    }
}

/// Returns the toolsets that people sign in to, by slug.
fn chosen<'a>(
    catalogue: &'a Catalogue,
    named: Option<&Slug>,
) -> Result<Vec<&'a PublishedToolset>, ExaminationError> {
    if let Some(slug) = named {
        let toolset = catalogue.toolsets.get(slug.as_str());
        let toolset = toolset.ok_or_else(|| ExaminationError::NoToolset(slug.clone()))?;
        return match toolset.signing_in() {
            Some(_) => Ok(vec![toolset.as_ref()]),
            None => Err(ExaminationError::NobodySignsInTo(slug.clone())),
        };
    }
    let all = catalogue.toolsets.values().map(AsRef::as_ref);
    let mut toolsets: Vec<&PublishedToolset> = all.filter(|it| it.signing_in().is_some()).collect();
    toolsets.sort_by(|a, b| a.slug.cmp(&b.slug));
    if toolsets.is_empty() {
        return Err(ExaminationError::NobodySignsIn);
    }
    Ok(toolsets)
}

/// Examines the manifest of a toolset as its clients meet it.
async fn manifest(
    visitor: &Visitor,
    toolset: &PublishedToolset,
    external: &External,
    public_url: &Origin,
) -> Part {
    let resource = Resource::of_toolset(public_url, &toolset.slug);
    let manifest = &external.manifest;
    let examinee = Examinee {
        name: &format!("{} at {resource}", manifest.slug),
        manifest: &manifest.manifest,
        resource: Some(&resource),
        republished: manifest.republished,
        validation: Some(manifest.validation.kind()),
    };
    examine(visitor, &examinee, Trial::None).await
}

/// Returns the providers of toolsets, each with what people sign in for.
fn by_provider<'a>(
    catalogue: &'a Catalogue,
    toolsets: &[&'a PublishedToolset],
) -> impl Iterator<Item = (&'a Arc<ResolvedProvider>, Vec<(&'a Slug, &'a SignIn)>)> {
    let mut found: BTreeMap<&Slug, Vec<(&Slug, &SignIn)>> = BTreeMap::new();
    for toolset in toolsets {
        if let Some(sign_in) = &toolset.sign_in {
            let entry = found.entry(&sign_in.provider).or_default();
            entry.push((&toolset.slug, sign_in.as_ref()));
        }
    }
    found
        .into_iter()
        .filter_map(|(slug, sign_ins)| Some((catalogue.providers.get(slug.as_str())?, sign_ins)))
}
