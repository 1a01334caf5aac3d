//! What the arguments of a tool do for paging, by the names that APIs give them.

use serde_json::Value;

use super::PageArgument;
use crate::model::{Place, Tool};

/// What an argument does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It chooses the page by its number.
    Page,
    /// It leaves out that many.
    Offset,
    /// It chooses what comes after a mark that the API gave.
    Cursor,
    /// It says how many there may be at once.
    Size,
    /// It says what is given of each.
    Fields,
    /// Something else.
    Other,
}

/// Lists the query parameters of a tool, or, where none of them pages, the members of its body that do.
pub(super) fn arguments(tool: &Tool) -> Vec<PageArgument> {
    let schema: Value = serde_json::from_str(tool.whole_input_schema().get()).unwrap_or_default();
    let mut arguments: Vec<PageArgument> = tool
        .request
        .parameters
        .iter()
        .filter(|parameter| parameter.place == Place::Query)
        .map(|parameter| {
            let part = property(&schema, &schema, &parameter.argument);
            PageArgument {
                name: parameter.name.clone(),
                argument: parameter.argument.clone(),
                within: None,
                role: fitting(role(&parameter.name), &schema, part),
                is_text: is_text(&schema, part),
            }
        })
        .collect();
    if !arguments.iter().any(PageArgument::moves) {
        arguments.extend(in_body(tool, &schema));
    }
    arguments
}

/// Lists the members of a body that page: some searches are requests with a body.
fn in_body(tool: &Tool, schema: &Value) -> Vec<PageArgument> {
    let Some(body) = &tool.request.body else {
        return Vec::new();
    };
    let whole = property(schema, schema, &body.argument).map(|whole| resolved(schema, whole));
    let members = whole.and_then(|whole| whole.get("properties")?.as_object());
    members
        .into_iter()
        .flatten()
        .map(|(name, member)| PageArgument {
            name: name.clone(),
            argument: name.clone(),
            within: Some(body.argument.clone()),
            role: fitting(role(name), schema, Some(member)),
            is_text: is_text(schema, Some(member)),
        })
        .filter(|argument| argument.role != Role::Other)
        .collect()
}

/// Tells what an argument does by its name on the wire.
pub(super) fn role(name: &str) -> Role {
    match folded(name).as_str() {
        "page" | "pagenumber" | "pageno" | "pagenum" | "pageindex" | "currentpage" | "pageid"
        | "pagestart" => Role::Page,
        "offset" | "skip" | "start" | "startat" | "startindex" | "pageoffset" | "firstresult"
        | "recordoffset" | "resultoffset" => Role::Offset,
        "cursor" | "after" | "startingafter" | "afterid" | "pagetoken" | "nexttoken"
        | "nextpagetoken" | "nextpage" | "pagecursor" | "startcursor" | "nextcursor"
        | "continuationtoken" | "continuation" | "continue" | "skiptoken" | "marker"
        | "nextmarker" | "startkey" | "exclusivestartkey" | "pageafter" | "aftercursor"
        | "pagingtoken" | "scrollid" | "bookmark" | "pagekey" | "starttoken" | "startafter" => {
            Role::Cursor
        }
        "perpage" | "pagesize" | "limit" | "maxresults" | "top" | "count" | "size"
        | "pagelimit" | "maxitems" | "rows" | "itemsperpage" | "resultsperpage"
        | "maxresultcount" | "first" | "pagelength" | "maxrecords" | "maxkeys" | "maxpagesize" => {
            Role::Size
        }
        "fields" | "select" | "fieldmask" | "includefields" | "optfields" => Role::Fields,
        _ => Role::Other,
    }
}

/// Takes case and punctuation out of a name: `page[number]`, `page_number` and `pageNumber` are one.
pub(super) fn folded(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// Takes out of a cursor's name what answers and requests differ in: `next_page_token` and `pageToken` are one.
pub(super) fn stem(name: &str) -> String {
    let folded = folded(name);
    let bare = ["next", "end", "last", "start"]
        .into_iter()
        .find_map(|word| folded.strip_prefix(word))
        .filter(|bare| !bare.is_empty());
    bare.unwrap_or(&folded).to_owned()
}

fn property<'a>(schema: &'a Value, of: &'a Value, name: &str) -> Option<&'a Value> {
    resolved(schema, of).get("properties")?.get(name)
}

/// Follows a reference to a definition of the same schema.
fn resolved<'a>(schema: &'a Value, part: &'a Value) -> &'a Value {
    let target = part.get("$ref").and_then(Value::as_str);
    target
        .and_then(|target| schema.pointer(target.strip_prefix('#')?))
        .unwrap_or(part)
}

/// Takes a role back that the schema's type cannot have: `OData`'s `$count` is a switch, and a `start` that is text is a moment or a mark.
fn fitting(role: Role, schema: &Value, part: Option<&Value>) -> Role {
    let of_type = part.and_then(|part| resolved(schema, part).get("type"));
    match role {
        Role::Page | Role::Offset | Role::Size if of_type.is_some_and(|it| it == "boolean") => {
            Role::Other
        }
        Role::Offset if is_text(schema, part) => Role::Other,
        role => role,
    }
}

/// Tells whether the schema takes texts and no numbers.
fn is_text(schema: &Value, part: Option<&Value>) -> bool {
    let types = part.and_then(|part| resolved(schema, part).get("type"));
    match types {
        Some(Value::String(only)) => only == "string",
        Some(Value::Array(several)) => {
            let has = |name: &str| several.iter().any(|it| it == name);
            has("string") && !has("integer") && !has("number")
        }
        _ => false,
    }
}
