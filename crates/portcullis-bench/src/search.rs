//! How often the search of the dynamic mode finds what serves a question, and what its index costs.
//!
//! The questions stand in `tests/search`, with how they are counted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use portcullis_openapi::search::ToolIndex;
use portcullis_openapi::{Document, Limits, Tool};
use serde::{Deserialize, Serialize};

/// How many tools of a search count.
const FOUND: usize = 5;

#[derive(clap::Args)]
pub(crate) struct SearchArguments {
    /// The OpenAPI document.
    document: PathBuf,
    /// What the ids of its questions begin with; without it, only the index is measured.
    #[arg(long)]
    name: Option<String>,
    /// The questions.
    #[arg(long, default_value = "tests/search/questions.json")]
    questions: PathBuf,
    /// What a model searches for when it is asked them.
    #[arg(long, default_value = "tests/search/searches.json")]
    searches: PathBuf,
    /// Prints each need that was not found.
    #[arg(long)]
    misses: bool,
}

/// What was measured.
#[derive(Serialize)]
pub(crate) struct Searched {
    tools: usize,
    index_ms: f64,
    index_kib: usize,
    search_us: f64,
    /// Recall by the questions' own words: of all, of the even numbers, and of the odd ones, which were held back.
    questions: [f64; 3],
    /// The same by a model's words.
    searches: [f64; 3],
}

#[derive(Deserialize)]
struct Question {
    id: String,
    #[serde(rename = "question")]
    words: String,
    needs: Vec<Vec<String>>,
}

pub(crate) fn run(arguments: &SearchArguments) -> anyhow::Result<Searched> {
    let bytes = std::fs::read(&arguments.document)?;
    let document = Document::parse(&bytes, &Limits::default())?;
    let (tools, _) = document.tools();
    drop(document);
    let begun = now();
    let index = ToolIndex::new(tools.iter().map(|tool| (tool.name.as_str(), tool)));
    let index_ms = begun.elapsed().as_secs_f64() * 1e3;
    let mut searched = Searched {
        tools: tools.len(),
        index_ms,
        index_kib: index.size_bytes() / 1024,
        search_us: time_of(&index),
        questions: [0.0; 3],
        searches: [0.0; 3],
    };
    if let Some(name) = &arguments.name {
        let asked = Asked::read(arguments, name)?;
        let judge = Judge {
            index: &index,
            served: served(&tools),
            misses: arguments.misses,
        };
        searched.questions = asked.recall(|question, _| vec![question.words.clone()], &judge);
        searched.searches = asked.recall(|_, searches| searches.to_vec(), &judge);
    }
    Ok(searched)
}

/// Says by method and path what each tool serves.
fn served(tools: &[Tool]) -> BTreeMap<&str, String> {
    let of = |tool: &Tool| format!("{} {}", tool.request.method.as_str(), tool.path());
    tools
        .iter()
        .map(|tool| (tool.name.as_str(), of(tool)))
        .collect()
}

/// The questions about one document, and what a model would search for.
struct Asked(Vec<(Question, Vec<String>)>);

impl Asked {
    fn read(arguments: &SearchArguments, name: &str) -> anyhow::Result<Self> {
        let file = |path: &Path| {
            std::fs::read(path).with_context(|| format!("reading {}", path.display()))
        };
        let questions: Vec<Question> = serde_json::from_slice(&file(&arguments.questions)?)?;
        let searches: BTreeMap<String, Vec<String>> =
            serde_json::from_slice(&file(&arguments.searches)?)?;
        let of_document = questions.into_iter().filter(|it| it.id.starts_with(name));
        let asked = of_document.map(|question| {
            let searches = searches.get(&question.id).cloned().unwrap_or_default();
            (question, searches)
        });
        Ok(Self(asked.collect()))
    }

    /// Returns the mean of the questions' recall: of all, of the even numbers, of the odd ones.
    fn recall(
        &self,
        words: impl Fn(&Question, &[String]) -> Vec<String>,
        judge: &Judge<'_>,
    ) -> [f64; 3] {
        let (mut even, mut odd) = (Vec::new(), Vec::new());
        for (question, searches) in &self.0 {
            let recall = judge.recall(question, &words(question, searches));
            if question.id.ends_with(['0', '2', '4', '6', '8']) {
                even.push(recall);
            } else {
                odd.push(recall);
            }
        }
        let all = [even.as_slice(), odd.as_slice()].concat();
        [mean(&all), mean(&even), mean(&odd)]
    }
}

struct Judge<'a> {
    index: &'a ToolIndex,
    served: BTreeMap<&'a str, String>,
    misses: bool,
}

impl Judge<'_> {
    /// Returns the share of a question's needs that are served by what is found; the last words stand for all needs that have none of their own.
    fn recall(&self, question: &Question, words: &[String]) -> f64 {
        let mut found = 0.0;
        for (number, need) in question.needs.iter().enumerate() {
            let Some(words) = words.get(number).or(words.last()) else {
                continue;
            };
            let names = self.index.search(words, FOUND, |_| true);
            let serves = |name: &&str| self.served.get(*name).is_some_and(|it| need.contains(it));
            if names.iter().any(serves) {
                found += 1.0;
            } else if self.misses {
                let id = &question.id;
                crate::print_line(&format!(
                    "{id}: {words}\n  wanted {need:?}\n  found {names:?}"
                ));
            }
        }
        let needs = u32::try_from(question.needs.len()).unwrap_or(u32::MAX);
        found / f64::from(needs)
    }
}

fn mean(values: &[f64]) -> f64 {
    let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
    values.iter().sum::<f64>() / f64::from(count.max(1))
}

fn time_of(index: &ToolIndex) -> f64 {
    const TIMES: u32 = 200;
    let begun = now();
    for _ in 0..TIMES {
        std::hint::black_box(index.search("list the members of a team", 10, |_| true));
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> Instant {
    Instant::now()
}
