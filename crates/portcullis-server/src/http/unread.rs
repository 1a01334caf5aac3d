//! What becomes of a body that nobody read before the answer was known: a refusal of a caller, for instance.
//!
//! The HTTP engine ends a connection whose body has not arrived by then, and does not say so.
//! Clients that send a head and its body in two pieces would meet a broken connection at their next request, which for many is the first step of signing in.
//! So a small body is awaited, and where there is more to it the answer says that the connection ends.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::{Version, header};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

/// The most that is read of a body that nobody wants.
const MOST_BYTES: u64 = 64 * 1024;

/// How long it is awaited.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where a body that was not read to its end comes back to.
pub(super) struct Unread {
    home: Arc<Mutex<Option<Body>>>,
    most_bytes: u64,
}

impl Unread {
    /// Has the body of a request come back; none where nothing depends on it.
    pub(super) fn of(request: &mut Request) -> Option<Self> {
        // Streams of HTTP/2 end one by one.
        if request.version() > Version::HTTP_11 || request.body().is_end_stream() {
            return None;
        }
        let home = Arc::new(Mutex::new(None));
        let body = std::mem::take(request.body_mut());
        *request.body_mut() = Body::new(Returning {
            body,
            home: Arc::clone(&home),
        });
        // Reading would tell a client that asks first to send it all.
        let asks_first = request.headers().contains_key(header::EXPECT);
        let most_bytes = if asks_first { 0 } else { MOST_BYTES };
        Some(Self { home, most_bytes })
    }

    /// Reads what is left of the body, and tells whether the connection can take another request.
    pub(super) async fn discard(self) -> bool {
        let body = lock(&self.home).take();
        let Some(body) = body else { return true };
        let is_small = body
            .size_hint()
            .upper()
            .is_some_and(|most| most <= self.most_bytes);
        is_small && timeout(PATIENCE, read(body)).await.unwrap_or(false)
    }
}

async fn read(mut body: Body) -> bool {
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            return false;
        }
    }
    true
}

fn lock(home: &Mutex<Option<Body>>) -> MutexGuard<'_, Option<Body>> {
    home.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A body that comes back when it is dropped early.
struct Returning {
    body: Body,
    home: Arc<Mutex<Option<Body>>>,
}

impl http_body::Body for Returning {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        if !self.body.is_end_stream() {
            *lock(&self.home) = Some(std::mem::take(&mut self.body));
        }
    }
}
