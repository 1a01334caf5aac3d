//! `portcullis manifest attach`: lets a toolset take a provider's own tokens, after showing what that changes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use portcullis_base::{Clock as _, Slug};
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::config::Configuration;
use portcullis_server::doctor::Verdict;
use portcullis_server::manifest::attach::{Attachment, Edited};
use portcullis_server::manifest::{examine, table};
use portcullis_server::storage;

use super::check::Owned;
use super::{Surroundings, read, replace};
use crate::command::apply::is_confirmed;
use crate::command::doctor::print_finding;

/// What is attached to what.
pub(super) struct Wanted<'a> {
    pub(super) manifest: &'a str,
    pub(super) name: Option<Slug>,
    pub(super) republish: bool,
    pub(super) toolset: &'a Slug,
    /// Whether nobody is asked.
    pub(super) yes: bool,
}

/// Runs the command.
pub(super) async fn run(
    surroundings: &Surroundings,
    wanted: &Wanted<'_>,
) -> anyhow::Result<ExitCode> {
    let path = &surroundings.config;
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
    let (slug, table) = described(surroundings, wanted)?;
    let attachment = Attachment {
        manifest: &slug,
        table: table.as_deref(),
        toolset: wanted.toolset,
    };
    let edited = attachment.edited(&text)?;
    if edited.text == text {
        println!("nothing changes");
        return Ok(ExitCode::SUCCESS);
    }
    // Whatever is wrong with it is said before anybody is asked.
    let configuration = surroundings.configuration_of(&edited.text)?;
    for change in &edited.changes {
        println!("{change}");
    }
    tell_consequences(&configuration, wanted.toolset, &edited).await;
    tell_findings(&configuration, &slug, wanted.toolset)?;
    if !wanted.yes && !is_confirmed("write this?")? {
        println!("nothing was changed");
        return Ok(ExitCode::FAILURE);
    }
    replace(path, &edited.text)?;
    println!(
        "written to {}; a gateway that serves it takes it up by itself",
        path.display()
    );
    println!("`portcullis manifest check {slug}` says what clients would make of it");
    Ok(ExitCode::SUCCESS)
}

/// Returns the manifest's name, and its table where a file is attached.
fn described(
    surroundings: &Surroundings,
    wanted: &Wanted<'_>,
) -> anyhow::Result<(Slug, Option<String>)> {
    if let Some(slug) = Surroundings::named(wanted.manifest) {
        if wanted.republish {
            bail!("write `republish = true` into `[manifests.{slug}]`; the table is not changed");
        }
        return Ok((slug, None));
    }
    let manifest = read(Path::new(wanted.manifest))?;
    let slug = wanted.name.clone().or_else(|| table::name(&manifest));
    let slug = slug.context("the issuer gives no name away; name the manifest by `--name`")?;
    let file = relative(&surroundings.config, Path::new(wanted.manifest))?;
    let mut table = table::table(&slug, &file.display().to_string(), &manifest);
    if !table::is_complete(&manifest) {
        bail!(
            "the manifest does not say how tokens are judged; complete this table in {}, then attach `{slug}`:\n\n{table}",
            surroundings.config.display()
        );
    }
    if wanted.republish {
        table.push_str("republish = true\n");
    }
    Ok((slug, Some(table)))
}

/// Returns how the configuration file would name another file.
fn relative(config: &Path, file: &Path) -> anyhow::Result<PathBuf> {
    let folder = config.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize()?;
    let file = file.canonicalize()?;
    Ok(match file.strip_prefix(&folder) {
        Ok(relative) => relative.to_owned(),
        Err(_) => file,
    })
}

/// Says what clients will stumble over, as far as that stands in the manifest.
fn tell_findings(
    configuration: &Configuration,
    manifest: &Slug,
    toolset: &Slug,
) -> anyhow::Result<()> {
    let Some(examinee) = Owned::described(configuration, manifest, toolset)? else {
        return Ok(());
    };
    let mut part = examine::read(&examinee.borrowed());
    part.findings
        .retain(|finding| matches!(finding.verdict, Verdict::Doubtful | Verdict::Wrong));
    for finding in &part.findings {
        print_finding(&mut std::io::stdout().lock(), finding)?;
    }
    Ok(())
}

/// Says what becomes of the clients that come in by a way that is closed.
async fn tell_consequences(configuration: &Configuration, toolset: &Slug, edited: &Edited) {
    for way in &edited.closed {
        match way.as_str() {
            "oauth" => {
                let grants = match count(configuration, toolset).await {
                    Ok(Some(1)) => "1 grant ends".to_owned(),
                    Ok(Some(count)) => format!("{count} grants end"),
                    Ok(None) => "there is no store yet, and no grant".to_owned(),
                    Err(error) => format!("how many grants end cannot be told ({error:#})"),
                };
                println!(
                    "clients that are signed in here: {grants}; their tokens answer 401, their refresh tokens `invalid_grant`, and they sign in again, at the provider"
                );
            }
            _ => println!("callers without a credential, whom `{way}` let in: they get 401"),
        }
    }
}

async fn count(configuration: &Configuration, toolset: &Slug) -> anyhow::Result<Option<u64>> {
    let settings = &configuration.settings.storage;
    if !storage::may_exist(settings) {
        return Ok(None);
    }
    let store = storage::open(settings, SystemClock.now(), Arc::new(SystemRng)).await?;
    let count = store.count_grants(toolset).await;
    store.close().await;
    Ok(Some(count?))
}
