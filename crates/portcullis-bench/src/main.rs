//! The measuring half of `cargo xtask bench`: it loads a server, or measures an import, and prints one line of JSON; it is the provider of those who sign in, too.
//!
//! What is started, pinned and compared is the business of `xtask`.

mod import;
mod load;
mod process;
mod provider;
mod sign_in;
mod visitor;
mod wire;

use std::path::PathBuf;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
enum Arguments {
    /// Sends one request over and over and measures calls, latency and the CPU time of the processes under load.
    Load(load::LoadArguments),
    /// Has clients register, sign in or refresh, over and over, and measures the same.
    SignIn(sign_in::SignInArguments),
    /// Signs one client in and prints its access token.
    Token(load::LoadArguments),
    /// Serves as a provider that lets everybody in at once.
    Provider {
        /// The port, on loopback.
        port: u16,
    },
    /// Measures, in this process, how long a document takes to become a tool list.
    Import {
        /// The OpenAPI document.
        document: PathBuf,
        /// Only parse the bytes into a `serde_json::Value`: the floor to compare with.
        #[arg(long)]
        parse_only: bool,
        /// How often to repeat; the median is printed.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
}

fn main() -> anyhow::Result<()> {
    let line = match Arguments::parse() {
        Arguments::Load(arguments) => serde_json::to_string(&on_one_thread(load::run(arguments))?)?,
        Arguments::SignIn(arguments) => {
            serde_json::to_string(&on_one_thread(sign_in::run(arguments))?)?
        }
        Arguments::Token(call) => on_one_thread(sign_in::once(call))?,
        Arguments::Provider { port } => return on_one_thread(provider::run(port)),
        Arguments::Import {
            document,
            parse_only,
            rounds,
        } => {
            let bytes = std::fs::read(document)?;
            serde_json::to_string(&import::run(&bytes, parse_only, rounds)?)?
        }
    };
    print_line(&line);
    Ok(())
}

fn on_one_thread<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(work)
}

#[expect(
    clippy::print_stdout,
    reason = "the line of JSON is this program's result"
)]
fn print_line(line: &str) {
    println!("{line}");
}
