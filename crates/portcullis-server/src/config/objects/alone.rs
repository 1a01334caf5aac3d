//! Makes the objects of one OpenAPI document that is served without a configuration file.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use portcullis_base::{Secret, Slug};
use portcullis_oauth::issuer::redeem::OwnLifetimes;
use portcullis_openapi::variables::{VariableSpec, judge_slug};
use portcullis_store::{AnswerSettings, Inbound, Selection, ToolsetDocument, VariableValue};

use super::document::{object, parse};
use super::environment::{judge, may_be_empty};
use super::files::Source;
use super::{EnvironmentObject, Objects, ToolsetObject};
use crate::catalogue::PROCESS_ENVIRONMENT;
use crate::config::problem::Problem;
use crate::config::reading::Reading;

/// File names that say nothing about the API.
const GENERIC: [&str; 9] = [
    "api", "api-docs", "doc", "docs", "document", "index", "openapi", "spec", "swagger",
];

/// Reads the document, and makes one toolset of it that is open to whoever reaches it, with the environment variables of the process that bear exactly the document's names.
pub(in crate::config) fn objects(
    reading: &mut Reading<'_>,
    path: &Path,
    authenticated_only: bool,
) -> Objects {
    let parsed = match parse(reading, Source::alone(path)) {
        Ok(parsed) => parsed,
        Err(problem) => {
            reading.problems.push(problem);
            return Objects::default();
        }
    };
    reading.files.push(path.to_owned());
    if authenticated_only {
        reading.problems.push(Problem::new(
            "a document served alone is open to everybody, and other machines can reach the listener",
            "describe it in a configuration file with `inbound = [\"api_key\"]`, or pass `--allow-unauthenticated`",
        ));
    }
    let slug = slug(path, &parsed.compiled.title);
    let document = object(path, &slug, parsed);
    let variables = values(reading, &document.variables);
    let environment = Slug::parse(PROCESS_ENVIRONMENT).expect("a slug");
    let toolset = ToolsetObject {
        title: None,
        instructions: None,
        documents: vec![ToolsetDocument {
            document: slug.clone(),
            select: Selection::default(),
        }],
        dynamic: false,
        answers: AnswerSettings::default(),
        environment: Some(environment.clone()),
        inbound: BTreeSet::from([Inbound::Open]),
        provider: None,
        manifest: None,
        caller_supplied: BTreeSet::new(),
        lifetimes: OwnLifetimes::default(),
    };
    Objects {
        manifests: BTreeMap::new(),
        providers: BTreeMap::new(),
        clients: BTreeMap::new(),
        documents: BTreeMap::from([(slug.clone(), document)]),
        environments: BTreeMap::from([(environment, EnvironmentObject { variables })]),
        toolsets: BTreeMap::from([(slug, toolset)]),
    }
}

/// Takes the file's name, unless it says nothing or is reserved; then the title.
fn slug(path: &Path, title: &str) -> Slug {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let usable = |slug: &Slug| judge_slug(slug.as_str()).is_ok();
    let telling = |slug: &Slug| !GENERIC.contains(&slug.as_str());
    Slug::nearest(&stem)
        .filter(|slug| usable(slug) && telling(slug))
        .or_else(|| Slug::nearest(title).filter(usable))
        .unwrap_or_else(|| Slug::parse("tools").expect("a slug"))
}

fn values(reading: &mut Reading<'_>, specs: &[VariableSpec]) -> BTreeMap<String, VariableValue> {
    let mut values = BTreeMap::new();
    for spec in specs {
        let Some((name, value)) = value_of(spec, reading.process) else {
            continue;
        };
        if let Err(fault) = judge(value.expose(), spec) {
            reading.problems.push(Problem::new(
                format!("the value of the environment variable `{name}` {fault}"),
                "set it anew, or unset it",
            ));
            continue;
        }
        let value = if spec.purpose.directs() {
            VariableValue::Plain(value.expose().to_owned())
        } else {
            VariableValue::Secret(value.clone())
        };
        values.insert(name.to_owned(), value);
    }
    values
}

/// Returns the first name of a variable that is set; an empty value is none, except that either half of `basic` may be.
fn value_of<'a>(
    spec: &'a VariableSpec,
    process: &'a HashMap<String, Secret>,
) -> Option<(&'a str, &'a Secret)> {
    spec.names()
        .filter_map(|name| Some((name, process.get(name)?)))
        .find(|(_, value)| !value.expose().is_empty() || may_be_empty(spec.purpose))
}
