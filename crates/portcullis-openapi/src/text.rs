//! Text that people and models read, made safe to show.
//!
//! A document's words reach a model: characters that no reader sees but a model or a terminal obeys are taken out, and lengths are bounded.

use std::borrow::Cow;

/// Returns the text without invisible and controlling characters, trimmed and cut to `max_chars` with an ellipsis.
pub(crate) fn clean(text: &str, max_chars: usize) -> Cow<'_, str> {
    let text = text.trim();
    let is_plain = |byte: u8| matches!(byte, b'\n' | b'\t' | b' '..=b'~');
    if text.len() <= max_chars && text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let visible = if text.chars().any(is_hidden) {
        Cow::Owned(text.chars().filter(|&c| !is_hidden(c)).collect())
    } else {
        Cow::Borrowed(text)
    };
    if visible.chars().nth(max_chars).is_none() {
        return visible;
    }
    let mut cut: String = visible.chars().take(max_chars.saturating_sub(1)).collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    Cow::Owned(cut)
}

/// Tells whether a text holds nothing that [`clean`] would take out.
pub(crate) fn is_clean(text: &str) -> bool {
    !text.chars().any(is_hidden)
}

/// Control characters but for line feed and tab, marks of direction, zero-width characters, variation selectors of the supplement, and Unicode tags.
fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' | ' '..='~' => false,
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        _ => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_07_invisible_characters_are_taken_out() {
        let poisoned = "List\u{1b}[31m pets\u{202e}\u{200b}\u{e0041}\u{e0042}\u{85}.\r\nSafe\ttext";
        assert_eq!(clean(poisoned, 100), "List[31m pets.\nSafe\ttext");
        assert!(!is_clean(poisoned));
    }

    #[test]
    fn m_07_long_text_is_cut_at_a_character() {
        assert_eq!(clean("  äöüß ", 4), "äöüß");
        assert_eq!(clean("äöüßx", 4), "äöü…");
        assert_eq!(clean("ab cdef", 4), "ab…");
    }

    #[test]
    fn ordinary_text_is_borrowed() {
        assert!(matches!(clean("Größe in µm 🦀", 100), Cow::Borrowed(_)));
    }
}
