//! Media types, as far as the choice of an encoding needs them.

/// Families of media types, the best for a model first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    /// `application/json`, `…+json`, and ranges that include it.
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `multipart/…`
    Multipart,
    /// `text/…`, XML, YAML and the like.
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
        "application/xml"
        | "application/yaml"
        | "application/x-yaml"
        | "application/graphql"
        | "application/sql"
        | "application/javascript"
        | "application/x-ndjson"
        | "application/jsonl"
        | "application/jwt"
        | "application/toml"
        | "application/csv"
        | "application/json-seq"
        | "application/x-javascript" => Family::Text,
        _ if essence.ends_with("+json") => Family::Json,
        _ if essence.starts_with("multipart/") => Family::Multipart,
        _ if essence.starts_with("text/")
            || essence.ends_with("+xml")
            || essence.ends_with("+yaml") =>
        {
            Family::Text
        }
        _ => Family::Binary,
    }
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
            ("application/soap+xml", Family::Text),
            ("image/*", Family::Binary),
            ("", Family::Binary),
        ] {
            assert_eq!(family(media_type), expected, "{media_type}");
        }
    }
}
