//! What documents link to must exist.

use std::collections::BTreeSet;

use crate::tidy::Finding;
use crate::tidy::source::Source;

/// Judges every Markdown file.
pub(crate) fn judge(sources: &[Source], findings: &mut Vec<Finding>) {
    let paths: BTreeSet<&str> = sources.iter().map(|source| source.path.as_str()).collect();
    for source in sources.iter().filter(|source| source.has_extension("md")) {
        links(source, &paths, findings);
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
}
