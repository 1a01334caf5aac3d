//! Databases on the PostgreSQL server of the test run.

use std::process::Command;

/// Where the server listens.
const URL_VARIABLE: &str = "PORTCULLIS_TEST_POSTGRES_URL";

/// Makes an empty database of this name; gives its URL.
#[expect(
    clippy::disallowed_methods,
    reason = "the test run names its server in the environment"
)]
pub(crate) fn new_database(name: &str) -> String {
    let server = std::env::var(URL_VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{URL_VARIABLE} is not set: run `cargo xtask test`, which starts a PostgreSQL server"
        )
    });
    let statements = [
        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        format!("CREATE DATABASE {name}"),
    ];
    for statement in &statements {
        run(&server, statement);
    }
    let (server, _) = server
        .rsplit_once('/')
        .expect("the URL ends in the name of a database");
    format!("{server}/{name}")
}

/// Runs a statement past the gateway.
pub(crate) fn run(url: &str, statement: &str) {
    let psql = Command::new("psql")
        .args([
            "--no-psqlrc",
            "--quiet",
            "--dbname",
            url,
            "--command",
            statement,
        ])
        .output()
        .expect("psql is there, since the server is");
    let told = String::from_utf8_lossy(&psql.stderr);
    assert!(psql.status.success(), "{statement}: {told}");
}
