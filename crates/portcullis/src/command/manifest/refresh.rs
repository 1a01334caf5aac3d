//! `portcullis manifest refresh`: what the provider serves now, compared with the file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use portcullis_oauth::manifest::difference::Change;
use portcullis_server::config::Configuration;
use portcullis_server::manifest::refresh::{Comparison, RefreshError};
use serde_json::Value;

use super::Surroundings;

/// The most characters of a value that are shown.
const LONGEST_SHOWN: usize = 200;

/// Runs the command; fails where something grave changed and is not written, or the configuration could not use what is served.
pub(super) async fn run(
    surroundings: &Surroundings,
    manifest: &str,
    write: bool,
) -> anyhow::Result<ExitCode> {
    let (path, configuration) = file(surroundings, manifest)?;
    let comparison = Comparison::of(&surroundings.visitor()?, &path).await?;
    let changes = comparison.changes();
    if changes.is_empty() {
        println!(
            "nothing changed: {} serves what {} says",
            comparison.found.place,
            path.display()
        );
        return Ok(ExitCode::SUCCESS);
    }
    for change in &changes {
        tell(change);
    }
    if let Some(configuration) = &configuration {
        judge(&comparison, configuration)?;
    }
    if write {
        comparison.write()?;
        println!(
            "written to {}; a gateway that serves it takes it up by itself",
            path.display()
        );
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{} stays as it is; `--write` writes what is served",
        path.display()
    );
    let is_grave = changes.iter().any(|change| change.is_grave);
    Ok(ExitCode::from(u8::from(is_grave)))
}

/// Sees whether the configuration can be used with what is served.
fn judge(comparison: &Comparison, configuration: &Configuration) -> anyhow::Result<()> {
    let then = comparison.configuration(configuration);
    then.map(drop).map_err(|error| match error {
        // It knows where in the file it stands.
        RefreshError::Configuration(error) => error.into(),
        error => error.into(),
    })
}

/// Returns the file of a manifest that is named by it, or by its table in the configuration; with the configuration, where that names the file and can be used.
fn file(
    surroundings: &Surroundings,
    manifest: &str,
) -> anyhow::Result<(PathBuf, Option<Configuration>)> {
    let Some(slug) = Surroundings::named(manifest) else {
        let path = PathBuf::from(manifest);
        // Whatever is wrong with the configuration, a file can be compared without it.
        let described = surroundings.configuration().ok();
        let described = described.and_then(|it| Some((source(&it, &path)?, it)));
        return Ok(match described {
            Some((source, configuration)) => (source, Some(configuration)),
            None => (path, None),
        });
    };
    let configuration = surroundings.configuration()?;
    let object = configuration.objects.manifests.get(&slug);
    let object = object.with_context(|| {
        format!("there is neither a file `{slug}` nor a table `[manifests.{slug}]`")
    })?;
    Ok((PathBuf::from(&object.source), Some(configuration)))
}

/// Returns how a configuration names a file, where it does.
fn source(configuration: &Configuration, path: &Path) -> Option<PathBuf> {
    let path = path.canonicalize().ok()?;
    let objects = configuration.objects.manifests.values();
    let mut sources = objects.map(|it| PathBuf::from(&it.source));
    sources.find(|it| it.canonicalize().is_ok_and(|it| it == path))
}

fn tell(change: &Change<'_>) {
    let grave = if change.is_grave { "GRAVE" } else { "" };
    println!("{grave:<6}{:?}", change.member);
    for (word, value) in [("was", change.before), ("is", change.after)] {
        if let Some(value) = value {
            println!("        {word:<4}{}", shown(value));
        }
    }
}

/// Writes a value so that a terminal can do nothing but show it.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    let short: String = text.chars().take(LONGEST_SHOWN).collect();
    let cut = if short.len() < text.len() { "…" } else { "" };
    format!("{}{cut}", short.escape_debug()).replace("\\\"", "\"")
}
