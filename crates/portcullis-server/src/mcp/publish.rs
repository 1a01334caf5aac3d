//! Writes what clients read of a toolset, once, when the toolset is published.

use std::collections::BTreeMap;

use portcullis_base::Slug;
use portcullis_mcp::{Annotations, Introduction, ToolDefinition, ToolList};
use portcullis_openapi::search::ToolIndex;
use serde_json::value::RawValue;

use crate::catalogue::PublishedTool;

/// Writes the list of a toolset's tools, under the names that they are published by.
#[must_use]
pub fn tool_list<'a>(tools: impl IntoIterator<Item = (&'a String, &'a PublishedTool)>) -> ToolList {
    let tools: Vec<_> = tools
        .into_iter()
        .map(|(name, published)| (name, published, published.tool.input_schema()))
        .collect();
    let definitions = tools
        .iter()
        .map(|(name, published, input_schema)| definition(name, published, input_schema));
    ToolList::new(definitions.collect())
}

/// Describes a tool as the model sees it, with the input schema that it is shown.
#[must_use]
pub fn definition<'a>(
    name: &'a str,
    published: &'a PublishedTool,
    input_schema: &'a RawValue,
) -> ToolDefinition<'a> {
    let tool = &published.tool;
    ToolDefinition {
        name,
        title: tool.title.as_deref(),
        description: &tool.description,
        input_schema,
        // What is projected is no longer what the document describes.
        output_schema: tool
            .output_schema
            .as_deref()
            .filter(|_| published.presentation.projection.is_none()),
        annotations: Annotations {
            read_only: tool.annotations.read_only,
            destructive: tool.annotations.destructive,
            idempotent: tool.annotations.idempotent,
        },
    }
}

/// Reads the words of a toolset's tools, to be searched for.
#[must_use]
pub fn tool_index<'a>(
    tools: impl IntoIterator<Item = (&'a String, &'a PublishedTool)>,
) -> ToolIndex {
    ToolIndex::new(
        tools
            .into_iter()
            .map(|(name, published)| (name.as_str(), &*published.tool)),
    )
}

/// Counts the tools of each tag.
#[must_use]
pub fn tags<'a>(tools: impl IntoIterator<Item = &'a PublishedTool>) -> BTreeMap<String, usize> {
    let mut tags = BTreeMap::new();
    for tag in tools.into_iter().flat_map(|tool| &tool.tool.tags) {
        *tags.entry(tag.clone()).or_default() += 1;
    }
    tags
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
