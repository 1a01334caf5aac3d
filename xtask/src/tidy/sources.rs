//! Rules about any text file, and about Rust in general.

use crate::tidy::Finding;
use crate::tidy::source::Source;

/// House rule 1.
const MAX_LINES: usize = 500;

/// Words of no meaning in the name of a type or module.
const EMPTY_WORDS: [&str; 9] = [
    "Manager",
    "Helper",
    "Util",
    "Utils",
    "Common",
    "Misc",
    "Info",
    "Processor",
    "Wrapper",
];

/// Names that say too little when they stand alone.
const BARE_NAMES: [&str; 6] = [
    "Service", "Handler", "Context", "Provider", "Session", "Token",
];

/// Files that other programs write.
const GENERATED: [&str; 2] = ["Cargo.lock", "package-lock.json"];

/// Judges every file.
pub(crate) fn judge(sources: &[Source], findings: &mut Vec<Finding>) {
    for source in sources {
        if GENERATED.contains(&source.file_name()) {
            lock_names_no_registry(source, findings);
            continue;
        }
        places_of_one_machine(source, findings);
        if source.is_rust() {
            length(source, findings);
            opens_with_its_purpose(source, findings);
            attributes(source, findings);
            names(source, findings);
        }
        unfinished(source, findings);
    }
}

fn length(source: &Source, findings: &mut Vec<Finding>) {
    let lines = source.text.lines().count();
    if lines > MAX_LINES {
        findings.push(Finding::at(
            source,
            0,
            format!("{lines} lines; over {MAX_LINES} a file holds a second idea"),
        ));
    }
}

fn opens_with_its_purpose(source: &Source, findings: &mut Vec<Finding>) {
    if !source.text.starts_with("//!") {
        findings.push(Finding::at(
            source,
            1,
            "a module opens with `//!`: what it decides or does, and what it does not",
        ));
    }
}

fn attributes(source: &Source, findings: &mut Vec<Finding>) {
    for (number, line) in source.lines() {
        let attribute = line.trim_start();
        if attribute.starts_with("#[allow(") || attribute.starts_with("#![allow(") {
            findings.push(Finding::at(
                source,
                number,
                "use #[expect(lint, reason = \"…\")]",
            ));
        }
        if attribute.starts_with("#[ignore") {
            findings.push(Finding::at(
                source,
                number,
                "no test is ignored: assert today's answer, and say what is wrong with it",
            ));
        }
    }
}

/// Architecture, "The words".
fn names(source: &Source, findings: &mut Vec<Finding>) {
    for (number, line) in source.program_lines() {
        let Some(name) = declared_type(line) else {
            if line
                .trim_start()
                .trim_start_matches("pub ")
                .starts_with("fn get_")
            {
                findings.push(Finding::at(
                    source,
                    number,
                    "no `get_` in names: the noun alone says it",
                ));
            }
            continue;
        };
        let words = camel_words(name);
        if let Some(word) = words
            .iter()
            .find(|word| EMPTY_WORDS.contains(&word.as_str()))
        {
            findings.push(Finding::at(
                source,
                number,
                format!("`{name}`: `{word}` says nothing"),
            ));
        }
        if BARE_NAMES.contains(&name) {
            findings.push(Finding::at(
                source,
                number,
                format!("`{name}` alone says too little: whose, for what?"),
            ));
        }
    }
}

fn unfinished(source: &Source, findings: &mut Vec<Finding>) {
    let mark = concat!("TO", "DO");
    for (number, line) in source.lines() {
        let bare = line.match_indices(mark).any(|(at, _)| {
            !line
                .get(at + mark.len()..)
                .unwrap_or_default()
                .starts_with("(#")
        });
        if source.is_rust() && bare {
            findings.push(Finding::at(
                source,
                number,
                format!("a {mark} carries an issue number: {mark}(#12)"),
            ));
        }
    }
}

/// Paths of a developer's machine and hosts of package registries do not belong into files.
fn places_of_one_machine(source: &Source, findings: &mut Vec<Finding>) {
    const PLACES: [&str; 8] = [
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("/Us", "ers/"),
        concat!("registry.np", "mjs"),
        concat!("registry.ya", "rnpkg"),
        concat!("pypi", ".org"),
        concat!("python", "hosted"),
        concat!("static.", "crates.io"),
    ];
    for (number, line) in source.lines() {
        if let Some(place) = PLACES.iter().find(|place| line.contains(**place)) {
            findings.push(Finding::at(
                source,
                number,
                format!("names `{place}`, a place that others may not have"),
            ));
        }
    }
}

fn lock_names_no_registry(source: &Source, findings: &mut Vec<Finding>) {
    for (number, line) in source.lines() {
        if line.trim_start().starts_with("\"resolved\": \"http") {
            findings.push(Finding::at(
                source,
                number,
                "names a registry; lock with the .npmrc beside it",
            ));
        }
    }
}

fn declared_type(line: &str) -> Option<&str> {
    let declaration = line.trim_start();
    let declaration = declaration
        .strip_prefix("pub(crate) ")
        .or_else(|| declaration.strip_prefix("pub "))
        .unwrap_or(declaration);
    let name = ["struct ", "enum ", "trait ", "type "]
        .iter()
        .find_map(|keyword| declaration.strip_prefix(keyword))?;
    name.split(|letter: char| !letter.is_alphanumeric()).next()
}

fn camel_words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if !letter.is_uppercase() => word.push(letter),
            _ => words.push(letter.to_string()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::source::rust;

    fn check(text: &str, expect: &[&str]) {
        let mut findings = Vec::new();
        judge(
            &[rust("crates/a/src/a.rs", &format!("//! A.\n{text}"))],
            &mut findings,
        );
        let messages: Vec<&str> = findings
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        assert_eq!(messages, expect);
    }

    #[test]
    fn an_allowed_lint_is_found() {
        let attribute = concat!("#[al", "low(dead_code)]\n");
        check(attribute, &["use #[expect(lint, reason = \"…\")]"]);
    }

    #[test]
    fn a_name_without_meaning_is_found_and_metadata_is_a_word() {
        check(
            "pub struct TokenManager;\n",
            &["`TokenManager`: `Manager` says nothing"],
        );
        check(
            "struct Handler<T> {\n",
            &["`Handler` alone says too little: whose, for what?"],
        );
        check("pub(crate) struct ClientMetadata {\n", &[]);
    }

    #[test]
    fn unfinished_work_needs_an_issue() {
        check(
            concat!("// TO", "DO: later\n"),
            &[concat!("a TO", "DO carries an issue number: TO", "DO(#12)")],
        );
        check(concat!("// TO", "DO(#7): later\n"), &[]);
    }

    #[test]
    fn a_long_file_is_found() {
        check(
            &"\n".repeat(500),
            &["501 lines; over 500 a file holds a second idea"],
        );
    }
}
