//! Arguments become a request: [`Tool::plan`] fills a [`RequestTemplate`](crate::RequestTemplate) in.
//!
//! Decides what goes where and in what spelling, so that no argument can change the host, the number of path segments, the structure of the query, the headers or the cookies.
//! Does not know credentials or the server; whoever sends the plan appends them last.
//! Nothing is mended silently: what cannot be written as it is meant is refused by a message that names the argument, since the model reads it and tries again.

mod arguments;
mod body;
mod encode;
mod file;
mod heal;
mod json;
pub(crate) mod kept;
mod multipart;
mod pairs;
mod parameter;
mod shape;
mod style;
mod url;
mod validate;
mod xml;

use ::url::form_urlencoded;
use serde_json::value::RawValue;

use crate::model::{Method, PathPart, Tool};
use arguments::Arguments;
use heal::heal;

pub use self::encode::encoded;
pub(crate) use self::encode::percent_decoded;
pub use self::parameter::names_collide;
pub use self::url::PlanError;

/// A request without server and credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPlan {
    /// The method.
    pub method: Method,
    /// Relative to the server, percent-encoded, begins with `/`.
    pub path: String,
    /// Percent-encoded, without `?`; empty where there is no parameter.
    pub query: String,
    /// Header parameters: visible ASCII, spaces and tabs only.
    pub headers: Vec<(String, String)>,
    /// Cookie parameters: cookie-octets of RFC 6265 only, with commas between items.
    pub cookies: Vec<(String, String)>,
    /// The value of `Accept`.
    pub accept: String,
    /// The body, where one is sent.
    pub body: Option<PlannedBody>,
    /// What was made of the arguments beyond what they say, for the model to read beside the answer.
    pub notes: Vec<String>,
}

/// The body of a planned request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedBody {
    /// The value of `Content-Type`.
    pub content_type: String,
    /// The bytes to send.
    pub bytes: Vec<u8>,
}

/// Why arguments cannot become a request; the text is what the model reads.
#[derive(Debug, thiserror::Error)]
pub enum ArgumentError {
    /// Not JSON, or a member occurs twice: then the API could read another value than the one that was validated.
    #[error("the arguments are not sound JSON: {0}")]
    Malformed(String),
    /// JSON, but not an object.
    #[error("the arguments must be a JSON object")]
    NotAnObject,
    /// The tool has no such argument.
    #[error("unknown argument `{name}`; {known}")]
    Unknown {
        /// The name as given, shortened.
        name: String,
        /// What the tool takes instead.
        known: String,
    },
    /// An argument that must be given is absent.
    #[error("argument `{argument}` is required")]
    Missing {
        /// The argument.
        argument: String,
    },
    /// The arguments do not fit the tool's input schema.
    #[error("{0}")]
    Invalid(String),
    /// The value fits the schema but has no spelling where it must go.
    #[error("argument `{argument}` {cause}")]
    Unsendable {
        /// The argument.
        argument: String,
        /// What stands in the way.
        cause: Unsendable,
    },
}

