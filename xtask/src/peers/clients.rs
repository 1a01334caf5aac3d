//! Every client lists and calls through the gateway, without a credential and with an API key.
//!
//! Each has a folder in `tests/clients`, with its program and what pins its packages;
//! the README there describes what each prints.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

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

/// What runs a client.
#[derive(Clone, Copy)]
enum Engine {
    Node,
    Python,
    Cargo,
}

/// A client, in the folder of its name, and the revisions that it is pinned to beside the one it finds out.
struct Client {
    name: &'static str,
    engine: Engine,
    pinned: &'static [&'static str],
}

const CLIENTS: [Client; 6] = [
    Client {
        name: "typescript-v1",
        engine: Engine::Node,
        pinned: &[],
    },
    Client {
        name: "typescript-v2",
        engine: Engine::Node,
        pinned: &REVISIONS,
    },
    Client {
        name: "inspector",
        engine: Engine::Node,
        pinned: &[],
    },
    Client {
        name: "python-mcp",
        engine: Engine::Python,
        pinned: &[],
    },
    Client {
        name: "python-fastmcp",
        engine: Engine::Python,
        pinned: &[],
    },
    Client {
        name: "rmcp",
        engine: Engine::Cargo,
        pinned: &["2025-11-25", "2026-07-28"],
    },
];

/// Runs every client against a toolset that is open and against one that wants an API key.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let node = Node::install(workspace)?;
    let scripts = workspace.root().join("tests/clients");
    let programs = Programs {
        workspace,
        node: &node,
        scripts: &scripts,
    };
    for client in CLIENTS {
        programs.install(&client)?;
    }

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
    for client in CLIENTS {
        let revisions = client.pinned.iter().copied().map(Some);
        for revision in std::iter::once(None).chain(revisions) {
            for (toolset, bearer) in [("open", None), ("keyed", Some(api_key.as_str()))] {
                let program = programs.command(&client);
                let report = call(program, revision, &gateway.endpoint(toolset), bearer)
                    .and_then(|report| judge(&report, revision).map(|()| report))
                    .with_context(|| {
                        format!(
                            "`tests/clients/{}` on `{toolset}`; the gateway says:\n{}",
                            client.name,
                            gateway.log()
                        )
                    })?;
                println!(
                    "{} {} listed and called `{toolset}`, {}",
                    report.client,
                    report.version,
                    report
                        .protocol_version
                        .as_deref()
                        .unwrap_or("revision untold")
                );
            }
        }
        refused_without_key(&programs, &client, &gateway)?;
    }
    Ok(())
}

/// How the clients are installed and started.
struct Programs<'a> {
    workspace: &'a Workspace,
    node: &'a Node,
    scripts: &'a Path,
}

impl Programs<'_> {
    fn install(&self, client: &Client) -> Result<()> {
        let folder = self.scripts.join(client.name);
        let name = format!("client-{}", client.name);
        match client.engine {
            Engine::Node => {
                Node::install_beside(self.workspace, &folder, &name)?;
            }
            Engine::Python => {
                let requirements = folder.join("requirements.txt");
                tools::python_packages_of(self.workspace, &requirements, &name)?;
            }
            // Built with the workspace, and pinned by its lock file.
            Engine::Cargo => {}
        }
        Ok(())
    }

    fn command(&self, client: &Client) -> Command {
        let folder = self.scripts.join(client.name);
        let name = format!("client-{}", client.name);
        match client.engine {
            Engine::Node => self.node.run(&folder.join("client.mjs")),
            Engine::Python => {
                let environment = self.workspace.tools().join(name);
                let mut command = Command::new(environment.join("bin/python"));
                command
                    .arg(folder.join("client.py"))
                    .env("PYTHONPATH", self.scripts)
                    .env("PYTHONDONTWRITEBYTECODE", "1");
                command
            }
            Engine::Cargo => Command::new(self.workspace.target().join("debug").join(name)),
        }
    }
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
    revision: Option<&str>,
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
    if let Some(revision) = revision {
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

fn judge(report: &Report, revision: Option<&str>) -> Result<()> {
    ensure!(
        report.tools == ["addBook", "findBooks"],
        "it lists {:?}",
        report.tools
    );
    if let Some(revision) = revision {
        let spoken = report.protocol_version.as_deref();
        ensure!(
            spoken == Some(revision),
            "it was pinned to {revision} and speaks {spoken:?}"
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
///
/// Each has its own words for it, and some have none; so the gateway's log says that a 401 was the reason.
fn refused_without_key(programs: &Programs<'_>, client: &Client, gateway: &Gateway) -> Result<()> {
    let refused = || gateway.log().matches("answered 401").count();
    let before = refused();
    let endpoint = gateway.endpoint("keyed");
    let Err(error) = call(programs.command(client), None, &endpoint, None) else {
        bail!("{} came in by `keyed` without a key", client.name);
    };
    // Log lines are written in batches.
    let start = Instant::now();
    while refused() == before {
        ensure!(
            start.elapsed() < Duration::from_secs(5),
            "{} without a key failed, but not by a 401: {error:#}",
            client.name
        );
        thread::sleep(Duration::from_millis(20));
    }
    println!("{} was refused without a key", client.name);
    Ok(())
}
