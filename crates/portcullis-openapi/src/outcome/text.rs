//! Text bodies: charset, and what was lost, said in the text itself.

use std::borrow::Cow;
use std::fmt;

use super::UpstreamResponse;
use super::html;
use super::media::MediaType;

/// A body that was cut at the caller's cap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    at: usize,
    of: Option<u64>,
}

impl Cut {
    pub(super) fn of(response: &UpstreamResponse<'_>) -> Option<Self> {
        response.truncated_at.map(|at| Self {
            at,
            of: response.declared_length,
        })
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of {
            Some(of) => write!(formatter, "answer cut at {} bytes of {of}", self.at),
            None => write!(
                formatter,
                "answer cut at {} bytes of unknown length",
                self.at
            ),
        }
    }
}

/// Decodes a text, shortens it to about `max_bytes`, and appends what must be said about it.
pub(super) fn read(
    body: &[u8],
    media_type: &MediaType<'_>,
    cut: Option<Cut>,
    max_bytes: usize,
) -> String {
    let body = if cut.is_some() { whole(body) } else { body };
    let (text, is_exact) = decode(body, media_type.charset().as_deref());
    let (mut text, shortened) = shorten(text, media_type, max_bytes);
    if let Some(shortened) = shortened {
        note(&mut text, &shortened);
    }
    if !is_exact {
        note(
            &mut text,
            "some bytes are not text in the answer's charset and are shown as \u{fffd}",
        );
    }
    if let Some(cut) = cut {
        note(&mut text, &cut.to_string());
    }
    text
}

fn note(text: &mut String, note: &str) {
    text.push_str("\n\n[");
    text.push_str(note);
    text.push(']');
}

/// Keeps as many whole lines as fit, and of a page its words; says what is missing.
fn shorten(
    text: Cow<'_, str>,
    media_type: &MediaType<'_>,
    max_bytes: usize,
) -> (String, Option<String>) {
    if text.len() <= max_bytes {
        return (text.into_owned(), None);
    }
    if media_type.is_html() {
        let words = html::words(&text, max_bytes);
        let said = format!(
            "an HTML page of {} bytes, of which these are the words",
            text.len()
        );
        let words = first_lines(&words, max_bytes).to_owned();
        return (words, Some(said));
    }
    let shown = first_lines(&text, max_bytes);
    let lines = text.lines().count();
    let said = match shown.lines().count() {
        whole if shown.ends_with('\n') => {
            format!("the answer has {lines} lines, the first {whole} are here")
        }
        _ => format!(
            "the answer has {} bytes, the first {} are here",
            text.len(),
            shown.len()
        ),
    };
    (shown.trim_end_matches('\n').to_owned(), Some(said))
}

/// Returns the whole lines that fit, or, of a line that is longer than that, what fits of it.
fn first_lines(text: &str, max_bytes: usize) -> &str {
    let fitting = text
        .get(..text.floor_char_boundary(max_bytes))
        .unwrap_or_default();
    match fitting.rfind('\n') {
        Some(end) if end >= max_bytes / 2 => fitting.get(..=end).unwrap_or(fitting),
        _ => fitting,
    }
}

/// Decodes and tells whether every byte could be: UTF-8, UTF-16 and Latin-1; another charset is read as UTF-8.
pub(super) fn decode<'a>(body: &'a [u8], charset: Option<&str>) -> (Cow<'a, str>, bool) {
    let charset = charset.unwrap_or_default().to_ascii_lowercase();
    match charset.as_str() {
        "iso-8859-1" | "latin1" | "latin-1" | "iso8859-1" | "windows-1252" | "cp1252" => {
            (body.iter().copied().map(latin).collect(), true)
        }
        "utf-16" | "utf-16le" | "utf-16be" => utf_16(body, &charset),
        _ => {
            let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
            let text = String::from_utf8_lossy(body);
            let is_exact = matches!(text, Cow::Borrowed(_));
            (text, is_exact)
        }
    }
}

/// Latin-1 as the web reads it, which is Windows-1252 (WHATWG Encoding, "iso-8859-1" is a label of it).
fn latin(byte: u8) -> char {
    const FROM_80: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    usize::from(byte)
        .checked_sub(0x80)
        .and_then(|index| FROM_80.get(index).copied())
        .unwrap_or(char::from(byte))
}

fn utf_16<'a>(body: &[u8], charset: &str) -> (Cow<'a, str>, bool) {
    let is_big = match body {
        [0xfe, 0xff, ..] => true,
        [0xff, 0xfe, ..] => false,
        _ => charset == "utf-16be",
    };
    let (pairs, rest) = body.as_chunks::<2>();
    let units = pairs.iter().map(|pair| {
        if is_big {
            u16::from_be_bytes(*pair)
        } else {
            u16::from_le_bytes(*pair)
        }
    });
    let decoded: Result<String, _> = char::decode_utf16(units.clone()).collect();
    let is_exact = decoded.is_ok() && rest.is_empty();
    let text = decoded.unwrap_or_else(|_| {
        char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    });
    let text = text
        .strip_prefix('\u{feff}')
        .map(str::to_owned)
        .unwrap_or(text);
    (Cow::Owned(text), is_exact)
}

/// Leaves out the start of a character that a cut took the rest of.
fn whole(body: &[u8]) -> &[u8] {
    match std::str::from_utf8(body) {
        Err(error) if error.error_len().is_none() => {
            body.get(..error.valid_up_to()).unwrap_or(body)
        }
        _ => body,
    }
}
