//! The body of a request: the media types that may be sent, and how the argument is written for each.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{Spelling, Style};
use crate::media_type::{Family, family};

/// The body of a request, taken from one argument.
#[derive(Clone, Debug)]
pub struct BodyTemplate {
    /// The property of the tool's arguments, `body` unless a parameter has that name.
    pub argument: String,
    /// Whether the body must be given.
    pub required: bool,
    /// The argument that chooses among [`BodyTemplate::choices`], where there is more than one.
    pub chooser: Option<String>,
    /// The media types to send, the first of them unless another is chosen; never empty.
    pub choices: Arc<[BodyChoice]>,
}

/// One media type that a body may have.
#[derive(Clone, Debug)]
pub struct BodyChoice {
    /// The media type as the document writes it, which may be a range.
    pub media_type: String,
    /// What is sent as `Content-Type` unless the argument itself says more.
    pub content_type: String,
    /// How the argument becomes bytes.
    pub encoding: BodyEncoding,
}

/// How a body is written.
#[derive(Clone, Debug)]
pub enum BodyEncoding {
    /// `application/json`, `…+json`: the argument itself.
    Json,
    /// `application/x-ndjson` and the like: a list, one line for each item.
    JsonLines(Lines),
    /// `application/x-www-form-urlencoded`: the argument is an object.
    Form(IndexMap<String, FieldEncoding>),
    /// `multipart/form-data`: the argument is an object, one part or more for each member.
    Multipart(IndexMap<String, FieldEncoding>),
    /// `multipart/mixed` and the like of a list: one part for each item, without names.
    Parts {
        /// How the first items are written, each in its own way.
        first: Vec<FieldEncoding>,
        /// How all other items are written.
        others: FieldEncoding,
    },
    /// `application/xml`, `…+xml`, where the schema says what is in it.
    Xml(Arc<Xml>),
    /// `text/*` and the like: the argument is a string.
    Text,
    /// Anything else: the argument is Base64 text or a data URL.
    Binary,
}

/// What begins each JSON text of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Nothing: one text a line.
    Plain,
    /// A record separator (RFC 7464).
    Sequence,
}

/// How one field of a form is written; a field that is not listed has [`FieldEncoding::default`], and where one becomes several, all are listed that the schema names.
#[derive(Clone, Debug, Default)]
pub struct FieldEncoding {
    /// How the value is written, where the document names a style; its media type does not matter then.
    pub spelling: Option<Spelling>,
    /// The media types and ranges that the document names for the field or part.
    pub content_types: Vec<String>,
    /// The argument is a file: Base64 text or a data URL of the bytes to send.
    pub binary: bool,
    /// Headers of the part whose values the document knows.
    pub headers: Vec<(String, String)>,
    /// How the value is written as XML, where its media type is that.
    pub xml: Option<Arc<Xml>>,
}

impl FieldEncoding {
    /// Tells whether the document names a media type of the field that bytes may have.
    pub(crate) fn is_typed(&self) -> bool {
        let mut families = self.content_types.iter().map(|it| family(it));
        families.next().is_some_and(|first| first != Family::Json)
    }

    /// Tells whether the members of an object become fields of their own.
    pub(crate) fn spreads(&self) -> bool {
        self.spelling
            .is_some_and(|spelling| spelling.explode && spelling.style != Style::DeepObject)
    }
}

/// How values become XML: nodes that refer to each other, since schemas may.
#[derive(Clone, Debug)]
pub struct Xml {
    /// The name of the document's element.
    pub name: String,
    /// The node of the document's element.
    pub root: usize,
    /// All nodes.
    pub nodes: Vec<XmlNode>,
}

/// What a schema says of the XML of its values.
#[derive(Clone, Debug, Default)]
pub struct XmlNode {
    /// The name, where the schema has one of its own.
    pub name: Option<String>,
    /// The prefix of the name.
    pub prefix: Option<String>,
    /// The namespace that the element declares.
    pub namespace: Option<String>,
    /// What a value becomes.
    pub kind: XmlKind,
    /// Whether a list has an element around its items.
    pub wrapped: bool,
    /// The nodes of an object's members, in the order in which they are written.
    pub members: IndexMap<String, usize>,
    /// The node of an object's other members.
    pub others: Option<usize>,
    /// The node of a list's items.
    pub items: Option<usize>,
}

/// What a value becomes (`OpenAPI` 3.2, "XML Node Types").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum XmlKind {
    /// An element.
    #[default]
    Element,
    /// An attribute of the element around it.
    Attribute,
    /// Text of the element around it.
    Text,
    /// The same as a CDATA section.
    Cdata,
    /// No node of its own: its members go into the element around it.
    None,
}
