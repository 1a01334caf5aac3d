//! The invariants of `ARCHITECTURE.md` that show in the text of the sources: what a crate does not name.

use crate::tidy::Finding;
use crate::tidy::source::Source;

/// What must not be named, where it may be, and the reason.
struct Absence {
    /// Crates the rule holds for.
    crates: &'static [&'static str],
    /// Texts that must not occur in the program.
    words: &'static [&'static str],
    /// Paths with this beginning are where it belongs.
    except: &'static str,
    reason: &'static str,
}

const PURE: &[&str] = &[
    "portcullis-base",
    "portcullis-oauth",
    "portcullis-openapi",
    "portcullis-mcp",
];

const RELEASED: &[&str] = &[
    "portcullis-base",
    "portcullis-oauth",
    "portcullis-openapi",
    "portcullis-mcp",
    "portcullis-store",
    "portcullis-server",
    "portcullis",
];

const WITHOUT_SQL: &[&str] = &[
    "portcullis-base",
    "portcullis-oauth",
    "portcullis-openapi",
    "portcullis-mcp",
    "portcullis-server",
    "portcullis",
    "portcullis-demo",
];

const ABSENCES: [Absence; 3] = [
    Absence {
        crates: PURE,
        words: &[
            "tokio::",
            "axum::",
            "sqlx::",
            "rusqlite::",
            "reqwest::",
            "std::net::Tcp",
            "std::fs",
            "std::env::",
            // A stack of its own that is joined at once reads nothing.
            "thread::sleep",
            "thread::spawn",
            "SystemTime::now",
            "Instant::now",
            "getrandom",
            "rand::",
        ],
        except: "nowhere",
        reason: "the crates without I/O read neither network, files, clock nor entropy (invariant 1)",
    },
    Absence {
        crates: WITHOUT_SQL,
        words: &[
            "sqlx::",
            "rusqlite::",
            "\"SELECT ",
            "\"INSERT INTO ",
            "\"UPDATE ",
            "\"DELETE FROM ",
            "CREATE TABLE",
        ],
        except: "nowhere",
        reason: "SQL exists only in portcullis-store (invariant 2)",
    },
    Absence {
        crates: RELEASED,
        words: &[
            "reqwest::Client",
            "reqwest::get",
            "reqwest::blocking",
            "TcpStream::connect",
            "UdpSocket",
            "lookup_host",
            "to_socket_addrs",
            "hyper::client",
            "hyper_util::client",
        ],
        except: "crates/portcullis-server/src/upstream/http",
        reason: "bytes leave only through portcullis-server/src/upstream/http.rs (invariant 3)",
    },
];

/// Judges the program text of every crate; tests may do what they must.
pub(crate) fn judge(sources: &[Source], findings: &mut Vec<Finding>) {
    for source in sources.iter().filter(|source| source.is_rust()) {
        let Some(name) = source.crate_name() else {
            continue;
        };
        for absence in ABSENCES
            .iter()
            .filter(|absence| absence.crates.contains(&name))
        {
            if source.path.starts_with(absence.except) {
                continue;
            }
            for (number, line) in source.program_lines() {
                if let Some(word) = absence.words.iter().find(|word| line.contains(**word)) {
                    findings.push(Finding::at(
                        source,
                        number,
                        format!("names `{word}`: {}", absence.reason),
                    ));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::source::rust;

    fn count(path: &str, text: &str) -> usize {
        let mut findings = Vec::new();
        judge(&[rust(path, text)], &mut findings);
        findings.len()
    }

    #[test]
    fn a_clock_in_a_pure_crate_is_found() {
        assert_eq!(
            count(
                "crates/portcullis-mcp/src/lib.rs",
                "let now = SystemTime::now();"
            ),
            1
        );
    }

    #[test]
    fn a_clock_in_the_tests_of_a_pure_crate_is_theirs() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
        assert_eq!(count("crates/portcullis-mcp/src/lib.rs", text), 0);
    }

    #[test]
    fn sql_outside_the_store_is_found() {
        assert_eq!(
            count("crates/portcullis-server/src/a.rs", "let q = \"SELECT 1\";"),
            1
        );
        assert_eq!(
            count("crates/portcullis-store/src/a.rs", "let q = \"SELECT 1\";"),
            0
        );
    }

    #[test]
    fn a_second_way_to_dial_is_found() {
        let line = "let client = reqwest::Client::new();";
        assert_eq!(
            count("crates/portcullis-server/src/upstream/token.rs", line),
            1
        );
        assert_eq!(
            count("crates/portcullis-server/src/upstream/http.rs", line),
            0
        );
    }
}
