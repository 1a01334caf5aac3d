//! The measuring half of `cargo xtask bench`: it loads a server, or measures an import, and prints one line of JSON.
//!
//! What is started, pinned and compared is the business of `xtask`.

mod import;
mod load;
mod process;

use std::path::PathBuf;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
enum Arguments {
    /// Sends one request over and over and measures calls, latency and the CPU time of the processes under load.
    Load(load::LoadArguments),
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
        Arguments::Load(arguments) => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            serde_json::to_string(&runtime.block_on(load::run(arguments))?)?
        }
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

#[expect(
    clippy::print_stdout,
    reason = "the line of JSON is this program's result"
)]
fn print_line(line: &str) {
    println!("{line}");
}
