//! The few questions that the soak asks itself: what a gateway counts and whom it lets in, and what a provider was asked.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::de::DeserializeOwned;

/// How long one of them may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Sends a GET to a port of loopback and returns the status and the body.
pub(crate) fn get(port: u16, path: &str) -> Result<(u16, String)> {
    exchange(port, &format!("GET {path} HTTP/1.1"), "")
}

/// Sends an MCP ping to a toolset, with a key where there is one, and returns the status.
pub(crate) fn ping(port: u16, toolset: &str, key: Option<&str>) -> Result<u16> {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let authorization = key.map_or(String::new(), |key| {
        format!("Authorization: Bearer {key}\r\n")
    });
    let head = format!(
        "POST /{toolset}/mcp HTTP/1.1\r\n{authorization}Content-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2025-11-25\r\n\
         Content-Length: {}",
        body.len()
    );
    let (status, _) = exchange(port, &head, body)?;
    Ok(status)
}

fn exchange(port: u16, head: &str, body: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{head}\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n{body}"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").context("no end of the head")?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok((status, body.to_owned()))
}

/// Sends a GET and reads its answer as JSON.
pub(crate) fn json<T: DeserializeOwned>(port: u16, path: &str) -> Result<T> {
    let (status, body) = get(port, path)?;
    ensure!(status == 200, "{path} was answered with {status}: {body}");
    Ok(serde_json::from_str(&body)?)
}

/// Reads one number of a gateway's metrics; one that it has not counted yet is nothing.
pub(crate) fn metric(port: u16, name: &str) -> Result<u64> {
    let (_, body) = get(port, "/metrics")?;
    let line = body.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|rest| rest.split_whitespace().last());
    Ok(value.unwrap_or("0").parse()?)
}
