//! Any bytes as a document.
//!
//! What must hold is in `crates/portcullis-openapi/tests/it/fuzzed/targets.rs`, which an ordinary test holds against the corpus, too.

#![no_main]

#[path = "../../crates/portcullis-openapi/tests/it/fuzzed/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::document(bytes));
