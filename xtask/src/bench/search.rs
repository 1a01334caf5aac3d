//! The search of the dynamic mode: how often it finds what serves a question, and what its index costs.
//!
//! The questions, and how they are counted: `tests/search`.

use std::path::Path;
use std::process::Command;

use anyhow::ensure;
use serde::Deserialize;

use super::BenchArguments;
use super::documents::unpack_documents;
use super::parts::{Bench, json};
use super::running::{MEASURED_CORE, pinned};

/// A document that is searched, and what the ids of its questions begin with.
const DOCUMENTS: [(&str, &str, Option<&str>); 3] = [
    (
        "GitHub",
        "octokit/generated/api.github.com.json",
        Some("github"),
    ),
    ("Stripe", "directory/api/stripe.com.json", Some("stripe")),
    (
        "Microsoft Graph",
        "directory/api/microsoft.com/graph.json",
        None,
    ),
];

/// The documents of the questions that the ranking is developed on.
const DEVELOPMENT: [(&str, &str); 10] = [
    ("asana", "asana.com.json"),
    ("box", "box.com.json"),
    ("digitalocean", "digitalocean.com.json"),
    ("gitlab", "gitlab.com.json"),
    ("mailchimp", "mailchimp.com.json"),
    ("slack", "slack.com.json"),
    ("spotify", "spotify.com.json"),
    ("square", "squareup.com.json"),
    ("xero", "xero.com/xero_accounting.json"),
    ("zoom", "zoom.us.json"),
];

/// What the measurement prints.
#[derive(Deserialize)]
struct Searched {
    tools: usize,
    index_ms: f64,
    index_kib: usize,
    search_us: f64,
    questions: [f64; 3],
    searches: [f64; 3],
}

pub(crate) fn search(bench: &Bench, root: &Path, arguments: &BenchArguments) -> anyhow::Result<()> {
    let folder = match &arguments.documents {
        Some(folder) => folder.clone(),
        None => unpack_documents(bench)?,
    };
    println!("\nsearch of the dynamic mode");
    let mut held_back = Recall::default();
    for (title, path, name) in DOCUMENTS {
        let mut command = searching(bench, &folder.join(path))?;
        command.arg("--questions").arg(root.join(HELD_BACK[0]));
        command.arg("--searches").arg(root.join(HELD_BACK[1]));
        command.args(name.iter().flat_map(|name| ["--name", *name]));
        let measured: Searched = json(command)?;
        println!(
            "  {title}: {} tools, index {:.0} ms and {} KiB, a search {:.0} µs",
            measured.tools, measured.index_ms, measured.index_kib, measured.search_us
        );
        if name.is_some() {
            let recall = Recall::of(&measured);
            println!("    recall@5 {}", recall.told());
            held_back.add(&recall);
        }
    }
    println!("  both: recall@5 {}", held_back.told());
    let mut development = Recall::default();
    for (name, path) in DEVELOPMENT {
        let mut command = searching(bench, &folder.join("directory/api").join(path))?;
        command.arg("--questions").arg(root.join(DEVELOPED_ON[0]));
        command.arg("--searches").arg(root.join(DEVELOPED_ON[1]));
        command.args(["--name", name]);
        development.add(&Recall::of(&json(command)?));
    }
    println!(
        "  {} other documents, which the ranking is developed on: recall@5 {}",
        DEVELOPMENT.len(),
        development.told()
    );
    Ok(())
}

/// The questions that nothing is tuned to, and what a model searches for.
const HELD_BACK: [&str; 2] = ["tests/search/questions.json", "tests/search/searches.json"];
/// The questions that the ranking is developed on, and what a model may search for.
const DEVELOPED_ON: [&str; 2] = [
    "tests/search/development.json",
    "tests/search/development-searches.json",
];

fn searching(bench: &Bench, document: &Path) -> anyhow::Result<Command> {
    ensure!(document.exists(), "{} is missing", document.display());
    let mut command = pinned(MEASURED_CORE, bench.generator());
    command.arg("search").arg(document);
    Ok(command)
}

/// Recall by people's words and by a model's: of all questions, of the even ones, and of the odd ones; summed over documents.
#[derive(Default)]
struct Recall {
    questions: [f64; 3],
    searches: [f64; 3],
    documents: f64,
}

impl Recall {
    fn of(measured: &Searched) -> Self {
        Self {
            questions: measured.questions,
            searches: measured.searches,
            documents: 1.0,
        }
    }

    fn add(&mut self, other: &Self) {
        add(&mut self.questions, &other.questions);
        add(&mut self.searches, &other.searches);
        self.documents += other.documents;
    }

    fn told(&self) -> String {
        let one = |sums: &[f64; 3]| {
            let [all, even, odd] = sums.map(|sum| sum / self.documents);
            format!("{all:.2} (even {even:.2}, odd {odd:.2})")
        };
        format!(
            "by people's own words {}, by a model's {}",
            one(&self.questions),
            one(&self.searches)
        )
    }
}

fn add(sums: &mut [f64; 3], values: &[f64; 3]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}
