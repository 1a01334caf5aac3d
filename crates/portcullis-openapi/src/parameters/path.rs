//! Path templates: `/users/{id}.json` becomes literals and parameters.

use std::fmt::Write as _;

use crate::model::{Parameter, PathPart, Place};

/// A piece of a path template as the document writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Segment<'d> {
    Literal(&'d str),
    Parameter(&'d str),
}

impl<'d> Segment<'d> {
    /// The name of the parameter.
    pub(super) fn parameter(&self) -> Option<&'d str> {
        match self {
            Self::Literal(_) => None,
            Self::Parameter(name) => Some(name),
        }
    }
}

/// Cuts a path template; a fragment only keeps equal paths apart and is not part of it.
pub(super) fn segments(path: &str) -> Vec<Segment<'_>> {
    let path = path.split_once('#').map_or(path, |(path, _)| path);
    let mut segments = Vec::new();
    let mut rest = path;
    while let Some((before, name, after)) = next(rest) {
        if !before.is_empty() {
            segments.push(Segment::Literal(before));
        }
        segments.push(Segment::Parameter(name));
        rest = after;
    }
    if !rest.is_empty() {
        segments.push(Segment::Literal(rest));
    }
    segments
}

/// The text before the first `{name}`, the name, and the text after it.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let (before, after) = text.split_once('{')?;
    let (name, after) = after.split_once('}')?;
    (!name.is_empty()).then_some((before, name, after))
}

/// Binds the pieces to the operation's parameters.
pub(super) fn parts(segments: &[Segment<'_>], parameters: &[Parameter]) -> Vec<PathPart> {
    let mut parts = Vec::with_capacity(segments.len() + 1);
    if !matches!(segments.first(), Some(Segment::Literal(text)) if text.starts_with('/')) {
        parts.push(PathPart::Literal("/".to_owned()));
    }
    for segment in segments {
        match segment {
            Segment::Literal(text) => parts.push(PathPart::Literal(encoded(text))),
            Segment::Parameter(name) => {
                let is_named = |parameter: &Parameter| {
                    parameter.place == Place::Path && parameter.name == *name
                };
                parts.extend(
                    parameters
                        .iter()
                        .position(is_named)
                        .map(PathPart::Parameter),
                );
            }
        }
    }
    parts
}

/// Encodes what a path must not hold, and leaves what is encoded already.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_cut_at_its_parameters() {
        use Segment::{Literal, Parameter};
        assert_eq!(
            segments("/a/{b}.{c}/d"),
            [
                Literal("/a/"),
                Parameter("b"),
                Literal("."),
                Parameter("c"),
                Literal("/d")
            ]
        );
        assert_eq!(segments("/#Action=Go"), [Literal("/")]);
        assert_eq!(segments("/a/{"), [Literal("/a/{")]);
        assert_eq!(segments(""), []);
    }

    #[test]
    fn literals_are_encoded_once() {
        assert_eq!(
            encoded("/a b/%20/ü/{}/$x:y"),
            "/a%20b/%20/%C3%BC/%7B%7D/$x:y"
        );
        assert_eq!(
            parts(&segments("pets"), &[]),
            [
                PathPart::Literal("/".to_owned()),
                PathPart::Literal("pets".to_owned())
            ]
        );
    }
}
