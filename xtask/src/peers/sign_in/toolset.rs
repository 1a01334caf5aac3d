//! The toolsets that people sign in for, and what a call to one proves.

use anyhow::{Result, ensure};
use serde_json::{Map, Value, json};

use super::Person;
use crate::peers::programs::Report;

/// A toolset that people sign in for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Toolset {
    GitHub,
    Google,
    Entra,
    Oidc,
    /// Its API takes a static key, and no token of anybody.
    Library,
    /// Its provider registers clients itself, and signs the tokens that it issues for the endpoint.
    Signed,
    /// The same, and the API takes nothing but what the provider trades them for.
    Exchanged,
    /// As the first, with opaque tokens, which the provider is asked about.
    Opaque,
    /// The same of the SDK's demo.
    SdkDemo,
    /// The same again, told by us in its place.
    Republished,
    /// Its provider registers clients itself, and issues tokens that are for nobody but them.
    Canaille,
}

impl Toolset {
    pub(super) const ALL: [Self; 11] = [
        Self::GitHub,
        Self::Google,
        Self::Entra,
        Self::Oidc,
        Self::Library,
        Self::Signed,
        Self::Exchanged,
        Self::Opaque,
        Self::SdkDemo,
        Self::Republished,
        Self::Canaille,
    ];

    /// Those whose provider registers clients itself.
    pub(super) const REGISTERING: [Self; 6] = [
        Self::Signed,
        Self::Exchanged,
        Self::Opaque,
        Self::SdkDemo,
        Self::Republished,
        Self::Canaille,
    ];

    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::Google => "google",
            Self::Entra => "entra",
            Self::Oidc => "oidc",
            Self::Library => "library",
            Self::Signed => "signed",
            Self::Exchanged => "exchanged",
            Self::Opaque => "opaque",
            Self::SdkDemo => "sdk-demo",
            Self::Republished => "republished",
            Self::Canaille => "canaille",
        }
    }

    /// Whether clients must say that they have no secret, or the provider gives them one that it cannot do with.
    pub(super) fn needs_public_clients(self) -> bool {
        matches!(self, Self::SdkDemo | Self::Republished)
    }

    /// What is called, and with which arguments.
    pub(super) fn call(self) -> (&'static str, Map<String, Value>) {
        match self {
            Self::Library => (
                "findBooks",
                Map::from_iter([("shelf".to_owned(), json!("a"))]),
            ),
            _ => ("whoAmI", Map::new()),
        }
    }

    /// The API answers with the name of whoever its token stands for, or is not told a token at all.
    pub(super) fn judge(self, report: &Report, person: &Person) -> Result<()> {
        let (tool, _) = self.call();
        ensure!(
            report.tools.iter().any(|name| name == tool),
            "it lists {:?}",
            report.tools
        );
        let answer = report.answer()?;
        if self == Self::Library {
            ensure!(
                answer.get("target") == Some(&json!("/shelves/a/books")),
                "the API answered {answer}"
            );
            return Ok(());
        }
        let name = ["name", "displayName"]
            .iter()
            .find_map(|key| answer.get(key));
        ensure!(
            name == Some(&json!(person.name)),
            "the tool was called as {name:?} and not as {:?}",
            person.name
        );
        Ok(())
    }

    /// How the configuration publishes it.
    pub(super) fn published(self) -> String {
        let slug = self.slug();
        let rest = match self {
            Self::Library => {
                "inbound = [\"oauth\"]\nprovider = \"oidc\"\nenvironment = \"library\"\n".to_owned()
            }
            Self::GitHub | Self::Google | Self::Entra | Self::Oidc => {
                format!("inbound = [\"oauth\"]\nprovider = \"{slug}\"\n")
            }
            Self::Signed
            | Self::Exchanged
            | Self::Opaque
            | Self::SdkDemo
            | Self::Republished
            | Self::Canaille => {
                format!("inbound = [\"external\"]\nmanifest = \"{slug}\"\n")
            }
        };
        format!("\n[toolsets.{slug}]\ndocuments = [\"{slug}\"]\n{rest}")
    }
}
