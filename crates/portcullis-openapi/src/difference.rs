//! What separates the tools of two revisions of a document, and which of it breaks callers.
//!
//! What a model reads, what it may send, what it gets back and where a call goes are all compared: nothing of a tool changes without being told.
//! A change breaks callers where a call that was right before may be refused or do something else after; what cannot be judged counts as breaking.

mod schema;
mod told;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::server::ServerTemplate;
use crate::model::{RequestTemplate, SecurityAlternative, SecurityScheme, Tool};
use crate::remembered::{key, nameless};

/// One revision of a document, as far as anybody sees it.
#[derive(Clone, Copy, Debug)]
pub struct DocumentView<'a> {
    /// What the document calls itself.
    pub title: &'a str,
    /// The tools, by the names that they have in this revision.
    pub tools: &'a [Arc<Tool>],
    /// The security schemes.
    pub schemes: &'a [SecurityScheme],
    /// The origins of its own servers, which are those that credentials may go to.
    pub origins: &'a BTreeSet<String>,
}

/// What separates two revisions; names are those of tools.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ToolDifference {
    /// Tools that are new.
    pub added: Vec<String>,
    /// Tools that are gone.
    pub removed: Vec<String>,
    /// Tools that are called otherwise.
    pub renamed: Vec<RenamedTool>,
    /// Tools that changed, by the name that they have after it.
    pub changed: Vec<ChangedTool>,
    /// What changed beside the tools: the title, the security schemes, and the origins of the document's own servers.
    pub document: Vec<ToolChange>,
}

/// A tool that is called otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RenamedTool {
    /// The name before.
    pub from: String,
    /// The name after.
    pub to: String,
}

/// A tool that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedTool {
    /// Its name.
    pub name: String,
    /// What changed.
    pub changes: Vec<ToolChange>,
}

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToolChange {
    /// Whether calls that were right before may be wrong after.
    pub breaks: bool,
    /// A stable word for programs.
    pub code: &'static str,
    /// What changed, for people.
    pub text: String,
}

/// Compares two revisions.
#[must_use]
pub fn difference(before: DocumentView<'_>, after: DocumentView<'_>) -> ToolDifference {
    let mut difference = ToolDifference {
        document: of_document(before, after),
        ..ToolDifference::default()
    };
    let matched = matched(before.tools, after.tools);
    for (old, new) in &matched.pairs {
        if old.name != new.name {
            difference.renamed.push(RenamedTool {
                from: old.name.clone(),
                to: new.name.clone(),
            });
        }
        let changes = of_tool(old, new);
        if !changes.is_empty() {
            let name = new.name.clone();
            difference.changed.push(ChangedTool { name, changes });
        }
    }
    difference.removed = names(&matched.gone);
    difference.added = names(&matched.new);
    difference
        .changed
        .sort_by(|one, other| one.name.cmp(&other.name));
    difference
        .renamed
        .sort_by(|one, other| one.to.cmp(&other.to));
    difference
}

fn names(tools: &[&Tool]) -> Vec<String> {
    let mut names: Vec<_> = tools.iter().map(|tool| tool.name.clone()).collect();
    names.sort();
    names
}

/// The tools of two revisions, as they belong together.
struct Matched<'t> {
    pairs: Vec<(&'t Tool, &'t Tool)>,
    gone: Vec<&'t Tool>,
    new: Vec<&'t Tool>,
}

