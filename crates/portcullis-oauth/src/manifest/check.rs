//! What MCP clients would make of a manifest: what keeps them from signing in, what hinders them, and what to do about it.
//!
//! Only what stands in the document, and what was found out beside it, is judged; whether endpoints answer, and scripts may call them, is for whoever fetches.
//! A client is named only where its behaviour is known, be it from the specification that it follows or from what its makers and users report.
//!
//! To add a finding, add a rule to one of the lists in the submodules.

use std::fmt;

use portcullis_base::SafeUrl;

use super::Manifest;
use crate::resource::Resource;

mod abilities;
mod addresses;
mod validation;

/// What the check knows beside the manifest.
#[derive(Clone, Copy, Debug)]
pub struct CheckInput<'a> {
    /// The issuer that clients will be told; where a manifest is served again, that of the one which is served is checked.
    pub announced_issuer: &'a str,
    /// Which kind of document the manifest was.
    pub kind: DocumentKind,
    /// What clients will send as `resource`: the URL of our endpoint, where it is known.
    pub our_resource: Option<&'a Resource>,
    /// What the provider makes of it.
    pub resource_verdict: ResourceVerdict,
    /// Whether plain `http` is taken where the host is a loopback address, as in trying out.
    pub takes_loopback: bool,
}

/// Where metadata was found, which decides what clients ask of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// At the place of RFC 8414, or in a file.
    OAuth,
    /// At the place of OpenID Connect only.
    OpenId,
}

/// What a provider makes of our URL as `resource` (RFC 8707).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResourceVerdict {
    /// Nobody tried.
    #[default]
    Untried,
    /// Its tokens name our URL as their audience.
    Accepted,
    /// It issues tokens all the same, with an audience of its own.
    Ignored,
    /// It answers `invalid_target`, or with another error.
    Refused,
}

/// How much a finding costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It is good to know.
    Note,
    /// It keeps some clients or some people from signing in, or makes them sign in more often.
    Warning,
    /// It keeps clients from signing in, or from doing so safely.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A remark about a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it costs.
    pub severity: Severity,
    /// A stable word for programs, such as `pkce-absent`.
    pub code: &'static str,
    /// What was found, for people.
    pub text: String,
    /// What to do about it.
    pub remedy: &'static str,
    /// Which clients it is known to stop or to hinder, and how.
    pub who_refuses: Option<&'static str>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            severity,
            code,
            text,
            remedy,
            who_refuses,
        } = self;
        write!(f, "{severity}[{code}] {text}")?;
        if let Some(who) = who_refuses {
            write!(f, "; {who}")?;
        }
        write!(f, ": {remedy}")
    }
}

/// Returns everything that is worth saying about a manifest, by its members and not by severity.
#[must_use]
pub fn findings(manifest: &Manifest, input: &CheckInput<'_>) -> Vec<Finding> {
    let mut findings = addresses::findings(manifest, input);
    findings.extend(abilities::findings(manifest, input));
    findings.extend(validation::findings(manifest, input));
    findings
}

/// What to do where nothing else helps.
const SIGN_IN_HERE: &str = "let people sign in here instead (mode `oauth`), with a client of ours that is registered at the provider by hand";

impl Finding {
    fn new(
        severity: Severity,
        code: &'static str,
        text: impl Into<String>,
        remedy: &'static str,
    ) -> Self {
        Self {
            severity,
            code,
            text: text.into(),
            remedy,
            who_refuses: None,
        }
    }

    fn refused_by(mut self, who: &'static str) -> Self {
        self.who_refuses = Some(who);
        self
    }
}

/// Tells whether a URL may be used: by `https`, or on this machine where that is taken.
fn is_secure(url: &SafeUrl, input: &CheckInput<'_>) -> bool {
    let origin = url.origin();
    origin.is_https() || input.takes_loopback && origin.is_loopback()
}

#[cfg(test)]
mod tests;
