//! Finds tools by words: the search behind a toolset whose tools no model can hold at once.
//!
//! Ranks by BM25 over weighted fields (Robertson, Zaragoza, Taylor: "Simple BM25 extension to multiple weighted fields", 2004): a tool's words are counted, each with the weight of where it stands, and what has been counted is weighed by how rare the word is.
//! The lengths that fields are compared with are fixed, not averages, so that a tool's words do not depend on its neighbours.
//! Beside words there are deeds, such as creating and deleting, which a tool has by its method too (`search/words.rs`).
//! Does not know: which tools a caller may see; whoever searches says which count.

mod signature;
mod terms;
mod words;

use std::collections::HashMap;
use std::ops::Range;

use crate::model::Tool;
use terms::{Terms, terms};
use words::{Word, plain_words, query_words};

pub use signature::signature;

/// Where counting a word again begins to matter little.
const SATURATION: f32 = 1.2;
/// What a deed counts for, against a word that is as rare.
const DEED: f32 = 0.5;
/// How much of a tool's score it has whatever share of the words it has; the rest is for those that have all of them.
const UNCOVERED: f32 = 0.4;
/// What each segment of a path takes from a tool's score: of two that fit alike, the one nearer to the root is meant.
const DEPTH: f32 = 0.03;
/// What is left of the score of an operation that the document advises against.
const DEPRECATED: f32 = 0.7;
/// The most bytes of a query that count; nobody asks for more, and a caller may send as much as a body holds.
const MAX_QUERY: usize = 500;

/// The tools of a toolset, to be found by words.
#[derive(Debug, Default)]
pub struct ToolIndex {
    /// By name; a tool's position here is what postings count.
    names: Vec<Box<str>>,
    /// What a score is multiplied by, by tool.
    priors: Vec<f32>,
    /// Where the postings of a word lie.
    words: HashMap<Word, Range<usize>>,
    postings: Vec<Posting>,
}

/// That a tool has a word, and how much.
#[derive(Clone, Copy, Debug)]
struct Posting {
    tool: u32,
    weight: f32,
}

/// What a tool has of a query.
#[derive(Clone, Copy, Default)]
struct Hit {
    score: f32,
    covered: f32,
}

impl ToolIndex {
    /// Reads the words of tools, each under the name that it is published by.
    #[must_use]
    pub fn new<'a>(tools: impl IntoIterator<Item = (&'a str, &'a Tool)>) -> Self {
        let mut tools: Vec<_> = tools.into_iter().collect();
        tools.sort_unstable_by_key(|(name, _)| *name);
        let mut found: HashMap<Word, Vec<Posting>> = HashMap::new();
        let mut index = Self::default();
        for (number, (name, tool)) in (0_u32..).zip(&tools) {
            let Terms { weights, depth } = terms(name, tool);
            for (word, weight) in weights {
                let weight = weight * (SATURATION + 1.0) / (weight + SATURATION);
                let postings = found.entry(word).or_default();
                postings.push(Posting {
                    tool: number,
                    weight,
                });
            }
            let advised = if tool.deprecated { DEPRECATED } else { 1.0 };
            index.priors.push(advised / (1.0 + DEPTH * depth));
            index.names.push((*name).into());
        }
        index
            .postings
            .reserve_exact(found.values().map(Vec::len).sum());
        for (word, postings) in found {
            let start = index.postings.len();
            index.postings.extend(postings);
            index.words.insert(word, start..index.postings.len());
        }
        index.words.shrink_to_fit();
        index
    }

    /// Returns the names of the tools that fit a query best, at most `limit` of those that `admits` lets through.
    ///
    /// A tool that the query names comes first, whatever else fits; what fits alike is ordered by name.
    pub fn search(&self, query: &str, limit: usize, admits: impl Fn(&str) -> bool) -> Vec<&str> {
        let query = query.get(..query.floor_char_boundary(MAX_QUERY));
        let query = query.unwrap_or_default();
        let spoken = query.split_whitespace().map(|it| it.trim_matches('`'));
        let spoken: Vec<&str> = spoken.collect();
        let named = |name: &str| spoken.contains(&name);
        let scores = self.scores(query);
        let candidates = self.names.iter().zip(&scores);
        let mut found: Vec<(bool, f32, &str)> = candidates
            .map(|(name, score)| (named(name), *score, &**name))
            .filter(|(named, score, name)| (*named || *score > 0.0) && admits(name))
            .collect();
        // The sort is stable, and the names are in order.
        found.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)));
        found
            .into_iter()
            .map(|(_, _, name)| name)
            .take(limit)
            .collect()
    }

    /// Returns the names that are most like one that does not exist.
    pub fn nearest(&self, name: &str, limit: usize, admits: impl Fn(&str) -> bool) -> Vec<&str> {
        self.search(&plain_words(name).join(" "), limit, admits)
    }

    /// Returns about how many bytes the index holds.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let names: usize = self.names.iter().map(|name| name.len()).sum();
        let word = |word: &Word| match word {
            Word::Stem(stem) => stem.len(),
            Word::Deed(_) => 0,
        };
        let words: usize = self.words.keys().map(word).sum();
        let slots = self.words.capacity() * size_of::<(Word, Range<usize>)>();
        let tools = self.names.len() * (size_of::<Box<str>>() + size_of::<f32>());
        names + words + slots + tools + size_of_val(self.postings.as_slice())
    }

    fn scores(&self, query: &str) -> Vec<f32> {
        let mut hits = vec![Hit::default(); self.names.len()];
        let mut asked = 0.0;
        for word in query_words(query) {
            let Some(postings) = self.postings(&word) else {
                continue;
            };
            let rarity = rarity(self.names.len(), postings.len());
            let is_deed = matches!(word, Word::Deed(_));
            asked += if is_deed { 0.0 } else { rarity };
            for posting in postings {
                if let Some(hit) = hits.get_mut(posting.tool as usize) {
                    let share = if is_deed { DEED } else { 1.0 };
                    hit.score += share * rarity * posting.weight;
                    hit.covered += if is_deed { 0.0 } else { rarity };
                }
            }
        }
        let score = |(hit, prior): (Hit, &f32)| {
            let covered = if asked > 0.0 {
                hit.covered / asked
            } else {
                1.0
            };
            hit.score * prior * (UNCOVERED + (1.0 - UNCOVERED) * covered)
        };
        hits.into_iter().zip(&self.priors).map(score).collect()
    }

    fn postings(&self, word: &Word) -> Option<&[Posting]> {
        self.postings.get(self.words.get(word)?.clone())
    }
}

/// Weighs a word by how few tools have it: BM25's inverse document frequency, which is never negative.
#[expect(
    clippy::cast_precision_loss,
    reason = "a catalogue has far fewer tools than a float can count"
)]
fn rarity(tools: usize, having: usize) -> f32 {
    let (tools, having) = (tools as f32, having as f32);
    ((tools - having + 0.5) / (having + 0.5)).ln_1p()
}

#[cfg(test)]
mod tests;