/// Finds what a tool was: the same method and path, else the same but for the names of its parameters, else the same name.
fn matched<'t>(before: &'t [Arc<Tool>], after: &'t [Arc<Tool>]) -> Matched<'t> {
    let marks: [fn(&Tool) -> String; 3] =
        [key, |tool| nameless(&key(tool)), |tool| tool.name.clone()];
    let mut old: BTreeMap<usize, &Tool> = before.iter().map(Arc::as_ref).enumerate().collect();
    let mut new: BTreeMap<usize, &Tool> = after.iter().map(Arc::as_ref).enumerate().collect();
    let mut pairs = Vec::new();
    for mark in marks {
        let found: HashMap<String, usize> = old
            .iter()
            .map(|(&index, tool)| (mark(tool), index))
            .collect();
        let same = new
            .iter()
            .filter_map(|(&index, tool)| Some((*found.get(&mark(tool))?, index)));
        for (from, to) in same.collect::<Vec<_>>() {
            if let (Some(&one), Some(&other)) = (old.get(&from), new.get(&to)) {
                pairs.push((one, other));
                old.remove(&from);
                new.remove(&to);
            }
        }
    }
    Matched {
        pairs,
        gone: old.into_values().collect(),
        new: new.into_values().collect(),
    }
}

fn of_document(before: DocumentView<'_>, after: DocumentView<'_>) -> Vec<ToolChange> {
    let mut changes = Vec::new();
    if before.title != after.title {
        let text = format!("title {:?} -> {:?}", before.title, after.title);
        changes.push(harmless("title", text));
    }
    changes.extend(of_origins(before.origins, after.origins));
    changes.extend(of_schemes(before, after));
    changes
}

/// Compares where credentials may go: an operation with servers of its own may call there from now on, or no more, while nothing of its tool changes.
fn of_origins(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<ToolChange> {
    let change = |origin: &String, word: &str| {
        let text = format!("origin {origin:?} {word} its own servers");
        breaking("origin", text)
    };
    let removed = before
        .difference(after)
        .map(|it| change(it, "is no more among"));
    let added = after
        .difference(before)
        .map(|it| change(it, "is new among"));
    removed.chain(added).collect()
}

fn of_schemes(before: DocumentView<'_>, after: DocumentView<'_>) -> Vec<ToolChange> {
    let mut changes = Vec::new();
    let find = |schemes: &'_ [SecurityScheme], name: &str| -> Option<SecurityScheme> {
        schemes.iter().find(|it| it.name == name).cloned()
    };
    for scheme in before.schemes {
        match find(after.schemes, &scheme.name) {
            None => changes.push(breaking(
                "scheme",
                format!("security scheme {:?} removed", scheme.name),
            )),
            Some(new) if new != *scheme => {
                changes.push(breaking(
                    "scheme",
                    format!("security scheme {:?} changed", scheme.name),
                ));
            }
            Some(_) => {}
        }
    }
    for scheme in after.schemes {
        if find(before.schemes, &scheme.name).is_none() {
            changes.push(harmless(
                "scheme",
                format!("security scheme {:?} added", scheme.name),
            ));
        }
    }
    changes
}

fn of_tool(old: &Tool, new: &Tool) -> Vec<ToolChange> {
    let mut changes = of_request(&old.request, &new.request, old, new);
    let (before, after) = (old.whole_input_schema(), new.whole_input_schema());
    if before.get() != after.get() {
        let told = schema::changes(&parsed(&before), &parsed(&after));
        if told.is_empty() {
            changes.push(harmless(
                "input",
                "its arguments are told in another order".to_owned(),
            ));
        }
        changes.extend(told);
    }
    if changes.is_empty() && writing(old) != writing(new) {
        changes.push(harmless(
            "request",
            "calls are written otherwise".to_owned(),
        ));
    }
    changes.extend(of_security(old, new));
    match (old.deprecated, new.deprecated) {
        (false, true) => changes.push(breaking("deprecated", "deprecated".to_owned())),
        // Then a selection may publish it that did not.
        (true, false) => changes.push(harmless("deprecated", "no more deprecated".to_owned())),
        _ => {}
    }
    let text = |raw: &Option<Arc<RawValue>>| raw.as_deref().map(|it| it.get().to_owned());
    let compared = [
        ("title", old.title != new.title),
        ("description", old.description != new.description),
        (
            "output",
            text(&old.output_schema) != text(&new.output_schema),
        ),
        ("annotations", old.annotations != new.annotations),
        // What selections go by.
        ("tags", old.tags != new.tags),
        ("operation-id", old.operation_id != new.operation_id),
    ];
    let differing = compared.into_iter().filter(|(_, differs)| *differs);
    changes.extend(differing.map(|(code, _)| harmless(code, format!("{code} changed"))));
    changes
}

