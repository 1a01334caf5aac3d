//! What can be asked of `portcullis manifest`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use portcullis_base::{Origin, Slug};
use portcullis_oauth::resource::Resource;
use portcullis_server::config::{AllowedUpstream, Overrides};

use super::{DEFAULT_FILE, OutputFormat};

#[derive(Debug, Args)]
pub(crate) struct Manifest {
    #[command(subcommand)]
    pub(crate) command: ManifestCommand,
    /// The configuration file; its `[upstream]` says where this may go.
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_FILE)]
    pub(crate) config: PathBuf,
    /// The origin that clients use, such as `https://mcp.example.com`.
    #[arg(long, global = true, value_name = "ORIGIN", value_parser = Origin::parse)]
    pub(crate) public_url: Option<Origin>,
    /// A place that is not public and may be called, such as `http://localhost:8080` or `10.20.0.0/16`; may be repeated.
    #[arg(long, global = true, value_name = "ORIGIN|CIDR")]
    pub(crate) allow_upstream: Vec<AllowedUpstream>,
    /// The folder of the database and the master key.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ManifestCommand {
    /// Fetch a provider's metadata into a file, and say what to write into the configuration.
    Create {
        #[command(flatten)]
        source: MetadataSource,
        /// What the manifest shall be called.
        #[arg(long, value_name = "SLUG", value_parser = Slug::parse)]
        name: Option<Slug>,
        /// The file to write, which must not be there yet; `NAME-oauth.json` otherwise.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Say what clients would make of a manifest, and whether its provider answers.
    Check {
        /// A file, the URL of an issuer or of an MCP server, or the name of a manifest in the configuration.
        manifest: String,
        #[command(flatten)]
        target: Target,
        /// Judge it as the gateway would serve it again under the toolset's URL.
        #[arg(long)]
        republished: bool,
        /// Register a client named "Portcullis check" at the provider, to try whether it refuses our URL; it is deleted again where the provider lets it.
        #[arg(long)]
        register: bool,
        /// For people, or for programs.
        #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
        format: OutputFormat,
    },
    /// Let a toolset take the provider's own tokens: changes the configuration file, after showing what changes.
    ///
    /// Its ways in `oauth` and `open` become `external`; `api_key` and `headers` stay.
    Attach {
        /// The file of a manifest, or the name of one in the configuration.
        manifest: String,
        /// The toolset.
        #[arg(long, value_name = "SLUG", value_parser = Slug::parse)]
        toolset: Slug,
        /// What the manifest shall be called, where it is attached for the first time.
        #[arg(long, value_name = "SLUG", value_parser = Slug::parse)]
        name: Option<Slug>,
        /// Serve it to clients under the toolset's URL, for a provider that does not serve it itself.
        #[arg(long)]
        republish: bool,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Compare a manifest with what its provider serves now; fails where something grave changed.
    Refresh {
        /// The file of a manifest, or the name of one in the configuration.
        manifest: String,
        /// Write what is served into the file.
        #[arg(long)]
        write: bool,
    },
    /// List what a manifest was before, as the store keeps it.
    Versions {
        /// The name of the manifest.
        #[arg(value_name = "SLUG", value_parser = Slug::parse)]
        manifest: Slug,
        /// Print the version whose digest begins so.
        #[arg(long, value_name = "DIGEST")]
        show: Option<String>,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct MetadataSource {
    /// The URL of the provider's issuer, or of an MCP server of its own.
    pub(crate) url: Option<String>,
    /// An OpenAPI document whose `openIdConnect` or `oauth2` scheme names the provider.
    #[arg(long, value_name = "FILE")]
    pub(crate) document: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Target {
    /// The URL that clients will send as `resource`, that of the MCP endpoint.
    #[arg(long, value_name = "URL", value_parser = Resource::parse)]
    pub(crate) resource: Option<Resource>,
    /// The toolset that the manifest is for.
    #[arg(long, value_name = "SLUG", value_parser = Slug::parse)]
    pub(crate) toolset: Option<Slug>,
}

impl Manifest {
    /// Returns what the command line says instead of the file.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            public_url: self.public_url.clone(),
            allow_upstream: self.allow_upstream.clone(),
            data_dir: self.data_dir.clone(),
            ..Overrides::default()
        }
    }
}
