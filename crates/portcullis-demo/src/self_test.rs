//! The parts of the client and of the browser, played over real HTTP.

mod browser;
mod client;
mod http;
mod journey;
mod tools;

use std::cell::Cell;
use std::time::Instant;

use rmcp::model::CallToolResult;

use crate::Places;

/// Goes through both toolsets, and prints each step with its time.
///
/// # Errors
///
/// When a step fails or its answer is not what it should be.
pub(crate) async fn run(places: &Places) -> anyhow::Result<()> {
    // The client's TLS needs one, even where no TLS is spoken.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let steps = Steps::begin();
    say("Without signing in:");
    tools::run(&steps, &format!("{}/harbour/mcp", places.gateway)).await?;
    say("Signing in, at a provider that is for trying out only:");
    journey::run(&steps, places).await?;
    steps.end();
    Ok(())
}

/// A stopwatch that speaks.
struct Steps {
    begun: Instant,
    last: Cell<Instant>,
}

impl Steps {
    fn begin() -> Self {
        let begun = now();
        Self {
            begun,
            last: Cell::new(begun),
        }
    }

    /// Says what was done since the last step, in one line, and how long it took.
    fn done(&self, what: &str) {
        let what = what.lines().next().unwrap_or_default();
        let took = self.last.replace(now()).elapsed();
        say(&format!("{:>7.1} ms  {what}", took.as_secs_f64() * 1e3));
    }

    fn end(&self) {
        let took = self.begun.elapsed();
        say(&format!(
            "{:>7.1} ms  all as it should be",
            took.as_secs_f64() * 1e3
        ));
    }
}

fn text_of(result: &CallToolResult) -> String {
    result
        .content
        .iter()
        .filter_map(|content| content.as_text())
        .map(|text| text.text.as_str())
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the demo shows how long each step takes"
)]
fn now() -> Instant {
    Instant::now()
}

#[expect(
    clippy::print_stdout,
    reason = "the demo talks to the person who started it"
)]
fn say(what: &str) {
    println!("{what}");
}
