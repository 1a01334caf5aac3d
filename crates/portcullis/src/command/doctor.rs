//! `portcullis doctor`: whether people can sign in, and what to mend where they cannot.

use std::collections::HashMap;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::sync::Arc;

use portcullis_base::Secret;
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::doctor::{Examination, Finding, Verdict};
use portcullis_server::document::load::{LoadError, Loader};

use super::check::problems;
use crate::cli::{Doctor, OutputFormat};
use crate::print::written;

/// Runs the command; fails where something is wrong, while what is doubtful is only told.
pub(crate) async fn run(
    arguments: &Doctor,
    process: HashMap<String, Secret>,
) -> anyhow::Result<ExitCode> {
    let loader = Loader {
        path: &arguments.file,
        overrides: arguments.overrides.overrides(),
        process,
    };
    let configuration = match loader.look().await {
        Ok(configuration) => configuration,
        Err(LoadError::Configuration(error)) if arguments.format == OutputFormat::Json => {
            written(writeln!(io::stdout(), "{:#}", problems(&error)))?;
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error.into()),
    };
    let toolset = arguments.toolset.as_ref();
    let clock = Arc::new(SystemClock);
    let examination = Examination::of(&configuration, toolset, clock, &SystemRng);
    let examination = Box::pin(examination).await?;
    tell(&examination, arguments.format)
}

/// Writes an examination, and fails where something is wrong.
pub(super) fn tell(examination: &Examination, format: OutputFormat) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    let outcome = match format {
        OutputFormat::Json => writeln!(out, "{}", serde_json::to_string_pretty(examination)?),
        OutputFormat::Text => print(&mut out, examination),
    };
    written(outcome.and_then(|()| out.flush()))?;
    if examination.count(Verdict::Wrong) > 0 {
        Ok(ExitCode::FAILURE)
    } else {
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes the findings for people.
fn print(out: &mut impl Write, examination: &Examination) -> io::Result<()> {
    for part in &examination.parts {
        writeln!(out, "{} {}", part.kind.as_str(), part.name)?;
        for finding in &part.findings {
            print_finding(out, finding)?;
        }
        writeln!(out)?;
    }
    let wrong = examination.count(Verdict::Wrong);
    let doubtful = examination.count(Verdict::Doubtful);
    match (wrong, doubtful) {
        (0, 0) => writeln!(out, "nothing is wrong"),
        (0, _) => writeln!(out, "nothing is wrong, and doubtful: {doubtful}"),
        (_, 0) => writeln!(out, "wrong: {wrong}"),
        _ => writeln!(out, "wrong: {wrong}, doubtful: {doubtful}"),
    }
}

pub(super) fn print_finding(out: &mut impl Write, finding: &Finding) -> io::Result<()> {
    let word = match finding.verdict {
        Verdict::Good => "ok",
        Verdict::Note => "note",
        Verdict::Doubtful => "doubt",
        Verdict::Wrong => "WRONG",
    };
    writeln!(out, "  {word:<6} {} [{}]", finding.message, finding.check)?;
    if let Some(remedy) = &finding.remedy {
        writeln!(out, "         mend: {remedy}")?;
    }
    Ok(())
}
