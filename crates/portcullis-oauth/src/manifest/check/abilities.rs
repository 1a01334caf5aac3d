//! Whether the provider can do what clients ask of an authorization server.

use super::{CheckInput, DocumentKind, Finding, Manifest, SIGN_IN_HERE, Severity};
use crate::pkce;
use crate::scope::OFFLINE_ACCESS;

type Rule = fn(&Manifest) -> Option<Finding>;

const RULES: [Rule; 8] = [
    challenges,
    response_types,
    registration,
    public_clients,
    code_grant,
    refresh_grant,
    scopes,
    sends_iss,
];

pub(super) fn findings(manifest: &Manifest, input: &CheckInput<'_>) -> Vec<Finding> {
    let found = RULES.iter().filter_map(|rule| rule(manifest));
    found.chain(openid(manifest, input.kind)).collect()
}

fn lists(manifest: &Manifest, name: &str, value: &str) -> bool {
    let listed = manifest.texts(name).unwrap_or_default();
    listed.contains(&value)
}

/// "If `code_challenge_methods_supported` is absent, the authorization server does not support PKCE and MCP clients MUST refuse to proceed" (MCP, authorization security considerations).
fn challenges(manifest: &Manifest) -> Option<Finding> {
    const NAME: &str = "code_challenge_methods_supported";
    if lists(manifest, NAME, pkce::METHOD) {
        return None;
    }
    let (code, text) = match manifest.texts(NAME) {
        None => (
            "pkce-absent",
            "`code_challenge_methods_supported` is missing",
        ),
        Some(_) => ("pkce-s256", "`code_challenge_methods_supported` lacks S256"),
    };
    let finding = Finding::new(
        Severity::Error,
        code,
        text,
        "if the provider takes S256 all the same, attach a manifest of your own that lists it; otherwise let people sign in here instead (mode `oauth`)",
    );
    Some(
        finding.refused_by("clients of MCP 2025-11-25 and later must refuse to sign in without it"),
    )
}

fn response_types(manifest: &Manifest) -> Option<Finding> {
    const NAME: &str = "response_types_supported";
    const REMEDY: &str =
        "ask the provider to list `code`, or attach a manifest of your own that does";
    if lists(manifest, NAME, "code") {
        return None;
    }
    let text = "`response_types_supported` lacks `code`";
    let finding = Finding::new(Severity::Error, "response-types", text, REMEDY);
    Some(match manifest.texts(NAME) {
        None => finding.refused_by("the TypeScript SDK reads no metadata without the member"),
        Some(_) => finding,
    })
}

/// How a client that the provider has never seen comes by an id.
fn registration(manifest: &Manifest) -> Option<Finding> {
    let registers = manifest.text("registration_endpoint").is_some();
    let reads_documents = manifest.is_true("client_id_metadata_document_supported");
    match (registers, reads_documents) {
        (true, _) => None,
        (false, true) => Some(Finding::new(
            Severity::Warning,
            "registration-by-document",
            "there is no `registration_endpoint`, and clients without a metadata document of their own cannot come",
            SIGN_IN_HERE,
        )),
        (false, false) => {
            let finding = Finding::new(
                Severity::Error,
                "registration-none",
                "there is neither a `registration_endpoint` nor `client_id_metadata_document_supported`, so no client can come that is not registered at the provider by hand",
                SIGN_IN_HERE,
            );
            Some(finding.refused_by(
                "the TypeScript SDK gives up, saying that the server does not support dynamic client registration",
            ))
        }
    }
}

/// Clients on people's own machines keep no secret.
///
/// Where the list is missing, it is `client_secret_basic` (RFC 8414 §2).
fn public_clients(manifest: &Manifest) -> Option<Finding> {
    if lists(manifest, "token_endpoint_auth_methods_supported", "none") {
        return None;
    }
    let finding = Finding::new(
        Severity::Warning,
        "public-clients",
        "`token_endpoint_auth_methods_supported` lacks `none`, so that clients without a secret, such as those on people's own machines, have no way to authenticate",
        "if the provider takes public clients all the same, attach a manifest of your own that lists `none`",
    );
    let reads_documents = manifest.is_true("client_id_metadata_document_supported");
    Some(if reads_documents {
        finding.refused_by(
            "Codex and OpenCode use their metadata documents only where `none` is listed",
        )
    } else {
        finding
    })
}

fn code_grant(manifest: &Manifest) -> Option<Finding> {
    const NAME: &str = "grant_types_supported";
    if manifest.texts(NAME).is_none() || lists(manifest, NAME, "authorization_code") {
        return None;
    }
    Some(Finding::new(
        Severity::Error,
        "grant-types",
        "`grant_types_supported` lacks `authorization_code`",
        SIGN_IN_HERE,
    ))
}

/// Where the list is missing, it is `authorization_code` and `implicit` (RFC 8414 §2), though providers that do refresh may leave it out.
fn refresh_grant(manifest: &Manifest) -> Option<Finding> {
    const NAME: &str = "grant_types_supported";
    if lists(manifest, NAME, "refresh_token") {
        return None;
    }
    let (severity, text) = match manifest.texts(NAME) {
        Some(_) => (
            Severity::Warning,
            "`grant_types_supported` lacks `refresh_token`: people sign in again whenever an access token expires",
        ),
        None => (
            Severity::Note,
            "`grant_types_supported` is missing, which does not promise refresh tokens: without them people sign in again whenever an access token expires",
        ),
    };
    Some(Finding::new(
        severity,
        "refresh-tokens",
        text,
        "if the provider issues refresh tokens all the same, attach a manifest of your own that lists `refresh_token`",
    ))
}

fn scopes(manifest: &Manifest) -> Option<Finding> {
    const NAME: &str = "scopes_supported";
    if lists(manifest, NAME, OFFLINE_ACCESS) {
        return None;
    }
    let text = match manifest.texts(NAME) {
        None => "`scopes_supported` is missing, so clients ask for no `offline_access`",
        Some(_) => "`scopes_supported` lacks `offline_access`, so clients do not ask for it",
    };
    let finding = Finding::new(
        Severity::Note,
        "offline-access",
        text,
        "nothing, if the provider issues refresh tokens without the scope",
    );
    Some(finding.refused_by("ChatGPT wants it listed before it gets refresh tokens"))
}

fn sends_iss(manifest: &Manifest) -> Option<Finding> {
    if !manifest.is_true("authorization_response_iss_parameter_supported") {
        return None;
    }
    Some(Finding::new(
        Severity::Note,
        "sends-iss",
        "the provider sends `iss` in its answers, so the manifest cannot be served again under another issuer",
        "tell clients the provider's own issuer",
    ))
}

/// What clients ask of a document of OpenID Connect (Discovery 1.0 §3).
fn openid(manifest: &Manifest, kind: DocumentKind) -> Option<Finding> {
    let is_complete = manifest.text("jwks_uri").is_some()
        && manifest.texts("subject_types_supported").is_some()
        && manifest
            .texts("id_token_signing_alg_values_supported")
            .is_some();
    if kind == DocumentKind::OAuth || is_complete {
        return None;
    }
    let finding = Finding::new(
        Severity::Error,
        "openid-incomplete",
        "the metadata stands at the place of OpenID Connect only, and lacks `jwks_uri`, `subject_types_supported` or `id_token_signing_alg_values_supported`",
        "serve the manifest again under the toolset's own URL, where clients read it as RFC 8414",
    );
    Some(finding.refused_by("the TypeScript SDK reads no OpenID Connect document without them"))
}
