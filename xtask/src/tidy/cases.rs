//! Threats and rules of the protocol, and the tests that hold our answers.
//!
//! A test bears the ids of its cases in front of its name, a document has a row per case, and the row's last column names the tests.
//! What a real browser is made to do is written in JavaScript, and named as the other tests are.
//! The column is written by `cargo xtask tidy --fix`; what a case is and what we answer is written by hand.
//! Where the first column holds no such id, the last one is written by hand too, and what it names must exist.

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::Finding;
use crate::tidy::source::Source;

/// The documents with cases.
const DOCUMENTS: [&str; 3] = ["docs/threats.md", "docs/conformance.md", "docs/faults.md"];

/// How the last column of a case without a test begins; the reason follows.
const EXCUSE: &str = "cannot apply";

/// The tests of each case.
type Tests<'a> = BTreeMap<String, BTreeSet<&'a str>>;

/// A row of a document: `| O-01 | what is tried | what happens | tests |`.
struct Row<'a> {
    id: &'a str,
    /// All but the last column.
    head: &'a str,
    /// The last column.
    tests: &'a str,
}

/// Judges every row, and every test that bears an id.
pub(crate) fn judge(sources: &[Source], findings: &mut Vec<Finding>) {
    let tests = tests(sources);
    let existing: BTreeSet<&str> = sources
        .iter()
        .flat_map(functions)
        .map(|(_, name)| name)
        .collect();
    let mut described = BTreeSet::new();
    for document in documents(sources) {
        for (number, line) in document.lines() {
            let Some(row) = Row::read(line) else {
                for name in named_tests(line).filter(|name| !existing.contains(name)) {
                    let message = format!("`{name}` is the name of no test");
                    findings.push(Finding::at(document, number, message));
                }
                continue;
            };
            described.insert(row.id.to_owned());
            let wanted = row.wanted(&tests);
            if row.tests != wanted {
                findings.push(Finding::at(
                    document,
                    number,
                    "the tests have changed: run `cargo xtask tidy --fix`",
                ));
            }
            if !wanted.contains('`') && !wanted.starts_with(EXCUSE) {
                let message = format!("{} has no test, and does not say why it {EXCUSE}", row.id);
                findings.push(Finding::at(document, number, message));
            }
        }
    }
    for source in sources {
        for (number, name) in test_functions(source) {
            for id in ids(name).filter(|id| !described.contains(id)) {
                let message = format!(
                    "`{name}` bears {id}, which no row of {} has",
                    DOCUMENTS.join(" or ")
                );
                findings.push(Finding::at(source, number, message));
            }
        }
    }
}

/// The documents whose last columns are out of date, with the text they should have.
pub(crate) fn mended(sources: &[Source]) -> Vec<(&str, String)> {
    let tests = tests(sources);
    documents(sources)
        .filter_map(|document| {
            let lines = document.text.lines().map(|line| match Row::read(line) {
                Some(row) => format!("{}| {} |\n", row.head, row.wanted(&tests)),
                None => format!("{line}\n"),
            });
            let text: String = lines.collect();
            (text != document.text).then_some((document.path.as_str(), text))
        })
        .collect()
}

impl<'a> Row<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let id = line.strip_prefix("| ")?.split(' ').next()?;
        ids(&format!("{}_", id.to_ascii_lowercase().replace('-', "_"))).next()?;
        let (head, tests) = line.strip_suffix('|')?.rsplit_once('|')?;
        Some(Self {
            id,
            head,
            tests: tests.trim(),
        })
    }

    /// The last column as it should be; an excuse stays as long as there is no test.
    fn wanted(&self, tests: &Tests<'_>) -> String {
        match tests.get(self.id) {
            Some(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                names.join("<br>")
            }
            None if self.tests.starts_with(EXCUSE) => self.tests.to_owned(),
            None => String::new(),
        }
    }
}

fn documents(sources: &[Source]) -> impl Iterator<Item = &Source> {
    sources
        .iter()
        .filter(|source| DOCUMENTS.contains(&source.path.as_str()))
}

fn tests(sources: &[Source]) -> Tests<'_> {
    let mut tests = Tests::new();
    for (_, name) in sources.iter().flat_map(test_functions) {
        for id in ids(name) {
            tests.entry(id).or_default().insert(name);
        }
    }
    tests
}

/// The functions whose names begin with an id, with their lines.
fn test_functions(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    functions(source).filter(|(_, name)| ids(name).next().is_some())
}

