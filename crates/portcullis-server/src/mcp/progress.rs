//! Calls that take long, for clients that want to hear of it.
//!
//! A call that ends soon is answered as plain JSON; one that does not becomes an event stream of progress notifications and then the answer.
//! The notifications also keep the connection from looking idle.
//! Dropping the response drops the call, and with it the request to the API: "Closing the SSE response stream MUST be treated by the server as cancellation" (2026-07-28, streamable HTTP, "Cancellation").

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderName, header};
use portcullis_mcp::{ProgressToken, Reply, progress};
use tokio::time::timeout;

use super::response;

/// The time that a call has before the client hears of progress; each further time is twice as long.
const FIRST_DELAY: Duration = Duration::from_millis(250);

/// The longest time between two notifications: below what proxies usually take for a dead connection.
const LONGEST_DELAY: Duration = Duration::from_secs(15);

const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// A call, and what its client has heard of it.
struct Waiting<F> {
    call: Pin<Box<F>>,
    token: ProgressToken<'static>,
    told: u64,
    delay: Duration,
}

/// What became of a call within the first moment.
pub(super) enum Progress<T> {
    /// It has ended, and nothing is sent yet.
    Ended(T),
    /// It goes on, and the answer has begun.
    Told(Response),
}

/// Waits for what `call` comes to for a moment; if that is not enough, answers by telling of progress until the reply.
pub(super) async fn respond<F, T>(call: F, token: ProgressToken<'static>) -> Progress<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Into<Reply>,
{
    let mut call = Box::pin(call);
    if let Ok(finished) = timeout(FIRST_DELAY, &mut call).await {
        return Progress::Ended(finished);
    }
    let waiting = Waiting {
        call,
        token,
        told: 0,
        delay: FIRST_DELAY,
    };
    let events = stream::unfold(Some(waiting), |waiting| async {
        let (event, rest) = waiting?.next().await;
        Some((Ok::<_, Infallible>(event), rest))
    });
    let mut response = Response::new(Body::from_stream(events));
    response::set(&mut response, header::CONTENT_TYPE, "text/event-stream");
    response::set(&mut response, ACCEL_BUFFERING, "no");
    Progress::Told(response)
}

impl<T: Into<Reply>, F: Future<Output = T>> Waiting<F> {
    /// Waits for the next event; nothing is left to wait for after the reply.
    async fn next(mut self) -> (Bytes, Option<Self>) {
        if self.told > 0 {
            self.delay = LONGEST_DELAY.min(self.delay * 2);
            if let Ok(finished) = timeout(self.delay, &mut self.call).await {
                let reply: Reply = finished.into();
                return (event(reply.body), None);
            }
        }
        self.told += 1;
        let notification = progress(&self.token, self.told);
        (event(notification), Some(self))
    }
}

/// Writes JSON as one event.
///
/// An API's own JSON may have line breaks between its tokens; they would end the field, so that they become spaces.
fn event(mut json: Vec<u8>) -> Bytes {
    for byte in &mut json {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    let mut event = b"event: message\ndata: ".to_vec();
    event.append(&mut json);
    event.extend_from_slice(b"\n\n");
    Bytes::from(event)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::StreamExt as _;
    use portcullis_mcp::{Headers, Incoming, read};
    use tokio::sync::oneshot;

    use super::*;

    fn token() -> ProgressToken<'static> {
        let body =
            br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":"t"}}}"#;
        match read(&Headers::default(), body) {
            Ok(Incoming::Request(request)) => request.progress_token.unwrap().into_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn reply(body: &str) -> Reply {
        Reply {
            status: 200,
            body: body.as_bytes().to_vec(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_call_begins_no_answer() {
        let progress = respond(async { reply("{}") }, token()).await;
        assert!(matches!(progress, Progress::Ended(ended) if ended == reply("{}")));
    }

    #[tokio::test(start_paused = true)]
    async fn tl_15_a_long_call_tells_increasing_progress_and_then_its_answer() {
        let (end, ended) = oneshot::channel::<()>();
        let call = ended.map(|_| reply("{\"result\":\r\n{}}"));
        let Progress::Told(response) = respond(call, token()).await else {
            panic!("the call has not ended");
        };
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let mut events = response.into_body().into_data_stream();
        for count in 1..=3 {
            let event = events.next().await.unwrap().unwrap();
            let expected = format!(
                "event: message\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{{\"progressToken\":\"t\",\"progress\":{count}}}}}\n\n"
            );
            assert_eq!(event, expected);
        }
        end.send(()).unwrap();
        let last = events.next().await.unwrap().unwrap();
        assert_eq!(last, "event: message\ndata: {\"result\":  {}}\n\n");
        assert!(events.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn n_13_closing_the_stream_drops_the_call() {
        let (held, released) = oneshot::channel::<()>();
        let call = async move {
            let _held = held;
            std::future::pending::<Reply>().await
        };
        drop(respond(call, token()).await);
        assert!(released.await.is_err(), "the call was dropped");
    }
}