fn parsed(schema: &RawValue) -> Value {
    serde_json::from_str(schema.get()).unwrap_or_default()
}

/// Compares where a call goes and how it is written.
fn of_request(
    before: &RequestTemplate,
    after: &RequestTemplate,
    old: &Tool,
    new: &Tool,
) -> Vec<ToolChange> {
    let mut changes = Vec::new();
    let (from, to) = (before.method.as_str(), after.method.as_str());
    if from != to {
        changes.push(breaking("method", format!("method {from} -> {to}")));
    }
    let (from, to) = (old.path(), new.path());
    if nameless(&from) != nameless(&to) {
        let text = format!("path {from:?} -> {to:?}");
        changes.push(breaking("path", text));
    }
    if before.server != after.server || before.server_variables != after.server_variables {
        let (from, to) = (server(before), server(after));
        changes.push(breaking("server", format!("server {from} -> {to}")));
    }
    changes
}

/// Returns how a call is written, which concerns the API; callers see it where the schema of the arguments says so.
fn writing(tool: &Tool) -> String {
    let RequestTemplate {
        method: _,
        server: _,
        server_variables: _,
        path,
        query,
        parameters,
        body,
        accept,
    } = &tool.request;
    format!("{path:?} {query:?} {parameters:?} {body:?} {accept:?}")
}

fn server(request: &RequestTemplate) -> String {
    match (&request.server, &request.server_variables) {
        (ServerTemplate::Url(url), None) => format!("{url:?}"),
        (ServerTemplate::Url(url), Some(server)) => format!("{url:?} ({:?})", server.template),
        (ServerTemplate::Unknown(_), Some(server)) => format!("{:?}", server.template),
        (ServerTemplate::Unknown(_), None) => "unknown".to_owned(),
    }
}

fn of_security(old: &Tool, new: &Tool) -> Option<ToolChange> {
    if old.security == new.security && old.declares_security == new.declares_security {
        return None;
    }
    let text = format!("security {} -> {}", security(old), security(new));
    // Whoever could call it can still do so where each former alternative suffices for one that there is now.
    let suffices = |had: &SecurityAlternative| {
        let covers = |needed: &SecurityAlternative| {
            needed.iter().all(|requirement| {
                had.iter().any(|it| {
                    it.scheme == requirement.scheme
                        && requirement
                            .scopes
                            .iter()
                            .all(|scope| it.scopes.contains(scope))
                })
            })
        };
        new.security.is_empty() || new.security.iter().any(covers)
    };
    let nothing = [SecurityAlternative::new()];
    let had = if old.security.is_empty() {
        nothing.as_slice()
    } else {
        &old.security
    };
    Some(ToolChange {
        breaks: !had.iter().all(suffices),
        code: "security",
        text,
    })
}

fn security(tool: &Tool) -> String {
    let alternative = |alternative: &SecurityAlternative| {
        let requirements = alternative.iter().map(|it| match it.scopes.as_slice() {
            [] => format!("{:?}", it.scheme),
            scopes => format!("{:?} with {scopes:?}", it.scheme),
        });
        match requirements.collect::<Vec<_>>() {
            none if none.is_empty() => "nothing".to_owned(),
            some => some.join(" and "),
        }
    };
    match tool.security.iter().map(alternative).collect::<Vec<_>>() {
        none if none.is_empty() => "nothing".to_owned(),
        some => some.join(" or "),
    }
}

fn breaking(code: &'static str, text: String) -> ToolChange {
    ToolChange {
        breaks: true,
        code,
        text,
    }
}

fn harmless(code: &'static str, text: String) -> ToolChange {
    ToolChange {
        breaks: false,
        code,
        text,
    }
}

#[cfg(test)]
mod tests;
