//! A response becomes what the model reads: [`Tool::outcome`].
//!
//! Decides by media type and status what is text, structured content, an image, audio or an embedded resource.
//! Changes nothing of what the API said beyond what the text then states: cut at a limit, not valid in its charset, an HTML page reduced to its text.
//! What is small is passed on as the bytes it came as, and no value is built of it.
//! A note behind the answer says what was cut and how to have the rest, and that there is a next page.
//! Does not redact (no secret is known here) and does not read from the network; the caller caps the body.
//!
//! Structured content (MCP, "Tool Result"): every protocol version takes an object there, so a JSON object is always given, beside its text.
//! Other values are given only where the tool has an output schema, wrapped as `{"result": …}`, because clients then insist on an object; without one an array as text says as much at half the size.

mod answer;
mod blamed;
mod block;
mod cut;
mod events;
mod failure;
mod html;
mod json;
mod media;
mod multipart;
mod name;
pub(crate) mod opened;
pub(crate) mod projection;
mod text;

use serde_json::value::RawValue;

use crate::model::Tool;
use crate::pagination::Pagination;
use answer::Answer;
use media::MediaType;
use projection::Projection;

/// What the upstream API answered.
#[derive(Clone, Copy, Debug, Default)]
pub struct UpstreamResponse<'a> {
    /// The status code.
    pub status: u16,
    /// The value of `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The value of `Content-Disposition`.
    pub disposition: Option<&'a str>,
    /// The values of `Link`, joined by commas.
    pub link: Option<&'a str>,
    /// The value of `Location`.
    pub location: Option<&'a str>,
    /// The body, content codings undone, cut at the caller's cap.
    pub body: &'a [u8],
    /// The number of bytes that the body was cut at, where it was cut.
    pub truncated_at: Option<usize>,
    /// The whole body's length as the API declared it, for the message about a cut.
    pub declared_length: Option<u64>,
}

/// How much of a tool's answers the model is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presentation {
    /// The most bytes of JSON or text; what is larger is cut.
    pub max_bytes: usize,
    /// The most bytes of anything else, before Base64; what is larger is described instead.
    pub max_binary_bytes: usize,
    /// What the operator wants given of JSON.
    pub projection: Option<Projection>,
}

impl Default for Presentation {
    /// What clients take: some refuse results of more than 25,000 tokens, of which one is two to four bytes of JSON; models' providers take images of 5 MB in Base64.
    fn default() -> Self {
        Self {
            max_bytes: 64 << 10,
            max_binary_bytes: 3 << 20,
            projection: None,
        }
    }
}

/// The result of a call, without MCP's envelope.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The blocks, never empty.
    pub content: Vec<Content>,
    /// An object; always there when the tool has an output schema and the call succeeded.
    pub structured: Option<Box<RawValue>>,
    /// The API refused or failed.
    pub is_error: bool,
}

/// A block of a result (MCP, "Tool Result").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text(String),
    /// An image.
    Image {
        /// The bytes in Base64.
        data_base64: String,
        /// The media type.
        mime: String,
    },
    /// Audio.
    Audio {
        /// The bytes in Base64.
        data_base64: String,
        /// The media type.
        mime: String,
    },
    /// A document of text that has a place of its own.
    EmbeddedText {
        /// Where it is from.
        uri: String,
        /// The media type.
        mime: String,
        /// The text.
        text: String,
    },
    /// Any other bytes.
    EmbeddedBlob {
        /// Where it is from; `answer:{tool}` where the API names no place.
        uri: String,
        /// The media type.
        mime: String,
        /// The bytes in Base64.
        base64: String,
    },
}

impl Tool {
    /// Turns the API's response into a result.
    ///
    /// Never panics and always says something, whatever the API sent.
    #[must_use]
    pub fn outcome(&self, response: &UpstreamResponse<'_>, presentation: &Presentation) -> Outcome {
        let media_type = MediaType::parse(response.content_type.unwrap_or_default());
        let answer = Answer {
            tool: self,
            response,
            media_type,
            presentation,
        };
        match response.status {
            200..300 => answer.outcome(),
            304 => answer.said("HTTP 304: nothing has changed since what the request named"),
            _ => failure::outcome(self, response, &media_type),
        }
    }

    /// Returns what pages through the tool's answers.
    fn pagination(&self) -> &Pagination {
        self.pagination.get_or_init(|| Pagination::of(self))
    }
}

#[cfg(test)]
mod tests;
