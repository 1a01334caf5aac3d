//! What an operation is compiled to: the tool as the model sees it, and the template of the request as the API sees it.
//!
//! Nothing here refers back to the document, so the document's memory can be given back.

pub(crate) mod body;
pub(crate) mod server;

use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use serde_json::value::RawValue;

use self::body::{BodyEncoding, BodyTemplate};
use self::server::{ServerTemplate, ServerVariables};
use crate::pagination::Pagination;
use crate::plan::kept::Kept;
use crate::pointer::unescape;
use crate::schema::input::{InputSchema, raw};

/// One operation of a document, published as one tool.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Unique in the toolset, `[A-Za-z0-9_-]`, at most 64 characters.
    pub name: String,
    /// A short title for people, where the document has one.
    pub title: Option<String>,
    /// Never empty.
    pub description: String,
    /// JSON Schema 2020-12 with root `type: object` where the document describes a JSON answer; it names the members and describes them in words, so that any object satisfies it: real answers stray from their documents, and clients refuse a result that does not conform.
    pub output_schema: Option<Arc<RawValue>>,
    /// Hints that follow from the method.
    pub annotations: Annotations,
    /// The alternatives of the operation's `security`, in the document's order; empty means that no credential is needed.
    pub security: Vec<SecurityAlternative>,
    /// Whether the document has a `security` for the operation, its own or one for all operations; without any, an empty [`Tool::security`] tells nothing.
    pub declares_security: bool,
    /// Tags of the operation, for selection.
    pub tags: Vec<String>,
    /// What the document calls the operation, where it does.
    pub operation_id: Option<String>,
    /// Whether the document advises against the operation.
    pub deprecated: bool,
    /// JSON Pointer to the operation in the document.
    pub pointer: String,
    /// The request to be filled in.
    pub request: RequestTemplate,
    /// What the arguments are held against, and what models are shown of it.
    pub(crate) input: InputSchema,
    /// Compiled from the whole input schema on the first call, and kept while there is room.
    pub(crate) validator: Kept,
    /// Found on the first answer.
    pub(crate) pagination: Arc<OnceLock<Pagination>>,
}

impl Tool {
    /// Writes the input schema as models are shown it: JSON Schema 2020-12 with root `type: object`, self-contained, within [`Limits::max_input_schema_bytes`](crate::Limits::max_input_schema_bytes).
    ///
    /// What is cut there is still held against the whole schema.
    #[must_use]
    pub fn input_schema(&self) -> Box<RawValue> {
        raw(self.input.shown())
    }

    /// Writes the whole input schema, which arguments are held against; a body that may be sent as several media types fits it as any of them, and is held against that which is chosen.
    #[must_use]
    pub fn whole_input_schema(&self) -> Box<RawValue> {
        raw(self.input.whole())
    }

    /// Returns the operation's path as the document writes it, with its places for parameters.
    #[must_use]
    pub fn path(&self) -> String {
        let below = self.pointer.strip_prefix("/paths/").unwrap_or_default();
        unescape(below.split('/').next().unwrap_or_default())
    }
}

/// MCP's tool annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Annotations {
    /// The call changes nothing.
    pub read_only: bool,
    /// The call may destroy something.
    pub destructive: bool,
    /// A second equal call changes nothing more.
    pub idempotent: bool,
}

/// The methods of operations that become tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// OPTIONS
    Options,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Post,
        Self::Put,
        Self::Patch,
        Self::Delete,
    ];

    /// Returns the method as HTTP writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Tells whether a request may be sent again after a failure (RFC 9110 §9.2.1, safe methods).
    #[must_use]
    pub fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options)
    }
}

/// A request with places for arguments.
#[derive(Clone, Debug)]
pub struct RequestTemplate {
    /// The method.
    pub method: Method,
    /// Where the operation's API is.
    pub server: ServerTemplate,
    /// The variables of the server's URL that an operator may set, where it has any.
    pub server_variables: Option<ServerVariables>,
    /// The path, relative to the server; begins with a literal `/`.
    pub path: Vec<PathPart>,
    /// The query that every request has, percent-encoded, without `?`; some documents write it into the path.
    pub query: String,
    /// Path, query, header and cookie parameters; [`PathPart::Parameter`] counts into this list.
    pub parameters: Vec<Arc<Parameter>>,
    /// The body, where the operation takes one.
    pub body: Option<BodyTemplate>,
    /// The value of `Accept`.
    pub accept: String,
}

