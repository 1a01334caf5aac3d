//! People sign in: real clients, real providers, a real browser, other sites in that browser, and the authorization mode of the conformance suite.
//!
//! Each client registers, opens a browser, and calls a tool with the token of whoever signed in there;
//! the answer must bear that person's name. `tests/sign-in` holds the providers and both browsers.

mod across;
mod stage;
mod toolset;

use std::fs;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::node::Node;
use crate::peers::programs::{self, Client, Programs, Report};
use crate::program::free_port;
use crate::workspace::Workspace;
use crate::{command, system};

use across::Across;
use stage::Stage;
use toolset::Toolset;

/// Somebody who has an account at every provider, and what all of them say the name is.
struct Person {
    account: &'static str,
    name: &'static str,
}

/// They take turns, so that nobody is taken for whoever came before.
const PEOPLE: [Person; 2] = [
    Person {
        account: "reader",
        name: "A Reader",
    },
    Person {
        account: "writer",
        name: "A Writer",
    },
];

const CLIENTS: [Client; 8] = [
    programs::TYPESCRIPT_V1,
    programs::TYPESCRIPT_V2,
    programs::INSPECTOR,
    programs::MCP_REMOTE,
    programs::PYTHON_MCP,
    programs::PYTHON_MCP_V1,
    programs::PYTHON_FASTMCP,
    programs::RMCP,
];

/// Every client that registers here, and every provider that we are registered at, at least once.
const PAIRS: [(Client, Toolset); 10] = [
    (programs::TYPESCRIPT_V1, Toolset::GitHub),
    (programs::TYPESCRIPT_V2, Toolset::Google),
    (programs::INSPECTOR, Toolset::Oidc),
    (programs::MCP_REMOTE, Toolset::Entra),
    (programs::PYTHON_MCP, Toolset::GitHub),
    (programs::PYTHON_MCP_V1, Toolset::Google),
    (programs::PYTHON_FASTMCP, Toolset::Oidc),
    (programs::RMCP, Toolset::Entra),
    (programs::TYPESCRIPT_V2, Toolset::Library),
    (programs::PYTHON_MCP, Toolset::Oidc),
];

/// Clients and providers that do not get along, with nothing of ours between them: see the README of `tests/sign-in`.
const UNFIT: [(&str, Toolset); 2] = [
    (programs::INSPECTOR.name, Toolset::Canaille),
    (programs::RMCP.name, Toolset::Canaille),
];

/// As many lines of a log as a failed sign-in needs to be understood.
const LAST_LINES: usize = 30;

/// How the step is run.
pub(crate) struct Options<'a> {
    /// Whether what is missing may be installed from the operating system's packages.
    pub(crate) install: bool,
    /// Where photographs of the pages go, if anywhere.
    pub(crate) photographs: Option<&'a Path>,
}

/// Has people sign in by every client, at every provider, and in a real browser.
pub(crate) fn run(workspace: &Workspace, options: &Options<'_>) -> Result<()> {
    system::require(&[system::CHROMIUM, system::OPENSSL], options.install)?;
    let chromium = command::find("chromium").context("Chromium is not in PATH")?;
    let signed_in = SignedIn::start(workspace)?;
    let across = Across::start(workspace, &signed_in.node, signed_in.stage.library())?;
    // The other sites have a gateway of their own, so that nobody has to wait for them.
    thread::scope(|scope| {
        let others = scope.spawn(|| signed_in.across(&across, &chromium));
        let people = signed_in.people(&chromium, options.photographs);
        let others = others.join().unwrap_or_else(|panic| resume_unwind(panic));
        people.and(others)
    })
}

/// Has people sign in by every client for every toolset, but for pairs that do not get along.
pub(crate) fn matrix(workspace: &Workspace) -> Result<()> {
    SignedIn::start(workspace)?.pairs(all_for(&Toolset::ALL))
}

/// Returns every client with each of the toolsets, but for pairs that do not get along.
fn all_for(toolsets: &[Toolset]) -> impl Iterator<Item = (Client, Toolset)> + '_ {
    let pairs = CLIENTS
        .into_iter()
        .flat_map(move |client| toolsets.iter().map(move |toolset| (client, *toolset)));
    pairs.filter(|(client, toolset)| !UNFIT.contains(&(client.name, *toolset)))
}

/// What every part of the step works with.
struct SignedIn<'a> {
    workspace: &'a Workspace,
    node: Node,
    stage: Stage,
}

