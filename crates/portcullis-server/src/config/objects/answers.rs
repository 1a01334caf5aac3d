//! Reads how much of a toolset's answers the model is given.

use portcullis_openapi::{InvalidProjection, Projection};
use portcullis_store::AnswerSettings;
use toml::Spanned;

use crate::config::file;
use crate::config::reading::Reading;

/// Reads the limits and projections of a toolset.
pub(super) fn answers(reading: &mut Reading<'_>, table: &file::Toolset) -> AnswerSettings {
    let mut limit = |value: &Option<Spanned<u64>>| {
        let value = value.as_ref()?;
        reading.count(Some(value), *value.get_ref());
        Some(*value.get_ref())
    };
    let max_result_bytes = limit(&table.max_result_bytes);
    let max_binary_bytes = limit(&table.max_binary_bytes);
    for (pattern, expression) in &table.project {
        if let Err(error) = Projection::compile(expression.get_ref()) {
            refuse(reading, pattern.get_ref(), expression, &error);
        }
    }
    let project = table.project.iter();
    AnswerSettings {
        max_result_bytes,
        max_binary_bytes,
        project: project
            .map(|(pattern, expression)| (pattern.get_ref().clone(), expression.get_ref().clone()))
            .collect(),
    }
}

fn refuse(
    reading: &mut Reading<'_>,
    pattern: &str,
    expression: &Spanned<String>,
    error: &InvalidProjection,
) {
    let whole = expression.span();
    // Where the text stands as it is between two quotes, the place within it is known.
    let is_plain = whole.len() == expression.get_ref().len() + 2;
    let at = whole.start + 1 + error.offset;
    let span = if is_plain && at + 1 < whole.end {
        at..at + 1
    } else {
        whole
    };
    reading.refuse(
        span,
        format!("the expression of `{pattern}` cannot be used: {error}"),
        "write an expression of JMESPath, such as `[].{name: name, url: html_url}`",
    );
}
