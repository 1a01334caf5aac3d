//! `portcullis check`: what is wrong or missing, and the tools.

use std::collections::HashMap;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use portcullis_base::{Clock as _, Secret};
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::check::{CheckedClient, CheckedDocument, CheckedToolset, Report};
use portcullis_server::config::{ConfigurationError, Overrides};
use portcullis_server::document::load::Loader;
use serde_json::json;

use crate::cli::{Check, OutputFormat};
use crate::print::written;

/// The longest list of names on a line.
const MAX_NAMES: usize = 8;

/// Runs the command; fails where the configuration cannot be used or an operation was lost, while missing values are only told.
pub(crate) async fn run(
    arguments: &Check,
    process: HashMap<String, Secret>,
) -> anyhow::Result<ExitCode> {
    let overrides = Overrides {
        allow_upstream: arguments.allow_upstream.clone(),
        ..Overrides::default()
    };
    let loader = Loader {
        path: &arguments.file,
        overrides,
        process,
    };
    let configuration = match loader.load_fresh().await {
        Ok(configuration) => configuration,
        Err(error) if arguments.format == OutputFormat::Json => {
            written(writeln!(io::stdout(), "{:#}", problems(&error)))?;
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error.into()),
    };
    let report = Report::of(&configuration, SystemClock.now(), &SystemRng)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let outcome = match arguments.format {
        OutputFormat::Json => writeln!(out, "{}", serde_json::to_string_pretty(&report)?),
        OutputFormat::Text => print(&mut out, &report, arguments.places()),
    };
    written(outcome.and_then(|()| out.flush()))?;
    if report.has_lost_operations() {
        Ok(ExitCode::FAILURE)
    } else {
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes for programs what keeps a configuration from being used.
pub(super) fn problems(error: &ConfigurationError) -> serde_json::Value {
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

/// Writes the report for people.
fn print(out: &mut impl Write, report: &Report, max_places: usize) -> io::Result<()> {
    for document in &report.documents {
        print_document(out, document, report, max_places)?;
    }
    for toolset in &report.toolsets {
        print_toolset(out, toolset)?;
    }
    for client in &report.clients {
        print_client(out, client)?;
    }
    Ok(())
}

fn print_document(
    out: &mut impl Write,
    document: &CheckedDocument,
    report: &Report,
    max_places: usize,
) -> io::Result<()> {
    writeln!(
        out,
        "document {}: {} ({})",
        document.slug, document.title, document.source
    )?;
    writeln!(out, "\n  tools")?;
    let tools = report
        .tools
        .iter()
        .filter(|it| it.document == document.slug);
    for tool in tools {
        let about = tool.title.as_deref().unwrap_or(&tool.description);
        let about = about.lines().next().unwrap_or_default();
        writeln!(out, "    {:7} {:<40} {about}", tool.method, tool.name)?;
    }
    print_findings(out, document, max_places)?;
    writeln!(out, "\n  variables")?;
    for variable in &document.variables {
        let secret = if variable.secret { " (secret)" } else { "" };
        writeln!(out, "    {}{secret}", variable.names.join(" or "))?;
    }
    writeln!(out)
}

/// Writes each kind of finding once, with what to do about it and some of its places.
fn print_findings(
    out: &mut impl Write,
    document: &CheckedDocument,
    max_places: usize,
) -> io::Result<()> {
    if !document.findings.is_empty() {
        writeln!(out, "\n  findings")?;
    }
    for finding in &document.findings {
        let count = match finding.count {
            1 => String::new(),
            count => format!(", {count} times"),
        };
        writeln!(out, "    {} {}{count}", finding.severity, finding.code)?;
        writeln!(out, "      {}", finding.meaning)?;
        writeln!(out, "      {}", finding.remedy)?;
        let remarks = document.diagnostics.iter().filter(|it| finding.covers(it));
        for remark in remarks.take(max_places) {
            let place = match remark.pointer.as_str() {
                "" => "the document",
                pointer => pointer,
            };
            writeln!(out, "      at {place}: {}", remark.message)?;
        }
        let more = finding.count.saturating_sub(max_places);
        if more > 0 {
            writeln!(out, "      and {more} more, which `--all-findings` lists")?;
        }
    }
    Ok(())
}

fn print_toolset(out: &mut impl Write, toolset: &CheckedToolset) -> io::Result<()> {
    writeln!(out, "toolset {}: {}", toolset.slug, toolset.title)?;
    let tools = match toolset.tools.len() {
        1 => "1 tool".to_owned(),
        count => format!("{count} tools"),
    };
    writeln!(out, "  {tools} at {}", toolset.endpoint)?;
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
        writeln!(out, "  {}", missing.reason)?;
        writeln!(out, "    {}{more}", shown.join(", "))?;
    }
    for warning in &toolset.warnings {
        writeln!(out, "  warning: {warning}")?;
    }
    for note in &toolset.notes {
        writeln!(out, "  note: {note}")?;
    }
    writeln!(out)
}

fn print_client(out: &mut impl Write, client: &CheckedClient) -> io::Result<()> {
    writeln!(out, "client {}: {}", client.client_id, client.name)?;
    for uri in &client.redirect_uris {
        writeln!(out, "  {uri}")?;
    }
    writeln!(out)
}
