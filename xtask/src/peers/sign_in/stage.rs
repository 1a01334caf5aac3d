//! What people sign in with and at: the providers, the APIs behind, and the gateway between.
//!
//! `tests/sign-in` holds their programs and documents; all are on loopback, on ports of the run's own.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::node::Node;
use crate::peers::gateway::{self, Gateway};
use crate::program::{Program, free_port};
use crate::tools;
use crate::workspace::Workspace;

/// What `tests/sign-in/people.mjs` calls us.
pub(super) const CLIENT_ID: &str = "portcullis";
pub(super) const CLIENT_SECRET: &str = "secret-of-portcullis-at-the-provider";

/// The tenant that emulate's people belong to.
const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The key of the API where people only sign in.
pub(super) const LIBRARY_KEY: &str = "key-of-the-library";

/// A toolset that people sign in for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Toolset {
    GitHub,
    Google,
    Entra,
    Oidc,
    /// Its API takes a static key, and no token of anybody.
    Library,
}

impl Toolset {
    pub(super) const ALL: [Self; 5] = [
        Self::GitHub,
        Self::Google,
        Self::Entra,
        Self::Oidc,
        Self::Library,
    ];

    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::Google => "google",
            Self::Entra => "entra",
            Self::Oidc => "oidc",
            Self::Library => "library",
        }
    }
}

/// Everything that runs; goes as a whole.
pub(super) struct Stage {
    gateway: Gateway,
    origin: String,
    library: String,
    _programs: [Program; 3],
    /// Logs and documents; goes last.
    folder: TempDir,
}

impl Stage {
    /// Starts the providers, the APIs and the gateway.
    pub(super) fn start(workspace: &Workspace, node: &Node) -> Result<Self> {
        let ports = Ports::free()?;
        let folder = gateway::folder("sign-in")?;
        // What people get who say nothing: a name for us, and numbers for the others, which a browser takes for other sites.
        let origin = format!("http://localhost:{}", ports.gateway);
        let tests = workspace.root().join("tests");
        let start = |name: &str, script: &str, arguments: &[String], port| {
            let mut command = node.run(&tests.join(script));
            command.args(arguments).env("LIBRARY_KEY", LIBRARY_KEY);
            Program::start(name, &mut command, port, folder.path())
        };
        let [github, google, entra] = [ports.github, ports.google, ports.entra];
        let emulate = [github, google, entra].map(|port| port.to_string());
        let oidc = [ports.oidc, ports.reading_room].map(|port| port.to_string());
        let with_origin = |ports: &[String]| [std::slice::from_ref(&origin), ports].concat();
        // Each is waited for on the port that it opens last.
        let programs = [
            start(
                "emulate",
                "sign-in/emulate.mjs",
                &with_origin(&emulate),
                entra,
            )?,
            start(
                "oidc",
                "sign-in/oidc.mjs",
                &with_origin(&oidc),
                ports.reading_room,
            )?,
            start(
                "library",
                "clients/library.mjs",
                &[ports.library.to_string()],
                ports.library,
            )?,
        ];
        ports.write_documents(&tests.join("sign-in/documents"), folder.path())?;
        let configuration = ports.configuration(folder.path(), &tests.join("clients/library.yaml"));
        let environment = [
            ("PROVIDER_SECRET", CLIENT_SECRET),
            ("LIBRARY_KEY", LIBRARY_KEY),
        ];
        let gateway = Gateway::start_on(workspace, ports.gateway, &configuration, &environment)?;
        Ok(Self {
            gateway,
            origin,
            library: self::origin(ports.library),
            _programs: programs,
            folder,
        })
    }

    /// Our issuer.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// The MCP endpoint of a toolset, by the name that we publish.
    pub(super) fn endpoint(&self, toolset: Toolset) -> String {
        format!("{}/{}/mcp", self.origin, toolset.slug())
    }

    /// The origin of the API behind [`Toolset::Library`].
    pub(super) fn library(&self) -> &str {
        &self.library
    }

    /// A folder that goes when the rest goes.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the gateway has logged so far.
    pub(super) fn log(&self) -> String {
        self.gateway.log()
    }
}

/// Has a command open the browser that nobody sees, and keep what it keeps in a folder.
pub(super) fn with_stand_in(
    command: &mut Command,
    workspace: &Workspace,
    node: &Node,
    folder: &Path,
) -> Result<()> {
    let desktop = workspace.root().join("tests/sign-in/desktop");
    let path = std::iter::once(desktop.clone()).chain(std::env::split_paths(node.path()));
    let path = std::env::join_paths(path).context("a folder of PATH has a colon in its name")?;
    command
        .env("PATH", path)
        .env("BROWSER", desktop.join("xdg-open"))
        .env("TMPDIR", folder);
    // A real desktop has ways of its own.
    for variable in [
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "XDG_CURRENT_DESKTOP",
        "DESKTOP_SESSION",
        "KDE_FULL_SESSION",
        "GNOME_DESKTOP_SESSION_ID",
    ] {
        command.env_remove(variable);
    }
    Ok(())
}

/// The ports of loopback that everything is reached on.
struct Ports {
    gateway: u16,
    github: u16,
    google: u16,
    entra: u16,
    oidc: u16,
    /// The API beside `oidc`.
    reading_room: u16,
    library: u16,
}

impl Ports {
    fn free() -> Result<Self> {
        Ok(Self {
            gateway: free_port()?,
            github: free_port()?,
            google: free_port()?,
            entra: free_port()?,
            oidc: free_port()?,
            reading_room: free_port()?,
            library: free_port()?,
        })
    }

    /// Writes the documents, each with the origins of its provider and its API.
    fn write_documents(&self, templates: &Path, folder: &Path) -> Result<()> {
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

    fn configuration(&self, documents: &Path, library: &Path) -> String {
        let [github, google, entra, oidc, library_api] = [
            self.github,
            self.google,
            self.entra,
            self.oidc,
            self.library,
        ]
        .map(origin);
        let reading_room = origin(self.reading_room);
        let client =
            format!("client_id = \"{CLIENT_ID}\"\nclient_secret_env = \"PROVIDER_SECRET\"");
        let documents = documents.display();
        let library = library.display();
        let toolsets: String = Toolset::ALL
            .iter()
            .map(|toolset| published(*toolset))
            .collect();
        format!(
            r#"
[upstream]
allow = ["{github}", "{google}", "{entra}", "{oidc}", "{reading_room}", "{library_api}"]

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

[documents.library]
file = "{library}"

[environments.library]
LIBRARY_SERVER_URL = "{library_api}"
LIBRARY_LIBRARY_KEY_env = "LIBRARY_KEY"
{toolsets}"#
        )
    }
}

fn published(toolset: Toolset) -> String {
    let slug = toolset.slug();
    let rest = match toolset {
        Toolset::Library => "provider = \"oidc\"\nenvironment = \"library\"\n".to_owned(),
        _ => format!("provider = \"{slug}\"\n"),
    };
    format!("\n[toolsets.{slug}]\ndocuments = [\"{slug}\"]\ninbound = [\"oauth\"]\n{rest}")
}

fn origin(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
