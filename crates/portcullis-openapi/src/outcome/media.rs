//! Media types (RFC 9110 §8.3.1): the essence, two parameters, and how a body of the type is shown.

use crate::media_type;

/// The type of which nothing is known.
const OCTETS: &str = "application/octet-stream";

/// A media type as the API wrote it.
#[derive(Clone, Copy, Debug)]
pub(super) struct MediaType<'a> {
    essence: &'a str,
    parameters: &'a str,
}

/// How a body is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// JSON text.
    Json,
    /// One JSON value a line.
    Lines,
    /// Server-sent events.
    Events,
    /// Other text.
    Text,
    /// An image that models can see.
    Image,
    /// Audio.
    Audio,
    /// Several parts.
    Multipart,
    /// Anything else.
    Bytes,
}

impl<'a> MediaType<'a> {
    /// Splits the value of `Content-Type`; nothing is malformed enough to be refused.
    pub(super) fn parse(content_type: &'a str) -> Self {
        let (essence, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        Self {
            essence: essence.trim(),
            parameters,
        }
    }

    /// Decides how a body of this type is shown; without a type the body's own look decides.
    pub(super) fn family(&self, body: &[u8]) -> Family {
        if self.essence.eq_ignore_ascii_case("application/json") {
            return Family::Json;
        }
        let essence = self.essence.to_ascii_lowercase();
        match essence.as_str() {
            "text/event-stream" => return Family::Events,
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonl"
            | "application/jsonlines"
            | "application/x-jsonlines"
            | "application/json-seq"
            | "application/stream+json"
            | "application/json-lines" => {
                return Family::Lines;
            }
            _ => {}
        }
        match (media_type::family(&essence), essence.split_once('/')) {
            (_, None | Some(("*", _) | (_, "*"))) => look(body),
            (media_type::Family::Json, _) => Family::Json,
            (
                media_type::Family::Text
                | media_type::Family::Form
                | media_type::Family::Lines
                | media_type::Family::Xml,
                _,
            ) => Family::Text,
            (media_type::Family::Multipart, _) => Family::Multipart,
            (media_type::Family::Binary, Some(("audio", _))) => Family::Audio,
            (media_type::Family::Binary, Some(("image", _) | ("application", "octet-stream")))
                if image(body).is_some() =>
            {
                Family::Image
            }
            (media_type::Family::Binary, _) => Family::Bytes,
        }
    }

    /// Tells whether this is HTML.
    pub(super) fn is_html(&self) -> bool {
        self.essence.eq_ignore_ascii_case("text/html")
            || self.essence.eq_ignore_ascii_case("application/xhtml+xml")
    }

    /// Returns the type's name for a block of such bytes; their own look counts more where it is plain.
    pub(super) fn name_of(&self, body: &[u8]) -> String {
        let name = self.name();
        match image(body) {
            Some(image) => image.to_owned(),
            None if name == OCTETS && body.starts_with(b"%PDF-") => "application/pdf".to_owned(),
            None => name,
        }
    }

    /// Returns the type's name for a content block.
    pub(super) fn name(&self) -> String {
        let is_name = |byte: u8| byte.is_ascii_graphic();
        if self.essence.contains('/') && self.essence.bytes().all(is_name) {
            self.essence.to_ascii_lowercase()
        } else {
            OCTETS.to_owned()
        }
    }

    /// Returns the `charset` parameter.
    pub(super) fn charset(&self) -> Option<String> {
        self.parameter("charset")
    }

    /// Returns the `boundary` parameter.
    pub(super) fn boundary(&self) -> Option<String> {
        self.parameter("boundary")
    }

    /// Returns a parameter's value, its quotes undone.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let mut rest = self.parameters;
        while !rest.is_empty() {
            let (key, after) = rest.split_once('=')?;
            let (value, after) = parameter_value(after);
            if key.trim().eq_ignore_ascii_case(name) {
                return Some(value);
            }
            rest = after;
        }
        None
    }
}

/// Reads a token or a quoted string and what follows the next semicolon.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.trim_start().strip_prefix('"') else {
        let (value, after) = text.split_once(';').unwrap_or((text, ""));
        return (value.trim().to_owned(), after);
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' => value.extend(characters.next()),
            _ => value.push(c),
        }
    }
    let after = characters.as_str();
    (value, after.split_once(';').map_or("", |(_, after)| after))
}

/// Decides by the body alone.
pub(super) fn look(body: &[u8]) -> Family {
    if matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')) {
        Family::Json
    } else if !body.contains(&0) && std::str::from_utf8(body).is_ok() {
        Family::Text
    } else if image(body).is_some() {
        Family::Image
    } else {
        Family::Bytes
    }
}

/// Recognises the images that models can see, by their first bytes.
///
/// A model's provider refuses a conversation with an image that is another one than is said, or none at all, and goes on doing so.
fn image(body: &[u8]) -> Option<&'static str> {
    match body {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        _ => None,
    }
}
