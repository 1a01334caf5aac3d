//! The crate rmcp: lists all tools and calls one. See `../README.md` for arguments and output.
//!
//! Without a revision it finds out what the server speaks; with one it speaks only that.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program for tests: its key comes from the environment, its report is what it prints"
)]

mod sign_in;

use std::error::Error;

use anyhow::{Context as _, ensure};
use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::service::ClientLifecycleMode;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{IntoTransport, StreamableHttpClientTransport};
use rmcp::{ClientServiceExt as _, RoleClient};
use serde_json::json;

/// Where the version that was built stands.
const LOCK: &str = include_str!("../../../../Cargo.lock");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // The client's TLS needs one, even where no TLS is spoken.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, tool, arguments] = words.as_slice() else {
        anyhow::bail!("start it as `client-rmcp URL TOOL ARGUMENTS`");
    };
    let config = StreamableHttpClientTransportConfig::with_uri(url.as_str());
    let call =
        CallToolRequestParams::new(tool.clone()).with_arguments(serde_json::from_str(arguments)?);
    if std::env::var_os("PORTCULLIS_TEST_SIGN_IN").is_some() {
        let client = sign_in::sign_in(url).await?;
        let transport = StreamableHttpClientTransport::with_client(client, config);
        return list_and_call(transport, call).await;
    }
    let config = match std::env::var("PORTCULLIS_TEST_BEARER") {
        Ok(bearer) => config.auth_header(bearer),
        Err(_) => config,
    };
    list_and_call(StreamableHttpClientTransport::from_config(config), call).await
}

async fn list_and_call<E, A>(
    transport: impl IntoTransport<RoleClient, E, A>,
    call: CallToolRequestParams,
) -> anyhow::Result<()>
where
    E: Error + Send + Sync + 'static,
{
    let revision = std::env::var("PORTCULLIS_TEST_REVISION").ok();
    let client = ().serve_with_lifecycle(transport, lifecycle(revision.as_deref())?).await?;
    let peer = client.peer_info().context("the server told nothing")?;
    let tools = client.list_all_tools().await?;
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    let result = client.call_tool(call).await?;
    let report = json!({
        "client": "rmcp",
        "version": version()?,
        "protocolVersion": peer.protocol_version,
        "tools": names,
        "result": result,
    });
    println!("{report}");
    client.cancel().await?;
    Ok(())
}

fn lifecycle(revision: Option<&str>) -> anyhow::Result<ClientLifecycleMode> {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let Some(revision) = revision else {
        return Ok(ClientLifecycleMode::Auto {
            preferred_versions,
            legacy_version: None,
        });
    };
    if revision == "2026-07-28" {
        return Ok(ClientLifecycleMode::Discover { preferred_versions });
    }
    ensure!(
        revision == "2025-11-25",
        "rmcp starts no handshake for {revision}"
    );
    Ok(ClientLifecycleMode::Initialize)
}

fn version() -> anyhow::Result<&'static str> {
    LOCK.split("[[package]]")
        .find_map(|package| package.trim().strip_prefix("name = \"rmcp\"\nversion = \""))
        .and_then(|rest| rest.split('"').next())
        .context("Cargo.lock names no rmcp")
}
