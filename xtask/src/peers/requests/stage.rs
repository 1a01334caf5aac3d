//! A gateway with all documents, and for each in turn a Prism and the two judgements.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use tempfile::TempDir;

use super::Subject;
use super::call::Call;
use crate::command;
use crate::node::Node;
use crate::peers::gateway::{self, Gateway};
use crate::program::{Program, free_port};
use crate::workspace::Workspace;

/// The variable that holds every secret of every document.
const SECRET: (&str, &str) = ("REQUESTS_SECRET", "a-secret");

/// What `judge.py` prints.
#[derive(Deserialize)]
struct Judged {
    call: usize,
    errors: Vec<String>,
    broken: Vec<Vec<String>>,
}

/// What is started once.
pub(super) struct Stage<'a> {
    node: &'a Node,
    python: &'a Path,
    scripts: PathBuf,
    program: PathBuf,
    gateway: Gateway,
    /// The port that the gateway takes for each document's API.
    ports: BTreeMap<&'static str, u16>,
    folder: TempDir,
}

impl<'a> Stage<'a> {
    /// Starts the gateway.
    pub(super) fn set(
        workspace: &Workspace,
        node: &'a Node,
        python: &'a Path,
        subjects: &[&Subject],
    ) -> Result<Self> {
        let mut ports = BTreeMap::new();
        for subject in subjects {
            ports.insert(subject.slug, free_port()?);
        }
        let binary = gateway::build(workspace)?;
        let folder = gateway::folder("requests")?;
        let mut configuration = documents(node, subjects, &ports);
        let variables = variables(&binary, folder.path(), &configuration)?;
        for subject in subjects {
            let port = ports.get(subject.slug).copied().unwrap_or_default();
            configuration += &environment(subject, port, &variables)?;
        }
        Ok(Self {
            node,
            python,
            scripts: workspace.root().join("tests/requests"),
            program: workspace.target().join("debug/portcullis-bench"),
            gateway: Gateway::start(workspace, &configuration, &[SECRET])?,
            ports,
            folder,
        })
    }

    /// Calls the tools of a document and has both judges look.
    pub(super) fn calls(&self, subject: &Subject, every: usize) -> Result<Vec<Call>> {
        let document = self.node.package_file(subject.file);
        let mut requests = self.requests(subject, &document)?;
        let (prism, judges, behind) = self.prism(subject, &document)?;
        requests.args(["--prism", &judges.to_string()]);
        requests.args(["--behind-prism", &behind.to_string()]);
        requests.args(["--every", &every.to_string()]);
        let printed = command::output(&mut requests)?;
        drop(prism);
        let written = self.folder.path().join(format!("{}.jsonl", subject.slug));
        fs::write(&written, &printed)?;
        let mut calls = read(&printed)?;
        self.judge(&document, &written, &mut calls)?;
        Ok(calls)
    }

    /// Makes the calls of a list; nobody judges them.
    pub(super) fn given(&self, subject: &Subject, list: &Path) -> Result<Vec<Call>> {
        let document = self.node.package_file(subject.file);
        let mut requests = self.requests(subject, &document)?;
        read(&command::output(requests.arg("--given").arg(list))?)
    }

    fn requests(&self, subject: &Subject, document: &Path) -> Result<Command> {
        let port = self.ports.get(subject.slug);
        let port = port.context("a document has no port")?;
        let mut requests = Command::new(&self.program);
        requests
            .arg("requests")
            .arg(document)
            .args(["--endpoint", &self.gateway.endpoint(subject.slug)])
            .args(["--port", &port.to_string()]);
        Ok(requests)
    }

    fn judge(&self, document: &Path, written: &Path, calls: &mut [Call]) -> Result<()> {
        let judged = command::output(
            Command::new(self.python.join("bin/python"))
                .arg(self.scripts.join("judge.py"))
                .args([document, written]),
        )?;
        for line in judged.lines() {
            let judged: Judged = serde_json::from_str(line)?;
            if let Some(call) = calls.get_mut(judged.call) {
                call.judged_by_openapi_core(judged.errors, judged.broken);
            }
        }
        Ok(())
    }

