//! OpenAPI documents become tools; arguments become requests; responses become results.
//!
//! Knows: Swagger 2.0, OpenAPI 3.0 to 3.2, JSON Schema as OpenAPI uses it, and what MCP asks of a tool's shape.
//! Does not know: the network, storage, clocks, MCP's wire format, or any credential's value.
//!
//! The way through the crate:
//! [`Bundler`] makes one document of several files, [`Document::parse`] reads bytes, [`Document::tools`] compiles operations to [`Tool`]s, [`Tool::plan`] turns arguments into a [`RequestPlan`], [`Tool::outcome`] turns a response into an [`Outcome`].
//!
//! To support a keyword of a schema, start in `schema.rs`.
//! To support a parameter style, add it to [`Style`] and give it an encoder in `plan/pairs.rs`, or in `plan/style.rs` where it is no query's.
//! To support a body media type, add it to [`BodyEncoding`] and give it an encoder in `plan/body.rs`.
//! Each comes with a document in `tests/documents/` and its golden toolset.

mod body;
mod bundle;
mod diagnostic;
pub mod dialect;
mod difference;
mod document;
pub mod findings;
mod header;
mod identifiers;
mod json_text;
mod limits;
mod media_type;
mod model;
mod names;
mod operations;
mod outcome;
mod pagination;
mod parameters;
mod plan;
mod pointer;
mod read;
mod reference;
mod remembered;
mod responses;
#[cfg(test)]
mod sample;
mod schema;
pub mod search;
mod security;
mod servers;
mod swagger;
mod text;
mod tools;
pub mod variables;

pub use bundle::{Bundle, Bundler, FileName, InvalidFileName, Tree};
pub use diagnostic::{Diagnostic, Severity};
pub use difference::{
    ChangedTool, DocumentView, RenamedTool, ToolChange, ToolDifference, difference,
};
pub use document::Document;
pub use limits::Limits;
pub use model::body::{
    BodyChoice, BodyEncoding, BodyTemplate, FieldEncoding, Lines, Xml, XmlKind, XmlNode,
};
pub use model::server::{ServerError, ServerTemplate, ServerVariable, ServerVariables, ValueFault};
pub use model::{
    Annotations, Method, Parameter, PathPart, Place, RequestTemplate, SchemeFlow, SchemeKind,
    SecurityAlternative, SecurityRequirement, SecurityScheme, Spelling, Style, Tool,
};
pub use outcome::projection::{InvalidProjection, Projection};
pub use outcome::{Content, Outcome, Presentation, UpstreamResponse};
pub use plan::{
    ArgumentError, PlanError, PlannedBody, RequestPlan, Unsendable, encoded, names_collide,
};
pub use read::{ReadError, declares_version};
pub use remembered::{RememberedNames, UnreadableNames};
