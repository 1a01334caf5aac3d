//! One body or part of an answer as a block, within what one answer may take.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::media::{Family, MediaType};
use super::text::{self, Cut};
use super::{Content, Presentation};

/// What is left of the bytes that one answer may take.
pub(super) struct Room {
    text: usize,
    binary: usize,
    max_binary: usize,
}

impl Room {
    pub(super) fn of(presentation: &Presentation) -> Self {
        Self {
            text: presentation.max_bytes,
            binary: presentation.max_binary_bytes,
            max_binary: presentation.max_binary_bytes,
        }
    }

    /// Makes a text of no more bytes than are left, but for its notes.
    pub(super) fn text(&mut self, write: impl FnOnce(usize) -> String) -> String {
        let text = write(self.text);
        self.text = self.text.saturating_sub(text.len());
        text
    }

    /// Tells whether so many bytes are left, and takes them.
    fn takes(&mut self, bytes: usize) -> bool {
        let left = self.binary.checked_sub(bytes);
        self.binary = left.unwrap_or(self.binary);
        left.is_some()
    }
}

/// Renders one body or part; JSON and nested multipart count as text and bytes here.
pub(super) fn block(
    family: Family,
    media_type: &MediaType<'_>,
    body: &[u8],
    cut: Option<Cut>,
    uri: String,
    room: &mut Room,
) -> Content {
    let mime = media_type.name_of(body);
    match family {
        Family::Json | Family::Lines | Family::Events | Family::Text => {
            return Content::Text(room.text(|max| text::read(body, media_type, cut, max)));
        }
        Family::Image | Family::Audio | Family::Multipart | Family::Bytes => {}
    }
    if let Some(cut) = cut {
        return Content::Text(format!("{mime} is left out: {cut}"));
    }
    if !room.takes(body.len()) {
        let (size, max) = (body.len(), room.max_binary);
        return Content::Text(format!(
            "{mime} of {size} bytes is left out: {max} bytes are given at most (`max_binary_bytes`)"
        ));
    }
    let base64 = STANDARD.encode(body);
    match family {
        Family::Image => Content::Image {
            data_base64: base64,
            mime,
        },
        Family::Audio => Content::Audio {
            data_base64: base64,
            mime,
        },
        _ => Content::EmbeddedBlob { uri, mime, base64 },
    }
}
