//! The time limits of one connection: for a head, between requests, and for a peer that takes no bytes.
//!
//! Watches bytes and requests, not their meaning.
//! The HTTP engine has one limit for heads and for idleness together; proxies need idle connections to live longer than slow heads may.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::Version;
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::settings::ConnectionLimits;

/// How soon a busy connection is looked at again: the last of several streams may end without waking its task.
const BUSY_RECHECK: Duration = Duration::from_secs(30);

/// What a connection is at.
#[derive(Debug)]
pub(super) struct Activity(Mutex<State>);

#[derive(Debug)]
struct State {
    phase: Phase,
    multiplexed: bool,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// A head is under way since then.
    Head(Instant),
    /// Requests are being answered.
    Busy(usize),
    /// Nothing has happened since then.
    Idle(Instant),
}

/// Why a connection must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// A head did not arrive in time.
    Head,
    /// The next request did not arrive in time.
    Idle,
}

impl Activity {
    /// Begins with the connection: its first head is under way.
    pub(super) fn begin() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            phase: Phase::Head(Instant::now()),
            multiplexed: false,
        })))
    }

    /// Says that a head has arrived; the request lasts until the guard is dropped.
    pub(super) fn request(self: &Arc<Self>, version: Version) -> Busy {
        let mut state = self.state();
        state.multiplexed = version == Version::HTTP_2;
        state.phase = match state.phase {
            Phase::Busy(requests) => Phase::Busy(requests + 1),
            Phase::Head(_) | Phase::Idle(_) => Phase::Busy(1),
        };
        Busy(Arc::clone(self))
    }

    fn bytes_read(&self) {
        let mut state = self.state();
        // On HTTP/2 bytes may be anything, an answer to a ping for instance.
        if matches!(state.phase, Phase::Idle(_)) && !state.multiplexed {
            state.phase = Phase::Head(Instant::now());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.phase = match state.phase {
            Phase::Busy(requests) if requests > 1 => Phase::Busy(requests - 1),
            Phase::Busy(_) | Phase::Head(_) | Phase::Idle(_) => Phase::Idle(Instant::now()),
        };
    }
}

/// The timer that ends a connection.
///
/// It is set anew only where the limit comes nearer; a limit that has moved away is noticed when it rings.
pub(super) struct Alarm {
    activity: Arc<Activity>,
    head: Duration,
    idle: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl Alarm {
    pub(super) fn new(activity: Arc<Activity>, limits: &ConnectionLimits) -> Self {
        let first = Instant::now() + limits.header_read_timeout;
        Self {
            activity,
            head: limits.header_read_timeout,
            idle: limits.idle_timeout,
            sleep: Box::pin(sleep_until(first)),
        }
    }

    /// Waits until the connection must end.
    ///
    /// Poll it after the connection, in the same task: then it has seen what the connection read.
    pub(super) async fn rings(&mut self) -> Overdue {
        std::future::poll_fn(|cx| self.poll_rings(cx)).await
    }

    fn poll_rings(&mut self, cx: &mut Context<'_>) -> Poll<Overdue> {
        loop {
            let (due, overdue) = self.due();
            if due < self.sleep.deadline() {
                self.sleep.as_mut().reset(due);
            }
            ready!(self.sleep.as_mut().poll(cx));
            let (due, _) = self.due();
            if let (Some(overdue), true) = (overdue, due <= self.sleep.deadline()) {
                return Poll::Ready(overdue);
            }
            self.sleep.as_mut().reset(due);
        }
    }

    fn due(&self) -> (Instant, Option<Overdue>) {
        match self.activity.state().phase {
            Phase::Head(since) => (since + self.head, Some(Overdue::Head)),
            Phase::Idle(since) => (since + self.idle, Some(Overdue::Idle)),
            Phase::Busy(_) => (Instant::now() + BUSY_RECHECK, None),
        }
    }
}

/// A stream that tells its activity what it reads, and fails when the peer takes no bytes for too long.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    write_timeout: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>, limits: &ConnectionLimits) -> Self {
        Self {
            stream,
            activity,
            write_timeout: limits.write_timeout,
            stalled: None,
        }
    }

    /// Turns a write that is pending for too long into an error.
    fn within_time<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let limit = self.write_timeout;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + limit)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.activity.bytes_read();
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.within_time(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.within_time(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.within_time(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.within_time(cx, outcome)
    }
}

/// A body whose request lasts until its end.
pub(super) struct BusyBody {
    pub(super) body: axum::body::Body,
    pub(super) _busy: Busy,
}

impl Body for BusyBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
