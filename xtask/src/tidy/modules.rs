//! A Rust file that no `mod` names is not compiled: it is no part of the program, and its tests prove nothing.

use std::collections::HashMap;

use crate::tidy::Finding;
use crate::tidy::source::Source;

/// Reports every file that the compiler never sees.
pub(crate) fn judge(sources: &[Source], findings: &mut Vec<Finding>) {
    let tree = Tree::of(sources);
    for source in sources {
        if source.is_rust() && !tree.compiles(&source.path) {
            let message = "no `mod` names this file, so it is not compiled; declare or remove it";
            findings.push(Finding::at(source, 1, message));
        }
    }
}

/// Returns what counts: all but the Rust files that the compiler never sees.
pub(crate) fn compiled(sources: Vec<Source>) -> Vec<Source> {
    let tree = Tree::of(&sources);
    let keep: Vec<bool> = sources
        .iter()
        .map(|source| !source.is_rust() || tree.compiles(&source.path))
        .collect();
    let kept = sources.into_iter().zip(keep);
    kept.filter_map(|(source, keep)| keep.then_some(source))
        .collect()
}

/// The text of every Rust file, by path.
struct Tree(HashMap<String, String>);

impl Tree {
    fn of(sources: &[Source]) -> Self {
        let rust = sources.iter().filter(|source| source.is_rust());
        Self(
            rust.map(|source| (source.path.clone(), source.text.clone()))
                .collect(),
        )
    }

    /// Follows the declarations from the file up to the root of its crate.
    fn compiles(&self, path: &str) -> bool {
        if is_root(path) {
            return true;
        }
        let Some((folder, file)) = path.rsplit_once('/') else {
            return false;
        };
        let module = file.trim_end_matches(".rs");
        let parents = [
            format!("{folder}.rs"),
            format!("{folder}/lib.rs"),
            format!("{folder}/main.rs"),
        ];
        parents.iter().any(|parent| {
            let declares = |text: &String| text.lines().any(|line| is_declaration(line, module));
            self.0.get(parent).is_some_and(declares) && self.compiles(parent)
        })
    }
}

/// What Cargo finds by itself: the crate's own root, one per folder of integration tests, examples, and the fuzzer's targets.
fn is_root(path: &str) -> bool {
    let Some((folder, file)) = path.rsplit_once('/') else {
        return false;
    };
    let parent = folder.rsplit('/').next().unwrap_or_default();
    let is_test = folder
        .rsplit('/')
        .nth(1)
        .is_some_and(|above| above == "tests");
    match file {
        "lib.rs" => parent == "src",
        "main.rs" => parent == "src" || is_test,
        "build.rs" => true,
        _ => ["examples", "fuzz_targets"].contains(&parent),
    }
}

fn is_declaration(line: &str, module: &str) -> bool {
    let line = line.trim().trim_end_matches(';');
    let Some((visibility, name)) = line.rsplit_once("mod ") else {
        return false;
    };
    name == module && (visibility.is_empty() || visibility.starts_with("pub"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::source::rust;

    #[test]
    fn a_file_counts_once_every_module_above_it_is_declared() {
        let sources = vec![
            rust("crates/a/src/lib.rs", "mod one;\n"),
            rust(
                "crates/a/src/one.rs",
                "pub(crate) mod deep;\n// mod lost;\n",
            ),
            rust("crates/a/src/one/deep.rs", ""),
            rust("crates/a/src/one/lost.rs", ""),
            rust("crates/a/src/other.rs", "mod below;\n"),
            rust("crates/a/src/other/below.rs", ""),
            rust("crates/a/tests/it/main.rs", "mod cases;\n"),
            rust("crates/a/tests/it/cases.rs", ""),
            rust("crates/a/tests/it/idle.rs", ""),
            rust("crates/a/examples/tools.rs", ""),
        ];
        let mut findings = Vec::new();
        judge(&sources, &mut findings);
        let lost: Vec<&str> = findings
            .iter()
            .map(|finding| finding.path.as_str())
            .collect();
        let expected = [
            "crates/a/src/one/lost.rs",
            "crates/a/src/other.rs",
            "crates/a/src/other/below.rs",
            "crates/a/tests/it/idle.rs",
        ];
        assert_eq!(lost, expected);
        assert_eq!(compiled(sources).len(), 6);
    }
}
