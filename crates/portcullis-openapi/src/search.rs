//! Finds tools by words: the search behind a toolset whose tools no model can hold at once.
//!
//! Ranks by BM25 over weighted fields (Robertson, Zaragoza, Taylor: "Simple BM25 extension to multiple weighted fields", 2004): a tool's words are counted, each with the weight of where it stands, and what has been counted is weighed by how rare the word is.
//! The lengths that fields are compared with are fixed, not averages, so that a tool's words do not depend on its neighbours.
//! A query is read as people put it (`search/query.rs`): beside the words that stand there, those count that APIs have for the same (`search/lexicon.txt`), and what is to be done counts by the method too (`search/deeds.rs`).
//! Of tools with the same words, one comes first whose name, title and path say little else.
//! Does not know: which tools a caller may see; whoever searches says which count.

mod deeds;
mod lexicon;
mod query;
mod signature;
mod terms;
mod words;

use std::collections::HashMap;
use std::ops::Range;

use crate::model::Tool;
use deeds::Does;
use query::{Query, Thing};
use terms::{Terms, terms};
use words::plain_words;

pub use signature::signature;

/// Where counting a word again begins to matter little.
const SATURATION: f32 = 1.2;
/// What a word counts for that the lexicon adds to one that the tools have; where they do not have that, it counts in full.
const ALIKE: f32 = 0.6;
/// What a word counts for that no tool has in its name, title or path.
const ASIDE: f32 = 0.6;
/// How much of a tool's score hangs on doing what is asked for.
const DEED: f32 = 0.75;
/// How much of a tool's score hangs on the share of the query that it has.
const COVERED: f32 = 0.6;
/// How much of a tool's score hangs on the share of its name, title and path that the query has.
const SPECIFIC: f32 = 0.5;
/// What each segment of a path takes from a tool's score: of two that fit alike, the one nearer to the root is meant.
const DEPTH: f32 = 0.03;
/// What is left of the score of an operation that the document advises against.
const DEPRECATED: f32 = 0.7;
/// From this likeness on a name is taken to be misspelled.
const MISSPELLED: f64 = 0.93;
/// The most bytes of a query that count; nobody asks for more, and a caller may send as much as a body holds.
const MAX_QUERY: usize = 500;

/// The tools of a toolset, to be found by words.
#[derive(Debug, Default)]
pub struct ToolIndex {
    /// By name; a tool's position here is what postings count.
    tools: Vec<Indexed>,
    stems: HashMap<Box<str>, Stem>,
    postings: Vec<Posting>,
}

/// A tool, and what of it no word says.
#[derive(Debug)]
struct Indexed {
    name: Box<str>,
    /// What its score is multiplied by.
    prior: f32,
    does: Does,
    /// How much the words weigh together that say what it is.
    head: f32,
}

/// A stem that tools have.
#[derive(Debug)]
struct Stem {
    /// Where its postings lie.
    postings: Range<usize>,
    rarity: f32,
    /// Whether it stands in the name, the title or the path of any tool.
    is_head: bool,
}

/// That a tool has a stem, and how much.
#[derive(Clone, Copy, Debug)]
struct Posting {
    tool: u32,
    weight: f32,
    is_head: bool,
}

/// What a tool has of a query, or of one thing.
#[derive(Clone, Copy, Default)]
struct Hit {
    score: f32,
    covered: f32,
    head: f32,
}

