//! The list of tools, written once for all versions and served in pages.
//!
//! Each tool's text is laid out so that what an older version knows is a prefix of what a newer one knows: a page for 2025-06-18 and later is a piece of prepared bytes that nobody copies, a page for an older version one copy per tool.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde_json::value::RawValue;

use crate::envelope::Id;
use crate::reply::write_string;
use crate::{Introduction, ProtocolError, ProtocolVersion, Reply};

/// The most tools of one page; many clients never ask for a second one.
const MAX_PAGE_TOOLS: usize = 500;

/// The most bytes of one page; a single tool may exceed it.
const MAX_PAGE_BYTES: usize = 2 * 1024 * 1024;

/// What a cursor begins with before it is encoded; the name of the last tool of the page before follows.
const CURSOR_PREFIX: &str = "after:";

/// A tool as the model sees it.
#[derive(Clone, Debug)]
pub struct ToolDefinition<'a> {
    /// Unique in the list.
    pub name: &'a str,
    /// What people read.
    pub title: Option<&'a str>,
    /// What the model reads.
    pub description: &'a str,
    /// JSON Schema with root `type: object`.
    pub input_schema: &'a RawValue,
    /// JSON Schema with root `type: object`: versions before 2026-07-28 know no other.
    pub output_schema: Option<&'a RawValue>,
    /// Hints.
    pub annotations: Annotations,
}

/// MCP's tool annotations; every tool reaches an open world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Annotations {
    /// `readOnlyHint`
    pub read_only: bool,
    /// `destructiveHint`
    pub destructive: bool,
    /// `idempotentHint`
    pub idempotent: bool,
}

/// The tools of a server, ready to be sent.
#[derive(Debug, Default)]
pub struct ToolList {
    /// The tools' texts, each but the first preceded by a comma.
    bytes: Bytes,
    /// Ordered by name.
    tools: Vec<Entry>,
}

/// One page of the list: the answer, in the pieces that it is sent in.
#[derive(Clone, Debug)]
pub struct Page {
    /// What comes before the tools.
    pub head: Vec<u8>,
    /// The tools' texts; mostly a part of the list's own bytes.
    pub tools: Bytes,
    /// What comes after them.
    pub tail: Vec<u8>,
}

impl Page {
    /// Puts the pieces together, where they are part of something else.
    pub fn into_reply(self) -> Reply {
        let mut body = self.head;
        body.extend_from_slice(&self.tools);
        body.extend_from_slice(&self.tail);
        Reply { status: 200, body }
    }
}

/// Where a tool's text lies in the bytes.
#[derive(Debug)]
struct Entry {
    name: Box<str>,
    start: usize,
    /// Ends what 2024-11-05 knows.
    plain_end: usize,
    /// Ends what 2025-03-26 knows.
    annotated_end: usize,
    /// Includes the closing brace.
    end: usize,
}

impl ToolList {
    /// Writes the list, ordered by name.
    #[must_use]
    pub fn new(mut tools: Vec<ToolDefinition<'_>>) -> Self {
        tools.sort_by(|a, b| a.name.cmp(b.name));
        let mut bytes = Vec::new();
        let tools = tools.iter().map(|tool| push(&mut bytes, tool)).collect();
        bytes.shrink_to_fit();
        Self {
            bytes: Bytes::from(bytes),
            tools,
        }
    }

