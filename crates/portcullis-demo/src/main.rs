//! The demo: the real gateway in front of a sample API, a provider to sign in at, and what to type into common MCP clients.
//!
//! `--self-test` plays the parts of the client and of the browser, and says what happened.

mod harbour;
mod introduction;
mod members;
mod provider;
mod self_test;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use clap::Parser;
use portcullis_server::config::{Configuration, Overrides};
use portcullis_server::gateway::Gateway;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::harbour::Berths;
use crate::introduction::introduce;
use crate::provider::DemoProvider;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The key that the sample API asks for; only the gateway knows it, no client does.
const HARBOUR_KEY: &str = "harbour-demo-key";

/// Shows Portcullis in front of a sample API.
#[derive(Parser)]
struct Arguments {
    /// The port of the gateway; a free one where 0.
    #[arg(long, default_value_t = 8400)]
    port: u16,
    /// Call the tools with a real MCP client, sign two people in, print what happened, and end.
    #[arg(long)]
    self_test: bool,
}

/// Where everything runs.
struct Places {
    /// The origin of the gateway.
    gateway: String,
    /// The origin of the sample API.
    api: String,
    /// The origin of the provider, which is its issuer.
    provider: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let (provider, issuer) = start_provider().await?;
    let api = start_api(&provider).await?;
    let port = if arguments.self_test {
        0
    } else {
        arguments.port
    };
    let configuration = write_configuration(folder.path(), &api, &issuer, port)?;
    let gateway = Gateway::start(configuration)
        .await
        .context("starting the gateway; `--port 0` takes a free port")?;
    let places = Places {
        gateway: format!("http://localhost:{}", gateway.port()),
        api,
        provider: issuer,
    };
    provider.register(format!("{}/callback/demo", places.gateway));
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(gateway.run(shutdown.clone()));
    if arguments.self_test {
        self_test::run(&places).await?;
    } else {
        introduce(&places);
        tokio::signal::ctrl_c().await?;
    }
    shutdown.cancel();
    running.await?;
    Ok(())
}

async fn start_provider() -> anyhow::Result<(Arc<DemoProvider>, String)> {
    let (listener, origin) = listen().await?;
    let provider = Arc::new(DemoProvider::new(origin.clone()));
    serve(listener, provider::router(Arc::clone(&provider)));
    Ok((provider, origin))
}

async fn start_api(provider: &Arc<DemoProvider>) -> anyhow::Result<String> {
    let (listener, origin) = listen().await?;
    let berths = Berths::default();
    let members = members::router(berths.clone(), Arc::clone(provider));
    let harbour = harbour::router(berths, HARBOUR_KEY.to_owned());
    serve(listener, harbour.merge(members));
    Ok(origin)
}

/// Takes a free port of loopback, and returns its origin too.
async fn listen() -> anyhow::Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address: SocketAddr = listener.local_addr()?;
    Ok((listener, format!("http://{address}")))
}

fn serve(listener: TcpListener, router: Router) {
    tokio::spawn(async move { axum::serve(listener, router).await });
}

/// Writes the files that an operator would write, and reads them as the program does.
fn write_configuration(
    folder: &Path,
    api: &str,
    issuer: &str,
    port: u16,
) -> anyhow::Result<Configuration> {
    std::fs::write(folder.join("harbour.yaml"), harbour::DOCUMENT)?;
    std::fs::write(folder.join("harbour.key"), HARBOUR_KEY)?;
    std::fs::write(folder.join("members.yaml"), members::document(issuer))?;
    std::fs::write(folder.join("provider.secret"), provider::CLIENT_SECRET)?;
    let file = folder.join("portcullis.toml");
    let client_id = provider::CLIENT_ID;
    let text = format!(
        r#"data_dir = "data"

[listener]
listen = ["localhost:{port}"]

[upstream]
allow = ["{api}", "{issuer}"]

[providers.demo]
profile = "oauth2"
issuer = "{issuer}"
client_id = "{client_id}"
client_secret_file = "provider.secret"

[documents.harbour]
file = "harbour.yaml"

[documents.members]
file = "members.yaml"

[environments.demo]
HARBOUR_SERVER_URL = "{api}"
HARBOUR_KEY_file = "harbour.key"
MEMBERS_SERVER_URL = "{api}"

[toolsets.harbour]
documents = ["harbour"]
environment = "demo"
inbound = ["open"]

[toolsets.members]
documents = ["members"]
environment = "demo"
inbound = ["oauth"]
provider = "demo"
"#
    );
    std::fs::write(&file, text)?;
    Ok(Configuration::load(
        &file,
        Overrides::default(),
        HashMap::new(),
    )?)
}
