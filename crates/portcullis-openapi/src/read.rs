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
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{DuplicateKeyPolicy, NonFiniteFloatPolicy, Options};

use crate::diagnostic::Diagnostics;
use crate::limits::Limits;
use crate::pointer::Place;
use crate::text::clean;
use value::{Breach, Reading};

/// The stack that YAML is read on: a level takes up to 40 KB of it in a program that is not optimised.
const YAML_STACK_BYTES: usize = 16 << 20;
/// What a short text may repeat by aliases, in events of the parser.
const MIN_REPEATED_EVENTS: usize = 10_000;
/// Longest message of a parser that is shown, in characters.
const MAX_MESSAGE: usize = 300;

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
    /// Something else than a document, known by its first bytes.
    #[error("this is {what} and no OpenAPI document; {advice}")]
    SomethingElse {
        /// What it is.
        what: &'static str,
        /// What to do.
        advice: &'static str,
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
    if let Some((what, advice)) = something_else(bytes) {
        return Err(ReadError::SomethingElse { what, advice });
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

/// Recognises what people give by mistake, and says what to do about it.
fn something_else(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    const UTF_8: &str = "save it as UTF-8";
    const PAGE: &str =
        "save the document itself, for what is here may be the page of an error or of a sign-in";
    const ARCHIVE: &str = "name the archive itself as `file`, or unpack it";
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if starts(b"\xff\xfe") || starts(b"\xfe\xff") {
        return Some(("UTF-16 text", UTF_8));
    }
    // Text begins with ASCII, of which every other byte is zero.
    if let [0, second, ..] | [second, 0, ..] = bytes
        && *second != 0
    {
        return Some(("UTF-16 text", UTF_8));
    }
    if starts(b"PK\x03\x04") {
        return Some(("a ZIP archive", ARCHIVE));
    }
    if starts(b"\x1f\x8b") {
        return Some(("a gzip archive", ARCHIVE));
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = text.trim_ascii_start();
    let begins = |word: &str| {
        let start = text.get(..word.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
    };
    if ["<!doctype html", "<html", "<head", "<body"]
        .into_iter()
        .any(begins)
    {
        return Some(("an HTML page", PAGE));
    }
    if begins("<?xml") {
        return Some(("XML", "only JSON and YAML are read"));
    }
    begins("%pdf").then_some(("a PDF", "ask the API's publisher for the OpenAPI document"))
}

/// Tells whether text looks like an OpenAPI document, by the key that names its version, without reading it.
#[must_use]
pub fn declares_version(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let is_value = |rest: &str| {
        let rest = rest.trim_start().strip_prefix(':');
        rest.is_some_and(|rest| rest.trim_start().starts_with(['"', '\'', '2', '3']))
    };
    ["openapi", "swagger"].iter().any(|key| {
        text.match_indices(key).any(|(at, _)| {
            let (before, rest) = text.split_at(at);
            let rest = rest.strip_prefix(key).unwrap_or_default();
            let is_line = before.is_empty() || before.ends_with(['\n', '\u{feff}']);
            let quoted = rest.strip_prefix(['"', '\'']);
            match quoted {
                Some(rest) => before.ends_with(['"', '\'']) && is_value(rest),
                None => is_line && is_value(rest),
            }
        })
    })
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

/// Reads YAML on a stack of its own, for the parser takes much of it for each level and its caller may have little.
fn read_yaml(
    text: &str,
    limits: &Limits,
    diagnostics: &mut Diagnostics,
) -> Result<Value, ReadError> {
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().stack_size(YAML_STACK_BYTES);
        let reader = reader.spawn_scoped(scope, || read_yaml_here(text, limits, diagnostics));
        let panicked = || ReadError::Yaml("the parser gave up".to_owned());
        match reader {
            Ok(reader) => reader.join().map_err(|_| panicked())?,
            Err(error) => Err(ReadError::Yaml(format!("no thread to read it: {error}"))),
        }
    })
}

fn read_yaml_here(
    text: &str,
    limits: &Limits,
    diagnostics: &mut Diagnostics,
) -> Result<Value, ReadError> {
    let reading = Reading::new(limits);
    let result = serde_saphyr::with_deserializer_from_str_with_options(
        text,
        yaml_options(text.len(), limits),
        |deserializer| reading.root(&Place::at("")).deserialize(deserializer),
    );
    let breach = reading.finish(diagnostics);
    result.map_err(|error| {
        if let Some(breach) = breach.or_else(|| parser_breach(&error)) {
            return limit_error(breach, limits);
        }
        let message = error.without_snippet().to_string();
        ReadError::Yaml(clean(&message, MAX_MESSAGE).into_owned())
    })
}

/// Returns the limit of ours that the parser met first.
fn parser_breach(error: &serde_saphyr::Error) -> Option<Breach> {
    match error.without_snippet() {
        serde_saphyr::Error::Budget { breach, .. } => match breach {
            BudgetBreach::Depth { .. } => Some(Breach::Depth),
            BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => Some(Breach::Nodes),
            _ => None,
        },
        error => {
            let is_deep = error.to_string().starts_with("recursion limit exceeded");
            is_deep.then_some(Breach::Depth)
        }
    }
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
fn yaml_options(bytes: usize, limits: &Limits) -> Options {
    // What aliases repeat is bounded by the size of the text: a bomb is a short text that becomes a long one.
    let repeated = bytes.max(MIN_REPEATED_EVENTS);
    let mut options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_nodes: limits.max_nodes,
            max_events: limits.max_nodes.saturating_mul(3),
            max_depth: limits.max_depth.saturating_mul(2),
            max_total_scalar_bytes: limits.max_bytes,
            max_recorded_anchor_events: repeated,
            max_documents: 1,
        },
    };
    options.alias_limits = serde_saphyr::alias_limits! {
        max_total_replayed_events: repeated,
    };
    options
}
