//! The command line: what can be asked for, and what people read about it.

mod document;
mod grants;
mod manifest;

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use portcullis_base::{Origin, Slug};
use portcullis_server::config::{AllowedUpstream, ListenAddress, Overrides};

pub(crate) use document::{Document, DocumentCommand};
pub(crate) use grants::{Grants, GrantsCommand, SelectionArguments};
pub(crate) use manifest::{Manifest, ManifestCommand, MetadataSource, Target};

/// Turns OpenAPI documents into MCP servers, and calls the APIs behind with the credentials they accept.
///
/// Begin with `portcullis check petstore.yaml`, which shows the tools that a document gives, then `portcullis serve petstore.yaml`, which publishes them on this machine.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  portcullis check petstore.yaml                      what becomes of the document
  PETSTORE_API_KEY=… portcullis serve petstore.yaml   publish it on this machine
  portcullis serve portcullis.toml                    publish what a configuration file describes
  portcullis doctor portcullis.toml                   whether people can sign in to it
  portcullis key create \"build agents\"                make a key for callers";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what is wrong or missing, and list the tools; changes nothing, and fetches documents that come from a URL.
    Check(Check),
    /// Publish what a configuration file describes, or one OpenAPI document.
    Serve(Serve),
    /// Say whether signing in can work: asks the running gateway and the providers, and changes nothing.
    ///
    /// Looks at what can be looked at without a person: the documents of the gateway through its public URL, its refusals, what the provider says of itself, and whether it takes the client id and the secret.
    Doctor(Doctor),
    /// Write a configuration file's objects to the store, after showing what changes.
    Apply(Apply),
    /// Make, list and revoke API keys, and change the master key.
    Key(Key),
    /// List what people granted to clients, and take it back.
    Grants(Grants),
    /// Show what documents were and may become, and choose which revision is served.
    Document(Document),
    /// Show the audit: who changed what, and what became of people's access; the latest last.
    Audit(Audit),
    /// Fetch, check and attach the OAuth manifest of a provider that registers MCP clients itself.
    Manifest(Manifest),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the reference of the configuration file, in Markdown.
    #[command(hide = true)]
    Reference,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// A configuration file (`….toml`), or an OpenAPI document in JSON or YAML, or an archive that holds one.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) overrides: OverrideArguments,
    /// How log lines are written; as people read them on a terminal, else JSON.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormatArgument>,
    /// The least grave of what is logged.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<LogLevelArgument>,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// How many rows.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub(crate) last: usize,
    /// Only rows of this action, such as `grant.ended`; may be given several times.
    #[arg(long, value_name = "ACTION")]
    pub(crate) action: Vec<String>,
    /// The configuration file that is served.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_FILE)]
    pub(crate) config: PathBuf,
    /// The folder of the database and the master key.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// A configuration file (`….toml`), or an OpenAPI document in JSON or YAML, or an archive that holds one.
    pub(crate) file: PathBuf,
    /// A place that is not public and a document may be fetched from, such as `http://localhost:8080`; may be repeated.
    #[arg(long, value_name = "ORIGIN|CIDR")]
    pub(crate) allow_upstream: Vec<AllowedUpstream>,
    /// List each place of each finding, not only the first ones.
    #[arg(long)]
    pub(crate) all_findings: bool,
    /// For people, or for programs.
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) format: OutputFormat,
}

impl Check {
    /// Returns how many places of one kind of finding are shown to people.
    pub(crate) fn places(&self) -> usize {
        if self.all_findings { usize::MAX } else { 3 }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The configuration file that the gateway serves.
    #[arg(default_value = DEFAULT_FILE)]
    pub(crate) file: PathBuf,
    /// Look at this toolset and its provider only.
    #[arg(long, value_name = "SLUG", value_parser = Slug::parse)]
    pub(crate) toolset: Option<Slug>,
    #[command(flatten)]
    pub(crate) overrides: OverrideArguments,
    /// For people, or for programs.
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) format: OutputFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Lines for people.
    Text,
    /// One JSON object; that of `check` holds the schemas of all tools.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The configuration file.
    #[arg(default_value = DEFAULT_FILE)]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) overrides: OverrideArguments,
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Key {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
    /// The configuration file, or the OpenAPI document, that is served.
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_FILE)]
    pub(crate) config: PathBuf,
    /// The folder of the database and the master key.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
}

pub(crate) const DEFAULT_FILE: &str = "portcullis.toml";

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make an API key, and print it; it is not shown again.
    Create {
        /// What the key is called in lists and logs.
        name: String,
        /// A toolset that the key opens; may be repeated. Without it, the key opens all of them.
        #[arg(long = "toolset", value_name = "SLUG", value_parser = Slug::parse)]
        toolsets: Vec<Slug>,
        /// The days after which the key stops working by itself.
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        expires_in_days: Option<u32>,
    },
    /// List the API keys.
    List,
    /// Revoke an API key, for good.
    Revoke {
        /// The key's name or id.
        key: String,
    },
    /// Change the master key that the store's secrets are sealed with, while the gateway serves.
    ///
    /// May be interrupted and repeated; the former key file is kept beside the new one, since backups of the database need it.
    Rotate {
        /// The environment variable that holds the new master key, where the present one comes from the environment.
        #[arg(long, value_name = "VARIABLE")]
        new_key_env: Option<String>,
    },
    /// Give up the secrets whose master key is lost, and keep everything else.
    ///
    /// Secrets of the configuration file come back at the next start, and people whose connections are given up sign in again. Stop the gateways first.
    Abandon {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// What the command line may say instead of the file.
#[derive(Debug, Args)]
pub(crate) struct OverrideArguments {
    /// An address to listen on, such as `localhost:8400` or `0.0.0.0:8400`; may be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Vec<ListenAddress>,
    /// The origin that clients use, such as `https://mcp.example.com`.
    #[arg(long, value_name = "ORIGIN", value_parser = Origin::parse)]
    pub(crate) public_url: Option<Origin>,
    /// Let other machines reach toolsets that ask for no key.
    #[arg(long)]
    pub(crate) allow_unauthenticated: bool,
    /// A place that is not public and may be called, such as `http://localhost:8080` or `10.20.0.0/16`; may be repeated.
    #[arg(long, value_name = "ORIGIN|CIDR")]
    pub(crate) allow_upstream: Vec<AllowedUpstream>,
    /// The folder of the database and the master key.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
}

impl OverrideArguments {
    /// Returns what the command line says instead of the file.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            listen: self.listen.clone(),
            public_url: self.public_url.clone(),
            allow_unauthenticated: self.allow_unauthenticated,
            allow_upstream: self.allow_upstream.clone(),
            data_dir: self.data_dir.clone(),
            ..Overrides::default()
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormatArgument {
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogLevelArgument {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Prints the completion script of a shell.
pub(crate) fn print_completions(shell: Shell) {
    let mut command = Arguments::command();
    clap_complete::generate(shell, &mut command, "portcullis", &mut std::io::stdout());
}
