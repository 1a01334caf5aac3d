//! Percent-encoding down to the unreserved characters (RFC 3986 §2.3), a space as `%20`, and back once.

/// Appends the text with everything but unreserved characters encoded.
pub(super) fn push(out: &mut String, text: &str) {
    push_keeping(out, text, b"");
}

/// Appends the text with everything but unreserved characters and those of `kept` encoded; `%` always is, so that one decoding gives the text back.
pub(super) fn push_keeping(out: &mut String, text: &str, kept: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'));
    let stays = |byte: u8| is_unreserved(byte) || kept.contains(&byte);
    if text.bytes().all(stays) {
        return out.push_str(text);
    }
    for byte in text.bytes() {
        if stays(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(digit(byte >> 4));
            out.push(digit(byte & 0xf));
        }
    }
}

/// Returns the text as arguments are written into URLs: everything but unreserved characters percent-encoded.
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push(&mut out, text);
    out
}

/// Tells whether a path, decoded once, has a segment `.` or `..`; a backslash counts as a separator, because URL parsers take it for one.
///
/// One decoding is what servers and proxies do before they resolve dot segments.
pub(super) fn has_dot_segment(path: &str) -> bool {
    let decoded = percent_decoded(path);
    decoded
        .split(|byte| matches!(byte, b'/' | b'\\'))
        .any(|segment| matches!(segment, b"." | b".."))
}

/// Undoes percent-encoding once; what is no escape stays.
pub(crate) fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let escaped = (byte == b'%')
            .then(|| Some((hex(ahead.next()?)? << 4) | hex(ahead.next()?)?))
            .flatten();
        match escaped {
            Some(escaped) => {
                decoded.push(escaped);
                bytes = ahead;
            }
            None => decoded.push(byte),
        }
    }
    decoded
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
