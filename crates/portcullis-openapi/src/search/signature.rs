//! A tool in one line: its name, its arguments, and what it is for.

use serde_json::Value;

use super::terms::told;
use crate::model::Tool;
use crate::text::clean;

/// The longest text about a tool, in characters.
const MAX_ABOUT: usize = 140;
/// The most members of an argument that are named.
const MAX_MEMBERS: usize = 12;

/// Writes a tool in one line: `issues_create(owner*, repo*, body*{title*, labels}) - Create an issue`.
///
/// What must be given has an asterisk.
#[must_use]
pub fn signature(name: &str, tool: &Tool) -> String {
    let schema: Value = serde_json::from_str(tool.input_schema().get()).unwrap_or_default();
    let arguments: Vec<String> = properties(&schema, &schema)
        .map(|(argument, required, property)| {
            let inner: Vec<String> = properties(&schema, property)
                .map(|(member, required, _)| starred(member, required))
                .collect();
            let more = if inner.len() > MAX_MEMBERS {
                ", …"
            } else {
                ""
            };
            let shown = inner
                .get(..MAX_MEMBERS.min(inner.len()))
                .unwrap_or_default();
            match shown {
                [] => starred(argument, required),
                shown => format!(
                    "{}{{{}{more}}}",
                    starred(argument, required),
                    shown.join(", ")
                ),
            }
        })
        .collect();
    let (about, _) = told(tool);
    let about = clean(about, MAX_ABOUT);
    let about = about.lines().next().unwrap_or_default();
    format!("{name}({}) - {about}", arguments.join(", "))
}

/// Lists the properties of a schema, each with whether it must be given.
fn properties<'s>(
    root: &'s Value,
    schema: &'s Value,
) -> impl Iterator<Item = (&'s str, bool, &'s Value)> {
    let schema = followed(root, schema);
    let required = schema.get("required").and_then(Value::as_array);
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .map(move |(name, property)| {
            let is_required = required.is_some_and(|names| names.iter().any(|it| it == name));
            (name.as_str(), is_required, property)
        })
}

/// Follows a reference to the tool's own definitions.
fn followed<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let reference = schema.get("$ref").and_then(Value::as_str);
    let pointer = reference.and_then(|it| it.strip_prefix('#'));
    pointer.and_then(|it| root.pointer(it)).unwrap_or(schema)
}

fn starred(name: &str, required: bool) -> String {
    let star = if required { "*" } else { "" };
    format!("{name}{star}")
}
