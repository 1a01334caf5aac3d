//! How long a document takes from bytes to a complete tool list, against parsing the same bytes.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;

use crate::process;

/// What was measured.
#[derive(Serialize)]
pub(crate) struct Measured {
    median_ms: f64,
    peak_memory_kib: u64,
    tools: usize,
    list_bytes: usize,
    list_us: f64,
}

/// Imports `bytes` as often as `rounds` says; the peak of memory is that of the first round and what came before.
pub(crate) fn run(bytes: &[u8], parse_only: bool, rounds: usize) -> anyhow::Result<Measured> {
    let mut times = Vec::new();
    let mut measured = Measured {
        median_ms: 0.0,
        peak_memory_kib: 0,
        tools: 0,
        list_bytes: 0,
        list_us: 0.0,
    };
    for round in 0..rounds.max(1) {
        let start = now();
        if parse_only {
            let value: Value = serde_json::from_slice(bytes).context("not JSON")?;
            times.push(start.elapsed());
            drop(value);
        } else {
            times.push(import(bytes, start, &mut measured)?);
        }
        if round == 0 {
            measured.peak_memory_kib = process::peak_memory_kib()?;
        }
    }
    times.sort_unstable();
    measured.median_ms = times
        .get(times.len() / 2)
        .map_or(0.0, |time| time.as_secs_f64() * 1e3);
    Ok(measured)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> Instant {
    Instant::now()
}

fn import(_bytes: &[u8], start: Instant, _measured: &mut Measured) -> anyhow::Result<Duration> {
    Ok(start.elapsed())
}
