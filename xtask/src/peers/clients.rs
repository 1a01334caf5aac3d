//! Every client lists and calls through the gateway, without a credential and with an API key.
//!
//! What each prints is described in `tests/clients/README.md`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::node::Node;
use crate::peers::gateway::{self, Gateway};
use crate::program::{Program, free_port};
use crate::workspace::Workspace;
use crate::{command, tools};

/// The key of the API behind; it must not be seen by anyone on the inbound leg.
const LIBRARY_KEY: &str = "key-of-the-library";

/// The revisions that the client that speaks all of them is pinned to, one after the other.
const REVISIONS: [&str; 5] = [
    "2024-11-05",
    "2025-03-26",
    "2025-06-18",
    "2025-11-25",
    "2026-07-28",
];

/// What a client prints.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    client: String,
    version: String,
    protocol_version: Option<String>,
    tools: Vec<String>,
    result: Value,
}

/// A client, and the revision it is pinned to if it can be.
struct Client {
    script: &'static str,
    revision: Option<&'static str>,
}

/// Runs every client against a toolset that is open and against one that wants an API key.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let node = Node::install(workspace)?;
    let python = tools::python_packages(workspace, "clients")?.join("bin/python");
    let scripts = workspace.root().join("tests/clients");

    let logs = gateway::folder("library")?;
    let library_port = free_port()?;
    let mut library = node.run(&scripts.join("library.mjs"));
    library
        .arg(library_port.to_string())
        .env("LIBRARY_KEY", LIBRARY_KEY);
    let _library = Program::start("library", &mut library, library_port, logs.path())?;

    let configuration = configuration(&scripts, library_port);
    let gateway = Gateway::start(workspace, &configuration, &[("LIBRARY_KEY", LIBRARY_KEY)])?;
    let api_key = gateway.api_key()?;

    let ways_in = [("open", None), ("keyed", Some(api_key.as_str()))];
    for client in clients() {
        let start = |script: PathBuf| match script.extension() {
            Some(extension) if extension == "py" => {
                let mut command = Command::new(&python);
                command.arg(script);
                command
            }
            _ => node.run(&script),
        };
        for (toolset, bearer) in ways_in {
            let command = start(scripts.join(client.script));
            let report = call(command, &client, &gateway.endpoint(toolset), bearer)
                .and_then(|report| judge(&report, &client).map(|()| report))
                .with_context(|| {
                    format!(
                        "{} on `{toolset}`; the gateway says:\n{}",
                        client.script,
                        gateway.log()
                    )
                })?;
            println!(
                "{} {} came in by `{toolset}`, {}",
                report.client,
                report.version,
                report
                    .protocol_version
                    .as_deref()
                    .unwrap_or("revision untold")
            );
        }
    }
    refused_without_key(&node, &scripts, &gateway)
}

fn clients() -> Vec<Client> {
    let untold = [
        "typescript_v1.mjs",
        "inspector.mjs",
        "python_mcp.py",
        "python_fastmcp.py",
        "typescript_v2.mjs",
    ]
    .map(|script| Client {
        script,
        revision: None,
    });
    let pinned = REVISIONS.map(|revision| Client {
        script: "typescript_v2.mjs",
        revision: Some(revision),
    });
    untold.into_iter().chain(pinned).collect()
}

fn configuration(scripts: &Path, library_port: u16) -> String {
    let document = scripts.join("library.yaml");
    format!(
        r#"
[upstream]
allow = ["http://127.0.0.1:{library_port}"]

[documents.library]
file = "{}"

[environments.tests]
LIBRARY_SERVER_URL = "http://127.0.0.1:{library_port}"
LIBRARY_LIBRARY_KEY_env = "LIBRARY_KEY"

[toolsets.open]
documents = ["library"]
environment = "tests"
inbound = ["open"]

[toolsets.keyed]
documents = ["library"]
environment = "tests"
inbound = ["api_key"]
"#,
        document.display()
    )
}

/// Asks for a call whose arguments need every care on their way.
fn call(
    mut program: Command,
    client: &Client,
    endpoint: &str,
    bearer: Option<&str>,
) -> Result<Report> {
    let arguments = json!({ "shelf": "a/b c", "tag": ["x&y", "z"], "limit": 3 });
    program
        .arg(endpoint)
        .arg("findBooks")
        .arg(arguments.to_string());
    if let Some(bearer) = bearer {
        program.env("PORTCULLIS_TEST_BEARER", bearer);
    }
    if let Some(revision) = client.revision {
        program.env("PORTCULLIS_TEST_REVISION", revision);
    }
    let printed = command::output(&mut program)?;
    let line = printed
        .lines()
        .last()
        .context("the client printed nothing")?;
    serde_json::from_str(line)
        .with_context(|| format!("the client printed something else than a report: {line}"))
}

fn judge(report: &Report, client: &Client) -> Result<()> {
    ensure!(
        report.tools == ["addBook", "findBooks"],
        "it lists {:?}",
        report.tools
    );
    if let (Some(revision), Some(spoken)) = (client.revision, &report.protocol_version) {
        ensure!(
            revision == spoken,
            "it was pinned to {revision} and speaks {spoken}"
        );
    }
    let result = &report.result;
    ensure!(
        result.get("isError") != Some(&Value::Bool(true)),
        "the call failed: {result}"
    );
    let text = result.pointer("/content/0/text").and_then(Value::as_str);
    let text = text.with_context(|| format!("the result has no text: {result}"))?;
    let answer: Value =
        serde_json::from_str(text).with_context(|| format!("the text is not JSON: {text}"))?;
    let target = "/shelves/a%2Fb%20c/books?tag=x%26y&tag=z&limit=3";
    ensure!(
        answer.get("target") == Some(&json!(target)),
        "the API was asked for {answer}"
    );
    // Revisions before 2025-06-18 know no structured content.
    if let Some(structured) = result.get("structuredContent") {
        ensure!(
            *structured == answer,
            "structured content and text differ: {result}"
        );
    }
    Ok(())
}

/// A client without a key does not come in where a key is wanted.
fn refused_without_key(node: &Node, scripts: &Path, gateway: &Gateway) -> Result<()> {
    let client = Client {
        script: "typescript_v1.mjs",
        revision: None,
    };
    let command = node.run(&scripts.join(client.script));
    match call(command, &client, &gateway.endpoint("keyed"), None) {
        Ok(_) => bail!("a client without a key came in by `keyed`"),
        Err(error) => {
            ensure!(
                format!("{error:#}").contains("401"),
                "refused, but not by a 401: {error:#}"
            );
            Ok(())
        }
    }
}
