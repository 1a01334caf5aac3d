//! The measuring half of `cargo xtask bench`: it loads a server, or measures an import, and prints one line of JSON; it is the provider of those who sign in, too.
//! And the people of `cargo xtask soak`, with their provider; and what `cargo xtask corpus` learns of a document.
//!
//! What is started, pinned and compared is the business of `xtask`.

mod corpus;
mod documents;
mod import;
mod load;
mod process;
mod provider;
mod requests;
mod search;
mod sign_in;
mod signer;
mod soak;
mod static_file;
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
    /// Serves what a request comes to, as it is, to whoever asks for anything.
    Static {
        /// The port, on loopback.
        #[arg(long)]
        port: u16,
        /// The request.
        #[command(flatten)]
        of: load::LoadArguments,
    },
    /// Signs one client in and prints its access token.
    Token(load::LoadArguments),
    /// Signs clients in and has them refresh; prints their access tokens, a line each.
    Tokens {
        /// How many.
        #[arg(long)]
        count: usize,
        /// The call that the tokens are for.
        #[command(flatten)]
        call: load::LoadArguments,
    },
    /// Makes a key for a provider that signs access tokens.
    Key {
        /// Where to write it.
        file: PathBuf,
        /// What it signs with.
        #[arg(long, value_enum, default_value = "es256")]
        algorithm: signer::Algorithm,
    },
    /// Prints access tokens of a provider that signs them, a line each.
    Signed {
        /// The key.
        file: PathBuf,
        /// The provider.
        issuer: String,
        /// The resource that they are for.
        resource: String,
        /// How many.
        count: usize,
    },
    /// Serves as a provider that lets everybody in at once.
    Provider {
        /// The port, on loopback.
        port: u16,
        /// The key whose public half is served at `/keys`.
        #[arg(long)]
        key: Option<PathBuf>,
    },
    /// Serves as a provider, and its API, that tell what they were asked and can be stopped in the middle.
    SoakProvider(soak::provider::ProviderArguments),
    /// Is one of the processes that share a person's tokens.
    SoakProcess(soak::process::ProcessArguments),
    /// Is a crowd of people that comes again where it is told to.
    SoakCrowd(soak::crowd::CrowdArguments),
    /// Counts what a document becomes, measures that, and judges its tools.
    Corpus {
        /// The OpenAPI document.
        document: PathBuf,
    },
    /// Calls every tool of a document with arguments made from its schema, and prints what arrives behind the gateway.
    Requests(requests::RequestArguments),
    /// Searches a document's tools for what serves questions, and measures the index.
    Search(search::SearchArguments),
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
        Arguments::Static { port, of } => return on_one_thread(static_file::run(port, of)),
        Arguments::Token(call) => on_one_thread(sign_in::once(call))?,
        Arguments::Tokens { count, call } => {
            on_one_thread(sign_in::tokens(call, count))?.join("\n")
        }
        Arguments::Key { file, algorithm } => return signer::Signer::create(&file, algorithm),
        Arguments::Signed {
            file,
            issuer,
            resource,
            count,
        } => {
            let signer = signer::Signer::read(&file)?;
            let tokens = (0..count).map(|number| signer.token(&issuer, &resource, number));
            tokens.collect::<anyhow::Result<Vec<_>>>()?.join("\n")
        }
        Arguments::Provider { port, key } => {
            let key = key.map(|file| signer::Signer::read(&file)).transpose()?;
            return on_one_thread(provider::run(port, key));
        }
        Arguments::SoakProvider(arguments) => {
            return on_one_thread(soak::provider::run(arguments));
        }
        Arguments::SoakProcess(arguments) => {
            return on_one_thread(soak::process::run(arguments));
        }
        Arguments::SoakCrowd(arguments) => on_one_thread(soak::crowd::run(arguments))?,
        Arguments::Corpus { document } => serde_json::to_string(&corpus::run(&document)?)?,
        Arguments::Requests(arguments) => return on_one_thread(requests::run(arguments)),
        Arguments::Search(arguments) => serde_json::to_string(&search::run(&arguments)?)?,
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
