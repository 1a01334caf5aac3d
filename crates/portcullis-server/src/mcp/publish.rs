//! Writes what clients read of a toolset, once, when the toolset is published.

use portcullis_base::Slug;
use portcullis_mcp::{Annotations, Introduction, ToolDefinition, ToolList};

use crate::catalogue::PublishedTool;

/// Writes the list of a toolset's tools, under the names that they are published by.
#[must_use]
pub fn tool_list<'a>(tools: impl IntoIterator<Item = (&'a String, &'a PublishedTool)>) -> ToolList {
    let tools: Vec<_> = tools
        .into_iter()
        .map(|(name, PublishedTool { tool, .. })| (name, tool, tool.input_schema()))
        .collect();
    let definitions = tools
        .iter()
        .map(|(name, tool, input_schema)| ToolDefinition {
            name,
            title: tool.title.as_deref(),
            description: &tool.description,
            input_schema,
            output_schema: tool.output_schema.as_deref(),
            annotations: Annotations {
                read_only: tool.annotations.read_only,
                destructive: tool.annotations.destructive,
                idempotent: tool.annotations.idempotent,
            },
        });
    ToolList::new(definitions.collect())
}

/// Writes the introduction of a toolset: to MCP clients each toolset is a server of its own.
#[must_use]
pub fn introduction(slug: &Slug, title: &str, instructions: Option<&str>) -> Introduction {
    Introduction::new(
        slug.as_str(),
        Some(title),
        env!("CARGO_PKG_VERSION"),
        instructions,
    )
}
