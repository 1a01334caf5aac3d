//! Replies as HTTP responses.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use http_body::{Frame, SizeHint};
use portcullis_mcp::{Page, Reply};

/// Makes the response of a reply.
pub(super) fn of(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).expect("replies have statuses of HTTP");
    if reply.body.is_empty() {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        return response;
    }
    json(status, Bytes::from(reply.body))
}

/// Makes the response of a page of the list, without copying its tools.
pub(super) fn of_page(page: Page) -> Response {
    let Page { head, tools, tail } = page;
    let pieces = [Bytes::from(head), tools, Bytes::from(tail)];
    let mut response = Response::new(Body::new(Pieces(VecDeque::from(pieces))));
    set(&mut response, header::CONTENT_TYPE, "application/json");
    response
}

/// A body of pieces that are there already.
struct Pieces(VecDeque<Bytes>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|piece| piece.len() as u64).sum())
    }
}

/// Makes a response of JSON; clients compare the media type as text, so that it has no parameters.
pub(super) fn json(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, "application/json");
    response
}

/// Sets a header to a value that is known here.
pub(super) fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}

/// Marks a response as one that nobody keeps and nobody guesses the type of.
pub(super) fn mark(mut response: Response) -> Response {
    set(&mut response, header::CACHE_CONTROL, "no-store");
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}
