//! What one document becomes, in numbers: its tools, its findings, the time, the memory, and whether others could use the schemas.
//!
//! One document a process, so that the peak of memory is that document's own, and one that ends the process ends no other's.
//! How many operations it has is counted elsewhere, without the importer.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use portcullis_openapi::dialect::{self, Vendor};
use portcullis_openapi::{Limits, Tool};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::{documents, process};

/// How many complaints about a document are written out.
const MAX_FAULTS: usize = 5;
/// The longest name of a tool.
const MAX_NAME: usize = 64;

/// What became of a document.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It could not be read at all; the text says why.
    Refused(String),
    /// It was read.
    Imported(Box<Imported>),
}

/// The numbers of a document that was read.
#[derive(Serialize)]
pub(crate) struct Imported {
    /// Where each tool's operation stands.
    pointers: Vec<String>,
    /// How often each code was found.
    findings: BTreeMap<String, usize>,
    /// From the bytes to the tools.
    milliseconds: u128,
    /// What the import held at most, beyond the process itself.
    peak_memory_kib: u64,
    /// Bytes of all input schemas.
    schema_bytes: usize,
    /// Bytes of the largest.
    largest_schema_bytes: usize,
    /// What is wrong with the tools, and of how many.
    faults: Vec<String>,
    faulty: usize,
}

/// Imports a document and judges its tools.
pub(crate) fn run(file: &Path) -> anyhow::Result<Outcome> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    let before = process::peak_memory_kib()?;
    let start = now();
    // Every finding counts here, and an operator would see the first thousand.
    let limits = Limits {
        max_diagnostics: usize::MAX,
        ..Limits::default()
    };
    let read = match documents::read(file, bytes, &limits) {
        Ok(read) => read,
        Err(cause) => return Ok(Outcome::Refused(cause)),
    };
    let (tools, of_tools) = read.document.tools();
    let milliseconds = start.elapsed().as_millis();
    let peak_memory_kib = process::peak_memory_kib()?.saturating_sub(before);
    let mut findings = BTreeMap::new();
    let of_document = read.findings.iter().chain(&read.document.diagnostics);
    for finding in of_document.chain(&of_tools) {
        *findings.entry(finding.code.to_owned()).or_default() += 1;
    }
    let sizes = tools.iter().map(|tool| tool.input_schema().get().len());
    let (complaints, faulty) = judge(&tools);
    Ok(Outcome::Imported(Box::new(Imported {
        findings,
        milliseconds,
        peak_memory_kib,
        schema_bytes: sizes.clone().sum(),
        largest_schema_bytes: sizes.max().unwrap_or_default(),
        pointers: tools.into_iter().map(|tool| tool.pointer).collect(),
        faults: complaints,
        faulty,
    })))
}

#[expect(clippy::disallowed_methods, reason = "a measurement of real time")]
fn now() -> Instant {
    Instant::now()
}

/// Says what a client would stumble over: names, and schemas that do not compile.
fn judge(tools: &[Tool]) -> (Vec<String>, usize) {
    let mut names = HashSet::new();
    let complaints = tools.iter().filter_map(|tool| {
        let complaint = if !names.insert(&tool.name) {
            Some("another tool has its name".to_owned())
        } else if !is_legal(&tool.name) {
            Some("its name is no tool's".to_owned())
        } else {
            let (shown, whole) = (tool.input_schema(), tool.whole_input_schema());
            [Some(&*shown), Some(&*whole), tool.output_schema.as_deref()]
                .into_iter()
                .flatten()
                .find_map(uncompilable)
                .or_else(|| refused(&shown))
        };
        complaint.map(|complaint| format!("{} ({}): {complaint}", tool.name, tool.pointer))
    });
    let mut complaints: Vec<String> = complaints.collect();
    let faulty = complaints.len();
    complaints.truncate(MAX_FAULTS);
    (complaints, faulty)
}

fn is_legal(name: &str) -> bool {
    let is_allowed = |it: u8| it.is_ascii_alphanumeric() || it == b'_' || it == b'-';
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_allowed)
}

/// Says which vendor refuses what models are shown, and why; for Gemini clients rewrite it.
fn refused(shown: &RawValue) -> Option<String> {
    let shown: Value = serde_json::from_str(shown.get()).unwrap_or_default();
    let mut refusals = dialect::refusals(&shown).into_iter();
    let (vendor, why) = refusals.find(|(vendor, _)| *vendor != Vendor::Gemini)?;
    Some(format!("{vendor:?} refuses it: {why}"))
}

/// Compiles a schema as JSON Schema 2020-12, patterns in linear time; what comes back is why it does not.
fn uncompilable(schema: &RawValue) -> Option<String> {
    let schema: Value = match serde_json::from_str(schema.get()) {
        Ok(schema) => schema,
        Err(error) => return Some(error.to_string()),
    };
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .with_pattern_options(jsonschema::PatternOptions::regex())
        .build(&schema)
        .err()
        .map(|error| error.to_string())
}
