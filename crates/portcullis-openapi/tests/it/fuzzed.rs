//! The corpora of the fuzzer, replayed: what a fuzzer once tried is tried by every run of the tests.

mod targets;

use std::fs;
use std::path::Path;

#[test]
fn the_corpus_of_documents_is_read_or_refused() {
    replay("document", targets::document);
}

#[test]
fn the_corpus_of_arguments_becomes_requests_or_is_refused() {
    replay("plan", targets::plan);
}

#[test]
fn the_corpus_of_answers_becomes_results() {
    replay("outcome", targets::outcome);
}

fn replay(target: &str, judge: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let mut replayed = 0;
    for entry in fs::read_dir(&folder).expect("the corpus is there") {
        let bytes = fs::read(entry.expect("an entry").path()).expect("a file");
        judge(&bytes);
        replayed += 1;
    }
    assert!(replayed > 0, "{} is empty", folder.display());
}
