//! Words, as tools and queries have them: split, in small letters, without what says nothing, and cut to their stems.

use std::sync::LazyLock;

use frostem::{Algorithm, Stemmer};

/// The longest word, in bytes; what is longer is no word but data.
const MAX_WORD: usize = 40;

/// Words that say nothing of what is meant.
const EMPTY: &str = "a an the this that these those it its is are was were be been being am do does did doing have has had having i me my we us our you your he him his she her they them their to of in on at by for with from into about as if or and but not no so than then too very can could should would will shall may might must what which who whom whose when where why how there here please just only also any some one want need let like go going goes went come got know think still yet already ever never now today tomorrow yesterday tonight actually really maybe perhaps again away back off out up down over because since while until before after between both each more most much such same other another us ms mr mrs am pm lot bit kind sort way thing things stuff something anything everything nothing long ago soon oops hey hi thanks monday tuesday wednesday thursday friday saturday sunday morning afternoon evening";

static EMPTY_WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut words: Vec<_> = EMPTY.split(' ').collect();
    words.sort_unstable();
    words
});

/// Returns the stems of a text's words, in order.
pub(super) fn stems(text: &str) -> impl Iterator<Item = String> {
    let words = plain_words(text).into_iter();
    words
        .filter(|word| !is_empty_word(word))
        .map(|word| stem(&word))
}

/// Tells whether a word says nothing of what is meant.
pub(super) fn is_empty_word(word: &str) -> bool {
    EMPTY_WORDS.binary_search(&word).is_ok()
}

/// Splits a text into words in small letters: at whatever is neither letter nor digit, and where `camelCase` begins a new one.
pub(super) fn plain_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for piece in text.split(|c: char| !c.is_alphanumeric()) {
        let mut start = 0;
        let mut before: Option<char> = None;
        let mut letters = piece.char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            let next = letters.peek().map(|(_, next)| *next);
            if before.is_some_and(|before| begins_a_word(before, letter, next)) {
                words.extend(piece.get(start..at).and_then(word));
                start = at;
            }
            before = Some(letter);
        }
        words.extend(piece.get(start..).and_then(word));
    }
    words
}

/// Tells whether `letter` begins a word: `createIssue`, `HTTPServer`.
fn begins_a_word(before: char, letter: char, next: Option<char>) -> bool {
    letter.is_uppercase() && (!before.is_uppercase() || next.is_some_and(char::is_lowercase))
}

/// Takes a piece for a word, unless it is a single letter or too long to be one.
fn word(piece: &str) -> Option<String> {
    let is_letter = piece.chars().nth(1).is_none() && !piece.chars().all(char::is_numeric);
    (!piece.is_empty() && piece.len() <= MAX_WORD && !is_letter).then(|| piece.to_lowercase())
}

pub(super) fn stem(word: &str) -> String {
    Stemmer::new(Algorithm::English).stem(word).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_where_their_words_begin() {
        for (text, expected) in [
            ("issues_create-comment", "issues create comment"),
            (
                "GetCustomersCustomerTaxIds",
                "get customers customer tax ids",
            ),
            ("parseHTTPResponse", "parse http response"),
            ("/v1/tax_ids/{id}", "v1 tax ids id"),
            ("projectsV2", "projects v2"),
            ("Anna's plan, 15 €", "anna plan 15"),
            ("Größe ändern", "größe ändern"),
            ("", ""),
        ] {
            assert_eq!(plain_words(text).join(" "), expected, "{text}");
        }
        assert_eq!(plain_words(&"x".repeat(41)), [""; 0]);
    }

    #[test]
    fn words_of_one_stem_are_one_and_empty_words_are_none() {
        let stems = |text: &str| stems(text).collect::<Vec<_>>().join(" ");
        assert_eq!(stems("the orders of an order"), "order order");
        assert_eq!(stems("What is it?"), "");
    }
}
