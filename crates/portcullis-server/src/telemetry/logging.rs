//! Where log lines go: one line per event, human or JSON, to a sink that can never hold a request up.
//!
//! Lines pass through a bounded queue to a thread of their own; when the sink does not keep up, lines are dropped and counted, and the count is told as soon as it takes lines again.
//! Every character that could start a new line, colour a terminal or turn the direction of text is escaped, whoever sent it.
//! What must not be logged is for those who log to leave out.

mod json;

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use thiserror::Error;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

/// Lines that wait for the sink.
const QUEUE_LINES: usize = 8192;
/// The bytes after which lines are written without looking for more.
const BATCH_BYTES: usize = 64 * 1024;
/// The rest between two writes: while it lasts, lines gather, and whoever logs need not wake the thread for each of them.
const PAUSE: Duration = Duration::from_millis(5);
/// How long the end of the program waits for the last lines.
const FLUSH_DEADLINE: Duration = Duration::from_secs(2);

/// What a log line looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people: one line of text.
    #[default]
    Human,
    /// For machines: one JSON object per line.
    Json,
}

/// The filter cannot be read.
#[derive(Debug, Error)]
#[error(
    "the log filter `{filter}` cannot be read: {source}; write a level such as `info`, or `target=level` pairs"
)]
pub struct InvalidFilter {
    filter: String,
    source: tracing_subscriber::filter::ParseError,
}

/// Why logging could not begin.
#[derive(Debug, Error)]
pub enum InitError {
    /// The filter cannot be read.
    #[error(transparent)]
    Filter(#[from] InvalidFilter),
    /// Somebody else set up logging before.
    #[error("logging is set up already")]
    Twice,
    /// The system gives no thread.
    #[error("cannot start the log's thread: {0}")]
    Thread(#[from] io::Error),
}

/// Sends all events of the program to standard error.
///
/// # Errors
///
/// When the filter cannot be read, or logging is set up already.
pub fn init(format: LogFormat, filter: &str) -> Result<LogGuard, InitError> {
    let (lines, guard) = lossy(io::stderr(), format, QUEUE_LINES)?;
    let subscriber = subscriber(filter, lines)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| InitError::Twice)?;
    Ok(guard)
}

/// Makes the subscriber that formats events for `lines`.
///
/// # Errors
///
/// When the filter cannot be read.
pub fn subscriber(
    filter: &str,
    lines: LogLines,
) -> Result<Box<dyn Subscriber + Send + Sync>, InvalidFilter> {
    let filter = EnvFilter::try_new(filter).map_err(|source| InvalidFilter {
        filter: filter.to_owned(),
        source,
    })?;
    let format = lines.format;
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(lines);
    let registry = tracing_subscriber::registry().with(filter);
    Ok(match format {
        LogFormat::Human => Box::new(registry.with(layer)),
        LogFormat::Json => Box::new(registry.with(layer.event_format(json::JsonLine))),
    })
}

/// Starts the thread that writes to `sink`, with a queue of `capacity` lines before it.
///
/// # Errors
///
/// When the system gives no thread.
pub fn lossy(
    sink: impl Write + Send + 'static,
    format: LogFormat,
    capacity: usize,
) -> io::Result<(LogLines, LogGuard)> {
    let dropped = DroppedLines::default();
    let (queue, entries) = sync_channel(capacity);
    let counted = dropped.clone();
    std::thread::Builder::new()
        .name("log".to_owned())
        .spawn(move || write_entries(sink, format, &entries, &counted))?;
    let lines = LogLines {
        queue: queue.clone(),
        dropped: dropped.clone(),
        format,
    };
    Ok((lines, LogGuard { queue, dropped }))
}

/// Keeps the log's thread; dropping it waits a short while for the lines that are under way.
#[derive(Debug)]
pub struct LogGuard {
    queue: SyncSender<Entry>,
    dropped: DroppedLines,
}

impl LogGuard {
    /// Returns the count of lines that the sink was too slow for.
    #[must_use]
    pub fn dropped(&self) -> &DroppedLines {
        &self.dropped
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let (done, flushed) = sync_channel(1);
        if self.queue.try_send(Entry::Flush(done)).is_ok() {
            let _ = flushed.recv_timeout(FLUSH_DEADLINE);
        }
    }
}

/// How many lines the sink was too slow for.
#[derive(Clone, Debug, Default)]
pub struct DroppedLines(Counter);

impl DroppedLines {
    /// Returns the count.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.get()
    }

