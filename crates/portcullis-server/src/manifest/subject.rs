//! What is examined of a configuration: its manifests, as each toolset has them that they are attached to.

use portcullis_base::{Origin, Slug};
use portcullis_oauth::manifest::{InvalidManifest, Manifest};
use portcullis_oauth::resource::Resource;
use portcullis_store::TokenValidation;
use thiserror::Error;

use super::examine::Examinee;
use crate::config::{Configuration, ManifestObject};

/// A manifest to be examined, kept.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What the report calls it.
    pub name: String,
    /// The manifest.
    pub manifest: Manifest,
    /// What clients will send as `resource`, where it is known.
    pub resource: Option<Resource>,
    /// Whether it is served again.
    pub republished: bool,
    /// How tokens are judged, where it is known.
    pub validation: Option<TokenValidation>,
}

/// Whom a manifest is for.
#[derive(Clone, Copy, Debug)]
pub enum Whom<'a> {
    /// Every toolset that it is attached to.
    Attached,
    /// One toolset, be it attached or not.
    Toolset(&'a Slug),
    /// Whatever has this URL.
    Resource(&'a Resource),
}

/// Why there is nothing to examine.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NoSubject {
    /// The manifest is not described.
    #[error("there is no table `[manifests.{0}]`")]
    NoManifest(Slug),
    /// The toolset is not described.
    #[error("there is no toolset `{0}`")]
    NoToolset(Slug),
    /// The gateway has no URL.
    #[error("the gateway has no URL, since the system chooses its port; pass `--public-url`")]
    NoUrl,
    /// The manifest is none.
    #[error(transparent)]
    Manifest(#[from] InvalidManifest),
}

impl Subject {
    /// Returns a manifest of the configuration as it is examined for each of `whom`; alone where it is attached to nothing.
    ///
    /// # Errors
    ///
    /// When the configuration describes no such manifest or toolset.
    pub fn described(
        configuration: &Configuration,
        slug: &Slug,
        whom: Whom<'_>,
        public_url: Option<&Origin>,
    ) -> Result<Vec<Self>, NoSubject> {
        let objects = &configuration.objects;
        let object = objects.manifests.get(slug);
        let object = object.ok_or_else(|| NoSubject::NoManifest(slug.clone()))?;
        let subject = |resource| Self::of(slug, object, resource);
        match whom {
            Whom::Resource(resource) => Ok(vec![subject(Some(resource.clone()))?]),
            Whom::Toolset(toolset) => {
                let resource = resource(configuration, toolset, public_url)?;
                Ok(vec![subject(Some(resource))?])
            }
            Whom::Attached => {
                let toolsets = objects.toolsets.iter();
                let toolsets = toolsets.filter(|(_, it)| it.manifest.as_ref() == Some(slug));
                let resources =
                    toolsets.map(|(it, _)| resource(configuration, it, public_url).ok());
                let subjects: Vec<Self> = resources.map(subject).collect::<Result<_, _>>()?;
                if subjects.is_empty() {
                    return Ok(vec![subject(None)?]);
                }
                Ok(subjects)
            }
        }
    }

    fn of(
        slug: &Slug,
        object: &ManifestObject,
        resource: Option<Resource>,
    ) -> Result<Self, NoSubject> {
        Ok(Self {
            name: match &resource {
                Some(resource) => format!("{slug} at {resource}"),
                None => slug.to_string(),
            },
            manifest: Manifest::parse(object.content.as_bytes())?,
            resource,
            republished: object.settings.republished,
            validation: Some(object.settings.validation),
        })
    }

    /// Returns what is examined.
    #[must_use]
    pub fn examinee(&self) -> Examinee<'_> {
        Examinee {
            name: &self.name,
            manifest: &self.manifest,
            resource: self.resource.as_ref(),
            republished: self.republished,
            validation: self.validation,
        }
    }
}

/// Returns what clients send as `resource` for a toolset.
///
/// # Errors
///
/// When there is no such toolset, or the gateway has no URL.
pub fn resource(
    configuration: &Configuration,
    toolset: &Slug,
    public_url: Option<&Origin>,
) -> Result<Resource, NoSubject> {
    if !configuration.objects.toolsets.contains_key(toolset) {
        return Err(NoSubject::NoToolset(toolset.clone()));
    }
    let configured = configuration.settings.access.public_url.as_ref();
    let public_url = public_url.or(configured).ok_or(NoSubject::NoUrl)?;
    Ok(Resource::of_toolset(public_url, toolset))
}
