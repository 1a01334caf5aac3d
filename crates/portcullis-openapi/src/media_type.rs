//! Media types, as far as the choice of an encoding needs them.

use crate::header::is_token;

/// Families of media types, the best for a model first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    /// `application/json`, `…+json`, and ranges that include it.
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `multipart/…`
    Multipart,
    /// JSON texts, one a line or after a separator.
    Lines,
    /// XML.
    Xml,
    /// `text/…`, YAML and the like.
    Text,
    /// Anything else.
    Binary,
}

/// Returns a media type without its parameters.
pub(crate) fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// Sorts a media type into its family.
pub(crate) fn family(media_type: &str) -> Family {
    let essence = essence(media_type).to_ascii_lowercase();
    match essence.as_str() {
        "*/*" | "application/*" | "application/json" | "text/json" | "application/x-json" => {
            Family::Json
        }
        "application/x-www-form-urlencoded" => Family::Form,
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonl"
        | "application/jsonlines"
        | "application/json-lines"
        | "application/x-jsonlines"
        | "application/stream+json"
        | "application/json-seq" => Family::Lines,
        "application/form-data" => Family::Multipart,
        "application/xml" | "text/xml" => Family::Xml,
        "application/yaml"
        | "application/x-yaml"
        | "application/graphql"
        | "application/sql"
        | "application/javascript"
        | "application/jwt"
        | "application/toml"
        | "application/csv"
        | "application/x-javascript" => Family::Text,
        _ if essence.ends_with("+json") => Family::Json,
        _ if essence.ends_with("+xml") => Family::Xml,
        _ if essence.ends_with("+json-seq") => Family::Lines,
        _ if essence.starts_with("multipart/") => Family::Multipart,
        _ if essence.starts_with("text/") || essence.ends_with("+yaml") => Family::Text,
        _ => Family::Binary,
    }
}

/// Tells whether a text may be sent as the media type of a body or a part.
pub(crate) fn is_sendable(media_type: &str) -> bool {
    let is_plain = media_type.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let sides = essence(media_type).split_once('/');
    is_plain && sides.is_some_and(|(kind, name)| is_token(kind) && is_token(name))
}

/// The media type that stands for a range: what most APIs that name the range take.
pub(crate) fn concrete(range: &str) -> &'static str {
    match essence(range).to_ascii_lowercase().as_str() {
        "image/*" => "image/png",
        "audio/*" => "audio/mpeg",
        "video/*" => "video/mp4",
        "text/*" => "text/plain",
        "font/*" => "font/ttf",
        _ => "application/octet-stream",
    }
}

/// Tells whether a media type is one of a list of media types and ranges; an empty list allows all.
pub(crate) fn is_among(media_type: &str, list: &[String]) -> bool {
    let name = essence(media_type).to_ascii_lowercase();
    let mut allowed = list
        .iter()
        .map(|allowed| essence(allowed).to_ascii_lowercase());
    list.is_empty()
        || allowed.any(|allowed| match allowed.strip_suffix('*') {
            Some("*/") => true,
            Some(kind) => kind.ends_with('/') && name.starts_with(kind),
            None => allowed == name,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_sorted_whatever_their_case_and_parameters() {
        for (media_type, expected) in [
            ("application/json; charset=utf-8", Family::Json),
            ("Application/Vnd.GitHub+JSON", Family::Json),
            ("*/*", Family::Json),
            ("application/x-www-form-urlencoded", Family::Form),
            ("multipart/form-data", Family::Multipart),
            ("text/csv", Family::Text),
            ("application/soap+xml", Family::Xml),
            ("application/jsonl", Family::Lines),
            ("image/*", Family::Binary),
            ("", Family::Binary),
        ] {
            assert_eq!(family(media_type), expected, "{media_type}");
        }
    }
}