    pub(super) fn counter(&self) -> Counter {
        self.0.clone()
    }
}

/// The way into the queue; a writer that never waits.
#[derive(Clone, Debug)]
pub struct LogLines {
    queue: SyncSender<Entry>,
    dropped: DroppedLines,
    format: LogFormat,
}

#[derive(Debug)]
enum Entry {
    Line(String),
    Flush(SyncSender<()>),
}

impl<'a> MakeWriter<'a> for LogLines {
    type Writer = &'a LogLines;

    fn make_writer(&'a self) -> &'a LogLines {
        self
    }
}

impl Write for &LogLines {
    /// Takes one event; the formatting layer hands each over in one piece.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let length = event.len();
        let event = String::from_utf8_lossy(event);
        let line = match self.format {
            LogFormat::Human => escape(&event),
            LogFormat::Json => event.into_owned(),
        };
        match self.queue.try_send(Entry::Line(line)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.dropped.0.inc();
            }
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_entries(
    mut sink: impl Write,
    format: LogFormat,
    entries: &Receiver<Entry>,
    dropped: &DroppedLines,
) {
    let mut told = 0;
    while let Ok(first) = entries.recv() {
        let batch = Batch::gather(first, entries);
        // A sink that fails loses lines, not the thread: it may be mended.
        if sink.write_all(batch.text.as_bytes()).is_err() {
            dropped.0.inc_by(batch.lines);
        }
        let count = dropped.count();
        if count > told && tell_dropped(&mut sink, format, count).is_ok() {
            told = count;
        }
        match batch.flush {
            Some(done) => {
                let _ = sink.flush();
                let _ = done.try_send(());
            }
            None => pause(),
        }
    }
}

/// Lines that are written at once.
#[derive(Default)]
struct Batch {
    text: String,
    lines: u64,
    /// Somebody waits for what was handed over before.
    flush: Option<SyncSender<()>>,
}

impl Batch {
    /// Takes what waits behind `first`, without waiting for more.
    fn gather(first: Entry, entries: &Receiver<Entry>) -> Self {
        let mut batch = Self::default();
        let mut next = Some(first);
        while let Some(entry) = next {
            match entry {
                Entry::Line(line) => {
                    batch.text.push_str(&line);
                    batch.lines += 1;
                }
                Entry::Flush(done) => {
                    batch.flush = Some(done);
                    break;
                }
            }
            let has_room = batch.text.len() < BATCH_BYTES;
            next = has_room.then(|| entries.try_recv().ok()).flatten();
        }
        batch
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a thread of its own, that nobody waits for"
)]
fn pause() {
    std::thread::sleep(PAUSE);
}

fn tell_dropped(sink: &mut impl Write, format: LogFormat, count: u64) -> io::Result<()> {
    match format {
        LogFormat::Human => {
            writeln!(
                sink,
                "WARN {count} log lines were dropped so far: the log's sink is too slow"
            )
        }
        LogFormat::Json => writeln!(
            sink,
            r#"{{"level":"WARN","message":"log lines were dropped: the log's sink is too slow","dropped":{count}}}"#
        ),
    }
}

/// Escapes what could forge a line for people or deceive them; the last line feed stays.
fn escape(event: &str) -> String {
    let (text, end) = match event.strip_suffix('\n') {
        Some(text) => (text, "\n"),
        None => (event, ""),
    };
    let mut line = String::with_capacity(event.len());
    for c in text.chars() {
        if deceives(c) {
            line.extend(c.escape_unicode());
        } else {
            line.push(c);
        }
    }
    line.push_str(end);
    line
}

/// Tells control characters, line and paragraph separators, and what turns the direction of text.
fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests;
