//! Results of tools, written for the version that the caller speaks.

use serde_json::value::RawValue;

use crate::envelope::Id;
use crate::reply::write_string;
use crate::{Introduction, ProtocolVersion, Reply};

/// What a tool call comes to.
#[derive(Clone, Debug, Default)]
pub struct ToolResult {
    /// What the model reads.
    pub content: Vec<Content>,
    /// The same as JSON, where it is JSON; passed through untouched.
    pub structured: Option<Box<RawValue>>,
    /// Whether the call failed.
    pub is_error: bool,
}

/// A block of content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text(String),
    /// An image.
    Image {
        /// The bytes in Base64.
        base64: String,
        /// The media type.
        mime_type: String,
    },
    /// Audio.
    Audio {
        /// The bytes in Base64.
        base64: String,
        /// The media type.
        mime_type: String,
    },
    /// An embedded resource of text.
    EmbeddedText {
        /// What it is called.
        uri: String,
        /// The media type.
        mime_type: String,
        /// The text.
        text: String,
    },
    /// An embedded resource of bytes.
    EmbeddedBlob {
        /// What it is called.
        uri: String,
        /// The media type.
        mime_type: String,
        /// The bytes in Base64.
        base64: String,
    },
}

impl ToolResult {
    /// Makes the result of a failed call that says why.
    #[must_use]
    pub fn error(text: String) -> Self {
        Self {
            content: vec![Content::Text(text)],
            structured: None,
            is_error: true,
        }
    }

    /// Answers `tools/call`.
    pub fn reply(
        &self,
        id: &Id<'_>,
        version: ProtocolVersion,
        introduction: &Introduction,
    ) -> Reply {
        let structured = self.structured_for(version);
        let size = self.content.iter().map(Content::size_bytes).sum::<usize>()
            + structured.map_or(0, |raw| raw.get().len())
            + introduction.size_bytes();
        Reply::result(id, size, |out| {
            out.extend_from_slice(b"{\"content\":[");
            for (index, content) in self.content.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                content.write(out, version);
            }
            out.push(b']');
            if let Some(structured) = structured {
                out.extend_from_slice(b",\"structuredContent\":");
                out.extend_from_slice(structured.get().as_bytes());
            }
            if self.is_error {
                out.extend_from_slice(b",\"isError\":true");
            }
            introduction.end(out, version);
        })
    }

    /// Returns the structured content that the version can carry: none before 2025-06-18, objects only before 2026-07-28.
    fn structured_for(&self, version: ProtocolVersion) -> Option<&RawValue> {
        self.structured.as_deref().filter(|raw| {
            version.is_modern()
                || version >= ProtocolVersion::V2025_06_18 && raw.get().starts_with('{')
        })
    }
}

impl Content {
    /// Returns about how many bytes the block takes.
    fn size_bytes(&self) -> usize {
        64 + match self {
            Self::Text(text) => text.len() + text.len() / 8,
            Self::Image { base64, .. } | Self::Audio { base64, .. } => base64.len(),
            Self::EmbeddedText { uri, text, .. } => uri.len() + text.len() + text.len() / 8,
            Self::EmbeddedBlob { uri, base64, .. } => uri.len() + base64.len(),
        }
    }

    fn write(&self, out: &mut Vec<u8>, version: ProtocolVersion) {
        match self {
            Self::Text(text) => write_members(out, "text", &[("text", text)]),
            Self::Image { base64, mime_type } => {
                write_members(out, "image", &[("data", base64), ("mimeType", mime_type)]);
            }
            Self::Audio { mime_type, .. } if version < ProtocolVersion::V2025_03_26 => {
                let text = format!(
                    "[audio of type {mime_type}; protocol version 2024-11-05 cannot carry it]"
                );
                write_members(out, "text", &[("text", &text)]);
            }
            Self::Audio { base64, mime_type } => {
                write_members(out, "audio", &[("data", base64), ("mimeType", mime_type)]);
            }
            Self::EmbeddedText {
                uri,
                mime_type,
                text,
            } => write_resource(
                out,
                &[("uri", uri), ("mimeType", mime_type), ("text", text)],
            ),
            Self::EmbeddedBlob {
                uri,
                mime_type,
                base64,
            } => write_resource(
                out,
                &[("uri", uri), ("mimeType", mime_type), ("blob", base64)],
            ),
        }
    }
}

fn write_members(out: &mut Vec<u8>, kind: &str, members: &[(&str, &str)]) {
    out.extend_from_slice(b"{\"type\":");
    write_string(out, kind);
    for (name, value) in members {
        out.push(b',');
        write_string(out, name);
        out.push(b':');
        write_string(out, value);
    }
    out.push(b'}');
}

fn write_resource(out: &mut Vec<u8>, members: &[(&str, &str)]) {
    out.extend_from_slice(b"{\"type\":\"resource\",\"resource\":{");
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(out, name);
        out.push(b':');
        write_string(out, value);
    }
    out.extend_from_slice(b"}}");
}
