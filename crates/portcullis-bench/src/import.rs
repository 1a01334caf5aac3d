//! How long a document takes from bytes to a complete tool list, against parsing the same bytes.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use portcullis_mcp::{
    Annotations, Answer, Field, Headers, Incoming, Introduction, ToolDefinition, ToolList, answer,
    read,
};
use portcullis_openapi::{Document, Limits, Tool};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::process;

/// The protocol version that the list is asked for in.
const VERSION: &str = "2026-07-28";

/// What was measured.
#[derive(Serialize)]
pub(crate) struct Measured {
    median_ms: f64,
    peak_memory_kib: u64,
    tools: usize,
    list_bytes: usize,
    list_us: f64,
}

/// Imports `bytes` as often as `rounds` says; the peak of memory is that of the first round and what came before.
pub(crate) fn run(bytes: &[u8], parse_only: bool, rounds: usize) -> anyhow::Result<Measured> {
    let mut times = Vec::new();
    let mut measured = Measured {
        median_ms: 0.0,
        peak_memory_kib: 0,
        tools: 0,
        list_bytes: 0,
        list_us: 0.0,
    };
    for round in 0..rounds.max(1) {
        let start = now();
        if parse_only {
            let value: Value = serde_json::from_slice(bytes).context("not JSON")?;
            times.push(start.elapsed());
            drop(value);
        } else {
            times.push(import(bytes, start, &mut measured)?);
        }
        if round == 0 {
            measured.peak_memory_kib = process::peak_memory_kib()?;
        }
    }
    times.sort_unstable();
    measured.median_ms = times
        .get(times.len() / 2)
        .map_or(0.0, |time| time.as_secs_f64() * 1e3);
    Ok(measured)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> Instant {
    Instant::now()
}

/// Imports the document and lists its tools; the time ends with the last page of the first list.
fn import(bytes: &[u8], start: Instant, measured: &mut Measured) -> anyhow::Result<Duration> {
    let document = Document::parse(bytes, &Limits::default())?;
    let (tools, _) = document.tools();
    drop(document);
    let introduction = Introduction::new("bench", None, "1", None);
    let schemas: Vec<_> = tools.iter().map(Tool::input_schema).collect();
    let definitions = tools.iter().zip(&schemas);
    let definitions = definitions.map(|(tool, schema)| definition(tool, schema));
    let list = ToolList::new(definitions.collect());
    drop(schemas);
    measured.tools = list.len();
    measured.list_bytes = list_all(&list, &introduction)?;
    let ready = start.elapsed();
    let listing = now();
    list_all(&list, &introduction)?;
    measured.list_us = listing.elapsed().as_secs_f64() * 1e6;
    Ok(ready)
}

fn definition<'a>(tool: &'a Tool, input_schema: &'a RawValue) -> ToolDefinition<'a> {
    ToolDefinition {
        name: &tool.name,
        title: tool.title.as_deref(),
        description: &tool.description,
        input_schema,
        output_schema: tool.output_schema.as_deref(),
        annotations: Annotations {
            read_only: tool.annotations.read_only,
            destructive: tool.annotations.destructive,
            idempotent: tool.annotations.idempotent,
        },
    }
}

/// Answers `tools/list` page by page, as a client would ask; returns the bytes of all answers.
fn list_all(list: &ToolList, introduction: &Introduction) -> anyhow::Result<usize> {
    let mut bytes = 0;
    let mut cursor = None;
    loop {
        let body = list_request(cursor.as_deref());
        let headers = Headers {
            protocol_version: Field::One(VERSION.as_bytes()),
            method: Field::One(b"tools/list"),
            name: Field::Absent,
        };
        let Ok(Incoming::Request(request)) = read(&headers, body.as_bytes()) else {
            bail!("the request for the list is not understood");
        };
        let Answer::Reply(reply) = answer(&request, introduction, list) else {
            bail!("a list is no call");
        };
        bytes += reply.body.len();
        cursor = next_cursor(&reply.body);
        if cursor.is_none() {
            return Ok(bytes);
        }
    }
}

fn list_request(cursor: Option<&str>) -> String {
    let mut parameters = json!({ "_meta": {
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
    } });
    if let (Some(cursor), Some(parameters)) = (cursor, parameters.as_object_mut()) {
        parameters.insert("cursor".to_owned(), cursor.into());
    }
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": parameters }).to_string()
}

/// Finds the cursor behind the tools without parsing them: a client's work is not what is measured.
fn next_cursor(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.rsplit_once("\"nextCursor\":\"")?;
    rest.split('"').next().map(str::to_owned)
}
