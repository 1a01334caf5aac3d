//! Reads a request's body whole, within its limits of size and time.
//!
//! Does not look at what the bytes mean.

use std::pin::{Pin, pin};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use thiserror::Error;
use tokio::time::timeout;

use super::settings::BodyLimits;

/// Tells whether a request declares its body as of one media type, whatever the parameters.
#[must_use]
pub fn is_declared_as(headers: &HeaderMap, essence: &str) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|declared| declared.trim().eq_ignore_ascii_case(essence))
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum BodyError {
    /// It is larger than allowed.
    #[error("the request body is larger than {max_bytes} bytes; send less")]
    TooLarge {
        /// What is allowed.
        max_bytes: usize,
    },
    /// It came too slowly.
    #[error("the request body came too slowly; send it without pauses")]
    TooSlow,
    /// The connection broke, or its framing is wrong.
    #[error("the request body broke off")]
    Broken,
}

impl BodyError {
    /// Returns the status of the answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads the whole body; one that arrives in one piece is not copied.
///
/// # Errors
///
/// When it is larger than `limits` allow, announced or not, pauses or lasts too long, or the connection breaks.
pub async fn collect(body: Body, limits: BodyLimits) -> Result<Bytes, BodyError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limits.max_bytes {
        return Err(BodyError::TooLarge {
            max_bytes: limits.max_bytes,
        });
    }
    timeout(limits.timeout, read(pin!(body), limits))
        .await
        .unwrap_or(Err(BodyError::TooSlow))
}

async fn read(mut body: Pin<&mut Body>, limits: BodyLimits) -> Result<Bytes, BodyError> {
    let first = next(body.as_mut(), limits).await?.unwrap_or_default();
    if body.is_end_stream() || first.len() > limits.max_bytes {
        return within(first, limits);
    }
    let mut whole = BytesMut::from(first);
    while let Some(piece) = next(body.as_mut(), limits).await? {
        if whole.len() + piece.len() > limits.max_bytes {
            return Err(BodyError::TooLarge {
                max_bytes: limits.max_bytes,
            });
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

fn within(bytes: Bytes, limits: BodyLimits) -> Result<Bytes, BodyError> {
    if bytes.len() > limits.max_bytes {
        return Err(BodyError::TooLarge {
            max_bytes: limits.max_bytes,
        });
    }
    Ok(bytes)
}

/// Returns the next piece of data; trailers are passed over.
async fn next(mut body: Pin<&mut Body>, limits: BodyLimits) -> Result<Option<Bytes>, BodyError> {
    loop {
        let frame = timeout(limits.idle_timeout, body.frame())
            .await
            .map_err(|_| BodyError::TooSlow)?;
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(BodyError::Broken),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use futures_util::{StreamExt as _, stream};

    use super::*;

    const LIMITS: BodyLimits = BodyLimits {
        max_bytes: 8,
        idle_timeout: Duration::from_secs(10),
        timeout: Duration::from_mins(1),
    };

    fn pieces(list: Vec<&'static str>) -> Body {
        let pieces = list
            .into_iter()
            .map(|piece| Ok::<_, Infallible>(Bytes::from(piece)));
        Body::from_stream(stream::iter(pieces))
    }

    #[tokio::test]
    async fn a_body_within_the_limits_arrives_whole() {
        assert_eq!(collect(Body::empty(), LIMITS).await, Ok(Bytes::new()));
        assert_eq!(
            collect(Body::from("12345678"), LIMITS).await,
            Ok(Bytes::from("12345678"))
        );
        let body = pieces(vec!["1234", "", "5678"]);
        assert_eq!(collect(body, LIMITS).await, Ok(Bytes::from("12345678")));
    }

    #[tokio::test]
    async fn h_10_a_larger_body_is_refused_announced_or_not() {
        let refused = Err(BodyError::TooLarge { max_bytes: 8 });
        assert_eq!(collect(Body::from("123456789"), LIMITS).await, refused);
        assert_eq!(collect(pieces(vec!["123456789"]), LIMITS).await, refused);
        assert_eq!(
            collect(pieces(vec!["12345678", "9"]), LIMITS).await,
            refused
        );
        assert_eq!(BodyError::TooLarge { max_bytes: 8 }.status(), 413);
    }

    #[tokio::test(start_paused = true)]
    async fn x_02_a_body_that_stops_is_given_up() {
        let piece = stream::iter([Ok::<_, Infallible>(Bytes::from("1"))]);
        let body = Body::from_stream(piece.chain(stream::pending()));
        assert_eq!(collect(body, LIMITS).await, Err(BodyError::TooSlow));
        assert_eq!(BodyError::TooSlow.status(), 408);
    }

    #[tokio::test(start_paused = true)]
    async fn x_02_a_body_that_trickles_is_given_up() {
        let trickle = stream::unfold((), |()| async {
            let _ = timeout(Duration::from_secs(9), std::future::pending::<()>()).await;
            Some((Ok::<_, Infallible>(Bytes::from("1")), ()))
        });
        let body = Body::from_stream(trickle);
        assert_eq!(collect(body, LIMITS).await, Err(BodyError::TooSlow));
    }
}
