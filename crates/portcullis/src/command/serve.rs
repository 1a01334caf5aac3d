//! `portcullis serve`: the gateway, until a signal stops it.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use portcullis_base::Secret;
use portcullis_server::config::{LogLevel, LoggingSettings, Overrides};
use portcullis_server::document::load::Loader;
use portcullis_server::gateway::{Gateway, Reloader};
use portcullis_server::telemetry::logging::{self, LogFormat, LogGuard};
use portcullis_server::telemetry::metrics::Metrics;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::{LogFormatArgument, LogLevelArgument, Serve};

/// Runs the command.
///
/// The first SIGINT or SIGTERM lets requests under way finish; the second ends the program at once.
/// SIGHUP has the configuration read again.
pub(crate) async fn run(
    arguments: &Serve,
    process: HashMap<String, Secret>,
) -> anyhow::Result<ExitCode> {
    // The system would end the program at a signal that nobody waits for yet.
    let mut stop = Stop::new()?;
    let hangup = signal(SignalKind::hangup())?;
    let loader = Loader {
        path: &arguments.file,
        overrides: arguments.overrides(),
        process,
    };
    let configuration = loader.load().await?;
    let guard = log(configuration.settings.logging)?;
    let metrics = Metrics::new().with_dropped_lines(guard.dropped());
    let gateway = tokio::select! {
        started = Box::pin(Gateway::start_counted(configuration, metrics)) => started?,
        () = stop.asked() => {
            tracing::warn!("stopped before the gateway had started");
            end(guard)
        }
    };
    let reloading = tokio::spawn(reload(hangup, gateway.reloader()));
    let shutdown = CancellationToken::new();
    let mut running = Box::pin(gateway.run(shutdown.clone()));
    tokio::select! {
        () = &mut running => return Ok(ExitCode::SUCCESS),
        () = stop.asked() => shutdown.cancel(),
    }
    reloading.abort();
    tokio::select! {
        () = running => Ok(ExitCode::SUCCESS),
        () = stop.asked() => {
            tracing::warn!("stopped again: requests under way are cut off");
            end(guard)
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

/// Reads the configuration again at each SIGHUP, one after the other.
async fn reload(mut hangup: Signal, reloader: Reloader) {
    while hangup.recv().await.is_some() {
        tracing::info!("SIGHUP: reading the configuration again");
        reloader.reload().await;
    }
}

/// Ends the program without waiting for anything but the last log lines.
///
/// The runtime would wait for work that blocks, such as a lock or a name being resolved.
fn end(guard: LogGuard) -> ! {
    drop(guard);
    std::process::exit(1)
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
        Overrides {
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
            ..self.overrides.overrides()
        }
    }
}
