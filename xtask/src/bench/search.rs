//! The search of the dynamic mode: how often it finds what serves a question, and what its index costs.
//!
//! The questions, and how they are counted: `tests/search`.

use std::path::Path;

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
    let mut questions = [0.0; 3];
    let mut searches = [0.0; 3];
    let mut asked = 0.0;
    for (title, path, name) in DOCUMENTS {
        let document = folder.join(path);
        ensure!(document.exists(), "{} is missing", document.display());
        let mut command = pinned(MEASURED_CORE, bench.generator());
        command.arg("search").arg(&document);
        command.arg("--questions").arg(root.join("tests/search"));
        command.args(name.iter().flat_map(|name| ["--name", *name]));
        let measured: Searched = json(command)?;
        println!(
            "  {title}: {} tools, index {:.0} ms and {} KiB, a search {:.0} µs",
            measured.tools, measured.index_ms, measured.index_kib, measured.search_us
        );
        if name.is_some() {
            println!(
                "    recall@5 {}",
                told(&measured.questions, &measured.searches)
            );
            add(&mut questions, &measured.questions);
            add(&mut searches, &measured.searches);
            asked += 1.0;
        }
    }
    let mean = |sums: [f64; 3]| sums.map(|sum| sum / asked);
    println!(
        "  both: recall@5 {}",
        told(&mean(questions), &mean(searches))
    );
    Ok(())
}

fn add(sums: &mut [f64; 3], values: &[f64; 3]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

/// Tells recall by people's words and by a model's: of all questions, of the even ones, and of the odd ones, which were held back.
fn told(questions: &[f64; 3], searches: &[f64; 3]) -> String {
    let one = |[all, even, odd]: &[f64; 3]| format!("{all:.2} (even {even:.2}, odd {odd:.2})");
    format!(
        "by people's own words {}, by a model's {}",
        one(questions),
        one(searches)
    )
}
