//! `portcullis manifest check`: what clients would make of a manifest, and whether its provider answers.

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use portcullis_oauth::manifest::Manifest;
use portcullis_oauth::resource::Resource;
use portcullis_server::ambient::SystemRng;
use portcullis_server::doctor::Examination;
use portcullis_server::manifest::discover::of_url;
use portcullis_server::manifest::examine::{Trial, examine};
use portcullis_server::manifest::file;
use portcullis_server::manifest::subject::{self, NoSubject, Subject, Whom};
use portcullis_server::manifest::visit::Visitor;

use super::Surroundings;
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
    let subjects = subjects(surroundings, &visitor, wanted).await?;
    let mut parts = Vec::new();
    for subject in &subjects {
        parts.push(examine(&visitor, &subject.examinee(), trial).await);
    }
    doctor::tell(&Examination { parts }, format)
}

/// Returns what is examined: a manifest by its name, as each toolset has it that it is attached to, or any other.
async fn subjects(
    surroundings: &Surroundings,
    visitor: &Visitor,
    wanted: &Wanted<'_>,
) -> anyhow::Result<Vec<Subject>> {
    let mut subjects = match Surroundings::named(wanted.manifest) {
        Some(slug) => {
            let whom = match (&wanted.target.resource, &wanted.target.toolset) {
                (Some(resource), _) => Whom::Resource(resource),
                (None, Some(toolset)) => Whom::Toolset(toolset),
                (None, None) => Whom::Attached,
            };
            match Subject::described(&surroundings.configuration()?, &slug, whom, None) {
                Err(NoSubject::NoManifest(slug)) => {
                    bail!("there is neither a file `{slug}` nor a table `[manifests.{slug}]`")
                }
                subjects => subjects?,
            }
        }
        None => vec![Subject {
            name: wanted.manifest.to_owned(),
            manifest: manifest(visitor, wanted.manifest).await?,
            resource: resource(surroundings, wanted.target)?,
            republished: false,
            validation: None,
        }],
    };
    for subject in &mut subjects {
        subject.republished |= wanted.republished;
    }
    Ok(subjects)
}

async fn manifest(visitor: &Visitor, wanted: &str) -> anyhow::Result<Manifest> {
    if wanted.starts_with("https://") || wanted.starts_with("http://") {
        return Ok(of_url(visitor, wanted).await?.manifest);
    }
    Ok(file::read(Path::new(wanted))?)
}

fn resource(surroundings: &Surroundings, target: &Target) -> anyhow::Result<Option<Resource>> {
    let Some(toolset) = &target.toolset else {
        return Ok(target.resource.clone());
    };
    let configuration = surroundings.configuration()?;
    Ok(Some(subject::resource(&configuration, toolset, None)?))
}
