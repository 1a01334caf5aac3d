//! Patterns that a linear-time engine cannot run are left out: a model's argument must not be able to hang the gateway, and one broken pattern must not cost the tool.

use std::collections::HashMap;

use serde_json::json;

/// Longer patterns are left out unread.
const MAX_PATTERN_BYTES: usize = 2_000;

/// Patterns that compile to more are left out; `plan/validate.rs` has the same limit.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// Remembers which patterns compile.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    known: HashMap<String, bool>,
}

impl Patterns {
    /// Tells whether a pattern compiles in the engine that will run it.
    pub(super) fn compiles(&mut self, pattern: &str) -> bool {
        if let Some(&known) = self.known.get(pattern) {
            return known;
        }
        let compiles = pattern.len() <= MAX_PATTERN_BYTES
            && validation_options()
                .build(&json!({"type": "string", "pattern": pattern}))
                .is_ok();
        self.known.insert(pattern.to_owned(), compiles);
        compiles
    }
}

/// How arguments are validated: patterns run in linear time, and nothing is fetched.
fn validation_options() -> jsonschema::ValidationOptions<'static> {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .with_pattern_options(jsonschema::PatternOptions::regex().size_limit(MAX_COMPILED_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x_05_patterns_that_backtrack_or_do_not_compile_are_refused() {
        let mut patterns = Patterns::default();
        assert!(patterns.compiles(r"^\d{3}-[a-z]+$"));
        assert!(!patterns.compiles(r"^(?=.*\d).+$"));
        assert!(!patterns.compiles(r"\p{XDigit}"));
        assert!(!patterns.compiles("("));
        assert!(!patterns.compiles(&"a".repeat(MAX_PATTERN_BYTES + 1)));
        assert!(!patterns.compiles("(((a{1,1000}){1,1000}){1,1000})"));
    }

    #[test]
    fn patterns_are_read_as_javascript_means_them() {
        let fits = |pattern: &str, text: &str| {
            let schema = json!({"pattern": pattern});
            let validator = validation_options().build(&schema).expect(pattern);
            validator.is_valid(&json!(text))
        };
        assert!(fits(r"^a\/b$", "a/b"));
        assert!(fits(r"^\d$", "7") && !fits(r"^\d$", "٧"));
        assert!(fits(r"^\w$", "_") && !fits(r"^\w$", "ä"));
        assert!(fits(r"^\u0041$", "A"));
    }
}
