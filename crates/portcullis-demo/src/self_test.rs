//! The client's part, played by the official Rust SDK.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use rmcp::ServiceExt as _;
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::transport::StreamableHttpClientTransport;
use serde_json::json;

/// Connects, lists and calls, and prints each step with its time.
///
/// # Errors
///
/// When a step fails or its answer is not what the sample API would say.
pub(crate) async fn run(endpoint: &str) -> anyhow::Result<()> {
    // The client's TLS needs one, even where no TLS is spoken.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let start = now();
    let client =
        ().serve(StreamableHttpClientTransport::from_uri(endpoint))
            .await
            .context("connecting")?;
    step(start, &format!("connected to {endpoint}"));
    let tools = client.list_all_tools().await.context("listing the tools")?;
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    ensure!(
        names == ["bookBerth", "getBerth", "harbourStatus", "listBerths"],
        "unexpected tools: {names:?}"
    );
    step(start, &format!("listed {}", names.join(", ")));
    for (tool, arguments, expected, is_error) in [
        ("harbourStatus", json!({}), "open", false),
        (
            "listBerths",
            json!({ "free": true, "min_length": 15 }),
            "B1",
            false,
        ),
        (
            "bookBerth",
            json!({ "berth": "B1", "body": { "boat": "Kittiwake", "nights": 2 } }),
            "92.5",
            false,
        ),
        (
            "bookBerth",
            json!({ "berth": "B1", "body": { "boat": "Tern", "nights": 1 } }),
            "Kittiwake lies at B1",
            true,
        ),
        (
            "getBerth",
            json!({ "berth": "../status" }),
            "argument `berth` must not",
            true,
        ),
        (
            "bookBerth",
            json!({ "berth": "A2", "body": { "boat": "Tern", "nights": 99 } }),
            "nights",
            true,
        ),
    ] {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let shown = serde_json::to_string(&arguments)?;
        let result = client
            .call_tool(CallToolRequestParams::new(tool).with_arguments(arguments))
            .await
            .with_context(|| format!("calling {tool}"))?;
        let text = text_of(&result);
        ensure!(
            text.contains(expected) && result.is_error.unwrap_or(false) == is_error,
            "{tool}{shown} answered: {text}"
        );
        step(start, &format!("{tool}{shown} → {text}"));
    }
    client.cancel().await?;
    step(start, "all as it should be");
    Ok(())
}

fn text_of(result: &CallToolResult) -> String {
    result
        .content
        .iter()
        .filter_map(|content| content.as_text())
        .map(|text| text.text.as_str())
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the demo shows how long each step takes"
)]
fn now() -> Instant {
    Instant::now()
}

#[expect(
    clippy::print_stdout,
    reason = "the demo talks to the person who started it"
)]
fn step(start: Instant, what: &str) {
    println!("{:>6.1} ms  {what}", start.elapsed().as_secs_f64() * 1e3);
}
