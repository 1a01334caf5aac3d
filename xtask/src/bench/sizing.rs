//! What signing in, refreshing and calling cost a PostgreSQL server: statements, transactions, log and rows; the table of `docs/scaling.md`.
//!
//! What is counted does not depend on how fast anything is, so that the programs need not be optimised, and nothing is compared.
//! How often something was done follows from the rows that it left behind.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::parts::{Bench, Load, Pace};
use super::request::Request;
use super::sign_in::SignInGateway;
use crate::postgres::Cluster;
use crate::{command, system};

/// Seconds of load; those of sign-ins are more, since each has many steps.
const SECONDS: f64 = 4.0;
const SIGN_IN_SECONDS: f64 = 20.0;

/// Calls a second, for two seconds: so few that every machine keeps up.
const RATE: u32 = 100;

/// Tokens that are called with once each.
const TOKENS: u32 = 2 * RATE;

/// What makes the server count, and tell of locks that are waited for longer than 10 ms.
const SETTINGS: [&str; 4] = [
    "shared_preload_libraries=pg_stat_statements",
    "pg_stat_statements.track=top",
    "log_lock_waits=on",
    "deadlock_timeout=10ms",
];

/// Counts what the gateways asked for, and not what is asked here.
const STATEMENTS: &str = "SELECT COALESCE(SUM(calls) FILTER (WHERE query NOT IN ('BEGIN', 'COMMIT', 'ROLLBACK')), 0), \
     COALESCE(SUM(calls) FILTER (WHERE query = 'COMMIT'), 0) FROM pg_stat_statements \
     WHERE query NOT LIKE '%pg_stat_statements%' AND query NOT LIKE '%pg_current_wal_lsn%' AND query NOT LIKE '%FROM clients), (%'";

/// Counts the rows of what is measured by them.
const ROWS: &str = "SELECT (SELECT COUNT(*) FROM clients), (SELECT COUNT(*) FROM grants), \
     (SELECT COUNT(*) FROM refresh_tokens)";

/// Lists the tables that grow, with their rows and the bytes of each row, its indexes included.
const TABLES: &str = "SELECT relname, n_live_tup, pg_total_relation_size(relid) / n_live_tup \
     FROM pg_stat_user_tables WHERE n_live_tup > 100 ORDER BY relname";

/// Measures, and prints the tables.
pub(crate) fn sizing(bench: &Bench) -> Result<()> {
    let cluster = Cluster::with(&SETTINGS)?;
    let database = Database(cluster.url());
    database.ask("CREATE EXTENSION pg_stat_statements")?;
    let upstream = bench.upstream()?;
    let storage = format!("[storage]\nurl = \"{}\"\n", database.0);
    let ours = SignInGateway::start(bench, "sizing", &upstream, &storage)?;
    let running = &ours.gateway.running;
    let request = Request::call(&bench.folder, &ours.gateway.url(), "none")?;
    let measure = Measure {
        database: &database,
        cluster: &cluster,
    };
    println!(
        "\n| what | times | statements | transactions that write | bytes of the log | waits for a lock over 10 ms |"
    );
    println!("|---|---|---|---|---|---|");
    let work = |work: &str, seconds| bench.sign_ins(running, &request, work, seconds);
    measure.print(
        "a registration",
        |rows| rows.clients,
        || work("register", SECONDS),
    )?;
    measure.print(
        "a sign-in, with a registration and a call",
        |rows| rows.grants,
        || work("flow", SIGN_IN_SECONDS),
    )?;
    measure.print(
        "a refresh",
        |rows| rows.refresh_tokens,
        || work("refresh", SECONDS),
    )?;
    calls(bench, &measure, &ours, &request)?;
    println!("\n| table | rows | bytes a row, with its indexes |\n|---|---|---|");
    database.ask("VACUUM ANALYZE")?;
    for line in database.ask(TABLES)?.lines() {
        println!("| {} |", line.replace('|', " | "));
    }
    Ok(())
}

