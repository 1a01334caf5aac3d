//! What words and phrases stand for: things that APIs call otherwise, and deeds.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::deeds::{Deeds, NAMED, SAID};
use super::words::{plain_words, stem};

/// The most words of a phrase.
pub(super) const LONGEST: usize = 4;

/// What people say, and what APIs call it; the file says where it comes from.
const TEXT: &str = include_str!("lexicon.txt");

/// What a word or a phrase stands for.
#[derive(Debug, Default)]
pub(super) struct Meaning {
    /// Stems of what APIs call it.
    pub(super) things: Vec<String>,
    /// What is to be done.
    pub(super) deeds: Deeds,
}

static MEANINGS: LazyLock<HashMap<String, Meaning>> = LazyLock::new(|| {
    let mut meanings: HashMap<String, Meaning> = HashMap::new();
    for (deeds, said) in NAMED.into_iter().chain(SAID) {
        for said in said.split(',') {
            let meaning = meanings.entry(stems(said).join(" ")).or_default();
            meaning.deeds = meaning.deeds.and(deeds);
        }
    }
    for line in TEXT.lines().filter(|line| !line.starts_with('#')) {
        let Some((said, meant)) = line.split_once(':') else {
            continue;
        };
        for said in said.split(',') {
            let said = stems(said).join(" ");
            let other = stems(meant).into_iter().filter(|it| *it != said);
            let things = &mut meanings.entry(said.clone()).or_default().things;
            things.extend(other);
        }
    }
    meanings
});

static NAMED_DEEDS: LazyLock<HashMap<String, Deeds>> = LazyLock::new(|| {
    let mut named: HashMap<String, Deeds> = HashMap::new();
    for (deeds, words) in NAMED {
        for stem in stems(words) {
            let all = named.entry(stem).or_default();
            *all = all.and(deeds);
        }
    }
    named
});

/// Returns what a phrase stands for, whose stems have a space between.
pub(super) fn meaning(phrase: &str) -> Option<&'static Meaning> {
    MEANINGS.get(phrase)
}

/// Returns the deeds that a stem in the name of a tool stands for.
pub(super) fn named(stem: &str) -> Deeds {
    NAMED_DEEDS.get(stem).copied().unwrap_or_default()
}

fn stems(text: &str) -> Vec<String> {
    plain_words(text).iter().map(|word| stem(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_the_lexicon_says_what_stands_for_what() {
        for line in TEXT.lines().filter(|line| !line.is_empty()) {
            if line.starts_with('#') {
                continue;
            }
            let (said, meant) = line.split_once(": ").expect(line);
            assert!(!stems(meant).is_empty(), "{line}");
            for said in said.split(", ") {
                let words = stems(said).len();
                assert!((1..=LONGEST).contains(&words), "`{said}` in {line}");
            }
        }
    }

    #[test]
    fn what_an_api_calls_a_bug_is_known_but_not_the_other_way_round() {
        let things = |said: &str| meaning(&stem(said)).map(|it| it.things.as_slice());
        let bug = things("bug").unwrap_or_default();
        assert!(bug.contains(&stem("issue")), "{bug:?}");
        let issue = things("issue").unwrap_or_default();
        assert!(!issue.contains(&stem("bug")), "{issue:?}");
    }

    #[test]
    fn a_file_in_the_name_of_a_tool_is_nothing_that_is_done() {
        assert_eq!(named("file"), Deeds::NONE);
        assert_eq!(meaning("file").map(|it| it.deeds), Some(Deeds::CREATE));
    }
}
