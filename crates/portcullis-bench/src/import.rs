//! How long a document takes from bytes to tools, and to a complete list of them, against parsing the same bytes.

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

/// What was measured: medians of the times, and the peaks of memory of the first round.
#[derive(Serialize)]
pub(crate) struct Measured {
    /// When the tools can be called, or the bytes are parsed.
    ready_ms: f64,
    ready_peak_kib: u64,
    /// When a client has the last page of the list.
    listed_ms: f64,
    listed_peak_kib: u64,
    tools: usize,
    list_bytes: usize,
    list_us: f64,
}

/// One round.
#[derive(Default)]
struct Round {
    ready: Duration,
    ready_peak_kib: u64,
    listed: Duration,
    tools: usize,
    list_bytes: usize,
    relisted: Duration,
}

/// Imports `bytes` as often as `rounds` says, or only parses them.
pub(crate) fn run(bytes: &[u8], parse_only: bool, rounds: usize) -> anyhow::Result<Measured> {
    let round = if parse_only { parse } else { import };
    let first = round(bytes)?;
    let listed_peak_kib = process::peak_memory_kib()?;
    let (tools, list_bytes) = (first.tools, first.list_bytes);
    let ready_peak_kib = first.ready_peak_kib;
    let mut rounds_run = vec![first];
    for _ in 1..rounds {
        rounds_run.push(round(bytes)?);
    }
    let median = |time: fn(&Round) -> Duration| {
        let mut times: Vec<_> = rounds_run.iter().map(time).collect();
        times.sort_unstable();
        times
            .get(times.len() / 2)
            .map_or(0.0, Duration::as_secs_f64)
    };
    Ok(Measured {
        ready_ms: median(|it| it.ready) * 1e3,
        ready_peak_kib,
        listed_ms: median(|it| it.listed) * 1e3,
        listed_peak_kib,
        tools,
        list_bytes,
        list_us: median(|it| it.relisted) * 1e6,
    })
}

fn parse(bytes: &[u8]) -> anyhow::Result<Round> {
    let start = now();
    let value: Value = serde_json::from_slice(bytes).context("not JSON")?;
    let ready = start.elapsed();
    drop(value);
    Ok(Round {
        ready,
        ready_peak_kib: process::peak_memory_kib()?,
        listed: ready,
        ..Round::default()
    })
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> Instant {
    Instant::now()
}

/// Imports the document and lists its tools, twice.
fn import(bytes: &[u8]) -> anyhow::Result<Round> {
    let start = now();
    let document = Document::parse(bytes, &Limits::default())?;
    let (tools, _) = document.tools();
    let ready = start.elapsed();
    let ready_peak_kib = process::peak_memory_kib()?;
    let listing = now();
    drop(document);
    let introduction = Introduction::new("bench", None, "1", None);
    let list = tool_list(&tools);
    let list_bytes = list_all(&list, &introduction)?;
    let listed = ready + listing.elapsed();
    let listing = now();
    list_all(&list, &introduction)?;
    Ok(Round {
        ready,
        ready_peak_kib,
        listed,
        tools: list.len(),
        list_bytes,
        relisted: listing.elapsed(),
    })
}

fn tool_list(tools: &[Tool]) -> ToolList {
    let schemas: Vec<_> = tools.iter().map(Tool::input_schema).collect();
    let definitions = tools.iter().zip(&schemas);
    let definitions = definitions.map(|(tool, schema)| definition(tool, schema));
    ToolList::new(definitions.collect())
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