/// Calls with tokens that were never used, with the same ones again, with one over and over, and nobody at all.
fn calls(
    bench: &Bench,
    measure: &Measure<'_>,
    ours: &SignInGateway,
    request: &Request,
) -> Result<()> {
    let running = &ours.gateway.running;
    let mut tokens = Command::new(bench.generator());
    tokens.args(["tokens", "--count", &TOKENS.to_string()]);
    let tokens = command::output(tokens.args(request.arguments()))?;
    let file = bench.folder.join("sizing-tokens");
    std::fs::write(&file, tokens.trim())?;
    let each = request.with_tokens(&file);
    let one = Request::call(&bench.folder, &ours.gateway.url(), &ours.gateway.key)?;
    let times = |load: &Load| load.calls_per_second * 2.0;
    for (name, request) in [
        ("the first call with a token from a refresh", &each),
        (
            "a call with a token that was not seen for two seconds",
            &each,
        ),
        ("a call with a token that was seen", &one),
    ] {
        // What is remembered of a token is believed for two seconds, and what is written beside a call is written by then.
        std::thread::sleep(Duration::from_secs(3));
        measure.print_counted(name, || {
            let load = bench.load(running, request, Pace::Rate(RATE))?;
            Ok(times(&load))
        })?;
    }
    measure.print_counted("a second in which nobody asks for anything", || {
        std::thread::sleep(Duration::from_secs(10));
        Ok(10.0)
    })
}

/// Asks a server by its own client.
struct Database(String);

impl Database {
    fn ask(&self, sql: &str) -> Result<String> {
        let psql = system::postgres_program("psql").context("psql comes with the server")?;
        let mut psql = Command::new(psql);
        psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--quiet"]);
        command::output(psql.args(["--dbname", &self.0, "--command", sql]))
    }

    fn numbers<const N: usize>(&self, sql: &str) -> Result<[f64; N]> {
        let answer = self.ask(sql)?;
        let numbers: Result<Vec<f64>, _> = answer.trim().split('|').map(str::parse).collect();
        let numbers = numbers.with_context(|| format!("no numbers: {answer}"))?;
        <[f64; N]>::try_from(numbers).map_err(|numbers| anyhow::anyhow!("not {N}: {numbers:?}"))
    }
}

/// How many rows there are of what is counted by rows.
struct Rows {
    clients: f64,
    grants: f64,
    refresh_tokens: f64,
}

struct Measure<'a> {
    database: &'a Database,
    cluster: &'a Cluster,
}

impl Measure<'_> {
    /// Does work, and prints what each time cost; how often it was done is a difference of rows.
    fn print(
        &self,
        name: &str,
        rows: impl Fn(&Rows) -> f64,
        work: impl FnOnce() -> Result<Load>,
    ) -> Result<()> {
        let before = rows(&self.rows()?);
        self.print_counted(name, || {
            work()?;
            Ok(rows(&self.rows()?) - before)
        })
    }

    /// Does work that says how often it did it, and prints what each time cost.
    fn print_counted(&self, name: &str, work: impl FnOnce() -> Result<f64>) -> Result<()> {
        self.database.ask("SELECT pg_stat_statements_reset()")?;
        let [log] = self.log_bytes()?;
        let waits = self.cluster.log_lines("still waiting for");
        let times = work()?;
        ensure!(times > 0.0, "{name}: nothing was done");
        let [statements, commits] = self.database.numbers(STATEMENTS)?;
        let [after] = self.log_bytes()?;
        let waited = self.cluster.log_lines("still waiting for") - waits;
        println!(
            "| {name} | {times:.0} | {:.2} | {:.2} | {:.0} | {waited} |",
            statements / times,
            commits / times,
            (after - log) / times,
        );
        Ok(())
    }

    fn rows(&self) -> Result<Rows> {
        let [clients, grants, refresh_tokens] = self.database.numbers(ROWS)?;
        Ok(Rows {
            clients,
            grants,
            refresh_tokens,
        })
    }

    fn log_bytes(&self) -> Result<[f64; 1]> {
        self.database
            .numbers("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
    }
}