/// What stands in the way of writing a value into a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// An empty path parameter would make another path.
    #[error("must not be empty, as it is a part of the URL's path")]
    EmptyInPath,
    /// A dot segment would be resolved by someone on the way.
    #[error(
        "must not be `.` or `..` or contain such a path segment, as it is a part of the URL's path"
    )]
    DotSegment,
    /// Control characters have no place in a path.
    #[error("must not contain control characters")]
    Control,
    /// The style has no spelling for lists of lists and the like.
    #[error("must not nest arrays or objects, as there is no way to write them there")]
    Nested,
    /// The nesting is deeper than anything an API reads.
    #[error("is nested too deeply")]
    TooDeep,
    /// An item contains what separates the items.
    #[error("must not contain `{0}` inside an item, as it separates the items")]
    Separator(char),
    /// A member's name contains a bracket where brackets are the syntax.
    #[error("must not have a member whose name contains `[` or `]`; nest objects instead")]
    Bracket,
    /// A member's name would become the name of another parameter or field.
    #[error("must not have a member that is named like another parameter or field")]
    TakesAnotherName,
    /// The value is sent as a header.
    #[error(
        "is sent as a header: visible ASCII characters only, with spaces or tabs only between them"
    )]
    NotHeaderText,
    /// The value is sent as a cookie.
    #[error(
        "is sent as a cookie: visible ASCII characters without space, `\"`, `,`, `;` and `\\` only"
    )]
    NotCookieText,
    /// A member's name becomes the name of a cookie.
    #[error("must not have a member whose name a cookie cannot have")]
    NotCookieName,
    /// Bytes are given as Base64.
    #[error(
        "must be Base64 text (RFC 4648 §4) of the bytes to send, or a data URL that ends in `;base64,` and that text"
    )]
    NotBase64,
    /// A data URL names a media type that the document does not.
    #[error("names a media type that the API does not take there")]
    MediaType,
    /// The media type that was chosen is none of those that are offered.
    #[error("must be one of the media types that the tool offers")]
    NotOffered,
    /// A name cannot be that of an XML element.
    #[error("must not have a member whose name no XML element can have")]
    NotXmlName,
    /// An XML attribute stands on an element.
    #[error("must not have a member that is an XML attribute where no element is around it")]
    AttributeWithoutElement,
    /// XML has no spelling for most control characters.
    #[error("must not contain characters that XML cannot have")]
    NotXmlText,
    /// Text is given as a string.
    #[error("must be a string")]
    NotText,
    /// A form is given as an object.
    #[error("must be an object, one member for each field of the form")]
    NotForm,
}

impl Unsendable {
    fn of(self, argument: &str) -> ArgumentError {
        ArgumentError::Unsendable {
            argument: argument.to_owned(),
            cause: self,
        }
    }
}

impl Tool {
    /// Turns a call's arguments, a JSON text or nothing, into a request.
    ///
    /// A string that does not fit, but holds JSON text of something that does, is read as that; the plan's notes say so.
    ///
    /// # Errors
    /// When the arguments are not an object, name an argument that the tool does not have, leave out a required one, do not fit the input schema, or cannot be written where they must go.
    pub fn plan(&self, arguments: Option<&RawValue>) -> Result<RequestPlan, ArgumentError> {
        let text = arguments.map_or("{}", RawValue::get);
        let arguments = Arguments::read(text, self)?;
        let Err(error) = self.validate(arguments.value()) else {
            return self.filled(&arguments);
        };
        let healed = self
            .validator()
            .and_then(|validator| heal(&validator, text, arguments.value()));
        let Some(healed) = healed else {
            return Err(error);
        };
        let mut plan = self.filled(&Arguments::read(&healed.text, self)?)?;
        plan.notes = healed.notes;
        Ok(plan)
    }

    /// Fills the template in.
    fn filled(&self, arguments: &Arguments<'_>) -> Result<RequestPlan, ArgumentError> {
        let template = &self.request;
        let mut plan = RequestPlan {
            method: template.method,
            path: String::with_capacity(64),
            query: template.query.clone(),
            headers: Vec::new(),
            cookies: Vec::new(),
            accept: template.accept.clone(),
            body: None,
            notes: Vec::new(),
        };
        for part in &template.path {
            match part {
                PathPart::Literal(text) => plan.path.push_str(text),
                PathPart::Parameter(index) => {
                    if let Some(parameter) = template.parameters.get(*index) {
                        plan.write_path(parameter, arguments)?;
                    }
                }
            }
        }
        for parameter in &template.parameters {
            if let Some(raw) = arguments.named(&parameter.argument) {
                plan.write(parameter, raw, template)?;
            }
        }
        if let Some(body) = &template.body
            && let Some(raw) = arguments.named(&body.argument)
        {
            let chosen = body.chooser.as_ref();
            let chosen = chosen.and_then(|chooser| arguments.named(chooser));
            plan.body = Some(body::write(body, raw, chosen)?);
        }
        Ok(plan)
    }
}

impl RequestPlan {
    /// Appends a credential to the query, encoded as arguments are.
    ///
    /// # Errors
    /// When an argument took the credential's name: the API could believe the argument.
    pub fn append_query(&mut self, name: &str, value: &str) -> Result<(), PlanError> {
        if form_urlencoded::parse(self.query.as_bytes())
            .any(|(taken, _)| names_collide(&taken, name))
        {
            return Err(PlanError::NameTaken);
        }
        style::pair(&mut self.query, name, value);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
