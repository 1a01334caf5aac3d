//! Toolsets whose tools are searched for instead of listed: three tools stand for all of them.
//!
//! A model searches, reads what it needs to know of what it found, and calls; everything that holds for a call by a tool's own name holds for one through [`CALL`] as well, since it becomes one.
//! Does not rank: that is `portcullis_openapi::search`.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use portcullis_mcp::{Annotations, Content, ToolCall, ToolDefinition, ToolList, ToolResult};
use portcullis_openapi::search::{ToolIndex, signature};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::endpoint::Exchange;
use super::publish;
use crate::catalogue::PublishedTool;

/// Finds tools by words.
pub const SEARCH: &str = "search_tools";
/// Tells everything about tools.
pub const DESCRIBE: &str = "describe_tools";
/// Calls a tool.
pub const CALL: &str = "call_tool";

/// How many tools a search gives where the model does not say.
const USUAL_FOUND: usize = 10;
/// The most tools that a search gives.
const MAX_FOUND: usize = 50;
/// The most tools that are described at once.
const MAX_DESCRIBED: usize = 20;
/// The most bytes of descriptions that are given at once; the first tool is described whatever it takes.
const MAX_DESCRIBED_BYTES: usize = 100_000;
/// How many names are told in place of one that does not exist.
const NEAREST: usize = 5;
/// For how many names that do not exist the nearest are looked for in one call; each is compared with those of all tools.
const MAX_GUESSED: usize = 3;
/// The most bytes of tags in a description.
const MAX_TAGS_BYTES: usize = 1_000;

/// Writes the list of a toolset's three tools.
#[must_use]
pub fn tool_list(title: &str, count: usize, tags: &BTreeMap<String, usize>) -> ToolList {
    let search = format!(
        "Finds the tools of {title} that do something: there are {count}, and none of them is listed. Say what is to be done and to what, in the words of the API, such as `list open invoices`; search again for each further thing. Gives names, arguments and a line about each tool, the best first.{}",
        told_tags(tags)
    );
    let describe = format!(
        "Gives the full descriptions and input schemas of tools of {title}, by the names that `{SEARCH}` gives. Read them before a call whose arguments are not clear."
    );
    let call = format!(
        "Calls a tool of {title} by its name, with `arguments` as its input schema has them, and gives its result."
    );
    let [of_search, of_describe, of_call] = schemas(!tags.is_empty());
    let tool = |name, title, description, input_schema, read_only| ToolDefinition {
        name,
        title: Some(title),
        description,
        input_schema,
        output_schema: None,
        annotations: Annotations {
            read_only,
            destructive: !read_only,
            idempotent: read_only,
        },
    };
    ToolList::new(vec![
        tool(SEARCH, "Search tools", &*search, &*of_search, true),
        tool(DESCRIBE, "Describe tools", &*describe, &*of_describe, true),
        tool(CALL, "Call a tool", &*call, &*of_call, false),
    ])
}

/// Tells the model how the tools are used, behind what the operator says of them.
#[must_use]
pub fn instructions(own: Option<&str>, count: usize) -> String {
    let how = format!(
        "This server has {count} tools, which are not listed. Find them with `{SEARCH}`, read their schemas with `{DESCRIBE}` where arguments are not clear, and call them with `{CALL}`."
    );
    own.map_or_else(|| how.clone(), |own| format!("{own}\n\n{how}"))
}

fn told_tags(tags: &BTreeMap<String, usize>) -> String {
    let mut told = String::new();
    for (tag, count) in tags {
        if told.len() + tag.len() > MAX_TAGS_BYTES {
            told.push_str(", …");
            break;
        }
        let comma = if told.is_empty() { "" } else { ", " };
        let _ = write!(told, "{comma}{tag} ({count})");
    }
    match told.as_str() {
        "" => told,
        tags => format!(" Tags and how many tools have them: {tags}."),
    }
}

fn schemas(has_tags: bool) -> [Box<RawValue>; 3] {
    let mut search = json!({
        "query": {"type": "string", "description": "What is to be done, and to what"},
        "limit": {"type": "integer", "minimum": 1, "maximum": MAX_FOUND, "default": USUAL_FOUND, "description": "How many tools to give"},
    });
    if let (true, Some(search)) = (has_tags, search.as_object_mut()) {
        let tag = json!({"type": "string", "description": "Only tools with this tag"});
        search.insert("tag".to_owned(), tag);
    }
    let describe = json!({
        "names": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MAX_DESCRIBED, "description": "Names of tools"},
    });
    let call = json!({
        "name": {"type": "string", "description": "The tool"},
        "arguments": {"type": "object", "description": "Its arguments"},
    });
    [(search, "query"), (describe, "names"), (call, "name")].map(|(properties, required)| {
        let schema = json!({
            "type": "object",
            "properties": properties,
            "required": [required],
            "additionalProperties": false,
        });
        to_raw_value(&schema).expect("a JSON value has a text")
    })
}

