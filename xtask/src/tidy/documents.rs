//! What documents mention must exist: files behind links, tests behind threats.

use std::collections::BTreeSet;

use crate::tidy::Finding;
use crate::tidy::source::Source;

/// Where every threat names the test that holds our answer.
const THREATS: &str = "docs/threats.md";

/// Judges every Markdown file.
pub(crate) fn judge(sources: &[Source], findings: &mut Vec<Finding>) {
    let paths: BTreeSet<&str> = sources.iter().map(|source| source.path.as_str()).collect();
    for source in sources.iter().filter(|source| source.has_extension("md")) {
        links(source, &paths, findings);
    }
    if let Some(threats) = sources.iter().find(|source| source.path == THREATS) {
        threats_and_tests(threats, sources, findings);
    }
}

/// A relative link leads to a file or a folder of the project.
fn links(source: &Source, paths: &BTreeSet<&str>, findings: &mut Vec<Finding>) {
    let folder = source
        .path
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    for (number, line) in source.lines() {
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', '#']).next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let path = resolve(folder, target);
            let inside = format!("{path}/");
            let exists = paths.contains(path.as_str())
                || paths.iter().any(|known| known.starts_with(&inside));
            if !exists {
                findings.push(Finding::at(
                    source,
                    number,
                    format!("links to {path}, which does not exist"),
                ));
            }
        }
    }
}

/// Every test that a threat names exists, and every test that bears a threat's id is named there.
fn threats_and_tests(threats: &Source, sources: &[Source], findings: &mut Vec<Finding>) {
    let mut named = BTreeSet::new();
    let declared: BTreeSet<&str> = sources
        .iter()
        .flat_map(threat_tests)
        .map(|(_, name)| name)
        .collect();
    for (number, line) in threats.lines() {
        for test in line
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| bears_threat_id(word))
        {
            named.insert(test);
            if !declared.contains(test) {
                findings.push(Finding::at(
                    threats,
                    number,
                    format!("names the test `{test}`, which does not exist"),
                ));
            }
        }
    }
    for source in sources {
        for (number, name) in threat_tests(source) {
            if !named.contains(name) {
                findings.push(Finding::at(
                    source,
                    number,
                    format!("`{name}` is not named in {THREATS}"),
                ));
            }
        }
    }
}

/// The functions whose names begin with a threat's id, with their lines.
fn threat_tests(source: &Source) -> Vec<(usize, &str)> {
    if !source.is_rust() {
        return Vec::new();
    }
    source
        .lines()
        .filter_map(|(number, line)| {
            let declaration = line.trim_start();
            let declaration = declaration.strip_prefix("async ").unwrap_or(declaration);
            let name = declaration.strip_prefix("fn ")?.split('(').next()?;
            bears_threat_id(name).then_some((number, name))
        })
        .collect()
}

/// `o_01_path_argument_stays_one_segment`.
fn bears_threat_id(name: &str) -> bool {
    let mut parts = name.splitn(3, '_');
    let group = parts.next().unwrap_or_default();
    let case = parts.next().unwrap_or_default();
    let behaviour = parts.next().unwrap_or_default();
    group.len() == 1
        && group.chars().all(|letter| letter.is_ascii_lowercase())
        && case.len() == 2
        && case.chars().all(|digit| digit.is_ascii_digit())
        && !behaviour.is_empty()
}

fn resolve(folder: &str, target: &str) -> String {
    let mut segments: Vec<&str> = folder
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    for segment in target.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    segments.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::source::rust;

    fn check(sources: &[Source], expect: &[&str]) {
        let mut findings = Vec::new();
        judge(sources, &mut findings);
        let messages: Vec<&str> = findings
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        assert_eq!(messages, expect);
    }

    #[test]
    fn a_link_into_the_void_is_found() {
        let here = rust(
            "docs/a.md",
            "[b](../README.md) [c](c.md#part) [d](https://example.com)",
        );
        let readme = rust("README.md", "");
        check(
            &[here, readme],
            &["links to docs/c.md, which does not exist"],
        );
    }

    #[test]
    fn a_threat_and_its_test_must_name_each_other() {
        let threats = rust(THREATS, "| O-01 | `o_01_dots_are_refused` |");
        let tests = rust("crates/a/src/a.rs", "    fn o_02_hosts_stay() {}\n");
        check(
            &[threats, tests],
            &[
                "names the test `o_01_dots_are_refused`, which does not exist",
                "`o_02_hosts_stay` is not named in docs/threats.md",
            ],
        );
    }
}
