//! What can be asked of `portcullis document`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use portcullis_base::Slug;
use portcullis_server::config::AllowedUpstream;

use super::{DEFAULT_FILE, OutputFormat};

#[derive(Debug, Args)]
pub(crate) struct Document {
    #[command(subcommand)]
    pub(crate) command: DocumentCommand,
    /// The configuration file, or the OpenAPI document, that is served.
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_FILE)]
    pub(crate) config: PathBuf,
    /// A place that is not public and a document may be fetched from, such as `http://localhost:8080`; may be repeated.
    #[arg(long, global = true, value_name = "ORIGIN|CIDR")]
    pub(crate) allow_upstream: Vec<AllowedUpstream>,
    /// The folder of the database and the master key.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DocumentCommand {
    /// List the documents of the store, with what is served of each and what waits.
    List,
    /// List the contents that a document had, has or may get.
    Revisions {
        /// The document.
        #[arg(value_name = "SLUG", value_parser = Slug::parse)]
        document: Slug,
    },
    /// Compare the tools of two revisions, and say what breaks callers.
    ///
    /// Without numbers, what is served is compared with what waits, or else with what was served before; with one, that revision with what is served.
    Diff {
        /// The document.
        #[arg(value_name = "SLUG", value_parser = Slug::parse)]
        document: Slug,
        /// The number of the earlier revision.
        #[arg(value_name = "A")]
        from: Option<u32>,
        /// The number of the later revision.
        #[arg(value_name = "B")]
        to: Option<u32>,
        /// For people, or for programs.
        #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
        format: OutputFormat,
    },
    /// Serve a revision again, until the document's source changes or `accept` says so.
    Restore {
        /// The document.
        #[arg(value_name = "SLUG", value_parser = Slug::parse)]
        document: Slug,
        /// The number of the revision.
        number: u32,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Serve the revision that waits.
    Accept {
        /// The document.
        #[arg(value_name = "SLUG", value_parser = Slug::parse)]
        document: Slug,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Fetch a document from its URL now, whatever is due; a change of its tools is shown before it is served.
    Refresh {
        /// The document.
        #[arg(value_name = "SLUG", value_parser = Slug::parse)]
        document: Slug,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}
