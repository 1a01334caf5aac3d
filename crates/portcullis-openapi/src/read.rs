//! Bytes become one JSON value, or a message that says why not.
//!
//! JSON and YAML are told apart by content, since file names and media types lie.
//! Size, depth and the number of values are bounded while reading, aliases of YAML included, so that no document costs more than its limits.
//! YAML is read with the rules of its 1.2 core schema: `y`, `off` and `08` are text, as the authors of real documents meant them.
//!
//! Whether the value is a sensible OpenAPI document is decided in `document.rs`.

mod value;

use serde::de::DeserializeSeed;
use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, Options};

use crate::diagnostic::Diagnostics;
use crate::limits::Limits;
use crate::pointer::Place;
use value::{Breach, Reading};

/// Why bytes are not a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The document is larger than [`Limits::max_bytes`].
    #[error("the document has {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The document and the files that it refers to are larger than [`Limits::max_bytes`].
    #[error("the document and its files have more than {limit} bytes")]
    FilesTooLarge {
        /// The limit.
        limit: usize,
    },
    /// More files than [`Limits::max_files`].
    #[error("the document refers to more than {limit} files")]
    TooManyFiles {
        /// The limit.
        limit: usize,
    },
    /// The bytes are not UTF-8.
    #[error("the document is not UTF-8 (first bad byte at offset {offset}); save it as UTF-8")]
    NotUtf8 {
        /// Where the first bad byte is.
        offset: usize,
    },
    /// Nothing but white space.
    #[error("the document is empty")]
    Empty,
    /// Broken JSON.
    #[error("the document is not valid JSON: {0}")]
    Json(String),
    /// Broken YAML, or YAML beyond the parser's own budget.
    #[error("the document is not valid YAML: {0}")]
    Yaml(String),
    /// More values than [`Limits::max_nodes`].
    #[error("the document has more than {limit} values (aliases expanded)")]
    TooManyValues {
        /// The limit.
        limit: usize,
    },
    /// Deeper than [`Limits::max_depth`].
    #[error("the document is nested deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// Neither `openapi` nor `swagger` at the root.
    #[error(
        "this is not an OpenAPI document: the root has neither `openapi: 3.x` nor `swagger: 2.0` ({found})"
    )]
    NotOpenApi {
        /// What is there instead.
        found: String,
    },
    /// A version that nobody here knows.
    #[error("version {version} is not supported: Swagger 2.0 and OpenAPI 3.0, 3.1 and 3.2 are")]
    UnsupportedVersion {
        /// The version as the document writes it.
        version: String,
    },
}

/// Reads bytes into a value; duplicate keys (the last one wins) become diagnostics.
pub(crate) fn read(
    bytes: &[u8],
    limits: &Limits,
    diagnostics: &mut Diagnostics,
) -> Result<Value, ReadError> {
    if bytes.len() > limits.max_bytes {
        return Err(ReadError::TooLarge {
            bytes: bytes.len(),
            limit: limits.max_bytes,
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| ReadError::NotUtf8 {
        offset: error.valid_up_to(),
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.trim_start().as_bytes().first() {
        None => Err(ReadError::Empty),
        Some(b'{' | b'[') => match read_json(text, limits, diagnostics) {
            // A flow mapping is YAML too; where neither reads, the JSON message is the better one.
            Err(ReadError::Json(message)) => {
                read_yaml(text, limits, diagnostics).map_err(|_| ReadError::Json(message))
            }
            result => result,
        },
        Some(_) => read_yaml(text, limits, diagnostics),
    }
}

fn read_json(
    text: &str,
    limits: &Limits,
    diagnostics: &mut Diagnostics,
) -> Result<Value, ReadError> {
    let reading = Reading::new(limits);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let result = reading
        .root(&Place::at(""))
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    let breach = reading.finish(diagnostics);
    result.map_err(|error| match breach {
        Some(breach) => limit_error(breach, limits),
        None => ReadError::Json(error.to_string()),
    })
}

fn read_yaml(
    text: &str,
    limits: &Limits,
    diagnostics: &mut Diagnostics,
) -> Result<Value, ReadError> {
    let reading = Reading::new(limits);
    let result = serde_saphyr::with_deserializer_from_str_with_options(
        text,
        yaml_options(limits),
        |deserializer| reading.root(&Place::at("")).deserialize(deserializer),
    );
    let breach = reading.finish(diagnostics);
    result.map_err(|error| match breach {
        Some(breach) => limit_error(breach, limits),
        None => ReadError::Yaml(error.without_snippet().to_string()),
    })
}

fn limit_error(breach: Breach, limits: &Limits) -> ReadError {
    match breach {
        Breach::Nodes => ReadError::TooManyValues {
            limit: limits.max_nodes,
        },
        Breach::Depth => ReadError::TooDeep {
            limit: limits.max_depth,
        },
    }
}

/// The options that read real documents as they were meant; the parser's defaults read `y` as true and `08` as 8.0.
fn yaml_options(limits: &Limits) -> Options {
    let mut options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_nodes: limits.max_nodes,
            max_events: limits.max_nodes.saturating_mul(3),
            max_depth: limits.max_depth.saturating_mul(2),
            max_total_scalar_bytes: limits.max_bytes,
            max_recorded_anchor_events: 200_000,
            max_documents: 1,
        },
    };
    options.alias_limits = serde_saphyr::alias_limits! {
        max_total_replayed_events: 500_000,
    };
    options
}
