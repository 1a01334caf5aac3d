//! The list of tools, written once for all versions and served in pages.
//!
//! Each tool's text is laid out so that what an older version knows is a prefix of what a newer one knows: a page for 2025-06-18 and later is one copy of prepared bytes, a page for an older version one copy per tool.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
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
    bytes: Vec<u8>,
    /// Ordered by name.
    tools: Vec<Entry>,
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
        let mut list = Self::default();
        for tool in &tools {
            list.push(tool);
        }
        list.bytes.shrink_to_fit();
        list
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

    fn push(&mut self, tool: &ToolDefinition<'_>) {
        let out = &mut self.bytes;
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
        self.tools.push(Entry {
            name: tool.name.into(),
            start,
            plain_end,
            annotated_end,
            end: out.len(),
        });
    }

    /// Answers `tools/list`.
    pub(crate) fn page(
        &self,
        id: &Id<'_>,
        cursor: Option<&str>,
        version: ProtocolVersion,
        introduction: &Introduction,
    ) -> Reply {
        let rest = match self.after(cursor) {
            Ok(rest) => rest,
            Err(error) => return Reply::error(Some(id), &error, version),
        };
        let (page, more) = rest.split_at(page_length(rest));
        let size = page_bytes(page) + introduction.size_bytes();
        Reply::result(id, size, |out| {
            out.extend_from_slice(b"{\"tools\":[");
            self.write_page(out, page, version);
            out.push(b']');
            if let (false, Some(last)) = (more.is_empty(), page.last()) {
                out.extend_from_slice(b",\"nextCursor\":");
                write_string(out, &cursor_after(&last.name));
            }
            introduction.end_cacheable(out, version);
        })
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

    fn write_page(&self, out: &mut Vec<u8>, page: &[Entry], version: ProtocolVersion) {
        if version >= ProtocolVersion::V2025_06_18 {
            if let (Some(first), Some(last)) = (page.first(), page.last()) {
                out.extend_from_slice(self.slice(first.start, last.end));
            }
            return;
        }
        for (index, tool) in page.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let end = if version >= ProtocolVersion::V2025_03_26 {
                tool.annotated_end
            } else {
                tool.plain_end
            };
            out.extend_from_slice(self.slice(tool.start, end));
            out.push(b'}');
        }
    }

    fn slice(&self, start: usize, end: usize) -> &[u8] {
        self.bytes
            .get(start..end)
            .expect("entries lie within the bytes they were written to")
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

fn page_bytes(page: &[Entry]) -> usize {
    match (page.first(), page.last()) {
        (Some(first), Some(last)) => last.end - first.start,
        _ => 0,
    }
}
