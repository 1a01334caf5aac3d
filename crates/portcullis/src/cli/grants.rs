//! What can be asked of `portcullis grants`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use portcullis_base::{GrantId, Slug, SubjectId};
use portcullis_oauth::issuer::client::ClientId;

use super::DEFAULT_FILE;

#[derive(Debug, Args)]
pub(crate) struct Grants {
    #[command(subcommand)]
    pub(crate) command: GrantsCommand,
    /// The configuration file that is served.
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_FILE)]
    pub(crate) config: PathBuf,
    /// The folder of the database and the master key.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GrantsCommand {
    /// List the grants that have not ended.
    List {
        #[command(flatten)]
        selection: SelectionArguments,
    },
    /// End grants, and every token that was issued under them; those who signed in sign in again.
    ///
    /// Calls are refused within two seconds, while the gateway serves.
    Revoke {
        /// The id of one grant, as `list` and the log show it.
        #[arg(value_parser = GrantId::parse)]
        grant: Option<GrantId>,
        #[command(flatten)]
        selection: SelectionArguments,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

/// Which grants are meant: those to which all of it applies.
#[derive(Debug, Args)]
pub(crate) struct SelectionArguments {
    /// Those of a client, by its `client_id`.
    #[arg(long, value_name = "ID", value_parser = ClientId::parse)]
    pub(crate) client: Option<ClientId>,
    /// Those of a person, by the id that `list` shows.
    #[arg(long, value_name = "ID", value_parser = SubjectId::parse)]
    pub(crate) subject: Option<SubjectId>,
    /// Those at a toolset.
    #[arg(long, value_name = "SLUG", value_parser = Slug::parse)]
    pub(crate) toolset: Option<Slug>,
    /// Those of people who signed in at a provider.
    #[arg(long, value_name = "SLUG", value_parser = Slug::parse)]
    pub(crate) provider: Option<Slug>,
}