/// A piece of a path template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPart {
    /// Text as it goes onto the wire, already percent-encoded where it must be.
    Literal(String),
    /// An index into [`RequestTemplate::parameters`].
    Parameter(usize),
}

/// A parameter outside the body.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The property of the tool's arguments.
    pub argument: String,
    /// The name on the wire.
    pub name: String,
    /// Where it goes.
    pub place: Place,
    /// How the value is written.
    pub spelling: Spelling,
    /// Whether the value must be given; path parameters always must.
    pub required: bool,
    /// Whether a name without a value means something, so that an empty text or list is sent.
    pub allow_empty: bool,
    /// How the whole value is written where the parameter has `content`, not `schema`; the style does not matter then.
    pub content: Option<BodyEncoding>,
}

/// How a value is written into a URL, a header, a cookie or a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Spelling {
    /// How arrays and objects are written.
    pub style: Style,
    /// Whether each item or member stands for itself.
    pub explode: bool,
    /// Whether characters that URLs reserve go out unencoded where they cannot be mistaken for syntax.
    pub allow_reserved: bool,
    /// How a list that is an item of the list is joined, where the document says (Swagger 2.0, `collectionFormat` of `items`).
    pub within: Option<Style>,
}

impl Spelling {
    /// A list as one pair for each item, an object as one for each member: what queries and forms have by default.
    pub const FORM: Self = Self::of(Style::Form);

    /// Returns a style as it is by default.
    #[must_use]
    pub const fn of(style: Style) -> Self {
        Self {
            style,
            explode: matches!(style, Style::Form | Style::Cookie),
            allow_reserved: false,
            within: None,
        }
    }
}

/// Where a parameter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A part of a path segment.
    Path,
    /// The query.
    Query,
    /// The query as a whole (`OpenAPI` 3.2, `in: querystring`).
    QueryString,
    /// A header that carries no authority.
    Header,
    /// A cookie.
    Cookie,
}

/// OpenAPI's parameter styles (`OpenAPI` 3.2.0, "Style Values").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// RFC 6570 `{name}`
    Simple,
    /// RFC 6570 `{.name}`
    Label,
    /// RFC 6570 `{;name}`
    Matrix,
    /// RFC 6570 `{?name}`
    Form,
    /// `a%20b`
    SpaceDelimited,
    /// `a|b`
    PipeDelimited,
    /// `a%09b`, of Swagger 2.0
    TabDelimited,
    /// `name[member]=value`
    DeepObject,
    /// `name=value; name=value`, written as it is.
    Cookie,
}

/// One alternative of an operation's `security`: all its requirements together suffice. Empty means: no credential.
pub type SecurityAlternative = Vec<SecurityRequirement>;

/// One scheme that an alternative needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityRequirement {
    /// The key under `components.securitySchemes`.
    pub scheme: String,
    /// The scopes that the operation needs.
    pub scopes: Vec<String>,
}

/// A security scheme of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityScheme {
    /// The key under `components.securitySchemes`.
    pub name: String,
    /// What it is.
    pub kind: SchemeKind,
}

/// The kinds of security scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemeKind {
    /// A key in a header, a query parameter or a cookie; `place` is never [`Place::Path`].
    ApiKey {
        /// Where it goes.
        place: Place,
        /// The name there.
        name: String,
    },
    /// `Authorization: Bearer`.
    Bearer,
    /// `Authorization: Basic`.
    Basic,
    /// `oauth2` with its flows.
    OAuth2 {
        /// The flows that the document offers.
        flows: Vec<SchemeFlow>,
    },
    /// `openIdConnect`.
    OpenIdConnect {
        /// The discovery document's URL.
        url: String,
    },
    /// Something that Portcullis cannot attach: mutual TLS, digest and the like. The text names it.
    Unsupported(String),
}

/// A flow of an `oauth2` scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemeFlow {
    /// `clientCredentials`, `authorizationCode`, `implicit` or `password`.
    pub kind: String,
    /// The token endpoint, where the flow has one.
    pub token_url: Option<String>,
    /// The authorization endpoint, where the flow has one.
    pub authorization_url: Option<String>,
    /// Scopes and their descriptions.
    pub scopes: IndexMap<String, String>,
}