/// What a call asks for.
pub(super) enum Asked {
    /// The tool that it names.
    Itself,
    /// The tool that is named in its arguments.
    Inner(Inner),
    /// Something that is answered here, by the tool of this name.
    Answered(&'static str, ToolResult),
}

/// A call within a call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inner {
    name: String,
    #[serde(default)]
    arguments: Option<Box<RawValue>>,
    /// What was made of the arguments beyond what they say.
    #[serde(skip)]
    note: Option<String>,
}

impl Inner {
    /// Returns the call as if it had been made by the tool's own name.
    pub(super) fn call(&self) -> ToolCall<'_> {
        ToolCall {
            name: Cow::Borrowed(&self.name),
            arguments: self.arguments.as_deref(),
        }
    }

    /// Returns what the model should read beside the answer.
    pub(super) fn note(&self) -> Option<String> {
        self.note.clone()
    }

    /// Reads arguments that are written as a text which is an object: models do that.
    fn healed(mut self) -> Result<Self, String> {
        let Some(arguments) = &self.arguments else {
            return Ok(self);
        };
        let text: Option<String> = serde_json::from_str(arguments.get()).ok();
        let healed = text.and_then(|text| RawValue::from_string(text.trim().to_owned()).ok());
        if let Some(healed) = healed {
            self.arguments = Some(healed);
            self.note = Some(
                "`arguments` was given as a string, and read as the object that it holds"
                    .to_owned(),
            );
        }
        match self
            .arguments
            .as_deref()
            .map(|it| it.get().as_bytes().first())
        {
            Some(Some(b'{')) => Ok(self),
            _ => Err(format!("`{CALL}`: `arguments` must be an object")),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    query: String,
    #[serde(default)]
    tag: Option<String>,
    #[serde(default)]
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Describe {
    names: Names,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Several(Vec<String>),
}

/// Says what a call to a toolset asks for.
pub(super) fn asked(exchange: &Exchange, call: &ToolCall<'_>) -> Asked {
    let Some(index) = &exchange.toolset.search else {
        return Asked::Itself;
    };
    let arguments = call.arguments;
    match &*call.name {
        SEARCH => {
            let found = read(SEARCH, arguments).map(|asked| search(exchange, index, &asked));
            Asked::Answered(SEARCH, result(found))
        }
        DESCRIBE => {
            let told = read(DESCRIBE, arguments).map(|asked| describe(exchange, index, asked));
            Asked::Answered(DESCRIBE, result(told))
        }
        CALL => match read(CALL, arguments).and_then(Inner::healed) {
            Ok(inner) if exchange.admits(&inner.name) => Asked::Inner(inner),
            Ok(inner) => Asked::Answered(
                CALL,
                ToolResult::error(unknown(exchange, index, &inner.name)),
            ),
            Err(text) => Asked::Answered(CALL, ToolResult::error(text)),
        },
        _ => Asked::Itself,
    }
}

fn result(outcome: Result<String, String>) -> ToolResult {
    match outcome {
        Ok(text) => ToolResult {
            content: vec![Content::Text(text)],
            ..ToolResult::default()
        },
        Err(text) => ToolResult::error(text),
    }
}

/// Reads the arguments of one of the three tools.
fn read<T: DeserializeOwned>(tool: &str, arguments: Option<&RawValue>) -> Result<T, String> {
    let text = arguments.map_or("{}", RawValue::get);
    serde_json::from_str(text).map_err(|error| {
        let error = error.to_string();
        let mistake = error.split(" at line ").next().unwrap_or_default();
        let hint = match tool {
            CALL => "; what the tool itself takes stands in `arguments`",
            _ => "",
        };
        format!("`{tool}`: {mistake}{hint}")
    })
}

fn search(exchange: &Exchange, index: &ToolIndex, asked: &Search) -> String {
    let limit = asked.limit.unwrap_or(USUAL_FOUND).clamp(1, MAX_FOUND);
    let tools = &exchange.toolset.tools;
    let tagged = |name: &str| {
        let Some(tag) = asked
            .tag
            .as_deref()
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
        else {
            return true;
        };
        let tool = tools.get(name);
        tool.is_some_and(|it| it.tool.tags.iter().any(|own| own.eq_ignore_ascii_case(tag)))
    };
    let admits = |name: &str| exchange.admits(name) && tagged(name);
    let found = index.search(&asked.query, limit, admits);
    if found.is_empty() {
        let tags = told_tags(&exchange.toolset.tags);
        return format!(
            "No tool has any of these words. Try other words for what is to be done, and the names that the API has for things.{tags}"
        );
    }
    let mut text = String::new();
    for name in found {
        if let Some(published) = tools.get(name) {
            text.push_str(&signature(name, &published.tool));
            text.push('\n');
        }
    }
    let _ = write!(
        text,
        "\nArguments with * must be given. Schemas: `{DESCRIBE}`. Calls: `{CALL}`."
    );
    text
}

/// Writes tools as the list would have them, each once and no more than a model can read.
fn describe(exchange: &Exchange, index: &ToolIndex, asked: Describe) -> String {
    let mut names = match asked.names {
        Names::Several(names) => names,
        // Models write lists as texts.
        Names::One(text) => serde_json::from_str(&text).unwrap_or_else(|_| vec![text]),
    };
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let beyond = names.len().saturating_sub(MAX_DESCRIBED);
    names.truncate(MAX_DESCRIBED);
    let (known, strange): (Vec<_>, Vec<_>) = names.iter().partition(|name| exchange.admits(name));
    let texts = known.iter().filter_map(|name| {
        let (name, tool) = exchange.toolset.tools.get_key_value(*name)?;
        Some(described(name, tool))
    });
    let told = within(MAX_DESCRIBED_BYTES, texts);
    let notes = strange.iter().enumerate().map(|(number, name)| {
        if number < MAX_GUESSED {
            unknown(exchange, index, name)
        } else {
            missing(name)
        }
    });
    let mut notes: Vec<_> = notes.collect();
    let left = beyond + known.len() - told.len();
    if left > 0 {
        notes.push(format!(
            "of the names, {left} are left out for want of space: describe them by another call"
        ));
    }
    let tools = told.join(",");
    match notes.as_slice() {
        [] => format!("{{\"tools\":[{tools}]}}"),
        notes => format!("{{\"tools\":[{tools}],\"notes\":{}}}", json!(notes)),
    }
}

fn described(name: &str, tool: &PublishedTool) -> String {
    let schema = tool.tool.input_schema();
    let definition = ToolDefinition {
        output_schema: None,
        ..publish::definition(name, tool, &schema)
    };
    String::from_utf8_lossy(ToolList::new(vec![definition]).texts()).into_owned()
}

/// Takes texts as long as there is space for them; the first in any case.
fn within(mut space: usize, texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut taken = Vec::new();
    for text in texts {
        if text.len() > space && !taken.is_empty() {
            break;
        }
        space = space.saturating_sub(text.len());
        taken.push(text);
    }
    taken
}

/// Says that there is no such tool, and which are like it.
fn unknown(exchange: &Exchange, index: &ToolIndex, name: &str) -> String {
    let shown = shown(name);
    let nearest = index.nearest(&shown, NEAREST, |name| exchange.admits(name));
    let nearest: Vec<String> = nearest.iter().map(|name| format!("`{name}`")).collect();
    match nearest.as_slice() {
        [] => missing(name),
        nearest => format!(
            "there is no tool `{shown}`; the nearest are {}, and `{SEARCH}` finds others",
            nearest.join(", ")
        ),
    }
}

/// Says that there is no such tool.
fn missing(name: &str) -> String {
    format!("there is no tool `{}`; `{SEARCH}` finds tools", shown(name))
}

/// Returns as much of a name as any tool's has.
fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_end_where_the_space_does_and_never_before_the_first() {
        let taken = |space, lengths: &[usize]| {
            let texts = lengths.iter().map(|length| "x".repeat(*length));
            within(space, texts).len()
        };
        assert_eq!(taken(10, &[4, 6]), 2);
        assert_eq!(taken(10, &[4, 7]), 1);
        assert_eq!(taken(10, &[4, 7, 1]), 1);
        assert_eq!(taken(10, &[11, 1]), 1);
        assert_eq!(taken(10, &[]), 0);
    }
}
