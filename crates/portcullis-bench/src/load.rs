//! The load: one request, many connections, as fast as they go or at a fixed rate.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::process;

#[derive(clap::Args)]
pub(crate) struct LoadArguments {
    /// Where to send the request; plain HTTP.
    pub(crate) url: Uri,
    /// The body of a POST; without it, a GET is sent.
    #[arg(long)]
    body: Option<PathBuf>,
    /// A header, as `name: value`.
    #[arg(long = "header")]
    headers: Vec<String>,
    /// A file of bearer tokens, a line each; every call bears the next one, and after the last comes the first; which one begins is left to the clock.
    #[arg(long)]
    tokens: Option<PathBuf>,
    /// Text that every answer must hold.
    #[arg(long)]
    pub(crate) expect: Option<String>,
    /// Connections at once.
    #[arg(long, default_value_t = 16)]
    pub(crate) connections: usize,
    /// Seconds to measure, after one second to warm up.
    #[arg(long, default_value_t = 5.0)]
    pub(crate) seconds: f64,
    /// Calls per second over all connections; as many as go where absent.
    #[arg(long)]
    rate: Option<f64>,
    /// Processes whose CPU time counts.
    #[arg(long = "pid")]
    pub(crate) pids: Vec<u32>,
}

/// What was measured.
#[derive(Serialize)]
pub(crate) struct Measured {
    calls: usize,
    calls_per_second: f64,
    cpu_us_per_call: f64,
    p50_us: f64,
    p99_us: f64,
}

struct Plan {
    request: Request<Full<Bytes>>,
    /// The tokens, and the next of them.
    tokens: Vec<HeaderValue>,
    next: AtomicUsize,
    expect: Option<String>,
    start: Instant,
    end: Instant,
    /// The time between two calls of one connection, where a rate is kept.
    pace: Option<Duration>,
}

impl Plan {
    /// Returns the next request.
    fn next(&self) -> Request<Full<Bytes>> {
        let mut request = self.request.clone();
        if !self.tokens.is_empty() {
            let number = self.next.fetch_add(1, Ordering::Relaxed) % self.tokens.len();
            let token = self.tokens.get(number).cloned();
            let headers = request.headers_mut();
            token.map(|token| headers.insert(http::header::AUTHORIZATION, token));
        }
        request
    }
}

/// Draws where to begin, so that tokens do not come again that the load before began with.
#[expect(clippy::disallowed_methods, reason = "whatever the clock says will do")]
fn anywhere() -> anyhow::Result<usize> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(usize::try_from(since.subsec_micros())?)
}

fn read_tokens(file: &PathBuf) -> anyhow::Result<Vec<HeaderValue>> {
    let text = std::fs::read_to_string(file)?;
    let bearer = |token: &str| Ok(HeaderValue::try_from(format!("Bearer {token}"))?);
    text.lines().map(bearer).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a load generator measures real time"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Loads the server and measures.
pub(crate) async fn run(arguments: LoadArguments) -> anyhow::Result<Measured> {
    let address = address(&arguments)?;
    let start = now() + Duration::from_secs(1);
    let seconds = Duration::from_secs_f64(arguments.seconds);
    #[expect(clippy::cast_precision_loss, reason = "a handful of connections")]
    let pace = arguments
        .rate
        .map(|rate| Duration::from_secs_f64(arguments.connections as f64 / rate));
    let tokens = arguments.tokens.as_ref().map(read_tokens).transpose()?;
    let plan = Arc::new(Plan {
        request: request(&arguments)?,
        tokens: tokens.unwrap_or_default(),
        next: AtomicUsize::new(anywhere()?),
        expect: arguments.expect.clone(),
        start,
        end: start + seconds,
        pace,
    });
    let mut connections = JoinSet::new();
    for index in 0..arguments.connections {
        let sender = connect(&address).await?;
        let plan = Arc::clone(&plan);
        // Paced connections take turns instead of sending all at one moment.
        #[expect(clippy::cast_possible_truncation, reason = "a handful of connections")]
        let offset = plan.pace.map_or(Duration::ZERO, |pace| {
            pace * index as u32 / arguments.connections as u32
        });
        connections.spawn(async move { one_connection(sender, &plan, offset).await });
    }
    tokio::time::sleep_until(start.into()).await;
    let cpu_before = process::cpu_time(&arguments.pids)?;
    tokio::time::sleep_until(plan.end.into()).await;
    let cpu = process::cpu_time(&arguments.pids)?.saturating_sub(cpu_before);
    let mut latencies = Vec::new();
    while let Some(done) = connections.join_next().await {
        latencies.extend(done??);
    }
    measured(latencies, seconds, cpu)
}

/// Sums up what the connections saw within `seconds`.
pub(crate) fn measured(
    mut latencies: Vec<Duration>,
    seconds: Duration,
    cpu: Duration,
) -> anyhow::Result<Measured> {
    ensure!(!latencies.is_empty(), "no call was answered");
    latencies.sort_unstable();
    let calls = latencies.len();
    let quantile = |percent: usize| {
        latencies
            .get((calls - 1) * percent / 100)
            .map_or(0.0, |d| d.as_secs_f64() * 1e6)
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "far fewer calls than a float can count"
    )]
    let count = calls as f64;
    Ok(Measured {
        calls,
        calls_per_second: count / seconds.as_secs_f64(),
        cpu_us_per_call: cpu.as_secs_f64() * 1e6 / count,
        p50_us: quantile(50),
        p99_us: quantile(99),
    })
}

