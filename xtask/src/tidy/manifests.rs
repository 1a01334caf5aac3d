//! Who may depend on whom, read from the manifests.

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use crate::tidy::Finding;
use crate::tidy::source::Source;

/// The crates of the house and what each may name; an order in which nothing points back.
const MAY_NAME: [(&str, &[&str]); 11] = [
    ("portcullis-base", &[]),
    ("portcullis-oauth", &["base"]),
    ("portcullis-openapi", &["base"]),
    ("portcullis-mcp", &["base"]),
    ("portcullis-store", &["base", "oauth"]),
    (
        "portcullis-server",
        &["base", "oauth", "openapi", "mcp", "store"],
    ),
    (
        "portcullis",
        &["base", "oauth", "openapi", "mcp", "store", "server"],
    ),
    (
        "portcullis-demo",
        &["base", "oauth", "openapi", "mcp", "store", "server"],
    ),
    (
        "portcullis-bench",
        &["base", "oauth", "openapi", "mcp", "store", "server"],
    ),
    ("client-rmcp", &[]),
    ("xtask", &[]),
];

/// Dependencies that only some crates may name, with the reason.
const RESERVED: [(&[&str], &[&str], &str); 3] = [
    (
        &["sqlx", "rusqlite"],
        &["portcullis-store"],
        "SQL exists only in the store (invariant 2)",
    ),
    (
        &[
            "tokio",
            "axum",
            "hyper",
            "hyper-util",
            "reqwest",
            "getrandom",
            "rand",
            "jiff",
            "chrono",
            "time",
        ],
        &[
            "portcullis-store",
            "portcullis-server",
            "portcullis",
            "portcullis-demo",
            "portcullis-bench",
            "client-rmcp",
        ],
        "the crates without I/O name no runtime, no HTTP engine, no clock and no entropy (invariant 1)",
    ),
    (
        &["reqwest"],
        &["portcullis-server", "portcullis-demo", "portcullis-bench"],
        "bytes leave only through portcullis-server/src/upstream/http.rs (invariant 3)",
    ),
];

/// Judges every `Cargo.toml`.
pub(crate) fn judge(sources: &[Source], findings: &mut Vec<Finding>) -> Result<()> {
    for source in sources
        .iter()
        .filter(|source| source.path.ends_with("Cargo.toml"))
    {
        // The fuzzer's is a workspace of its own.
        if ["Cargo.toml", "fuzz/Cargo.toml"].contains(&source.path.as_str()) {
            every_dependency_says_why(source, findings);
            continue;
        }
        let manifest: Table = source
            .text
            .parse()
            .with_context(|| format!("{} is not TOML", source.path))?;
        directions(source, &manifest, findings);
        workspace_dependencies_only(source, &manifest, findings);
    }
    Ok(())
}

fn directions(source: &Source, manifest: &Table, findings: &mut Vec<Finding>) {
    let name = source.crate_name().unwrap_or_default();
    let Some((_, allowed)) = MAY_NAME.iter().find(|(known, _)| *known == name) else {
        findings.push(Finding::at(
            source,
            0,
            format!(
                "`{name}` is not in the map of the house; add it to ARCHITECTURE.md and to MAY_NAME"
            ),
        ));
        return;
    };
    for dependency in dependencies(manifest, &["dependencies", "build-dependencies"]) {
        let ours = dependency.strip_prefix("portcullis-");
        if ours.is_some_and(|short| !allowed.contains(&short)) {
            findings.push(Finding::at(
                source,
                0,
                format!("{name} may not depend on {dependency}"),
            ));
        }
        for (dependencies, users, reason) in RESERVED {
            let is_ours = name.starts_with("portcullis");
            if is_ours && dependencies.contains(&dependency) && !users.contains(&name) {
                findings.push(Finding::at(
                    source,
                    0,
                    format!("{name} names {dependency}: {reason}"),
                ));
            }
        }
    }
    for dependency in dependencies(manifest, &["dev-dependencies"]) {
        if ["portcullis-demo", "portcullis-bench", "portcullis"].contains(&dependency) {
            findings.push(Finding::at(
                source,
                0,
                format!("nothing depends on {dependency}"),
            ));
        }
    }
}

fn workspace_dependencies_only(source: &Source, manifest: &Table, findings: &mut Vec<Finding>) {
    for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
        let entries = manifest
            .get(kind)
            .and_then(Value::as_table)
            .into_iter()
            .flatten();
        for (name, entry) in entries {
            if entry.get("workspace").and_then(Value::as_bool) != Some(true) {
                findings.push(Finding::at(
                    source,
                    0,
                    format!("{name} states its version here; versions and reasons stand in the workspace's Cargo.toml"),
                ));
            }
        }
    }
}

/// House rule 29: one line of reason each, features off unless named.
fn every_dependency_says_why(source: &Source, findings: &mut Vec<Finding>) {
    let lines = source
        .lines()
        .skip_while(|(_, line)| line.trim() != "[workspace.dependencies]")
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('['));
    for (number, line) in
        lines.filter(|(_, line)| line.contains(" = ") && !line.contains("path = "))
    {
        if !line.contains("} # ") {
            findings.push(Finding::at(
                source,
                number,
                "a dependency states its reason behind it",
            ));
        }
        if !line.contains("default-features = false") {
            findings.push(Finding::at(
                source,
                number,
                "a dependency has default-features = false",
            ));
        }
    }
}

fn dependencies<'a>(manifest: &'a Table, kinds: &'a [&str]) -> impl Iterator<Item = &'a str> {
    kinds
        .iter()
        .filter_map(|kind| manifest.get(*kind)?.as_table())
        .flat_map(|table| table.keys().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::source::rust;

    fn check(path: &str, text: &str, expect: &[&str]) {
        let mut findings = Vec::new();
        judge(&[rust(path, text)], &mut findings).unwrap();
        let messages: Vec<&str> = findings
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        assert_eq!(messages, expect);
    }

    #[test]
    fn a_pure_crate_that_names_the_server_or_a_runtime_is_found() {
        check(
            "crates/portcullis-oauth/Cargo.toml",
            "[dependencies]\nportcullis-server.workspace = true\ntokio.workspace = true\n",
            &[
                "portcullis-oauth may not depend on portcullis-server",
                "portcullis-oauth names tokio: the crates without I/O name no runtime, no HTTP engine, \
                 no clock and no entropy (invariant 1)",
            ],
        );
    }

    #[test]
    fn a_crate_that_the_map_does_not_know_is_found() {
        check(
            "crates/portcullis-extra/Cargo.toml",
            "",
            &[
                "`portcullis-extra` is not in the map of the house; add it to ARCHITECTURE.md and to MAY_NAME",
            ],
        );
    }

    #[test]
    fn a_dependency_without_reason_is_found() {
        check(
            "Cargo.toml",
            "[workspace.dependencies]\nx = { version = \"1\", default-features = false }\n\n[profile.dev]\ndebug = 1\n",
            &["a dependency states its reason behind it"],
        );
    }
}
