//! Path templates: `/users/{id}.json` becomes literals and parameters, `/users?active=true&id={id}` a fixed query beside them.

use std::fmt::Write as _;
use std::sync::Arc;

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

/// Cuts the path of a template, without its query and fragment.
pub(super) fn segments(template: &str) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    let mut rest = split(template).0;
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

/// A member of the query that some documents write into the path's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct QueryMember<'d> {
    pub(super) name: &'d str,
    pub(super) value: Option<Segment<'d>>,
}

/// Lists the members of a template's query.
pub(super) fn query(template: &str) -> Vec<QueryMember<'_>> {
    let members = split(template)
        .1
        .split('&')
        .filter(|member| !member.is_empty());
    members
        .map(|member| match member.split_once('=') {
            None => QueryMember {
                name: member,
                value: None,
            },
            Some((name, value)) => match next(value) {
                Some(("", parameter, "")) => QueryMember {
                    name,
                    value: Some(Segment::Parameter(parameter)),
                },
                _ => QueryMember {
                    name,
                    value: Some(Segment::Literal(value)),
                },
            },
        })
        .collect()
}

/// Writes the members of a query that take no argument.
pub(super) fn fixed_query(members: &[QueryMember<'_>]) -> String {
    let fixed = members.iter().filter_map(|member| match member.value {
        None => Some(encoded(member.name, IN_QUERY)),
        Some(Segment::Literal(value)) => Some(format!(
            "{}={}",
            encoded(member.name, IN_QUERY),
            encoded(value, IN_QUERY)
        )),
        Some(Segment::Parameter(_)) => None,
    });
    fixed.collect::<Vec<_>>().join("&")
}

/// The path and the query of a template; a fragment only keeps equal paths apart, unless the path goes on behind it.
fn split(template: &str) -> (&str, &str) {
    let template = match template.split_once('#') {
        Some((path, fragment)) if !fragment.contains('/') => path,
        _ => template,
    };
    template.split_once('?').unwrap_or((template, ""))
}

/// The text before the first `{name}`, the name, and the text after it.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let (before, after) = text.split_once('{')?;
    let (name, after) = after.split_once('}')?;
    (!name.is_empty()).then_some((before, name, after))
}

/// Binds the pieces to the operation's parameters.
pub(super) fn parts(segments: &[Segment<'_>], parameters: &[Arc<Parameter>]) -> Vec<PathPart> {
    let mut parts = Vec::with_capacity(segments.len() + 1);
    if !matches!(segments.first(), Some(Segment::Literal(text)) if text.starts_with('/')) {
        parts.push(PathPart::Literal("/".to_owned()));
    }
    for segment in segments {
        match segment {
            Segment::Literal(text) => parts.push(PathPart::Literal(encoded(text, IN_PATH))),
            Segment::Parameter(name) => {
                let is_named = |parameter: &Arc<Parameter>| {
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

/// Marks that a path keeps as they are (RFC 3986 §3.3).
const IN_PATH: &[u8] = b"-._~!$&'()*+,;=:@/";
/// Marks that the names and values of a query keep as they are.
const IN_QUERY: &[u8] = b"-._~!$'()*,;:@/";

/// Encodes every mark that is not kept, and leaves what is encoded already.
fn encoded(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let is_encoded = byte == b'%'
            && matches!(after, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) || is_encoded {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        rest = after;
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
            encoded("/a b/%20/%/ü/{}/$x:y", IN_PATH),
            "/a%20b/%20/%25/%C3%BC/%7B%7D/$x:y"
        );
        assert_eq!(
            parts(&segments("pets"), &[]),
            [
                PathPart::Literal("/".to_owned()),
                PathPart::Literal("pets".to_owned())
            ]
        );
    }

    #[test]
    fn a_query_in_the_template_is_kept_or_becomes_parameters() {
        let members = query("/a?op=list all&flag&id={user}#x?y=z");
        assert_eq!(fixed_query(&members), "op=list%20all&flag");
        assert_eq!(
            members.last(),
            Some(&QueryMember {
                name: "id",
                value: Some(Segment::Parameter("user"))
            })
        );
        assert_eq!(segments("/a?op=list"), [Segment::Literal("/a")]);
        assert_eq!(fixed_query(&query("/a?")), "");
    }
}
