//! The demo: the real gateway in front of a sample API, and what to type into common MCP clients.
//!
//! `--self-test` plays the client's part with the official Rust SDK and says what happened.

mod harbour;
mod self_test;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Context as _;
use clap::Parser;
use portcullis_server::config::{Configuration, Overrides};
use portcullis_server::gateway::Gateway;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

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
    /// List and call the tools with a real MCP client, print what happened, and end.
    #[arg(long)]
    self_test: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let api = start_harbour().await?;
    let port = if arguments.self_test {
        0
    } else {
        arguments.port
    };
    let configuration = write_configuration(folder.path(), api, port)?;
    let gateway = Gateway::start(configuration)
        .await
        .context("starting the gateway; `--port 0` takes a free port")?;
    let endpoint = format!("http://localhost:{}/harbour/mcp", gateway.port());
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(gateway.run(shutdown.clone()));
    if arguments.self_test {
        self_test::run(&endpoint).await?;
    } else {
        introduce(&endpoint, api);
        tokio::signal::ctrl_c().await?;
    }
    shutdown.cancel();
    running.await?;
    Ok(())
}

async fn start_harbour() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let router = harbour::router(HARBOUR_KEY.to_owned());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// Writes the files that an operator would write, and reads them as the program does.
fn write_configuration(folder: &Path, api: SocketAddr, port: u16) -> anyhow::Result<Configuration> {
    std::fs::write(folder.join("harbour.yaml"), harbour::DOCUMENT)?;
    std::fs::write(folder.join("harbour.key"), HARBOUR_KEY)?;
    let file = folder.join("portcullis.toml");
    let text = format!(
        r#"data_dir = "data"

[listener]
listen = ["localhost:{port}"]

[upstream]
allow = ["http://{api}"]

[documents.harbour]
file = "harbour.yaml"

[environments.demo]
HARBOUR_SERVER_URL = "http://{api}"
HARBOUR_KEY_file = "harbour.key"

[toolsets.harbour]
title = "Harbour"
documents = ["harbour"]
environment = "demo"
inbound = ["open"]
"#
    );
    std::fs::write(&file, text)?;
    Ok(Configuration::load(
        &file,
        Overrides::default(),
        HashMap::new(),
    )?)
}

#[expect(
    clippy::print_stdout,
    reason = "the demo talks to the person who started it"
)]
fn introduce(endpoint: &str, api: SocketAddr) {
    println!(
        r#"
A sample API, a harbour with berths, runs at http://{api} and wants a key that no client has.
Portcullis publishes it as an MCP server:

  {endpoint}

Add it to a client:

  Claude Code   claude mcp add --transport http harbour {endpoint}
  VS Code       code --add-mcp '{{"name":"harbour","type":"http","url":"{endpoint}"}}'
  Cursor        in ~/.cursor/mcp.json: {{"mcpServers":{{"harbour":{{"url":"{endpoint}"}}}}}}
  Codex         codex mcp add harbour --url {endpoint}
  Inspector     npx @modelcontextprotocol/inspector --cli {endpoint} --transport http --method tools/list

Then ask for a free berth of at least 15 metres. Ctrl-C ends the demo.
"#
    );
}
