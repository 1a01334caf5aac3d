//! Parameters outside the body: each goes where it belongs, and none passes for another.

use std::borrow::Cow;
use std::sync::Arc;

use ::url::form_urlencoded;
use serde_json::value::RawValue;

use super::arguments::Arguments;
use super::encode::push;
use super::json::ascii;
use super::shape::Shape;
use super::{ArgumentError, RequestPlan, Unsendable, body, style};
use crate::json_text::compact;
use crate::model::body::BodyEncoding;
use crate::model::{Parameter, Place, RequestTemplate, Spelling, Style};

impl RequestPlan {
    pub(super) fn write_path(
        &mut self,
        parameter: &Parameter,
        arguments: &Arguments<'_>,
    ) -> Result<(), ArgumentError> {
        let raw = arguments
            .named(&parameter.argument)
            .ok_or_else(|| ArgumentError::Missing {
                argument: parameter.argument.clone(),
            })?;
        style::path(&mut self.path, parameter, &shape_of(parameter, raw))
            .map_err(|cause| cause.of(&parameter.argument))
    }

    pub(super) fn write(
        &mut self,
        parameter: &Parameter,
        raw: &RawValue,
        template: &RequestTemplate,
    ) -> Result<(), ArgumentError> {
        let refused = |cause: Unsendable| cause.of(&parameter.argument);
        let shape = shape_of(parameter, raw);
        match parameter.place {
            Place::Path => Ok(()),
            Place::Query => {
                refuse_other_names(parameter, &shape, template).map_err(refused)?;
                let shape = or_empty(shape, parameter);
                let spelling = parameter.spelling;
                style::query(&mut self.query, &parameter.name, spelling, &shape).map_err(refused)
            }
            Place::QueryString => {
                let text = query_string(parameter, raw)?;
                refuse_taken_names(parameter, &text, template).map_err(refused)?;
                if !self.query.is_empty() && !text.is_empty() {
                    self.query.push('&');
                }
                self.query.push_str(&text);
                Ok(())
            }
            Place::Header => {
                let shape = or_empty(shape, parameter);
                let value = style::header(&shape, parameter.spelling).map_err(refused)?;
                self.headers.push((parameter.name.clone(), value));
                Ok(())
            }
            Place::Cookie => {
                refuse_other_names(parameter, &shape, template).map_err(refused)?;
                let shape = or_empty(shape, parameter);
                style::cookie(&mut self.cookies, parameter, &shape).map_err(refused)
            }
        }
    }
}

fn shape_of<'a>(parameter: &Parameter, raw: &'a RawValue) -> Shape<'a> {
    match (&parameter.content, Shape::of(raw)) {
        (None, shape) => shape,
        (Some(BodyEncoding::Json), _) if parameter.place == Place::Header => {
            Shape::Scalar(ascii(raw.get()))
        }
        (Some(BodyEncoding::Json), _) | (Some(_), Shape::Array(_) | Shape::Object(_)) => {
            Shape::Scalar(compact(raw.get()))
        }
        (Some(_), plain) => plain,
    }
}

/// Sends the name without a value where that is all there is to say: for `null` in a parameter that must be given ("Style Examples", column `undefined`; styles without such a spelling leave it out), and for nothing at all where `allowEmptyValue` gives that a meaning.
fn or_empty<'a>(shape: Shape<'a>, parameter: &Parameter) -> Shape<'a> {
    let style = parameter.spelling.style;
    let is_empty = match &shape {
        Shape::Null => matches!(style, Style::Form | Style::Simple | Style::Cookie),
        Shape::Scalar(_) => false,
        Shape::Array(items) => parameter.allow_empty && items.is_empty(),
        Shape::Object(members) => parameter.allow_empty && members.is_empty(),
    };
    if is_empty {
        return Shape::Scalar(Cow::Borrowed(""));
    }
    shape
}

/// Writes the query as a whole: a form by its fields, anything else as one encoded text.
fn query_string(parameter: &Parameter, raw: &RawValue) -> Result<String, ArgumentError> {
    if let Some(BodyEncoding::Form(fields)) = &parameter.content {
        return body::form(&parameter.argument, fields, raw);
    }
    let mut text = String::new();
    if let Shape::Scalar(value) = shape_of(parameter, raw) {
        push(&mut text, &value);
    }
    Ok(text)
}

/// An exploded object writes its members as parameters of their own; they must not pass for others of the operation or of its path.
fn refuse_other_names(
    parameter: &Parameter,
    shape: &Shape<'_>,
    template: &RequestTemplate,
) -> Result<(), Unsendable> {
    let Shape::Object(members) = shape else {
        return Ok(());
    };
    let Spelling { style, explode, .. } = parameter.spelling;
    if !explode || style == Style::DeepObject {
        return Ok(());
    }
    if members
        .iter()
        .any(|(name, _)| is_taken(parameter, name, template))
    {
        return Err(Unsendable::TakesAnotherName);
    }
    Ok(())
}

fn refuse_taken_names(
    parameter: &Parameter,
    query: &str,
    template: &RequestTemplate,
) -> Result<(), Unsendable> {
    let mut names = form_urlencoded::parse(query.as_bytes());
    if names.any(|(name, _)| is_taken(parameter, &name, template)) {
        return Err(Unsendable::TakesAnotherName);
    }
    Ok(())
}

/// Tells whether a name is that of another parameter in the same place, or of the path's own query.
fn is_taken(parameter: &Parameter, name: &str, template: &RequestTemplate) -> bool {
    let place = match parameter.place {
        Place::QueryString => Place::Query,
        place => place,
    };
    let is_other =
        |other: &&Arc<Parameter>| other.place == place && other.argument != parameter.argument;
    let mut others = template.parameters.iter().filter(is_other);
    let mut fixed = form_urlencoded::parse(template.query.as_bytes());
    others.any(|other| names_collide(name, &other.name))
        || place == Place::Query && fixed.any(|(other, _)| names_collide(name, &other))
}

/// Tells whether some server takes two names for one: servers disregard case, read `name[x]` as `name`, and PHP reads a dot or a space as `_`.
#[must_use]
pub fn names_collide(name: &str, other: &str) -> bool {
    folded(name) == folded(other)
}

/// Returns what servers may make of a name; two that collide have one.
pub(super) fn folded(name: &str) -> String {
    let stem = name.trim_start().split('[').next().unwrap_or_default();
    stem.to_ascii_lowercase().replace(['.', ' ', '+'], "_")
}