    /// Starts a Prism that judges what it passes on; returns its port, and the one behind.
    fn prism(&self, subject: &Subject, document: &Path) -> Result<(Program, u16, u16)> {
        let asked = self.folder.path().join(format!("{}.json", subject.slug));
        let mut write = self.node.run(&self.scripts.join("document.mjs"));
        command::run(write.arg(document).arg(&asked))?;
        let (port, behind) = (free_port()?, free_port()?);
        let mut prism = self.node.run(&self.node.package_file(".bin/prism"));
        prism
            .args(["proxy", "--port", &port.to_string()])
            .arg(asked)
            .arg(format!("http://127.0.0.1:{behind}"));
        let name = format!("prism-{}", subject.slug);
        let program = Program::start(&name, &mut prism, port, self.folder.path())?;
        Ok((program, port, behind))
    }
}

fn read(printed: &str) -> Result<Vec<Call>> {
    let calls = printed.lines().map(serde_json::from_str);
    let calls: Result<_, _> = calls.collect();
    calls.context("no call was printed")
}

fn documents(node: &Node, subjects: &[&Subject], ports: &BTreeMap<&str, u16>) -> String {
    let origins = ports
        .values()
        .map(|port| format!("\"http://127.0.0.1:{port}\""));
    let origins: Vec<String> = origins.collect();
    let mut text = format!("[upstream]\nallow = [{}]\n\n", origins.join(", "));
    for Subject { slug, file, .. } in subjects {
        let file = node.package_file(file);
        let _ = write!(
            text,
            "[documents.{slug}]\nfile = \"{}\"\n\n[toolsets.{slug}]\ndocuments = [\"{slug}\"]\nenvironment = \"{slug}\"\ninbound = [\"open\"]\n\n[toolsets.{slug}.select.{slug}]\ndeprecated = true\n\n",
            file.display()
        );
    }
    text
}

/// A variable of a document.
#[derive(Deserialize)]
struct Variable {
    names: Vec<String>,
    secret: bool,
}

#[derive(Deserialize)]
struct CheckedDocument {
    slug: String,
    variables: Vec<Variable>,
}

#[derive(Deserialize)]
struct Checked {
    documents: Vec<CheckedDocument>,
}

/// Asks the program which variables the documents have.
fn variables(binary: &Path, folder: &Path, configuration: &str) -> Result<Vec<CheckedDocument>> {
    let file = folder.join("check.toml");
    let slugs = configuration
        .lines()
        .filter_map(|line| line.strip_prefix("environment = "));
    let mut empty = String::new();
    for slug in slugs {
        let _ = writeln!(empty, "[environments.{}]", slug.trim_matches('"'));
    }
    fs::write(&file, format!("{configuration}{empty}"))?;
    let printed = Command::new(binary)
        .args(["check", "--format", "json"])
        .arg(&file)
        .output()?;
    // It fails where an operation is lost, and prints all the same.
    let checked: Checked = serde_json::from_slice(&printed.stdout).with_context(|| {
        format!(
            "`portcullis check` printed something else: {}{}",
            String::from_utf8_lossy(&printed.stdout),
            String::from_utf8_lossy(&printed.stderr)
        )
    })?;
    Ok(checked.documents)
}

/// Gives each credential of a document a value, and the server our port.
fn environment(subject: &Subject, port: u16, checked: &[CheckedDocument]) -> Result<String> {
    let document = checked.iter().find(|it| it.slug == subject.slug);
    let document = document.with_context(|| format!("{} was not checked", subject.slug))?;
    let mut text = format!("[environments.{}]\n", subject.slug);
    for variable in &document.variables {
        let Some(name) = variable.names.first() else {
            continue;
        };
        if asks_for_tokens(name, &document.variables) {
            continue;
        }
        let _ = if name.ends_with("_SERVER_URL") {
            writeln!(text, "{name} = \"http://127.0.0.1:{port}\"")
        } else if variable.secret {
            writeln!(text, "{name}_env = \"{}\"", SECRET.0)
        } else {
            writeln!(text, "{name} = \"somebody\"")
        };
    }
    text.push('\n');
    Ok(text)
}

/// Tells whether a variable is for asking a provider for tokens, in whose place one is given.
fn asks_for_tokens(name: &str, variables: &[Variable]) -> bool {
    const ENDS: [&str; 6] = [
        "_TOKEN_URL",
        "_CLIENT_ID",
        "_CLIENT_SECRET",
        "_PRIVATE_KEY",
        "_SCOPES",
        "_AUDIENCE",
    ];
    let of_provider = ENDS.iter().find_map(|end| name.strip_suffix(end));
    of_provider.is_some_and(|start| {
        let token_url = format!("{start}_TOKEN_URL");
        variables.iter().any(|it| it.names.contains(&token_url))
    })
}