    /// Returns how many tools there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tools.len()
    }

    /// Tells whether there are no tools.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    /// Returns how many tools a client sees that never asks for a second page.
    #[must_use]
    pub fn first_page(&self) -> usize {
        page_length(&self.tools)
    }

    /// Returns the texts of all tools, with commas between them.
    #[must_use]
    pub fn texts(&self) -> &[u8] {
        &self.bytes
    }

    /// Answers `tools/list`, with those tools that `admits` lets through where it is given.
    ///
    /// # Errors
    ///
    /// When the cursor was not handed out here: the reply that says so.
    pub fn page(
        &self,
        id: &Id<'_>,
        cursor: Option<&str>,
        version: ProtocolVersion,
        introduction: &Introduction,
        admits: Option<&dyn Fn(&str) -> bool>,
    ) -> Result<Page, Reply> {
        let rest = self.after(cursor);
        let rest = rest.map_err(|error| Reply::error(Some(id), &error, version))?;
        let (tools, next) = match admits {
            None => {
                let (page, more) = rest.split_at(page_length(rest));
                (
                    self.whole(page, version),
                    page.last().filter(|_| !more.is_empty()),
                )
            }
            Some(admits) => self.some(rest, version, admits),
        };
        let head = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{{\"tools\":[",
            id.as_json()
        );
        let mut tail = b"]".to_vec();
        if let Some(last) = next {
            tail.extend_from_slice(b",\"nextCursor\":");
            write_string(&mut tail, &cursor_after(&last.name));
        }
        introduction.end_cacheable(&mut tail, version);
        tail.push(b'}');
        Ok(Page {
            head: head.into_bytes(),
            tools,
            tail,
        })
    }

    /// Returns the texts of tools that follow each other.
    fn whole(&self, page: &[Entry], version: ProtocolVersion) -> Bytes {
        let (Some(first), Some(last)) = (page.first(), page.last()) else {
            return Bytes::new();
        };
        if version >= ProtocolVersion::V2025_06_18 {
            return self.bytes.slice(first.start..last.end);
        }
        let mut out = Vec::with_capacity(last.end - first.start);
        for tool in page {
            self.write(&mut out, tool, version);
        }
        Bytes::from(out)
    }

    /// Writes the tools of a page that are admitted; says after which one there are more.
    fn some<'a>(
        &'a self,
        rest: &'a [Entry],
        version: ProtocolVersion,
        admits: &dyn Fn(&str) -> bool,
    ) -> (Bytes, Option<&'a Entry>) {
        let mut out = Vec::new();
        let mut last = None;
        let admitted = rest.iter().filter(|tool| admits(&tool.name));
        for (count, tool) in admitted.enumerate() {
            let is_full =
                count == MAX_PAGE_TOOLS || out.len() + (tool.end - tool.start) > MAX_PAGE_BYTES;
            if is_full && count > 0 {
                return (Bytes::from(out), last);
            }
            self.write(&mut out, tool, version);
            last = Some(tool);
        }
        (Bytes::from(out), None)
    }

    /// Writes what `version` knows of a tool, behind a comma where others stand before it.
    fn write(&self, out: &mut Vec<u8>, tool: &Entry, version: ProtocolVersion) {
        if !out.is_empty() {
            out.push(b',');
        }
        let end = match version {
            version if version >= ProtocolVersion::V2025_06_18 => tool.end,
            version if version >= ProtocolVersion::V2025_03_26 => tool.annotated_end,
            _ => tool.plain_end,
        };
        out.extend_from_slice(self.slice(tool.start, end));
        if end < tool.end {
            out.push(b'}');
        }
    }

    /// Returns the tools that follow a cursor; an empty one stands for the beginning.
    ///
    /// A cursor names a tool, not a position, so that it stays good when the list changes between two pages.
    fn after(&self, cursor: Option<&str>) -> Result<&[Entry], ProtocolError> {
        let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else {
            return Ok(&self.tools);
        };
        let decoded = URL_SAFE_NO_PAD
            .decode(cursor)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or(ProtocolError::InvalidCursor)?;
        let last = decoded
            .strip_prefix(CURSOR_PREFIX)
            .ok_or(ProtocolError::InvalidCursor)?;
        let from = self.tools.partition_point(|tool| &*tool.name <= last);
        Ok(self.tools.get(from..).unwrap_or_default())
    }

    fn slice(&self, start: usize, end: usize) -> &[u8] {
        self.bytes
            .get(start..end)
            .expect("entries lie within the bytes they were written to")
    }
}

/// Writes a tool's text, and says where it lies.
fn push(out: &mut Vec<u8>, tool: &ToolDefinition<'_>) -> Entry {
    if !out.is_empty() {
        out.push(b',');
    }
    let start = out.len();
    out.extend_from_slice(b"{\"name\":");
    write_string(out, tool.name);
    out.extend_from_slice(b",\"description\":");
    write_string(out, tool.description);
    out.extend_from_slice(b",\"inputSchema\":");
    out.extend_from_slice(tool.input_schema.get().as_bytes());
    let plain_end = out.len();
    write_annotations(out, tool.annotations);
    let annotated_end = out.len();
    if let Some(title) = tool.title {
        out.extend_from_slice(b",\"title\":");
        write_string(out, title);
    }
    if let Some(schema) = tool.output_schema {
        out.extend_from_slice(b",\"outputSchema\":");
        out.extend_from_slice(schema.get().as_bytes());
    }
    out.push(b'}');
    Entry {
        name: tool.name.into(),
        start,
        plain_end,
        annotated_end,
        end: out.len(),
    }
}

fn write_annotations(out: &mut Vec<u8>, annotations: Annotations) {
    out.extend_from_slice(
        format!(
            ",\"annotations\":{{\"readOnlyHint\":{},\"destructiveHint\":{},\"idempotentHint\":{},\"openWorldHint\":true}}",
            annotations.read_only, annotations.destructive, annotations.idempotent
        )
        .as_bytes(),
    );
}

fn cursor_after(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{CURSOR_PREFIX}{name}"))
}

/// Returns how many of `rest` make one page: at least one where there are any.
fn page_length(rest: &[Entry]) -> usize {
    let Some(first) = rest.first() else {
        return 0;
    };
    rest.iter()
        .take(MAX_PAGE_TOOLS)
        .take_while(|tool| tool.end - first.start <= MAX_PAGE_BYTES)
        .count()
        .max(1)
}
