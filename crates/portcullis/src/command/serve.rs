//! `portcullis serve`: the gateway, until a signal stops it.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use portcullis_base::Secret;
use portcullis_server::config::{Configuration, LogLevel, LoggingSettings, Overrides};
use portcullis_server::gateway::Gateway;
use portcullis_server::telemetry::logging::{self, LogFormat, LogGuard};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::{LogFormatArgument, LogLevelArgument, Serve};

/// Runs the command.
///
/// The first SIGINT or SIGTERM lets requests under way finish; the second ends them.
pub(crate) async fn run(
    arguments: &Serve,
    process: HashMap<String, Secret>,
) -> anyhow::Result<ExitCode> {
    let configuration = Configuration::load(&arguments.file, arguments.overrides(), process)?;
    let _guard = log(configuration.settings.logging)?;
    let mut stop = Stop::new()?;
    let shutdown = CancellationToken::new();
    let gateway = Gateway::start(configuration).await?;
    let running = gateway.run(shutdown.clone());
    tokio::pin!(running);
    tokio::select! {
        () = &mut running => return Ok(ExitCode::SUCCESS),
        () = stop.asked() => shutdown.cancel(),
    }
    tokio::select! {
        () = running => Ok(ExitCode::SUCCESS),
        () = stop.asked() => {
            tracing::warn!("stopped again: requests under way were cut off");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn log(settings: LoggingSettings) -> anyhow::Result<LogGuard> {
    let format = match settings.format {
        Some(format) => format,
        None if std::io::stderr().is_terminal() => LogFormat::Human,
        None => LogFormat::Json,
    };
    Ok(logging::init(format, settings.level.as_str())?)
}

/// The signals that ask the program to stop.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

impl Serve {
    /// Returns what the command line says instead of the file.
    fn overrides(&self) -> Overrides {
        let arguments = &self.overrides;
        Overrides {
            listen: arguments.listen.clone(),
            public_url: arguments.public_url.clone(),
            allow_unauthenticated: arguments.allow_unauthenticated,
            allow_upstream: arguments.allow_upstream.clone(),
            data_dir: arguments.data_dir.clone(),
            log_format: self.log_format.map(|format| match format {
                LogFormatArgument::Human => LogFormat::Human,
                LogFormatArgument::Json => LogFormat::Json,
            }),
            log_level: self.log_level.map(|level| match level {
                LogLevelArgument::Error => LogLevel::Error,
                LogLevelArgument::Warn => LogLevel::Warn,
                LogLevelArgument::Info => LogLevel::Info,
                LogLevelArgument::Debug => LogLevel::Debug,
                LogLevelArgument::Trace => LogLevel::Trace,
            }),
        }
    }
}
