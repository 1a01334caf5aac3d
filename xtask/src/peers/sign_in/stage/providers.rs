//! The providers that we are a client of, each with its API behind.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::{CLIENT_ID, Scripts, origin};
use crate::program::{Start, free_port};
use crate::tools;

/// The tenant that emulate's people belong to.
const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The ports of loopback that they are reached on.
pub(super) struct Providers {
    github: u16,
    google: u16,
    entra: u16,
    oidc: u16,
    /// The API beside `oidc`.
    reading_room: u16,
}

impl Providers {
    pub(super) fn free() -> Result<Self> {
        Ok(Self {
            github: free_port()?,
            google: free_port()?,
            entra: free_port()?,
            oidc: free_port()?,
            reading_room: free_port()?,
        })
    }

    /// Writes the documents, each with the origins of its provider and its API.
    pub(super) fn write_documents(&self, templates: &Path, folder: &Path) -> Result<()> {
        let documents = [
            ("github.yaml", self.github, self.github),
            ("google.yaml", self.google, self.google),
            ("entra.yaml", self.entra, self.entra),
            ("oidc.yaml", self.oidc, self.reading_room),
        ];
        for (name, provider, api) in documents {
            let text = tools::read(&templates.join(name))?
                .replace("{PROVIDER}", &origin(provider))
                .replace("{API}", &origin(api));
            fs::write(folder.join(name), text)?;
        }
        Ok(())
    }

    /// What is started for them.
    pub(super) fn programs(&self, scripts: &Scripts<'_>) -> [Start; 2] {
        let gateway = scripts.gateway();
        let mut emulate = scripts.node("sign-in/emulate.mjs");
        let ports = [self.github, self.google, self.entra];
        emulate.arg(gateway).args(ports.map(|it| it.to_string()));
        let mut oidc = scripts.node("sign-in/oidc.mjs");
        let ports = [self.oidc, self.reading_room];
        oidc.arg(gateway).args(ports.map(|it| it.to_string()));
        [
            Start {
                name: "emulate",
                command: emulate,
                port: self.entra,
            },
            Start {
                name: "oidc",
                command: oidc,
                port: self.reading_room,
            },
        ]
    }

    /// Where the gateway calls.
    pub(super) fn origins(&self) -> [String; 5] {
        let apis = [self.github, self.google, self.entra];
        let [github, google, entra] = apis.map(origin);
        [
            github,
            google,
            entra,
            origin(self.oidc),
            origin(self.reading_room),
        ]
    }

    pub(super) fn configuration(&self, documents: &Path) -> String {
        let [github, google, entra, oidc, _] = self.origins();
        let client =
            format!("client_id = \"{CLIENT_ID}\"\nclient_secret_env = \"PROVIDER_SECRET\"");
        let documents = documents.display();
        format!(
            r#"
[providers.github]
profile = "github"
{client}
authorization_endpoint = "{github}/login/oauth/authorize"
token_endpoint = "{github}/login/oauth/access_token"
userinfo_endpoint = "{github}/user"

[providers.google]
profile = "google"
{client}
issuer = "{google}"

[providers.entra]
profile = "entra"
{client}
tenant = "{TENANT}"
issuer = "{entra}/{TENANT}/v2.0"
authorization_endpoint = "{entra}/oauth2/v2.0/authorize"
token_endpoint = "{entra}/oauth2/v2.0/token"
jwks_uri = "{entra}/discovery/v2.0/keys"

[providers.oidc]
profile = "oidc"
{client}
issuer = "{oidc}"
allow = ["email:*@readers.example"]

[documents.github]
file = "{documents}/github.yaml"

[documents.google]
file = "{documents}/google.yaml"

[documents.entra]
file = "{documents}/entra.yaml"

[documents.entra.schemes.token]
provider = "entra"

[documents.oidc]
file = "{documents}/oidc.yaml"
"#
        )
    }
}