impl ToolIndex {
    /// Reads the words of tools, each under the name that it is published by.
    #[must_use]
    pub fn new<'a>(tools: impl IntoIterator<Item = (&'a str, &'a Tool)>) -> Self {
        let mut tools: Vec<_> = tools.into_iter().collect();
        tools.sort_unstable_by_key(|(name, _)| *name);
        let mut found: HashMap<String, Vec<Posting>> = HashMap::new();
        let mut index = Self::default();
        for (number, (name, tool)) in (0_u32..).zip(&tools) {
            let Terms { stems, does, depth } = terms(name, tool);
            for (stem, weight) in stems {
                found.entry(stem).or_default().push(Posting {
                    tool: number,
                    weight: weight.sum * (SATURATION + 1.0) / (weight.sum + SATURATION),
                    is_head: weight.is_head,
                });
            }
            let advised = if tool.deprecated { DEPRECATED } else { 1.0 };
            index.tools.push(Indexed {
                name: (*name).into(),
                prior: advised / (1.0 + DEPTH * depth),
                does,
                head: 0.0,
            });
        }
        let postings = found.values().map(Vec::len).sum();
        index.postings.reserve_exact(postings);
        // In order, so that sums are the same each time.
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (stem, postings) in found {
            index.add(stem, &postings);
        }
        index.stems.shrink_to_fit();
        index
    }

    fn add(&mut self, stem: String, postings: &[Posting]) {
        let rarity = rarity(self.tools.len(), postings.len());
        for posting in postings.iter().filter(|posting| posting.is_head) {
            if let Some(tool) = self.tools.get_mut(posting.tool as usize) {
                tool.head += rarity;
            }
        }
        let start = self.postings.len();
        self.postings.extend(postings);
        let stem_of_tools = Stem {
            postings: start..self.postings.len(),
            rarity,
            is_head: postings.iter().any(|posting| posting.is_head),
        };
        self.stems.insert(stem.into(), stem_of_tools);
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
        let candidates = self.tools.iter().zip(&scores);
        let mut found: Vec<(bool, f32, &str)> = candidates
            .map(|(tool, score)| (named(&tool.name), *score, &*tool.name))
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

    /// Returns the names that are most like one that does not exist: the one that it may be misspelled of, then those that fit its words.
    pub fn nearest(&self, name: &str, limit: usize, admits: impl Fn(&str) -> bool) -> Vec<&str> {
        let length = name.chars().count();
        let meant = self
            .tools
            .iter()
            .filter(|tool| may_be_misspelled(length, tool.name.chars().count()))
            .map(|tool| (strsim::jaro_winkler(name, &tool.name), &*tool.name))
            .filter(|(likeness, meant)| *likeness >= MISSPELLED && admits(meant))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, meant)| meant);
        let mut found = self.search(&plain_words(name).join(" "), limit, admits);
        if let Some(meant) = meant {
            found.retain(|other| *other != meant);
            found.insert(0, meant);
            found.truncate(limit);
        }
        found
    }

    /// Returns about how many bytes the index holds.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let names: usize = self.tools.iter().map(|tool| tool.name.len()).sum();
        let words: usize = self.stems.keys().map(|stem| stem.len()).sum();
        let slots = self.stems.capacity() * size_of::<(Box<str>, Stem)>();
        let tools = size_of_val(self.tools.as_slice());
        names + words + slots + tools + size_of_val(self.postings.as_slice())
    }

    fn scores(&self, query: &str) -> Vec<f32> {
        let query = Query::read(query);
        let mut hits = vec![Hit::default(); self.tools.len()];
        let mut asked = 0.0;
        for thing in &query.things {
            asked += self.look_for(thing, &mut hits);
        }
        let by_itself = if query.asks_for_no_thing() { DEED } else { 0.0 };
        let score = |(tool, hit): (&Indexed, Hit)| {
            let certainty = tool.does.certainty(query.deeds);
            (hit.score + by_itself * certainty)
                * tool.prior
                * share(DEED, certainty, 1.0)
                * share(COVERED, hit.covered, asked)
                * share(SPECIFIC, hit.head, tool.head)
        };
        self.tools.iter().zip(hits).map(score).collect()
    }

    /// Adds what each tool has of a thing, by the one of its words that fits best, and returns how much is to be had.
    fn look_for(&self, thing: &Thing, hits: &mut [Hit]) -> f32 {
        let said = thing.said.iter();
        let said = said.map(|(stem, share)| (stem.as_str(), *share));
        let is_known = |(stem, _)| self.stems.get(stem).is_some_and(|it: &Stem| it.is_head);
        let alike = if said.clone().any(is_known) {
            ALIKE
        } else {
            1.0
        };
        let called = thing.called.iter().map(|stem| (stem.as_str(), alike));
        let mut best: HashMap<u32, Hit> = HashMap::new();
        let mut most = 0.0_f32;
        for (word, share) in said.chain(called) {
            let Some(stem) = self.stems.get(word) else {
                continue;
            };
            let place = if stem.is_head { 1.0 } else { ASIDE };
            let worth = share * place * stem.rarity;
            most = most.max(worth);
            let postings = self.postings.get(stem.postings.clone());
            for posting in postings.unwrap_or_default() {
                let hit = best.entry(posting.tool).or_default();
                hit.score = hit.score.max(worth * posting.weight);
                hit.covered = hit.covered.max(worth);
                hit.head = hit.head.max(if posting.is_head { worth } else { 0.0 });
            }
        }
        for (tool, found) in best {
            if let Some(hit) = hits.get_mut(tool as usize) {
                hit.score += found.score;
                hit.covered += found.covered;
                hit.head += found.head;
            }
        }
        most
    }
}

/// Tells whether names of two lengths can be alike enough for one to be the other misspelled: what is compared is as alike as can be where the longer name begins with the shorter.
#[expect(
    clippy::cast_precision_loss,
    reason = "a name has far fewer characters than a float can count"
)]
fn may_be_misspelled(one: usize, other: usize) -> bool {
    let shorter = one.min(other) as f64;
    let longer = one.max(other) as f64;
    // Jaro's likeness is the mean of three shares, two of which are whole; Winkler adds at most four tenths of what it lacks.
    let jaro = (2.0 + shorter / longer) / 3.0;
    jaro + 0.4 * (1.0 - jaro) >= MISSPELLED - f64::from(f32::EPSILON)
}

/// Returns what is left of a score, so much of which hangs on a part of a whole.
fn share(hanging: f32, part: f32, whole: f32) -> f32 {
    let part = if whole > 0.0 {
        (part / whole).min(1.0)
    } else {
        1.0
    };
    1.0 - hanging + hanging * part
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
