//! A response becomes what the model reads: [`Tool::outcome`].
//!
//! Decides by media type and status what is text, structured content, an image, audio or an embedded resource.
//! Changes nothing of what the API said beyond what the text then states: cut at a limit, not valid in its charset, an HTML error page reduced to its text.
//! Does not redact (no secret is known here) and does not read from the network; the caller caps the body.
//!
//! Structured content (MCP, "Tool Result"): every protocol version takes an object there, so a JSON object is always given, beside its text.
//! Other values are given only where the tool has an output schema, wrapped as `{"result": …}`, because clients then insist on an object; without one an array as text says as much at half the size.

mod failure;
mod json;
mod media;
mod multipart;
mod text;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use crate::model::Tool;
use media::{Family, MediaType};
use text::Cut;

/// What the upstream API answered.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamResponse<'a> {
    /// The status code.
    pub status: u16,
    /// The value of `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The body, content codings undone, cut at the caller's cap.
    pub body: &'a [u8],
    /// The number of bytes that the body was cut at, where it was cut.
    pub truncated_at: Option<usize>,
    /// The whole body's length as the API declared it, for the message about a cut.
    pub declared_length: Option<u64>,
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
    #[must_use]
    pub fn outcome(&self, response: &UpstreamResponse<'_>) -> Outcome {
        let media_type = MediaType::parse(response.content_type.unwrap_or_default());
        if !(200..300).contains(&response.status) {
            return failure::outcome(response, &media_type);
        }
        if response.body.is_empty() && response.truncated_at.is_none() {
            let text = format!("HTTP {} with an empty body", response.status);
            let promised = self.output_schema.is_some().then(json::empty);
            return self.success(vec![Content::Text(text)], promised);
        }
        let cut = Cut::of(response);
        match media_type.family(response.body) {
            Family::Json => self.json(response.body, &media_type, cut),
            Family::Multipart if cut.is_none() => self.multipart(response.body, &media_type),
            family => {
                let uri = format!("answer:{}", self.name);
                let block = block(family, &media_type, response.body, cut, uri);
                self.success(vec![block], None)
            }
        }
    }

    fn json(&self, body: &[u8], media_type: &MediaType<'_>, cut: Option<Cut>) -> Outcome {
        let Some(raw) = json::sound(body) else {
            let text = text::read(body, media_type, cut);
            return self.success(vec![Content::Text(text)], None);
        };
        let text = Content::Text(raw.get().to_owned());
        if json::is_object(raw) && json::is_readable(raw) {
            return self.success(vec![text], Some(raw.to_owned()));
        }
        let wrapped = self.output_schema.is_some() && json::is_readable(raw);
        self.success(vec![text], wrapped.then(|| json::wrapped(raw.get())))
    }

    fn multipart(&self, body: &[u8], media_type: &MediaType<'_>) -> Outcome {
        let uri = format!("answer:{}", self.name);
        let parts = media_type
            .boundary()
            .and_then(|boundary| multipart::parts(body, &boundary));
        let content = match parts {
            Some(parts) => parts
                .iter()
                .enumerate()
                .map(|(index, part)| part.block(&format!("{uri}/{}", index + 1)))
                .collect(),
            None => vec![block(media::look(body), media_type, body, None, uri)],
        };
        self.success(content, None)
    }

    /// Completes a result; with an output schema there is always an object.
    fn success(&self, content: Vec<Content>, structured: Option<Box<RawValue>>) -> Outcome {
        let structured = structured.or_else(|| {
            self.output_schema.as_ref()?;
            Some(json::stand_in(&content))
        });
        Outcome {
            content,
            structured,
            is_error: false,
        }
    }
}

/// Renders one body or part; JSON and nested multipart count as text and bytes here.
fn block(
    family: Family,
    media_type: &MediaType<'_>,
    body: &[u8],
    cut: Option<Cut>,
    uri: String,
) -> Content {
    match (family, cut) {
        (Family::Json | Family::Text, cut) => Content::Text(text::read(body, media_type, cut)),
        (Family::Image | Family::Audio | Family::Multipart | Family::Bytes, Some(cut)) => {
            let mime = media_type.name();
            Content::Text(format!("{mime} is left out: {cut}"))
        }
        (Family::Image, None) => Content::Image {
            data_base64: STANDARD.encode(body),
            mime: media_type.name(),
        },
        (Family::Audio, None) => Content::Audio {
            data_base64: STANDARD.encode(body),
            mime: media_type.name(),
        },
        (Family::Multipart | Family::Bytes, None) => Content::EmbeddedBlob {
            uri,
            mime: media_type.name(),
            base64: STANDARD.encode(body),
        },
    }
}

#[cfg(test)]
mod tests;
