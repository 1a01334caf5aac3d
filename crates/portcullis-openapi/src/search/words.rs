//! Words, as tools and queries have them: split, in small letters, without what says nothing, and cut to their stems.
//!
//! Deeds are what APIs do with things, in whatever word it is said: who asks to remove something means an operation that deletes.
//! They are the same for every API; no word of any one API's own stands here.

use std::collections::HashMap;
use std::sync::LazyLock;

use frostem::{Algorithm, Stemmer};

/// The longest word, in bytes; what is longer is no word but data.
const MAX_WORD: usize = 40;

/// Something that a tool may have and a query may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Word {
    /// The stem of a word.
    Stem(Box<str>),
    /// A deed.
    Deed(Deed),
}

/// What operations do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Deed {
    Create,
    Delete,
    List,
    Fetch,
    Update,
    Search,
}

/// The words of each deed.
const DEEDS: [(Deed, &[&str]); 6] = [
    (
        Deed::Create,
        &[
            "create", "add", "new", "make", "insert", "start", "open", "register",
        ],
    ),
    (
        Deed::Delete,
        &["delete", "remove", "erase", "destroy", "drop", "clear"],
    ),
    (
        Deed::List,
        &[
            "list",
            "show",
            "all",
            "every",
            "enumerate",
            "browse",
            "many",
        ],
    ),
    (
        Deed::Fetch,
        &["get", "retrieve", "fetch", "read", "view", "show", "see"],
    ),
    (
        Deed::Update,
        &[
            "update", "edit", "change", "modify", "set", "replace", "rename",
        ],
    ),
    (Deed::Search, &["search", "find", "look", "query"]),
];

/// Words that say nothing of what is meant.
const EMPTY: &str = "a an the this that these those it its is are was were be been being am do does did doing have has had having i me my we us our you your he him his she her they them their to of in on at by for with from into about as if or and but not no so than then too very can could should would will shall may might must what which who whom whose when where why how there here please just only also any some one";

static OF_STEM: LazyLock<HashMap<String, Vec<Deed>>> = LazyLock::new(|| {
    let mut deeds: HashMap<String, Vec<Deed>> = HashMap::new();
    for (deed, words) in DEEDS {
        for word in words {
            deeds.entry(stem(word)).or_default().push(deed);
        }
    }
    deeds
});

static EMPTY_WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut words: Vec<_> = EMPTY.split(' ').collect();
    words.sort_unstable();
    words
});

/// Returns the deeds that a stem stands for.
pub(super) fn deeds(stem: &str) -> &'static [Deed] {
    OF_STEM.get(stem).map_or(&[], Vec::as_slice)
}

/// Returns the stems of a text's words, in order.
pub(super) fn stems(text: &str) -> impl Iterator<Item = String> {
    let words = plain_words(text).into_iter();
    words
        .filter(|word| EMPTY_WORDS.binary_search(&word.as_str()).is_err())
        .map(|word| stem(&word))
}

/// Returns what a query asks for, each once: its stems, then their deeds.
pub(super) fn query_words(query: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut deeds_of = Vec::new();
    for stem in stems(query) {
        deeds_of.extend(deeds(&stem).iter().map(|deed| Word::Deed(*deed)));
        let word = Word::Stem(stem.into());
        if !words.contains(&word) {
            words.push(word);
        }
    }
    for deed in deeds_of {
        if !words.contains(&deed) {
            words.push(deed);
        }
    }
    words
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

fn stem(word: &str) -> String {
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

    #[test]
    fn a_deed_is_known_by_any_of_its_words() {
        for word in ["removes", "deleting", "Erase"] {
            let words = query_words(word);
            assert_eq!(words.last(), Some(&Word::Deed(Deed::Delete)), "{word}");
        }
        assert_eq!(query_words("list list listing").len(), 2);
    }
}
