//! Reads an answer's body, undoes its compression and stops at a cap.
//!
//! The cap counts what comes out of the decompression, as it comes out: a bomb never unfolds further than the cap.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::HttpError;

/// The most that is set aside at once, whatever length a server declares.
const MAX_RESERVE: usize = 64 * 1024;

pub(super) struct ReadBody {
    pub(super) bytes: Vec<u8>,
    pub(super) truncated_at: Option<usize>,
    pub(super) declared_length: Option<u64>,
}

/// Reads a body up to `max_bytes`; what lies beyond is left where it is, and the connection with it.
pub(super) async fn read(
    mut incoming: Incoming,
    headers: &HeaderMap,
    max_bytes: usize,
) -> Result<ReadBody, HttpError> {
    let declared = incoming.size_hint().exact();
    let reserve = declared.and_then(|length| usize::try_from(length).ok());
    let sink = Capped::new(max_bytes, reserve.unwrap_or(0).min(MAX_RESERVE));
    let (mut decoder, declared_length) = match coding(headers)? {
        Coding::Identity => (Decoder::Identity(sink), declared),
        Coding::Gzip => {
            let decoder = MultiGzDecoder::new(sink);
            let is_empty = true;
            (
                Decoder::Gzip {
                    decoder: Box::new(decoder),
                    is_empty,
                },
                None,
            )
        }
    };
    while !decoder.sink().is_cut
        && let Some(frame) = incoming.frame().await
    {
        let frame = frame.map_err(|_| HttpError::Interrupted)?;
        if let Some(chunk) = frame.data_ref() {
            decoder.write(chunk)?;
        }
    }
    let sink = decoder.finish()?;
    Ok(ReadBody {
        truncated_at: sink.is_cut.then_some(sink.bytes.len()),
        bytes: sink.bytes,
        declared_length,
    })
}

enum Coding {
    Identity,
    Gzip,
}

fn coding(headers: &HeaderMap) -> Result<Coding, HttpError> {
    let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
    let Some(value) = values.next() else {
        return Ok(Coding::Identity);
    };
    if values.next().is_some() {
        return Err(HttpError::Coding);
    }
    match value
        .to_str()
        .map(|value| value.trim().to_ascii_lowercase())
        .as_deref()
    {
        Ok("gzip" | "x-gzip") => Ok(Coding::Gzip),
        Ok("" | "identity") => Ok(Coding::Identity),
        _ => Err(HttpError::Coding),
    }
}

enum Decoder {
    Identity(Capped),
    Gzip {
        decoder: Box<MultiGzDecoder<Capped>>,
        is_empty: bool,
    },
}

impl Decoder {
    fn sink(&self) -> &Capped {
        match self {
            Self::Identity(sink) => sink,
            Self::Gzip { decoder, .. } => decoder.get_ref(),
        }
    }

    fn write(&mut self, chunk: &[u8]) -> Result<(), HttpError> {
        let written = match self {
            Self::Identity(sink) => sink.write_all(chunk),
            Self::Gzip { decoder, is_empty } => {
                *is_empty &= chunk.is_empty();
                decoder.write_all(chunk)
            }
        };
        match written {
            Err(_) if !self.sink().is_cut => Err(HttpError::Coding),
            _ => Ok(()),
        }
    }

    fn finish(self) -> Result<Capped, HttpError> {
        match self {
            Self::Identity(sink) => Ok(sink),
            Self::Gzip {
                mut decoder,
                is_empty,
            } => {
                let ended = decoder.try_finish();
                let sink = std::mem::take(decoder.get_mut());
                match ended {
                    // An empty body, such as that of a 304, is no gzip stream.
                    Err(_) if !sink.is_cut && !is_empty => Err(HttpError::Coding),
                    _ => Ok(sink),
                }
            }
        }
    }
}

/// Takes bytes up to a cap and refuses the rest.
#[derive(Default)]
struct Capped {
    bytes: Vec<u8>,
    max_bytes: usize,
    is_cut: bool,
}

impl Capped {
    fn new(max_bytes: usize, reserve: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(reserve.min(max_bytes)),
            max_bytes,
            is_cut: false,
        }
    }
}

impl Write for Capped {
    fn write(&mut self, chunk: &[u8]) -> io::Result<usize> {
        let room = self.max_bytes.saturating_sub(self.bytes.len());
        let taken = chunk.get(..room).unwrap_or(chunk);
        self.bytes.extend_from_slice(taken);
        if taken.len() < chunk.len() {
            self.is_cut = true;
        }
        if taken.is_empty() && !chunk.is_empty() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