/// The functions that nothing outside their module calls, and JavaScript's asynchronous methods, with their lines.
fn functions(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    let declared = match source {
        _ if source.is_rust() => declared_in_rust,
        _ if source.has_extension("mjs") => declared_in_javascript,
        _ => |_: &str| None,
    };
    source.lines().filter_map(move |(number, line)| {
        let name = declared(line.trim_start())?.split('(').next()?;
        Some((number, name))
    })
}

fn declared_in_rust(line: &str) -> Option<&str> {
    line.strip_prefix("async ")
        .unwrap_or(line)
        .strip_prefix("fn ")
}

fn declared_in_javascript(line: &str) -> Option<&str> {
    line.strip_prefix("async ")
        .filter(|line| line.ends_with('{'))
}

/// The tests that the last column of a row names: what is quoted and has the length of a sentence.
fn named_tests(line: &str) -> impl Iterator<Item = &str> {
    let columns = line.strip_prefix('|').and_then(|row| row.strip_suffix('|'));
    let last = columns.and_then(|columns| columns.rsplit_once('|'));
    let quoted = last.map_or("", |(_, last)| last).split('`').skip(1);
    quoted.step_by(2).filter(|quoted| {
        let is_name = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        quoted.matches('_').count() > 2 && quoted.chars().all(|c| c == '_' || is_name(c))
    })
}

/// The ids in front of a name: H-01 and H-02 of `h_01_h_02_foreign_hosts_are_refused`.
fn ids(name: &str) -> impl Iterator<Item = String> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let (group, after) = rest.split_once('_')?;
        let (case, after) = after.split_once('_')?;
        let is_group = group.len() == 1 && group.chars().all(|letter| letter.is_ascii_lowercase());
        let is_case = case.len() == 2 && case.chars().all(|digit| digit.is_ascii_digit());
        rest = after;
        (is_group && is_case).then(|| format!("{}-{case}", group.to_ascii_uppercase()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::source::rust;

    const TESTS: &str =
        "    fn o_01_dots_are_refused() {}\n    async fn o_01_s_02_hosts_stay() {}\n";

    fn check(document: &str, tests: &str, expect: &[&str]) {
        let mut findings = Vec::new();
        let sources = [
            rust("docs/threats.md", document),
            rust("crates/a/src/a.rs", tests),
        ];
        judge(&sources, &mut findings);
        let messages: Vec<&str> = findings
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        assert_eq!(messages, expect);
    }

    #[test]
    fn a_case_names_the_tests_that_bear_its_id() {
        check(
            "| O-01 | dots | refused | `o_01_dots_are_refused` |\n",
            TESTS,
            &[
                "the tests have changed: run `cargo xtask tidy --fix`",
                "`o_01_s_02_hosts_stay` bears S-02, which no row of docs/threats.md or docs/conformance.md or docs/faults.md has",
            ],
        );
    }

    #[test]
    fn a_case_in_javascript_counts_as_well() {
        let mut findings = Vec::new();
        let sources = [
            rust(
                "docs/threats.md",
                "| O-01 | dots | refused | `o_01_dots_stay` |\n",
            ),
            rust("tests/a/cases.mjs", "  async o_01_dots_stay(world) {\n"),
        ];
        judge(&sources, &mut findings);
        assert!(findings.is_empty());
    }

    #[test]
    fn a_case_without_a_test_says_why() {
        check(
            "| S-03 | hosts | stay | |\n| S-04 | hosts | stay | cannot apply: there are none |\n",
            "",
            &["S-03 has no test, and does not say why it cannot apply"],
        );
    }

    #[test]
    fn a_test_that_is_named_by_hand_exists() {
        check(
            "| AB-01 | `a_b_c_d` | `o_02_a_case`, `scope` | `o_01_dots_are_refused`, `o_01_dots_are_gone`<br>`scope` |\n",
            "    fn o_01_dots_are_refused() {}\n",
            &[
                "`o_01_dots_are_gone` is the name of no test",
                "`o_01_dots_are_refused` bears O-01, which no row of docs/threats.md or docs/conformance.md or docs/faults.md has",
            ],
        );
    }

    #[test]
    fn the_column_of_tests_is_written_anew() {
        let document =
            "# Cases\n\n| O-01 | dots | refused | |\n| S-02 | hosts | stay | cannot apply: no |\n";
        let sources = [
            rust("docs/threats.md", document),
            rust("crates/a/src/a.rs", TESTS),
        ];
        let mended = mended(&sources);
        assert_eq!(mended.len(), 1);
        assert_eq!(
            mended[0].1,
            "# Cases\n\n| O-01 | dots | refused | `o_01_dots_are_refused`<br>`o_01_s_02_hosts_stay` |\n\
             | S-02 | hosts | stay | `o_01_s_02_hosts_stay` |\n"
        );
    }
}
