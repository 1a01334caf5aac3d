//! An operator's projection of a tool's answers: a `JMESPath` expression, and bounds on its work.
//!
//! `JMESPath` has neither loops nor recursion, but lists of copies that are flattened again grow as a power.
//! So an expression is held against its form when it is compiled: how deep it nests, how many copies of its input it can make, which functions it calls.
//! What is left grows with input times expression, and both are bounded for each answer.

mod form;

use std::io::{self, Write};

use jmespath::{ErrorReason, Expression, JmespathError, Variable};
use thiserror::Error;

use super::opened::count;
use form::{Form, nesting_beyond};

/// The longest expression, in bytes.
const MAX_EXPRESSION_BYTES: usize = 4096;
/// How deep an expression may nest.
const MAX_NESTING: usize = 64;
/// How many copies of its input an expression may make.
const MAX_COPIES: usize = 16;
/// The largest answer that is projected.
const MAX_INPUT_BYTES: usize = 8 << 20;
/// The most values of an answer that is projected.
const MAX_VALUES: usize = 500_000;
/// The most steps: items times copies times the parts of the expression.
const MAX_STEPS: usize = 1_000_000;
/// The largest result.
const MAX_OUTPUT_BYTES: usize = 8 << 20;
/// How much of a reason is told.
const MAX_REASON: usize = 200;

/// A compiled expression that says what is given of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    expression: Expression<'static>,
    form: Form,
}

impl Eq for Projection {}

/// Why a text is no expression that can be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{reason}")]
pub struct InvalidProjection {
    /// Where in the text, in bytes.
    pub offset: usize,
    /// What is wrong there.
    pub reason: String,
}

/// Why an answer was not projected.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum Unprojected {
    /// More than is worked through.
    #[error("the answer is too large for it")]
    TooLarge,
    /// Not JSON that every parser takes.
    #[error("the answer nests too deeply, or is not sound")]
    Unsound,
    /// What it makes of the answer is too large.
    #[error("its result is too large")]
    ResultTooLarge,
    /// The answer has another shape than the expression expects.
    #[error("{0}")]
    Failed(String),
    /// `null`
    #[error("it finds nothing in this answer")]
    Nothing,
}

impl Projection {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// When it is not `JMESPath`, calls a function that there is not, or could take more work than a call may.
    pub fn compile(text: &str) -> Result<Self, InvalidProjection> {
        let invalid = |offset: usize, reason: &str| InvalidProjection {
            offset,
            reason: reason.to_owned(),
        };
        if text.trim().is_empty() {
            return Err(invalid(0, "an expression is empty"));
        }
        if text.len() > MAX_EXPRESSION_BYTES {
            let reason = format!("an expression has at most {MAX_EXPRESSION_BYTES} bytes");
            return Err(invalid(MAX_EXPRESSION_BYTES, &reason));
        }
        if let Some(offset) = nesting_beyond(text, MAX_NESTING) {
            return Err(invalid(offset, "the expression nests too deeply"));
        }
        let expression = jmespath::compile(text).map_err(|error| unread(&error))?;
        let form = Form::of(expression.as_ast())?;
        if form.copies > MAX_COPIES {
            let reason = format!(
                "the expression could make more than {MAX_COPIES} copies of an answer; name each part of it once"
            );
            return Err(invalid(0, &reason));
        }
        Ok(Self { expression, form })
    }

    /// Returns the expression as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.expression.as_str()
    }

    /// Returns what is given of an answer, as JSON.
    pub(super) fn apply(&self, json: &str) -> Result<String, Unprojected> {
        if json.len() > MAX_INPUT_BYTES {
            return Err(Unprojected::TooLarge);
        }
        let counted = count(json);
        let worked_through = if self.form.opens_objects {
            counted.values
        } else {
            counted.items
        };
        let steps = worked_through
            .saturating_mul(self.form.copies)
            .saturating_mul(self.form.parts);
        if counted.values > MAX_VALUES || steps > MAX_STEPS {
            return Err(Unprojected::TooLarge);
        }
        let input = Variable::from_json(json).map_err(|_| Unprojected::Unsound)?;
        let found = self.expression.search(input).map_err(|error| {
            let reason: String = error.reason.to_string().chars().take(MAX_REASON).collect();
            Unprojected::Failed(reason)
        })?;
        if found.is_null() {
            return Err(Unprojected::Nothing);
        }
        let mut written = Capped(Vec::new());
        serde_json::to_writer(&mut written, &*found).map_err(|_| Unprojected::ResultTooLarge)?;
        String::from_utf8(written.0).map_err(|_| Unprojected::Unsound)
    }
}

/// Puts a parser's words into ours.
fn unread(error: &JmespathError) -> InvalidProjection {
    let ErrorReason::Parse(said) = &error.reason else {
        return InvalidProjection {
            offset: error.offset,
            reason: error.reason.to_string(),
        };
    };
    let (said, found) = said.split_once(" -- found ").unwrap_or((said, ""));
    let reason = match said {
        _ if found == "Eof" => "the expression ends where more of it is expected".to_owned(),
        _ if said.starts_with("Unexpected nud") => {
            "a name, a list or an object is expected here".to_owned()
        }
        _ if said.starts_with("Unexpected led") || said.starts_with("Did not parse") => {
            "this does not go with what stands before it".to_owned()
        }
        said => {
            let mut characters = said.chars();
            let first = characters.next().map(|c| c.to_ascii_lowercase());
            first.into_iter().chain(characters).collect()
        }
    };
    InvalidProjection {
        offset: error.offset,
        reason,
    }
}

/// Takes bytes up to a cap.
struct Capped(Vec<u8>);

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
