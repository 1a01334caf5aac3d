//! Providers whose own authorization servers register clients and sign people in, each with its API behind.
//!
//! We are no client there, but for asking about tokens; what we know of each is its manifest.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use super::{CLIENT_ID, Scripts, origin};
use crate::command;
use crate::peers::sign_in::PEOPLE;
use crate::peers::sign_in::toolset::Toolset;
use crate::program::{Start, free_port};
use crate::tools;

/// How the operator describes that we ask the provider about tokens.
const ASKING: &str = "validation = \"introspection\"\nclient_id = \"{CLIENT_ID}\"";

/// How the operator describes that we are the ones who trade tokens there.
const TRADING: &str = "client_id = \"{CLIENT_ID}\"\nclient_secret_env = \"PROVIDER_SECRET\"";

/// A provider and the API behind.
struct Place {
    toolset: Toolset,
    provider: u16,
    api: u16,
}

impl Place {
    fn free(toolset: Toolset) -> Result<Self> {
        Ok(Self {
            toolset,
            provider: free_port()?,
            api: free_port()?,
        })
    }

    fn ports(&self) -> [String; 2] {
        [self.provider, self.api].map(|port| port.to_string())
    }

    /// What it calls itself; the SDK has it end in a slash.
    fn issuer(&self) -> String {
        let slash = match self.toolset {
            Toolset::SdkDemo | Toolset::Republished => "/",
            _ => "",
        };
        format!("{}{slash}", origin(self.provider))
    }

    /// Its authorization endpoint and the scope of its API, by which its document means it.
    fn documented(&self) -> (&'static str, &'static str) {
        match self.toolset {
            Toolset::SdkDemo | Toolset::Republished => ("/authorize", "mcp:tools"),
            Toolset::Canaille => ("/oauth/authorize", "profile"),
            _ => ("/auth", "me:read"),
        }
    }

    /// How its tokens are judged.
    fn validation(&self) -> String {
        let asking = ASKING.replace("{CLIENT_ID}", CLIENT_ID);
        match self.toolset {
            // The demo lets everybody ask.
            Toolset::SdkDemo => asking,
            Toolset::Republished => format!("{asking}\nrepublish = true"),
            Toolset::Opaque => format!("{asking}\nclient_secret_env = \"PROVIDER_SECRET\""),
            // Its tokens are for the client that registered, and whoever else asks about them is told nothing.
            Toolset::Canaille => "validation = \"upstream\"".to_owned(),
            Toolset::Exchanged => {
                let trading = TRADING.replace("{CLIENT_ID}", CLIENT_ID);
                let (_, scope) = self.documented();
                // Clients are not told of the document's scopes where tokens are traded.
                format!("validation = \"jwt\"\nscopes = [\"{scope}\"]\n{trading}")
            }
            _ => "validation = \"jwt\"".to_owned(),
        }
    }

    /// What the API gets: the token itself, or what it is traded for.
    fn upstream(&self) -> &'static str {
        match self.toolset {
            Toolset::Exchanged => "exchange",
            _ => "forward",
        }
    }

    /// What is asked for where tokens are traded; we are named as who acts for the person.
    fn exchange(&self) -> String {
        if self.upstream() == "forward" {
            return String::new();
        }
        let slug = self.toolset.slug();
        let (_, scope) = self.documented();
        format!(
            "\n[manifests.{slug}.exchange]\nresource = \"{}\"\nscopes = [\"{scope}\"]\nactor = \"client_credentials\"\n",
            origin(self.api)
        )
    }

    fn document(&self, template: &str) -> String {
        let (endpoint, scope) = self.documented();
        template
            .replace(
                "{AUTHORIZE}",
                &format!("{}{endpoint}", origin(self.provider)),
            )
            .replace("{API}", &origin(self.api))
            .replace("{SCOPE}", scope)
    }

    /// Does what an operator does: fetches the manifest, completes it where he knows better, and has it checked.
    fn make_manifest(&self, portcullis: &Path, folder: &Path, gateway: &str) -> Result<()> {
        let slug = self.toolset.slug();
        let file = folder.join(format!("{slug}.json"));
        let run = |arguments: &[&str]| {
            let mut program = Command::new(portcullis);
            // Without a configuration of whoever runs this.
            program.current_dir(folder).arg("manifest").args(arguments);
            program.args(["--allow-upstream", &origin(self.provider)]);
            command::output(&mut program)
        };
        let name = file.to_str().context("the folder's name is no text")?;
        run(&["create", &self.issuer(), "--name", slug, "--output", name])?;
        let is_untold = matches!(self.toolset, Toolset::SdkDemo | Toolset::Republished);
        if is_untold {
            complete(
                &file,
                "introspection_endpoint",
                &format!("{}introspect", self.issuer()),
            )?;
        }
        let resource = format!("{gateway}/{slug}/mcp");
        let mut check = vec!["check", name, "--resource", &resource];
        if self.toolset == Toolset::Republished {
            check.push("--republished");
        }
        run(&check).map(drop)
    }

    fn configuration(&self, folder: &Path) -> String {
        let slug = self.toolset.slug();
        let folder = folder.display();
        let (upstream, validation) = (self.upstream(), self.validation());
        let exchange = self.exchange();
        format!(
            r#"
[manifests.{slug}]
file = "{folder}/{slug}.json"
upstream = "{upstream}"
{validation}
{exchange}
[documents.{slug}]
file = "{folder}/{slug}.yaml"
"#
        )
    }
}

