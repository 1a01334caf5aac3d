//! `portcullis manifest check`: what clients would make of a manifest, and whether its provider answers.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use portcullis_base::Slug;
use portcullis_oauth::manifest::Manifest;
use portcullis_oauth::resource::Resource;
use portcullis_server::ambient::SystemRng;
use portcullis_server::config::{Configuration, ManifestObject};
use portcullis_server::doctor::Examination;
use portcullis_server::manifest::discover::of_url;
use portcullis_server::manifest::examine::{Examinee, Trial, examine};
use portcullis_server::manifest::visit::Visitor;
use portcullis_store::TokenValidation;

use super::{Surroundings, read};
use crate::cli::{OutputFormat, Target};
use crate::command::doctor;

/// What is checked, and how.
pub(super) struct Wanted<'a> {
    pub(super) manifest: &'a str,
    pub(super) target: &'a Target,
    pub(super) republished: bool,
    pub(super) register: bool,
}

/// Runs the command; fails where something is wrong.
pub(super) async fn run(
    surroundings: &Surroundings,
    wanted: &Wanted<'_>,
    format: OutputFormat,
) -> anyhow::Result<ExitCode> {
    let visitor = surroundings.visitor()?;
    let trial = if wanted.register {
        Trial::Register(&SystemRng)
    } else {
        Trial::None
    };
    let examinees = examinees(surroundings, &visitor, wanted).await?;
    let mut parts = Vec::new();
    for examinee in &examinees {
        parts.push(examine(&visitor, &examinee.borrowed(), trial).await);
    }
    doctor::tell(&Examination { parts }, format)
}

/// What is examined, kept.
pub(super) struct Owned {
    name: String,
    manifest: Manifest,
    resource: Option<Resource>,
    republished: bool,
    validation: Option<TokenValidation>,
}

impl Owned {
    /// Returns a manifest of the configuration as a toolset has it; none where it is not described there.
    pub(super) fn described(
        configuration: &Configuration,
        manifest: &Slug,
        toolset: &Slug,
    ) -> anyhow::Result<Option<Self>> {
        let Some(object) = configuration.objects.manifests.get(manifest) else {
            return Ok(None);
        };
        let resource = of_toolset(configuration, toolset).ok();
        Ok(Some(Self::of(manifest, object, resource)?))
    }

    fn of(
        slug: &Slug,
        object: &ManifestObject,
        resource: Option<Resource>,
    ) -> anyhow::Result<Self> {
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

    pub(super) fn borrowed(&self) -> Examinee<'_> {
        Examinee {
            name: &self.name,
            manifest: &self.manifest,
            resource: self.resource.as_ref(),
            republished: self.republished,
            validation: self.validation,
        }
    }
}

/// Returns what is examined: a manifest by its name, as each toolset has it that it is attached to, or any other.
async fn examinees(
    surroundings: &Surroundings,
    visitor: &Visitor,
    wanted: &Wanted<'_>,
) -> anyhow::Result<Vec<Owned>> {
    if let Some(slug) = Surroundings::named(wanted.manifest) {
        return attached(&surroundings.configuration()?, &slug, wanted);
    }
    Ok(vec![Owned {
        name: wanted.manifest.to_owned(),
        manifest: manifest(visitor, wanted.manifest).await?,
        resource: resource(surroundings, wanted.target)?,
        republished: wanted.republished,
        validation: None,
    }])
}

/// Returns a manifest of the configuration as each toolset that it is attached to has it.
fn attached(
    configuration: &Configuration,
    slug: &Slug,
    wanted: &Wanted<'_>,
) -> anyhow::Result<Vec<Owned>> {
    let objects = &configuration.objects;
    let object = objects.manifests.get(slug).with_context(|| {
        format!("there is neither a file `{slug}` nor a table `[manifests.{slug}]`")
    })?;
    let examinee = |resource: Option<Resource>| {
        let mut examinee = Owned::of(slug, object, resource)?;
        examinee.republished |= wanted.republished;
        anyhow::Ok(examinee)
    };
    if let Some(resource) = &wanted.target.resource {
        return Ok(vec![examinee(Some(resource.clone()))?]);
    }
    if let Some(toolset) = &wanted.target.toolset {
        return Ok(vec![examinee(Some(of_toolset(configuration, toolset)?))?]);
    }
    let toolsets = objects.toolsets.iter();
    let toolsets = toolsets.filter(|(_, toolset)| toolset.manifest.as_ref() == Some(slug));
    let mut examinees = Vec::new();
    for (toolset, _) in toolsets {
        examinees.push(examinee(of_toolset(configuration, toolset).ok())?);
    }
    if examinees.is_empty() {
        examinees.push(examinee(None)?);
    }
    Ok(examinees)
}

async fn manifest(visitor: &Visitor, wanted: &str) -> anyhow::Result<Manifest> {
    if wanted.starts_with("https://") || wanted.starts_with("http://") {
        return Ok(of_url(visitor, wanted).await?.manifest);
    }
    read(Path::new(wanted))
}

fn resource(surroundings: &Surroundings, target: &Target) -> anyhow::Result<Option<Resource>> {
    match &target.toolset {
        Some(toolset) => Ok(Some(of_toolset(&surroundings.configuration()?, toolset)?)),
        None => Ok(target.resource.clone()),
    }
}

/// Returns what clients send as `resource` for a toolset.
fn of_toolset(configuration: &Configuration, toolset: &Slug) -> anyhow::Result<Resource> {
    if !configuration.objects.toolsets.contains_key(toolset) {
        bail!("there is no toolset `{toolset}`");
    }
    let public_url = configuration.settings.access.public_url.as_ref();
    let public_url = public_url.context(
        "the gateway has no URL, since the system chooses its port; pass `--public-url`",
    )?;
    Ok(Resource::of_toolset(public_url, toolset))
}
