//! Prints what documents become: `cargo run --release -p portcullis-openapi --example tools -- FILE…`.
//!
//! One line a document: tools, diagnostics, sizes, and the time against parsing the same bytes into a `serde_json::Value`.
//! With `--diagnostics` it prints those, with `--names` the tools' names, with `--vendors` what vendors of models would refuse, with `--json` each tool's name and schemas, one a line; with `--compile` it holds every schema against a validator.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program for people, which measures"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use portcullis_openapi::dialect::refusals;
use portcullis_openapi::{
    Bundle, Bundler, Diagnostic, Document, FileName, Limits, Severity, Tool, Tree,
};

fn main() {
    let mut files = Vec::new();
    let (mut diagnostics, mut names, mut compile, mut json) = (false, false, false, false);
    let mut vendors = false;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--diagnostics" => diagnostics = true,
            "--names" => names = true,
            "--compile" => compile = true,
            "--json" => json = true,
            "--vendors" => vendors = true,
            _ => files.push(argument),
        }
    }
    for file in files {
        let (tools, remarks) = match read(&file) {
            Ok(read) => read,
            Err(error) => {
                eprintln!("{file}: {error}");
                continue;
            }
        };
        if diagnostics {
            for remark in &remarks {
                println!("{remark}");
            }
        }
        if compile {
            for tool in &tools {
                try_compile(&file, tool);
            }
        }
        if names {
            for tool in &tools {
                println!("{}", tool.name);
            }
        }
        if vendors {
            print_refusals(&file, &tools);
        }
        if json {
            for tool in &tools {
                let line = serde_json::json!({"name": tool.name, "inputSchema": tool.input_schema(), "outputSchema": tool.output_schema.as_deref()});
                println!("{line}");
            }
        }
    }
}

/// Prints how many tools a vendor of models would refuse, and why.
fn print_refusals(file: &str, tools: &[Tool]) {
    let mut refused: BTreeMap<_, usize> = BTreeMap::new();
    for tool in tools {
        let schema = serde_json::from_str(tool.input_schema().get()).unwrap_or_default();
        for refusal in refusals(&schema) {
            *refused.entry(refusal).or_default() += 1;
        }
    }
    for ((vendor, why), count) in refused {
        println!("{file}: {vendor:?} refuses {count} tools: {why}");
    }
}

/// Compiles one file and prints its line.
fn read(file: &str) -> Result<(Vec<Tool>, Vec<Diagnostic>), Box<dyn std::error::Error>> {
    let bytes = std::fs::read(file)?;
    let started = Instant::now();
    let parsed = serde_json::from_slice::<serde_json::Value>(&bytes).is_ok();
    let floor = started.elapsed();
    let started = Instant::now();
    let bundle = bundled(Path::new(file), bytes)?;
    let bundling = started.elapsed();
    let document = Document::parse(&bundle.bytes, &Limits::default())?;
    let reading = started.elapsed();
    let (tools, of_tools) = document.tools();
    let whole = started.elapsed();
    let remarks: Vec<_> = bundle
        .diagnostics
        .iter()
        .chain(&document.diagnostics)
        .cloned()
        .chain(of_tools)
        .collect();
    let mut sizes: Vec<usize> = tools
        .iter()
        .map(|tool| tool.input_schema().get().len())
        .collect();
    sizes.sort_unstable();
    let at = |percent: usize| {
        sizes
            .get(sizes.len() * percent / 100)
            .or(sizes.last())
            .copied()
            .unwrap_or_default()
    };
    let outputs: usize = tools
        .iter()
        .filter_map(|tool| tool.output_schema.as_ref())
        .map(|schema| schema.get().len())
        .sum();
    let count = |severity| {
        remarks
            .iter()
            .filter(|remark| remark.severity == severity)
            .count()
    };
    println!(
        "{file}: {} tools, {} errors, {} warnings, {} notes; input schemas p50 {} p95 {} max {}, outputs {} KB; {} files; {} ms bundling, {} ms reading, {} ms in all{}",
        tools.len(),
        count(Severity::Error),
        count(Severity::Warning),
        count(Severity::Note),
        at(50),
        at(95),
        at(100),
        outputs / 1024,
        bundle.files.len(),
        bundling.as_millis(),
        reading.saturating_sub(bundling).as_millis(),
        whole.as_millis(),
        if parsed {
            format!(", {:.2}x of a bare parse", ratio(whole, floor))
        } else {
            String::new()
        },
    );
    black_box(&document);
    Ok((tools, remarks))
}

/// Follows the references to files in the folder of the document.
fn bundled(file: &Path, bytes: Vec<u8>) -> Result<Bundle, Box<dyn std::error::Error>> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let main = file.file_name().unwrap_or_default().to_string_lossy();
    let main = FileName::parse(&main)?;
    let mut bundler = Bundler::new(main, Tree::Folder, bytes, &Limits::default())?;
    loop {
        let wanted = bundler.wanted();
        if wanted.is_empty() {
            return Ok(bundler.finish()?);
        }
        for name in wanted {
            match std::fs::read(folder.join(name.as_str())) {
                Ok(bytes) => bundler.give(&name, &bytes)?,
                Err(error) => bundler.withhold(&name, error.to_string())?,
            }
        }
    }
}

fn ratio(whole: Duration, floor: Duration) -> f64 {
    whole.as_secs_f64() / floor.as_secs_f64()
}

/// Compiles a tool's schemas and prints what a validator says against them.
fn try_compile(file: &str, tool: &Tool) {
    let (shown, whole) = (tool.input_schema(), tool.whole_input_schema());
    let schemas = [Some(&*shown), Some(&*whole), tool.output_schema.as_deref()];
    for schema in schemas.into_iter().flatten() {
        let schema = serde_json::from_str(schema.get()).unwrap_or_default();
        let options =
            jsonschema::options().with_pattern_options(jsonschema::PatternOptions::regex());
        if let Err(error) = options
            .with_draft(jsonschema::Draft::Draft202012)
            .build(&schema)
        {
            println!("{file} {}: {error}", tool.pointer);
        }
    }
}
