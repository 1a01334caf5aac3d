//! What a query asks for: things, under all the words that an API may have for them, and what is to be done with them.

use super::deeds::Deeds;
use super::lexicon::{LONGEST, Meaning, meaning};
use super::words::{is_empty_word, plain_words, stem};

/// What a word counts for that says what is to be done: it may be a thing as well, such as a file or an order.
const OF_DEED: f32 = 0.4;
/// How far apart the words of "take it off" may stand.
const REACH: usize = 4;

/// A thing that is asked for.
#[derive(Debug)]
pub(super) struct Thing {
    /// The stem of what is said, and what it counts for; none where only the phrase around it says something.
    pub(super) said: Option<(String, f32)>,
    /// Stems of what APIs may call it.
    pub(super) called: &'static [String],
}

/// What a query asks for.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) things: Vec<Thing>,
    pub(super) deeds: Deeds,
}

/// A word of a query.
struct Spoken {
    word: String,
    stem: String,
    is_taken: bool,
}

impl Query {
    /// Reads a query, be it a sentence of a person's or the words of a model.
    pub(super) fn read(text: &str) -> Self {
        let mut spoken: Vec<Spoken> = spoken(text).collect();
        let is_question = is_question(text, &spoken);
        let mut query = Self::default();
        for at in 0..spoken.len() {
            if spoken.get(at).is_none_or(|it| it.is_taken) {
                continue;
            }
            let (places, meaning) = phrase(&spoken, at);
            let is_phrase = places.len() > 1;
            let is_done = !is_phrase && spoken.get(at).is_some_and(|it| it.word.ends_with("ed"));
            let deeds = meaning.map_or(Deeds::NONE, |it| it.deeds);
            let deeds = if is_done { Deeds::NONE } else { deeds };
            query.deeds = query.deeds.and(deeds);
            let things = meaning.map_or(&[][..], |it| &it.things);
            let says_only_what_to_do = is_phrase && things.is_empty();
            for place in places {
                let Some(spoken) = spoken.get_mut(place) else {
                    continue;
                };
                spoken.is_taken = true;
                if says_only_what_to_do || is_empty_word(&spoken.word) {
                    continue;
                }
                let share = if deeds.is_none() { 1.0 } else { OF_DEED };
                let called = if is_phrase { &[] } else { things };
                query.add(&spoken.stem, share, called);
            }
            if is_phrase && !things.is_empty() {
                query.things.push(Thing {
                    said: None,
                    called: things,
                });
            }
        }
        if is_question {
            query.deeds = Deeds::READ;
        }
        query
    }

    /// Tells whether no more is said than what is to be done.
    pub(super) fn asks_for_no_thing(&self) -> bool {
        let mut said = self.things.iter().map(|thing| thing.said.as_ref());
        said.all(|said| said.is_some_and(|(_, share)| *share <= OF_DEED))
    }

    /// Adds a thing, unless it has been said before.
    fn add(&mut self, stem: &str, share: f32, called: &'static [String]) {
        let mut said = self.things.iter().filter_map(|thing| thing.said.as_ref());
        if !said.any(|(before, _)| before == stem) {
            self.things.push(Thing {
                said: Some((stem.to_owned(), share)),
                called,
            });
        }
    }
}

/// Splits a query into its words; an address of a person says no more than that it is one.
fn spoken(text: &str) -> impl Iterator<Item = Spoken> {
    let is_address = |token: &str| token.contains('@') && token.contains('.');
    let words = text.split_whitespace().flat_map(move |token| {
        if is_address(token) {
            plain_words("email")
        } else {
            plain_words(token)
        }
    });
    words.map(|word| Spoken {
        stem: stem(&word),
        word,
        is_taken: false,
    })
}

/// Returns where the words of the longest phrase are that begins at a place, and what it stands for.
fn phrase(spoken: &[Spoken], at: usize) -> (Vec<usize>, Option<&'static Meaning>) {
    let whole = |places: &[usize]| {
        let stems = places.iter().filter_map(|&place| spoken.get(place));
        let stems = stems.map(|it| it.stem.as_str());
        meaning(&stems.collect::<Vec<_>>().join(" "))
    };
    let longest = LONGEST.min(spoken.len() - at);
    let together = (2..=longest).rev().map(|count| (at..at + count).collect());
    let apart = (at + 2..spoken.len().min(at + REACH + 1))
        .filter(|&there| {
            let particle = spoken.get(there);
            particle.is_some_and(|it| !it.is_taken && is_particle(&it.word))
        })
        .map(|there| vec![at, there]);
    let mut phrases = together.chain(apart);
    phrases
        .find_map(|places: Vec<usize>| whole(&places).map(|meaning| (places, Some(meaning))))
        .unwrap_or_else(|| (vec![at], whole(&[at])))
}

/// Tells whether a word may be what is left of "take off" when "him" stands between.
fn is_particle(word: &str) -> bool {
    matches!(
        word,
        "away" | "back" | "down" | "in" | "into" | "off" | "on" | "out" | "over" | "up"
    )
}

/// Tells whether something is to be known, and nothing to be done.
fn is_question(text: &str, spoken: &[Spoken]) -> bool {
    let mut words = spoken.iter().map(|it| it.word.as_str());
    match (words.next(), words.next()) {
        (Some("can" | "could" | "will" | "would"), Some("we" | "you")) => false,
        (
            Some(
                "are" | "did" | "do" | "does" | "has" | "have" | "how" | "is" | "what" | "when"
                | "where" | "which" | "who" | "whose" | "why",
            ),
            _,
        ) => true,
        _ => text.contains('?'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let things = Query::read(text).things;
        let said = things.iter().filter_map(|thing| thing.said.as_ref());
        said.map(|(stem, _)| stem.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn called(text: &str) -> Vec<&'static str> {
        let things = Query::read(text).things;
        let called = things.iter().flat_map(|thing| thing.called);
        called.map(String::as_str).collect()
    }

    #[test]
    fn a_deed_is_known_by_any_of_its_words() {
        for text in [
            "removes",
            "deleting",
            "Erase",
            "get rid of the label",
            "Kick her out of the team",
        ] {
            assert_eq!(Query::read(text).deeds, Deeds::DELETE, "{text}");
        }
    }

    #[test]
    fn a_question_asks_for_what_reads_and_a_request_does_not() {
        for text in ["Who opened it", "did we delete the label?"] {
            assert_eq!(Query::read(text).deeds, Deeds::READ, "{text}");
        }
        let polite = Query::read("Could you delete the label?");
        assert_eq!(polite.deeds, Deeds::DELETE);
    }

    #[test]
    fn what_has_been_done_is_not_to_be_done() {
        assert_eq!(Query::read("the deleted labels").deeds, Deeds::NONE);
    }

    #[test]
    fn a_phrase_that_says_what_to_do_is_no_thing() {
        assert_eq!(said("get rid of the label"), "label");
        assert_eq!(said("take Bob off the team"), "bob team");
        assert_eq!(said("list list listing"), "list");
    }

    #[test]
    fn things_have_the_names_that_apis_give_them() {
        assert!(called("the ticket").contains(&"task"));
        assert!(called("a pull request").contains(&"merg"));
        assert!(called("turn the music down").contains(&"volum"));
    }

    #[test]
    fn an_address_of_a_person_is_an_address_and_nothing_else() {
        assert_eq!(said("whose is jane.doe@example.com?"), "email");
    }
}
