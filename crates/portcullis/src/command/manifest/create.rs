//! `portcullis manifest create`: fetches a provider's metadata, and says what to write into the configuration.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use portcullis_base::{Digest, Slug};
use portcullis_server::compiled::KnownDocuments;
use portcullis_server::doctor::Examination;
use portcullis_server::manifest::discover::{Found, of_schemes, of_url};
use portcullis_server::manifest::examine::{Examinee, Trial, examine};
use portcullis_server::manifest::visit::Visitor;
use portcullis_server::manifest::{file, table};

use super::Surroundings;
use crate::cli::{MetadataSource, OutputFormat};
use crate::command::doctor;

/// Runs the command; what clients would miss is told and no failure.
pub(super) async fn run(
    surroundings: &Surroundings,
    source: &MetadataSource,
    name: Option<Slug>,
    output: Option<PathBuf>,
) -> anyhow::Result<ExitCode> {
    let visitor = surroundings.visitor()?;
    let found = find(&visitor, source).await?;
    let name = name.or_else(|| table::name(&found.manifest));
    let name = name.context("the issuer gives no name away; name the manifest by `--name`")?;
    let output = output.unwrap_or_else(|| PathBuf::from(format!("{name}-oauth.json")));
    let text = file::writable(&output, &found.manifest)?;
    file::create(&output, &text).with_context(|| {
        format!("{} cannot be made; name another file by `--output`, or compare an attached manifest by `portcullis manifest refresh`", output.display())
    })?;
    println!("{} holds what was found: {}", output.display(), found.place);
    println!("issuer {:?}", found.manifest.issuer());
    for remark in &found.remarks {
        println!("remark: {remark}");
    }
    println!("\nadd to the configuration file, or have it done by `portcullis manifest attach`:\n");
    print!(
        "{}",
        table::table(&name, &output.display().to_string(), &found.manifest)
    );
    println!();
    let examinee = Examinee {
        name: name.as_str(),
        manifest: &found.manifest,
        resource: None,
        republished: false,
        validation: None,
    };
    let part = examine(&visitor, &examinee, Trial::None).await;
    let examination = Examination { parts: vec![part] };
    doctor::tell(&examination, OutputFormat::Text)?;
    Ok(ExitCode::SUCCESS)
}

async fn find(visitor: &Visitor, source: &MetadataSource) -> anyhow::Result<Found> {
    if let Some(url) = &source.url {
        return Ok(of_url(visitor, url).await?);
    }
    let path = source.document.as_deref().unwrap_or(Path::new(""));
    let shown = path.display();
    let content = std::fs::read(path).with_context(|| format!("{shown} cannot be read"))?;
    let document = KnownDocuments::default().document(Digest::of(&content), &content);
    let document = document.with_context(|| format!("{shown} cannot be used"))?;
    Ok(of_schemes(visitor, &document.schemes).await?)
}