impl<'a> SignedIn<'a> {
    fn start(workspace: &'a Workspace) -> Result<Self> {
        let node = Node::install(workspace)?;
        let programs = Programs::new(workspace, &node);
        for client in CLIENTS {
            programs.install(client)?;
        }
        let stage = Stage::start(workspace, &node)?;
        Ok(Self {
            workspace,
            node,
            stage,
        })
    }

    fn people(&self, chromium: &Path, photographs: Option<&Path>) -> Result<()> {
        self.pairs(PAIRS.into_iter().chain(all_for(&Toolset::REGISTERING)))?;
        self.refused()?;
        self.conformance()?;
        self.pages(chromium, photographs)
    }

    fn pairs(&self, pairs: impl IntoIterator<Item = (Client, Toolset)>) -> Result<()> {
        for ((client, toolset), person) in pairs.into_iter().zip(PEOPLE.iter().cycle()) {
            let start = Instant::now();
            let report = self.sign_in(client, toolset, person)?;
            println!(
                "{:>5.1} s  {} {} for `{}`, {}",
                start.elapsed().as_secs_f64(),
                report.client,
                report.version,
                toolset.slug(),
                report.revision()
            );
        }
        Ok(())
    }

    fn sign_in(&self, client: Client, toolset: Toolset, person: &Person) -> Result<Report> {
        let folder = self
            .stage
            .folder()
            .join(format!("{}-{}", client.name, toolset.slug()));
        fs::create_dir_all(&folder)?;
        let browser = folder.join("browser.log");
        let mut program = Programs::new(self.workspace, &self.node).command(client);
        stage::with_stand_in(&mut program, self.workspace, &self.node, &folder)?;
        program
            .env("PORTCULLIS_TEST_SIGN_IN", "1")
            .env("PORTCULLIS_TEST_ACCOUNT", person.account)
            .env("PORTCULLIS_TEST_BROWSER_LOG", &browser);
        if toolset.needs_public_clients() {
            program.env("PORTCULLIS_TEST_PUBLIC", "1");
        }
        let (tool, arguments) = toolset.call();
        programs::call(program, &self.stage.endpoint(toolset), tool, &arguments)
            .and_then(|report| toolset.judge(&report, person).map(|()| report))
            .with_context(|| {
                format!(
                    "`tests/clients/{}` for `{}`; the browser says:\n{}\nthe gateway says:\n{}",
                    client.name,
                    toolset.slug(),
                    fs::read_to_string(&browser).unwrap_or_else(|_| "it was not opened".to_owned()),
                    end_of(&self.stage.log())
                )
            })
    }

    /// Tokens that a provider issued for somebody else.
    fn refused(&self) -> Result<()> {
        let mut program = self.script("outside/refused.mjs");
        program.arg(self.stage.endpoint(Toolset::Canaille));
        for (toolset, api, upstream) in self.stage.with_audiences() {
            program.args([
                toolset.slug(),
                &self.stage.endpoint(toolset),
                &api,
                upstream,
            ]);
        }
        told(command::run(&mut program), &self.stage.log())
    }

    /// The suite takes a client that is registered already, and prints the URL to open.
    fn conformance(&self) -> Result<()> {
        let suite = self
            .node
            .package_file("@modelcontextprotocol/conformance/dist/index.js");
        let mut program = self.script("conformance.mjs");
        program
            .arg(suite)
            .args([self.stage.origin(), &self.stage.endpoint(Toolset::Oidc)])
            .arg(free_port()?.to_string());
        told(command::run(&mut program), &self.stage.log())
    }

    fn pages(&self, chromium: &Path, photographs: Option<&Path>) -> Result<()> {
        let mut program = self.script("pages.mjs");
        program
            .arg(chromium)
            .arg(self.stage.origin())
            .args(photographs);
        told(command::run(&mut program), &self.stage.log())
    }

    /// What other sites may do, where each has a name of its own.
    fn across(&self, across: &Across, chromium: &Path) -> Result<()> {
        let mut program = self.script("across.mjs");
        program.arg(chromium);
        across.tell(&mut program);
        told(command::run(&mut program), &across.log())
    }

    fn script(&self, name: &str) -> std::process::Command {
        let scripts = self.workspace.root().join("tests/sign-in");
        let mut program = self.node.run(&scripts.join(name));
        program.env("TMPDIR", self.stage.folder());
        program
    }
}

fn told(outcome: Result<()>, log: &str) -> Result<()> {
    outcome.with_context(|| format!("the gateway says:\n{}", end_of(log)))
}

/// The last lines of a log.
fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let begin = lines.len().saturating_sub(LAST_LINES);
    lines.get(begin..).unwrap_or_default().join("\n")
}
