//! A document that has been read: what it is called, how it is secured, and the value that its tools are compiled from.
//!
//! Compiling is `tools.rs`; this module decides only whether there is a document at all.

use std::collections::HashSet;

use serde_json::Value;
use url::Url;

use crate::bundle::origins::Origins;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::identifiers;
use crate::limits::Limits;
use crate::model::SecurityScheme;
use crate::read::{ReadError, read};
use crate::security::schemes;
use crate::servers::own;
use crate::swagger;
use crate::text::clean;

/// Longest title of a document, in characters.
const MAX_TITLE: usize = 200;
/// Longest description of a document, in characters.
const MAX_DESCRIPTION: usize = 5_000;

/// An `OpenAPI` document.
#[derive(Debug)]
pub struct Document {
    /// `info.title`, or `API` where it has none.
    pub title: String,
    /// `info.version`.
    pub version: String,
    /// `info.description`.
    pub description: Option<String>,
    /// The absolute URLs of the document's own `servers`; operations may have others.
    pub servers: Vec<String>,
    /// What `components.securitySchemes` declares.
    pub schemes: Vec<SecurityScheme>,
    /// Remarks about the document itself; those about operations come with [`Document::tools`].
    pub diagnostics: Vec<Diagnostic>,
    pub(crate) root: Value,
    /// Where the document came from, where that is a URL.
    pub(crate) base: Option<Url>,
    pub(crate) origins: Origins,
    pub(crate) dialect: Dialect,
    pub(crate) limits: Limits,
}

/// Which rules the document's schemas follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Swagger 2.0, in the shape of 3.0 (`swagger.rs`).
    V20,
    /// `OpenAPI` 3.0: a schema's `$ref` stands alone.
    V30,
    /// `OpenAPI` 3.1 and 3.2: JSON Schema 2020-12.
    V31,
}

impl Dialect {
    /// Has findings name the places of the document as its author wrote it.
    pub(crate) fn authored(self, root: &Value, mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
        if self == Self::V20 {
            let mut seen = HashSet::new();
            for diagnostic in &mut found {
                diagnostic.pointer = swagger::authored(root, &diagnostic.pointer);
            }
            found.retain(|found| seen.insert((found.code, found.pointer.clone())));
        }
        found
    }
}

impl Document {
    /// Reads a document, JSON or YAML by its content.
    ///
    /// # Errors
    /// When the bytes are not an `OpenAPI` document or exceed a limit; a bad operation is no error but a diagnostic.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, ReadError> {
        let mut diagnostics = Diagnostics::new(limits.max_diagnostics);
        let mut root = read(bytes, limits, &mut diagnostics)?;
        let dialect = dialect(&root)?;
        match dialect {
            Dialect::V20 => {
                let limit = limits.max_nodes;
                swagger::normalise(&mut root, limits, &mut diagnostics)
                    .map_err(|swagger::TooManyValues| ReadError::TooManyValues { limit })?;
            }
            Dialect::V30 => {}
            Dialect::V31 => identifiers::normalise(bytes, &mut root, &mut diagnostics),
        }
        let about = |key: &str, max| {
            let text = root
                .get("info")
                .and_then(|info| info.get(key))
                .and_then(scalar);
            text.map(|text| clean(&text, max).into_owned())
                .filter(|text| !text.is_empty())
        };
        let origins = Origins::of(&root);
        let schemes = schemes(&root, &mut diagnostics);
        let mut diagnostics = dialect.authored(&root, diagnostics.finish());
        origins.translate(&mut diagnostics);
        Ok(Self {
            title: about("title", MAX_TITLE).unwrap_or_else(|| "API".to_owned()),
            version: about("version", MAX_TITLE).unwrap_or_default(),
            description: about("description", MAX_DESCRIPTION),
            servers: own(&root, None),
            schemes,
            diagnostics,
            dialect,
            root,
            base: None,
            origins,
            limits: limits.clone(),
        })
    }

    /// Says that the document came from a URL, which relative servers are relative to.
    #[must_use]
    pub fn at(self, url: Url) -> Self {
        Self {
            servers: own(&self.root, Some(&url)),
            base: Some(url),
            ..self
        }
    }
}

/// Decides by `openapi` and `swagger` at the root; YAML reads an unquoted version as a number.
fn dialect(root: &Value) -> Result<Dialect, ReadError> {
    let named = |key| root.get(key).and_then(scalar);
    if let Some(version) = named("openapi").or_else(|| named("swagger")) {
        return match version
            .trim()
            .split('.')
            .take(2)
            .collect::<Vec<_>>()
            .as_slice()
        {
            ["2", "0"] | ["2"] => Ok(Dialect::V20),
            ["3", "0"] | ["3"] => Ok(Dialect::V30),
            ["3", "1" | "2"] => Ok(Dialect::V31),
            _ => Err(ReadError::UnsupportedVersion {
                version: clean(&version, 20).into_owned(),
            }),
        };
    }
    let found = match root {
        Value::Object(members) if members.is_empty() => "an empty object".to_owned(),
        Value::Object(members) => {
            let keys: Vec<_> = members.keys().take(5).map(|key| clean(key, 40)).collect();
            format!("its keys are {}", keys.join(", "))
        }
        Value::Array(_) => "it is a list".to_owned(),
        _ => "it is a single value".to_owned(),
    };
    Err(ReadError::NotOpenApi { found })
}

/// Text of a value that authors write with and without quotes.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
