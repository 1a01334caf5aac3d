//! A gateway over TLS, its provider and the sites around it, each by a name of its own.
//!
//! On loopback ports share their cookies, and to a browser they are one site; so what other sites may do is tried where each has a name.
//! Only the browser knows the names: programs reach the provider on loopback, as `tests/sign-in/oidc.mjs` has it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use tempfile::TempDir;

use super::stage::{CLIENT_ID, CLIENT_SECRET, LIBRARY_KEY};
use crate::command;
use crate::node::Node;
use crate::peers::gateway::{self, Gateway};
use crate::program::{Program, free_port};
use crate::workspace::Workspace;

/// The names that the certificate is good for.
const NAMES: &str =
    "subjectAltName=DNS:gw.test,DNS:idp.test,DNS:app.test,DNS:evil.test,DNS:evil.gw.test";

/// Everything that runs; goes as a whole.
pub(super) struct Across {
    gateway: Gateway,
    ports: Ports,
    _provider: Program,
    /// The certificate, its key and a log; goes last.
    folder: TempDir,
}

impl Across {
    /// Makes a certificate, and starts the provider and the gateway; `library` is the origin of the API behind.
    pub(super) fn start(workspace: &Workspace, node: &Node, library: &str) -> Result<Self> {
        let ports = Ports::free()?;
        let folder = gateway::folder("across")?;
        issue(folder.path())?;
        let tests = workspace.root().join("tests");
        let mut provider = node.run(&tests.join("sign-in/oidc.mjs"));
        provider
            .arg(ports.gateway())
            .args([ports.back_channel, ports.unused].map(|port| port.to_string()))
            .arg(ports.provider())
            .args(files(folder.path()));
        // It is waited for on the port that it opens last.
        let provider = Program::start("provider", &mut provider, ports.unused, folder.path())?;
        let document = tests.join("clients/library.yaml");
        let configuration = ports.configuration(folder.path(), &document, library);
        let environment = [
            ("PROVIDER_SECRET", CLIENT_SECRET),
            ("LIBRARY_KEY", LIBRARY_KEY),
        ];
        let gateway = Gateway::start_on(workspace, ports.gateway, &configuration, &environment)?;
        Ok(Self {
            gateway,
            ports,
            _provider: provider,
            folder,
        })
    }

    /// What `tests/sign-in/across.mjs` is told of it.
    pub(super) fn tell(&self, program: &mut Command) {
        program
            .args([self.ports.gateway(), self.ports.provider()])
            .arg(self.ports.sites.to_string())
            .args(files(self.folder.path()));
    }

    /// What the gateway has logged so far.
    pub(super) fn log(&self) -> String {
        self.gateway.log()
    }
}

/// Makes a key and a certificate that it signs itself.
fn issue(folder: &Path) -> Result<()> {
    let [certificate, key] = files(folder);
    let mut openssl = Command::new("openssl");
    openssl
        .args(["req", "-x509", "-days", "2", "-nodes", "-newkey", "ec"])
        .args([
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-subj",
            "/CN=gw.test",
        ])
        .args(["-addext", NAMES, "-out"])
        .arg(certificate)
        .arg("-keyout")
        .arg(key);
    command::output(&mut openssl).map(drop)
}

/// The files of the certificate and its key.
fn files(folder: &Path) -> [PathBuf; 2] {
    ["tls.crt", "tls.key"].map(|name| folder.join(name))
}

/// The ports of loopback that everything is reached on.
struct Ports {
    gateway: u16,
    /// Where browsers reach the provider.
    provider: u16,
    /// Where the gateway does.
    back_channel: u16,
    /// Where the provider has an API that nobody calls here.
    unused: u16,
    /// Where the client's and the attacker's sites are.
    sites: u16,
}

impl Ports {
    fn free() -> Result<Self> {
        Ok(Self {
            gateway: free_port()?,
            provider: free_port()?,
            back_channel: free_port()?,
            unused: free_port()?,
            sites: free_port()?,
        })
    }

    fn gateway(&self) -> String {
        format!("https://gw.test:{}", self.gateway)
    }

    fn provider(&self) -> String {
        format!("https://idp.test:{}", self.provider)
    }

    fn configuration(&self, folder: &Path, document: &Path, library: &str) -> String {
        let [certificate, key] = files(folder);
        let app = format!("https://app.test:{}", self.sites);
        let back_channel = format!("http://127.0.0.1:{}", self.back_channel);
        format!(
            r#"public_url = "{gateway}"
allowed_origins = ["{app}"]

[listener.tls]
certificate_file = "{certificate}"
key_file = "{key}"

[upstream]
allow = ["{back_channel}", "{library}"]

[providers.oidc]
profile = "oidc"
client_id = "{CLIENT_ID}"
client_secret_env = "PROVIDER_SECRET"
issuer = "{provider}"
authorization_endpoint = "{provider}/auth"
token_endpoint = "{back_channel}/token"
userinfo_endpoint = "{back_channel}/me"
jwks_uri = "{back_channel}/jwks"

[clients.app]
redirect_uris = ["{app}/callback"]
remember_consent = true

[documents.library]
file = "{document}"

[environments.library]
LIBRARY_SERVER_URL = "{library}"
LIBRARY_LIBRARY_KEY_env = "LIBRARY_KEY"

[toolsets.library]
documents = ["library"]
environment = "library"
inbound = ["oauth"]
provider = "oidc"
"#,
            gateway = self.gateway(),
            certificate = certificate.display(),
            key = key.display(),
            provider = self.provider(),
            document = document.display(),
        )
    }
}
