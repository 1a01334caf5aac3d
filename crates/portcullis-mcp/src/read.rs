//! From headers and body to requests: which era a message belongs to, and in which order its mistakes are told.
//!
//! One URL serves every version.
//! A message that names a version in `_meta`, or a header value that no version with a handshake has, is of 2026-07-28 and later; everything else begins with `initialize`.

use crate::envelope::{self, Body, Id, Message, text};
use crate::error::clip;
use crate::request::{self, Meta, Params};
use crate::{Field, Headers, ProtocolError, ProtocolVersion, Reply, Request};

/// The most messages of one batch.
pub const MAX_BATCH: usize = 50;

/// What arrived.
#[derive(Debug)]
pub enum Incoming<'a> {
    /// One request.
    Request(Request<'a>),
    /// Several requests of 2025-03-26 in their order, to be answered by [`Reply::batch`]; what is no request bears its answer already, and notifications are left out.
    Batch(Vec<Result<Request<'a>, Reply>>),
    /// Something that gets no answer but [`Reply::accepted`].
    Accepted,
}

/// The version that the header speaks of.
#[derive(Clone, Copy)]
enum HeaderVersion {
    Legacy(ProtocolVersion),
    Other,
}

impl HeaderVersion {
    fn of(field: Field<'_>) -> Self {
        match field {
            Field::Absent => Self::Legacy(ProtocolVersion::UNNAMED),
            _ => field
                .text()
                .and_then(ProtocolVersion::parse_legacy)
                .map_or(Self::Other, Self::Legacy),
        }
    }

    /// The version whose rules say how a mistake is answered before the body is understood.
    fn rules(self) -> ProtocolVersion {
        match self {
            Self::Legacy(version) => version,
            Self::Other => ProtocolVersion::V2026_07_28,
        }
    }
}

/// Reads what a client sent.
///
/// # Errors
///
/// When it cannot be processed: the reply to send.
pub fn read<'a>(headers: &Headers<'_>, body: &'a [u8]) -> Result<Incoming<'a>, Reply> {
    let version = HeaderVersion::of(headers.protocol_version);
    let refuse = |error: ProtocolError| Reply::error(None, &error, version.rules());
    match envelope::body(body).map_err(refuse)? {
        Body::Batch(items) => batch(version, &items).map_err(refuse),
        Body::One(text) => match envelope::message(text).map_err(refuse)? {
            Message::Request { id, method, params } => {
                one(headers, version, id, &method, params).map(Incoming::Request)
            }
            Message::Response if matches!(version, HeaderVersion::Other) => {
                Err(refuse(ProtocolError::UnexpectedResponse))
            }
            Message::Notification | Message::Response => Ok(Incoming::Accepted),
        },
    }
}

fn one<'a>(
    headers: &Headers<'_>,
    version: HeaderVersion,
    id: Id<'a>,
    method: &str,
    params: Option<&'a serde_json::value::RawValue>,
) -> Result<Request<'a>, Reply> {
    let read = || {
        let params = Params::read(params)?;
        let meta = params.meta()?;
        Ok::<_, ProtocolError>((params, meta))
    };
    let (params, meta) = read().map_err(|e| Reply::error(Some(&id), &e, version.rules()))?;
    match version {
        HeaderVersion::Legacy(version) if meta.protocol_version.is_none() => {
            legacy(version, id, method, &params, &meta)
        }
        _ => modern(headers, id, method, &params, &meta),
    }
}

fn legacy<'a>(
    version: ProtocolVersion,
    id: Id<'a>,
    method: &str,
    params: &Params<'a>,
    meta: &Meta<'a>,
) -> Result<Request<'a>, Reply> {
    match request::legacy_method(method, params) {
        Ok(method) => Ok(Request {
            id,
            version: if matches!(method, crate::Method::Initialize) {
                request::negotiate(params)
            } else {
                version
            },
            method,
            progress_token: meta.progress_token(),
        }),
        Err(error) => Err(Reply::error(Some(&id), &error, version)),
    }
}

fn modern<'a>(
    headers: &Headers<'_>,
    id: Id<'a>,
    method: &str,
    params: &Params<'a>,
    meta: &Meta<'a>,
) -> Result<Request<'a>, Reply> {
    let read = || {
        let version = modern_version(headers, meta)?;
        request::check_mirrored(headers, method, params)?;
        Ok((version, request::modern_method(method, params)?))
    };
    match read() {
        Ok((version, method)) => Ok(Request {
            id,
            version,
            method,
            progress_token: meta.progress_token(),
        }),
        Err(error) => Err(Reply::error(
            Some(&id),
            &error,
            ProtocolVersion::V2026_07_28,
        )),
    }
}

/// Finds the version of a request without a handshake.
///
/// The order is the one that clients probe for: first what is missing, then what differs, then what is not served.
fn modern_version(
    headers: &Headers<'_>,
    meta: &Meta<'_>,
) -> Result<ProtocolVersion, ProtocolError> {
    const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    let requested = meta
        .protocol_version
        .and_then(text)
        .ok_or(ProtocolError::MissingMeta(VERSION))?;
    if !meta.has_client_capabilities() {
        return Err(ProtocolError::MissingMeta(CAPABILITIES));
    }
    if headers.protocol_version.text() != Some(&*requested) {
        return Err(ProtocolError::HeaderMismatch("MCP-Protocol-Version"));
    }
    ProtocolVersion::parse(&requested)
        .filter(|version| version.is_modern())
        .ok_or_else(|| ProtocolError::UnsupportedVersion {
            requested: clip(&requested),
        })
}

fn batch<'a>(
    version: HeaderVersion,
    items: &[&'a serde_json::value::RawValue],
) -> Result<Incoming<'a>, ProtocolError> {
    let HeaderVersion::Legacy(version @ ProtocolVersion::V2025_03_26) = version else {
        return Err(ProtocolError::BatchNotSupported);
    };
    if items.is_empty() || items.len() > MAX_BATCH {
        return Err(ProtocolError::BatchSize {
            count: items.len(),
            max: MAX_BATCH,
        });
    }
    let requests: Vec<_> = items
        .iter()
        .filter_map(|item| batch_item(version, item.get()).transpose())
        .collect();
    Ok(if requests.is_empty() {
        Incoming::Accepted
    } else {
        Incoming::Batch(requests)
    })
}

/// Reads one message of a batch; `None` for what gets no answer.
fn batch_item(version: ProtocolVersion, item: &str) -> Result<Option<Request<'_>>, Reply> {
    let (id, method, params) = match envelope::message(item) {
        Ok(Message::Request { id, method, params }) => (id, method, params),
        Ok(Message::Notification | Message::Response) => return Ok(None),
        Err(error) => return Err(Reply::error(None, &error, version)),
    };
    let read = || {
        let params = Params::read(params)?;
        let meta = params.meta()?;
        if meta.protocol_version.is_some() {
            return Err(ProtocolError::BatchNotSupported);
        }
        if method == "initialize" {
            return Err(ProtocolError::NotInBatch("initialize"));
        }
        Ok((request::legacy_method(&method, &params)?, meta))
    };
    match read() {
        Ok((method, meta)) => Ok(Some(Request {
            id,
            version,
            method,
            progress_token: meta.progress_token(),
        })),
        Err(error) => Err(Reply::error(Some(&id), &error, version)),
    }
}
