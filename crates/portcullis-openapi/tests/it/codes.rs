//! Every code in the sources stands in the table of findings.

use std::collections::BTreeSet;
use std::path::Path;

use portcullis_openapi::findings::{FINDINGS, finding};

/// Collects the string literals of the sources that look like codes: words with hyphens in lower case.
fn literals(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            literals(&path, found);
        } else if !path.ends_with("findings.rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            let source = source.split("#[cfg(test)]").next().unwrap_or_default();
            found.extend(source.split('"').skip(1).map(str::to_owned));
        }
    }
}

/// Collects the codes that a remark is made with: the first argument after `warn(`, `note(`, `error(` or `remark(`.
fn codes(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            codes(&path, found);
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        for call in [".warn(", ".note(", ".error(", ".remark("] {
            for (at, _) in source.match_indices(call) {
                let argument = source[at + call.len()..].trim_start();
                if let Some(text) = argument.strip_prefix('"') {
                    found.extend(text.split('"').next().map(str::to_owned));
                }
            }
        }
    }
}

#[test]
fn every_code_of_the_sources_is_in_the_table_and_the_other_way_round() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut used = BTreeSet::new();
    codes(&sources, &mut used);
    assert!(used.len() > 10, "{used:?}");
    for code in &used {
        assert!(
            finding(code).is_some(),
            "src/findings.rs does not have `{code}`"
        );
    }
    let mut literal = BTreeSet::new();
    literals(&sources, &mut literal);
    for known in FINDINGS {
        assert!(
            literal.contains(known.code),
            "nothing reports `{}`",
            known.code
        );
    }
}
