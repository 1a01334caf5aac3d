//! `portcullis check`: what is wrong or missing, and the tools.

use std::collections::HashMap;
use std::process::ExitCode;

use portcullis_base::{Clock as _, Secret};
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::check::{CheckedDocument, CheckedToolset, Report};
use portcullis_server::config::{Configuration, ConfigurationError, Overrides};
use serde_json::json;

use crate::cli::{Check, OutputFormat};

/// The longest list of names on a line.
const MAX_NAMES: usize = 8;

/// Runs the command; fails where the configuration cannot be used or an operation was lost, while missing values are only told.
pub(crate) fn run(arguments: &Check, process: HashMap<String, Secret>) -> anyhow::Result<ExitCode> {
    let overrides = Overrides::default();
    let configuration = match Configuration::load(&arguments.file, overrides, process) {
        Ok(configuration) => configuration,
        Err(error) if arguments.format == OutputFormat::Json => {
            println!("{:#}", problems(&error));
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error.into()),
    };
    let report = Report::of(&configuration, SystemClock.now(), &SystemRng)?;
    match arguments.format {
        OutputFormat::Json => println!("{}", serde_json::to_string_pretty(&report)?),
        OutputFormat::Text => print(&report),
    }
    if report.has_lost_operations() {
        Ok(ExitCode::FAILURE)
    } else {
        Ok(ExitCode::SUCCESS)
    }
}

fn problems(error: &ConfigurationError) -> serde_json::Value {
    let problems: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| {
            let span = problem.span();
            json!({
                "message": problem.to_string(),
                "advice": problem.advice(),
                "start": span.as_ref().map(|span| span.start),
                "end": span.as_ref().map(|span| span.end),
            })
        })
        .collect();
    json!({ "problems": problems })
}

fn print(report: &Report) {
    for document in &report.documents {
        print_document(document, report);
    }
    for toolset in &report.toolsets {
        print_toolset(toolset);
    }
}

fn print_document(document: &CheckedDocument, report: &Report) {
    println!(
        "document {}: {} ({})",
        document.slug, document.title, document.source
    );
    println!("\n  tools");
    let tools = report
        .tools
        .iter()
        .filter(|it| it.document == document.slug);
    for tool in tools {
        let about = tool.title.as_deref().unwrap_or(&tool.description);
        let about = about.lines().next().unwrap_or_default();
        println!("    {:7} {:<40} {about}", tool.method, tool.name);
    }
    if !document.diagnostics.is_empty() {
        println!("\n  remarks");
    }
    for remark in &document.diagnostics {
        let place = if remark.pointer.is_empty() {
            "the document"
        } else {
            &remark.pointer
        };
        println!(
            "    {}: {} [{}]",
            remark.severity, remark.message, remark.code
        );
        println!("      at {place}");
    }
    println!("\n  variables");
    for variable in &document.variables {
        let secret = if variable.secret { " (secret)" } else { "" };
        println!("    {}{secret}", variable.names.join(" or "));
    }
    println!();
}

fn print_toolset(toolset: &CheckedToolset) {
    println!("toolset {}: {}", toolset.slug, toolset.title);
    let tools = match toolset.tools.len() {
        1 => "1 tool".to_owned(),
        count => format!("{count} tools"),
    };
    println!("  {tools} at {}", toolset.endpoint);
    for missing in &toolset.missing {
        let shown: Vec<&str> = missing
            .tools
            .iter()
            .take(MAX_NAMES)
            .map(String::as_str)
            .collect();
        let more = missing.tools.len().saturating_sub(MAX_NAMES);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        println!("  {}", missing.reason);
        println!("    {}{more}", shown.join(", "));
    }
    println!();
}
