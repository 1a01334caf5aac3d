//! `portcullis manifest`: the OAuth manifests of providers that register MCP clients themselves.

mod attach;
mod check;
mod create;
mod refresh;
mod versions;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use portcullis_base::{Secret, Slug};
use portcullis_server::config::{
    Configuration, ConfigurationError, Overrides, RemoteContents, Settings,
};
use portcullis_server::document::load::{LoadError, Loader};
use portcullis_server::manifest::visit::Visitor;

use crate::cli::{self, ManifestCommand};

/// What the commands work with.
struct Surroundings {
    config: PathBuf,
    overrides: Overrides,
    process: HashMap<String, Secret>,
    remote: RemoteContents,
}

/// Runs the command.
pub(crate) async fn run(
    arguments: cli::Manifest,
    process: HashMap<String, Secret>,
) -> anyhow::Result<ExitCode> {
    let loader = Loader {
        path: &arguments.config,
        overrides: arguments.overrides(),
        process: process.clone(),
    };
    let remote = match loader.contents().await {
        // Whatever is wrong with the file is told where it is needed.
        Err(LoadError::Configuration(_)) => RemoteContents::default(),
        contents => contents?,
    };
    let overrides = loader.overrides;
    let surroundings = Surroundings {
        overrides,
        config: arguments.config,
        process,
        remote,
    };
    match arguments.command {
        ManifestCommand::Create {
            source,
            name,
            output,
        } => create::run(&surroundings, &source, name, output).await,
        ManifestCommand::Check {
            manifest,
            target,
            republished,
            register,
            format,
        } => {
            let wanted = check::Wanted {
                manifest: &manifest,
                target: &target,
                republished,
                register,
            };
            check::run(&surroundings, &wanted, format).await
        }
        ManifestCommand::Attach {
            manifest,
            toolset,
            name,
            republish,
            yes,
        } => {
            let wanted = attach::Wanted {
                manifest: &manifest,
                name,
                republish,
                toolset: &toolset,
                yes,
            };
            attach::run(&surroundings, &wanted).await
        }
        ManifestCommand::Refresh { manifest, write } => {
            refresh::run(&surroundings, &manifest, write).await
        }
        ManifestCommand::Versions { manifest, show } => {
            versions::run(&surroundings, &manifest, show.as_deref()).await
        }
    }
}

impl Surroundings {
    /// Reads the settings; those of no file where the usual one is not there.
    fn settings(&self) -> anyhow::Result<Settings> {
        let (overrides, process) = (self.overrides.clone(), self.process.clone());
        let is_absent = self.config == Path::new(cli::DEFAULT_FILE) && !self.config.exists();
        let settings = if is_absent {
            Settings::without_file(overrides, process)
        } else {
            Settings::load(&self.config, overrides, process)
        };
        Ok(settings?)
    }

    /// Tells whether a manifest of the configuration is meant, by its name, and not a file or a URL.
    fn named(manifest: &str) -> Option<Slug> {
        let slug = Slug::parse(manifest).ok()?;
        (!Path::new(manifest).is_file()).then_some(slug)
    }

    fn configuration(&self) -> anyhow::Result<Configuration> {
        let (overrides, process) = (self.overrides.clone(), self.process.clone());
        let remote = self.remote.clone();
        Ok(Configuration::load_remote(
            &self.config,
            overrides,
            process,
            remote,
        )?)
    }

    /// Reads the configuration as if its file held `text`.
    fn configuration_of(&self, text: &str) -> Result<Configuration, ConfigurationError> {
        let (overrides, process) = (self.overrides.clone(), self.process.clone());
        let remote = self.remote.clone();
        Configuration::of_text(&self.config, text, overrides, process, remote)
    }

    fn visitor(&self) -> anyhow::Result<Visitor> {
        Ok(Visitor::new(&self.settings()?.upstream))
    }
}
