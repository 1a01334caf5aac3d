//! How much of each tool's answers the model is given, by the toolset's settings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portcullis_openapi::{Presentation, Projection};
use portcullis_store::AnswerSettings;

use super::PublishedTool;
use super::selection::matches;

/// Says of each tool how its answers are given; returns what the operator may not have meant.
pub(super) fn present(
    settings: &AnswerSettings,
    names: &[String],
    tools: &mut [PublishedTool],
) -> Vec<String> {
    let mut warnings = Vec::new();
    let limit = |value: Option<u64>, default| {
        value.map_or(default, |value| {
            usize::try_from(value).unwrap_or(usize::MAX)
        })
    };
    let default = Presentation::default();
    let plain = Presentation {
        max_bytes: limit(settings.max_result_bytes, default.max_bytes),
        max_binary_bytes: limit(settings.max_binary_bytes, default.max_binary_bytes),
        projection: None,
    };
    let mut projecting: BTreeMap<&str, Arc<Presentation>> = BTreeMap::new();
    for (pattern, expression) in &settings.project {
        match Projection::compile(expression) {
            Ok(projection) => {
                let projected = Presentation {
                    projection: Some(projection),
                    ..plain.clone()
                };
                projecting.insert(pattern, Arc::new(projected));
            }
            Err(error) => warnings.push(format!(
                "the answers of `{pattern}` are given whole, for its expression in `project` cannot be used: {error}"
            )),
        }
    }
    let plain = Arc::new(plain);
    let mut used = BTreeSet::new();
    for (name, published) in names.iter().zip(tools) {
        let mut fitting = projecting.iter().filter(|(pattern, _)| {
            matches(pattern, name) || matches(pattern, &published.tool.name)
        });
        let closest = fitting
            .by_ref()
            .inspect(|(pattern, _)| {
                used.insert(**pattern);
            })
            .max_by_key(|(pattern, _)| pattern.chars().filter(|c| *c != '*').count());
        published.presentation = Arc::clone(closest.map_or(&plain, |(_, projecting)| projecting));
    }
    let idle = projecting.keys().filter(|pattern| !used.contains(*pattern));
    warnings.extend(idle.map(|pattern| {
        format!(
            "`project` has an expression for `{pattern}`, but no tool of the toolset is named so"
        )
    }));
    warnings
}
