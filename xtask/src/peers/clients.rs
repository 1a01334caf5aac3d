//! Every client lists and calls through the gateway, without a credential and with an API key.
//!
//! Each has a folder in `tests/clients`, with its program and what pins its packages;
//! the README there describes what each prints.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, json};

use crate::node::Node;
use crate::peers::gateway::{self, Gateway};
use crate::peers::programs::{self, Client, Programs, Report};
use crate::program::{Program, free_port};
use crate::workspace::Workspace;

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

/// The toolset that lists three tools, by which the others are found and called.
const SEARCHED: &str = "searched";

/// A client, and the revisions that it is pinned to beside the one it finds out.
struct Case {
    client: Client,
    pinned: &'static [&'static str],
}

const CASES: [Case; 8] = [
    finds_out(programs::TYPESCRIPT_V1),
    Case {
        client: programs::TYPESCRIPT_V2,
        pinned: &REVISIONS,
    },
    finds_out(programs::INSPECTOR),
    finds_out(programs::MCP_REMOTE),
    finds_out(programs::PYTHON_MCP),
    finds_out(programs::PYTHON_MCP_V1),
    finds_out(programs::PYTHON_FASTMCP),
    Case {
        client: programs::RMCP,
        pinned: &["2025-11-25", "2026-07-28"],
    },
];

const fn finds_out(client: Client) -> Case {
    Case {
        client,
        pinned: &[],
    }
}

/// Runs every client against a toolset that is open, one that wants an API key, and one whose tools are searched for.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let node = Node::install(workspace)?;
    let programs = Programs::new(workspace, &node);
    for case in CASES {
        programs.install(case.client)?;
    }

    let logs = gateway::folder("library")?;
    let library_port = free_port()?;
    let mut library = node.run(&programs.folder().join("library.mjs"));
    library
        .arg(library_port.to_string())
        .env("LIBRARY_KEY", LIBRARY_KEY);
    let _library = Program::start("library", &mut library, library_port, logs.path())?;

    let configuration = configuration(programs.folder(), library_port);
    let gateway = Gateway::start(workspace, &configuration, &[("LIBRARY_KEY", LIBRARY_KEY)])?;
    let api_key = gateway.api_key()?;
    for Case { client, pinned } in CASES {
        for revision in std::iter::once(None).chain(pinned.iter().copied().map(Some)) {
            let mut toolsets = vec![("open", None), ("keyed", Some(api_key.as_str()))];
            if revision.is_none() {
                toolsets.push((SEARCHED, None));
            }
            for (toolset, bearer) in toolsets {
                let endpoint = gateway.endpoint(toolset);
                let report = call(&programs, client, revision, (&endpoint, bearer))
                    .and_then(|report| judge(&report, toolset, revision).map(|()| report))
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
                    report.revision()
                );
            }
        }
        refused_without_key(&programs, client, &gateway)?;
    }
    Ok(())
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

[toolsets.{SEARCHED}]
documents = ["library"]
environment = "tests"
inbound = ["open"]
dynamic = true
"#,
        document.display()
    )
}

/// Asks for a call whose arguments need every care on their way.
fn call(
    programs: &Programs<'_>,
    client: Client,
    revision: Option<&str>,
    (endpoint, bearer): (&str, Option<&str>),
) -> Result<Report> {
    let mut program = programs.command(client);
    if let Some(bearer) = bearer {
        program.env("PORTCULLIS_TEST_BEARER", bearer);
    }
    if let Some(revision) = revision {
        program.env("PORTCULLIS_TEST_REVISION", revision);
    }
    let arguments = Map::from_iter([
        ("shelf".to_owned(), json!("a/b c")),
        ("tag".to_owned(), json!(["x&y", "z"])),
        ("limit".to_owned(), json!(3)),
    ]);
    if !endpoint.contains(SEARCHED) {
        return programs::call(program, endpoint, "findBooks", &arguments);
    }
    let inner = Map::from_iter([
        ("name".to_owned(), json!("findBooks")),
        ("arguments".to_owned(), arguments.into()),
    ]);
    programs::call(program, endpoint, "call_tool", &inner)
}

fn judge(report: &Report, toolset: &str, revision: Option<&str>) -> Result<()> {
    let listed: &[&str] = match toolset {
        SEARCHED => &["call_tool", "describe_tools", "search_tools"],
        _ => &["addBook", "findBooks"],
    };
    ensure!(report.tools == listed, "it lists {:?}", report.tools);
    if let Some(revision) = revision {
        let spoken = report.protocol_version.as_deref();
        ensure!(
            spoken == Some(revision),
            "it was pinned to {revision} and speaks {spoken:?}"
        );
    }
    let answer = report.answer()?;
    let target = "/shelves/a%2Fb%20c/books?tag=x%26y&tag=z&limit=3";
    ensure!(
        answer.get("target") == Some(&json!(target)),
        "the API was asked for {answer}"
    );
    Ok(())
}

/// A client without a key does not come in where a key is wanted.
///
/// Each has its own words for it, and some have none; so the gateway's log says that a 401 was the reason.
fn refused_without_key(programs: &Programs<'_>, client: Client, gateway: &Gateway) -> Result<()> {
    let refused = || gateway.log().matches("answered 401").count();
    let before = refused();
    let endpoint = gateway.endpoint("keyed");
    let Err(error) = call(programs, client, None, (&endpoint, None)) else {
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
