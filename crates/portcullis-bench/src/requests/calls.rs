//! Calls a tool of an endpoint, in the revision of MCP that needs no session.

use anyhow::Context as _;
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use url::Url;

use crate::wire::{self, Wires};

/// The revision.
const VERSION: &str = "2026-07-28";

/// One client.
pub(super) struct Caller {
    endpoint: Url,
    wires: Wires,
}

/// What the gateway said.
pub(super) struct Answered {
    pub(super) text: String,
}

impl Caller {
    pub(super) fn new(endpoint: Url) -> Self {
        Self {
            endpoint,
            wires: Wires::default(),
        }
    }

    /// Calls a tool and reads the answer.
    pub(super) async fn call(&mut self, name: &str, arguments: &Value) -> anyhow::Result<Answered> {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": VERSION,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let parameters = json!({ "name": name, "arguments": arguments, "_meta": meta });
        let body =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters });
        let mut request = wire::post(&self.endpoint, "application/json", body.to_string())?;
        for (header, value) in [
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", VERSION),
            ("mcp-method", "tools/call"),
            ("mcp-name", name),
        ] {
            let header = HeaderName::from_static(header);
            request
                .headers_mut()
                .insert(header, HeaderValue::from_str(value)?);
        }
        let answer = self.wires.send(&self.endpoint, request).await?;
        let message: Value = serde_json::from_str(&answer.body)
            .with_context(|| format!("the gateway answered {}: {}", answer.status, answer.body))?;
        let text = message
            .pointer("/result/content/0/text")
            .and_then(Value::as_str);
        Ok(Answered {
            text: text.map_or_else(|| message.to_string(), str::to_owned),
        })
    }
}