/// Returns where to connect to, as `HOST:PORT`.
pub(crate) fn address(arguments: &LoadArguments) -> anyhow::Result<String> {
    let authority = arguments.url.authority();
    let authority = authority.context("the URL has no host")?;
    let port = authority.port_u16().unwrap_or(80);
    Ok(format!("{}:{port}", authority.host()))
}

/// Makes the request that is sent.
pub(crate) fn request(arguments: &LoadArguments) -> anyhow::Result<Request<Full<Bytes>>> {
    let body = arguments.body.as_ref().map(std::fs::read).transpose()?;
    let method = if body.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    let target = arguments
        .url
        .path_and_query()
        .context("the URL has no path")?
        .as_str();
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .body(Full::from(body.unwrap_or_default()))?;
    let host = arguments
        .url
        .authority()
        .context("the URL has no host")?
        .as_str();
    request
        .headers_mut()
        .insert(http::header::HOST, HeaderValue::from_str(host)?);
    for header in &arguments.headers {
        let (name, value) = header
            .split_once(':')
            .with_context(|| format!("no colon in the header `{header}`"))?;
        request.headers_mut().insert(
            HeaderName::try_from(name.trim())?,
            HeaderValue::from_str(value.trim())?,
        );
    }
    Ok(request)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the load generator is no part of the released program"
)]
/// Connects to `HOST:PORT`.
pub(crate) async fn connect(address: &str) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("nothing listens at {address}"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn one_connection(
    mut sender: SendRequest<Full<Bytes>>,
    plan: &Plan,
    offset: Duration,
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut due = now() + offset;
    loop {
        let begun = match plan.pace {
            None => now(),
            // A call that had to wait for the answer before counts from the moment it was due.
            Some(_) if due < now() => due,
            // The timer is coarser than what is measured; its delay is no one's latency.
            Some(_) => {
                tokio::time::sleep_until(due.into()).await;
                now()
            }
        };
        if begun >= plan.end {
            return Ok(latencies);
        }
        sender.ready().await?;
        let response = sender.send_request(plan.next()).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(
            status.is_success(),
            "the server answered {status}: {}",
            String::from_utf8_lossy(&body)
        );
        if let Some(expect) = &plan.expect {
            ensure!(
                String::from_utf8_lossy(&body).contains(expect.as_str()),
                "the answer lacks `{expect}`: {}",
                String::from_utf8_lossy(&body)
            );
        }
        let answered = now();
        if begun >= plan.start && answered <= plan.end {
            latencies.push(answered - begun);
        }
        if let Some(pace) = plan.pace {
            due += pace;
        }
    }
}
