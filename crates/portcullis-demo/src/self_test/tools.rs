//! The toolset that is open to anybody, called by the official Rust SDK.

use anyhow::{Context as _, ensure};
use rmcp::ServiceExt as _;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::StreamableHttpClientTransport;
use serde_json::json;

use super::{Steps, text_of};

/// Connects, lists and calls.
pub(super) async fn run(steps: &Steps, endpoint: &str) -> anyhow::Result<()> {
    let client =
        ().serve(StreamableHttpClientTransport::from_uri(endpoint))
            .await
            .context("connecting")?;
    steps.done(&format!("connected to {endpoint}"));
    let tools = client.list_all_tools().await.context("listing the tools")?;
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    ensure!(
        names == ["bookBerth", "getBerth", "harbourStatus", "listBerths"],
        "unexpected tools: {names:?}"
    );
    steps.done(&format!("listed {}", names.join(", ")));
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
        steps.done(&format!("{tool}{shown} → {text}"));
    }
    client.cancel().await?;
    Ok(())
}
