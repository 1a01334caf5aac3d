//! Whether issuer and endpoints are there, and are addresses that clients go to.

use portcullis_base::SafeUrl;
use serde_json::Value;

use super::{CheckInput, Finding, Manifest, Severity, is_secure};

/// Endpoints without which nobody signs in.
const NEEDED: [&str; 2] = ["authorization_endpoint", "token_endpoint"];

pub(super) fn findings(manifest: &Manifest, input: &CheckInput<'_>) -> Vec<Finding> {
    let mut findings = issuer(manifest, input);
    for name in NEEDED {
        if manifest.text(name).is_none() {
            findings.push(Finding::new(
                Severity::Error,
                "endpoint-missing",
                format!("`{name}` is missing"),
                "ask the provider, or write it into a manifest of your own",
            ));
        }
    }
    for (name, value) in manifest.members() {
        if name == "jwks_uri" || name.ends_with("_endpoint") {
            findings.extend(endpoint(name, value, input));
        }
    }
    findings
}

fn issuer(manifest: &Manifest, input: &CheckInput<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let issuer = manifest.issuer();
    // "The authorization server's issuer identifier, which is a URL that uses the 'https' scheme and has no query or fragment components" (RFC 8414 §2)
    match SafeUrl::parse(issuer) {
        Ok(url) if url.as_url().query().is_none() => {
            findings.extend(insecure("issuer", &url, input));
        }
        _ => findings.push(Finding::new(
            Severity::Error,
            "issuer-url",
            "`issuer` is no https URL without query, fragment and user information",
            "ask the provider which issuer is its own; it is what its metadata is found by",
        )),
    }
    if issuer != input.announced_issuer {
        let finding = Finding::new(
            Severity::Error,
            "issuer-other",
            "`issuer` is another than clients will be told; the two are compared byte for byte",
            "tell clients the issuer that the manifest names, or serve the manifest again under the toolset's own URL",
        );
        findings.push(finding.refused_by(
            "clients of MCP 2026-07-28 must reject such metadata, and the TypeScript SDK from version 2 and the Python SDK do",
        ));
    }
    if issuer.ends_with('/') {
        findings.push(Finding::new(
            Severity::Warning,
            "issuer-slash",
            "`issuer` ends in a slash, over which several clients were reported to stumble",
            "nothing, if the provider writes it so everywhere; otherwise serve the manifest again under the toolset's own URL",
        ));
    }
    findings
}

/// Judges an endpoint; what is null is not there.
fn endpoint(name: &str, value: &Value, input: &CheckInput<'_>) -> Option<Finding> {
    if value.is_null() {
        return None;
    }
    match value.as_str().map(SafeUrl::parse) {
        Some(Ok(url)) => insecure(name, &url, input),
        _ => Some(Finding::new(
            Severity::Error,
            "endpoint-url",
            format!("`{name}` is no http or https URL without fragment and user information"),
            "do not attach the manifest: clients would open whatever stands there",
        )),
    }
}

fn insecure(name: &str, url: &SafeUrl, input: &CheckInput<'_>) -> Option<Finding> {
    // "All authorization server endpoints MUST be served over HTTPS" (MCP, authorization security considerations)
    if is_secure(url, input) {
        return None;
    }
    Some(Finding::new(
        Severity::Error,
        "plain-http",
        format!("`{name}` is plain http: {url}"),
        "use an address of the provider with https",
    ))
}