/// All of them.
pub(super) struct Outside {
    signed: Place,
    opaque: Place,
    exchanged: Place,
    sdk_demo: Place,
    /// The same provider.
    republished: Place,
    canaille: Place,
}

impl Outside {
    pub(super) fn free() -> Result<Self> {
        let sdk_demo = Place::free(Toolset::SdkDemo)?;
        Ok(Self {
            signed: Place::free(Toolset::Signed)?,
            opaque: Place::free(Toolset::Opaque)?,
            exchanged: Place::free(Toolset::Exchanged)?,
            republished: Place {
                toolset: Toolset::Republished,
                ..sdk_demo
            },
            sdk_demo,
            canaille: Place::free(Toolset::Canaille)?,
        })
    }

    fn places(&self) -> [&Place; 6] {
        [
            &self.signed,
            &self.opaque,
            &self.exchanged,
            &self.sdk_demo,
            &self.republished,
            &self.canaille,
        ]
    }

    /// What is started for them; each knows the gateway's endpoints as resources.
    pub(super) fn programs(&self, scripts: &Scripts<'_>, python: &Path) -> Vec<Start> {
        let gateway = scripts.gateway();
        let mut registering = scripts.node("sign-in/outside/registering.mjs");
        let places = [&self.signed, &self.opaque, &self.exchanged];
        registering
            .arg(gateway)
            .args(places.map(Place::ports).concat());
        let mut sdk_demo = scripts.node("sign-in/outside/sdk-demo.mjs");
        sdk_demo.arg(gateway).args(self.sdk_demo.ports());
        let mut canaille = Command::new(python.join("bin/python"));
        canaille
            .arg(scripts.file("sign-in/outside/canaille_site.py"))
            .args(self.canaille.ports())
            .args(PEOPLE.map(|person| format!("{}={}", person.account, person.name)))
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let start = |name, command, port| Start {
            name,
            command,
            port,
        };
        vec![
            start("registering", registering, self.exchanged.api),
            start("sdk-demo", sdk_demo, self.sdk_demo.api),
            start("canaille", canaille, self.canaille.api),
        ]
    }

    /// Writes the documents of the APIs, and has the manifests of those that serve made and checked by `portcullis`.
    pub(super) fn write(
        &self,
        scripts: &Scripts<'_>,
        portcullis: &Path,
        folder: &Path,
    ) -> Result<()> {
        let template = tools::read(&scripts.file("sign-in/documents/outside.yaml"))?;
        for place in self.places() {
            let file = folder.join(format!("{}.yaml", place.toolset.slug()));
            fs::write(file, place.document(&template))?;
            place.make_manifest(portcullis, folder, scripts.gateway())?;
        }
        Ok(())
    }

    /// Where the gateway calls.
    pub(super) fn origins(&self) -> impl Iterator<Item = String> {
        let ports = self.places().map(|place| [place.provider, place.api]);
        let ports: BTreeSet<u16> = ports.into_iter().flatten().collect();
        ports.into_iter().map(origin)
    }

    pub(super) fn configuration(&self, folder: &Path) -> String {
        let parts = self.places().map(|place| place.configuration(folder));
        parts.concat()
    }

    /// The toolsets whose providers name whom a token is for, each with the origin of its API and what that gets.
    pub(super) fn with_audiences(&self) -> [(Toolset, String, &'static str); 5] {
        let places = [
            &self.signed,
            &self.opaque,
            &self.exchanged,
            &self.sdk_demo,
            &self.republished,
        ];
        places.map(|place| (place.toolset, origin(place.api), place.upstream()))
    }
}

/// Adds what the provider has and does not say.
fn complete(file: &Path, member: &str, value: &str) -> Result<()> {
    let mut manifest: Map<String, Value> = serde_json::from_str(&tools::read(file)?)?;
    manifest.insert(member.to_owned(), Value::from(value));
    fs::write(file, serde_json::to_string(&manifest)?)?;
    Ok(())
}
