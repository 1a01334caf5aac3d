//! What clients would meet at the provider of a manifest: the findings of the pure check, and those that need asking.

use portcullis_base::{Rng, SafeUrl};
use portcullis_oauth::manifest::Manifest;
use portcullis_oauth::manifest::check::{self, CheckInput, DocumentKind, Severity};
use portcullis_oauth::manifest::difference::difference;
use portcullis_oauth::manifest::republish::Republication;
use portcullis_oauth::resource::Resource;
use portcullis_store::TokenValidation;

use super::discover::{Found, of_issuer};
use super::trial::Tried;
use super::visit::Visitor;
use super::{reach, trial};
use crate::doctor::finding::{Finding, Part, PartKind};

/// The check of what the issuer serves.
const SERVED: &str = "served";

/// What is examined.
#[derive(Clone, Copy, Debug)]
pub struct Examinee<'a> {
    /// What the report calls it.
    pub name: &'a str,
    /// The manifest.
    pub manifest: &'a Manifest,
    /// What clients will send as `resource`, where it is known.
    pub resource: Option<&'a Resource>,
    /// Whether it is served again under `resource`.
    pub republished: bool,
    /// How tokens are judged, where it is known.
    pub validation: Option<TokenValidation>,
}

/// Whether a client may be registered at the provider, for trying out.
#[derive(Clone, Copy)]
pub enum Trial<'a> {
    /// Nothing is changed there.
    None,
    /// One is registered, and deleted again where the provider lets it; codes come from the generator.
    Register(&'a dyn Rng),
}

/// Examines a manifest.
pub async fn examine(visitor: &Visitor, examinee: &Examinee<'_>, trial: Trial<'_>) -> Part {
    let mut part = Part::new(PartKind::Manifest, examinee.name);
    let tried = match trial {
        Trial::None => Tried::default(),
        Trial::Register(rng) => {
            let manifest = examinee.manifest;
            trial::try_resource(visitor, manifest, examinee.resource, rng, &mut part).await
        }
    };
    let served = if examinee.republished {
        None
    } else {
        judge_served(visitor, examinee.manifest, &mut part).await
    };
    let kind = served.as_ref().map_or(DocumentKind::OAuth, |it| it.kind);
    judge_document(examinee, kind, tried, &mut part);
    let place = served.map(|it| it.place);
    reach::judge(visitor, examinee, place.as_deref(), &mut part).await;
    part
}

/// Examines what stands in a manifest, without asking anybody.
#[must_use]
pub fn read(examinee: &Examinee<'_>) -> Part {
    let mut part = Part::new(PartKind::Manifest, examinee.name);
    let kind = DocumentKind::OAuth;
    judge_document(examinee, kind, Tried::default(), &mut part);
    part
}

/// Judges what stands in the manifest, as clients will read it.
fn judge_document(examinee: &Examinee<'_>, kind: DocumentKind, tried: Tried, part: &mut Part) {
    let Some(served) = as_served(examinee, tried, part) else {
        return;
    };
    let input = CheckInput {
        announced_issuer: served.issuer(),
        kind,
        our_resource: examinee.resource,
        resource_verdict: tried.resource,
        takes_loopback: is_at_home(examinee.manifest),
    };
    let findings = check::findings(&served, &input);
    if findings.is_empty() {
        let message = "clients have everything that they ask of a manifest";
        part.add(Finding::good("document", message));
    }
    for finding in findings {
        part.add(of_check(finding));
    }
}

/// Returns the manifest as clients get it; where they can get none, says why.
fn as_served(examinee: &Examinee<'_>, tried: Tried, part: &mut Part) -> Option<Manifest> {
    let own = examinee.manifest;
    let Some(issuer) = examinee.resource.filter(|_| examinee.republished) else {
        return Some(own.clone());
    };
    let republication = Republication {
        manifest: own,
        issuer: issuer.as_str(),
        iss_was_seen: tried.iss_was_seen,
    };
    match republication.served() {
        Ok(served) => Some(served),
        Err(error) => {
            part.add(Finding::wrong(
                "republish",
                format!("it cannot be served again: {error}"),
                "leave `republish` out, or use the mode `oauth`",
            ));
            None
        }
    }
}

/// Judges whether the issuer serves what the manifest says, and returns what it serves.
async fn judge_served(visitor: &Visitor, manifest: &Manifest, part: &mut Part) -> Option<Found> {
    match of_issuer(visitor, manifest.issuer()).await {
        Ok(found) => {
            for finding in differences(manifest, &found) {
                part.add(finding);
            }
            Some(found)
        }
        Err(error) => {
            part.add(Finding::wrong(
                SERVED,
                format!("clients would find nothing at the issuer: {error}"),
                "serve the manifest again under the toolset's own URL, by `republish = true`",
            ));
            None
        }
    }
}

fn differences(manifest: &Manifest, found: &Found) -> Vec<Finding> {
    let changes = difference(manifest, &found.manifest);
    let names = |is_grave: bool| {
        let names = changes.iter().filter(|it| it.is_grave == is_grave);
        let names: Vec<String> = names.map(|it| format!("{:?}", it.member)).collect();
        names.join(", ")
    };
    let (grave, slight) = (names(true), names(false));
    let mut findings = Vec::new();
    if !grave.is_empty() {
        findings.push(Finding::doubtful(
            SERVED,
            format!("the provider now serves something else at {}: {grave}", found.place),
            "look at what changed, by `portcullis manifest refresh`; clients follow what is served, and tokens are judged by the file",
        ));
    } else if slight.is_empty() {
        let message = format!("the provider serves it at {}", found.place);
        findings.push(Finding::good(SERVED, message));
    }
    if !slight.is_empty() {
        let message = format!("the provider changed what hardly matters: {slight}");
        findings.push(Finding::note(SERVED, message));
    }
    findings
}

/// Tells whether the provider is on this machine, where plain http does.
fn is_at_home(manifest: &Manifest) -> bool {
    let issuer = SafeUrl::parse(manifest.issuer());
    issuer.is_ok_and(|issuer| issuer.origin().is_loopback())
}

fn of_check(finding: check::Finding) -> Finding {
    let check::Finding {
        severity,
        code,
        text,
        remedy,
        who_refuses,
    } = finding;
    let message = match who_refuses {
        Some(who) => format!("{text}; {who}"),
        None => text,
    };
    match severity {
        Severity::Note => Finding::note(code, format!("{message} ({remedy})")),
        Severity::Warning => Finding::doubtful(code, message, remedy),
        Severity::Error => Finding::wrong(code, message, remedy),
    }
}
