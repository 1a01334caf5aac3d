//! What an operation answers: the media types to ask for, and the schema of a successful JSON object.

use serde_json::Value;

use crate::media_type::{Family, family, is_sendable};
use crate::operations::Operation;
use crate::pointer::escape;
use crate::reference::{Target, follow};
use crate::schema::is_object_like;

/// Media types named in one `Accept`.
const MAX_ACCEPTED: usize = 6;

/// The successful responses of an operation.
#[derive(Debug)]
pub(crate) struct Responses<'d> {
    successes: Vec<Target<'d>>,
}

impl<'d> Responses<'d> {
    /// Collects the 2xx responses, the plainest first, or the default where there are none.
    pub(crate) fn of(operation: &Operation<'d>, root: &'d Value) -> Self {
        let all = operation.value.get("responses").and_then(Value::as_object);
        let mut statuses: Vec<(&String, &Value)> = all
            .into_iter()
            .flatten()
            .filter(|(status, _)| status.starts_with('2'))
            .collect();
        statuses.sort_by_key(|(status, _)| status.as_str());
        if statuses.is_empty() {
            statuses.extend(all.and_then(|all| all.get_key_value("default")));
        }
        let successes = statuses
            .into_iter()
            .filter_map(|(status, response)| {
                follow(
                    root,
                    response,
                    format!("{}/responses/{}", operation.pointer, escape(status)),
                )
                .ok()
            })
            .collect();
        Self { successes }
    }

    /// Writes `Accept`: JSON before the other documented types, and anything rather than nothing.
    pub(crate) fn accept(&self) -> String {
        let mut types: Vec<&str> = Vec::new();
        for (media_type, _) in self.successes.iter().flat_map(contents) {
            let is_plain = is_sendable(media_type) && !media_type.contains(',');
            if is_plain && !types.contains(&media_type) && media_type != "*/*" {
                types.push(media_type);
            }
        }
        types.sort_by_key(|media_type| family(media_type) != Family::Json);
        types.truncate(MAX_ACCEPTED);
        if types.is_empty() {
            return "application/json, */*;q=0.8".to_owned();
        }
        format!("{}, */*;q=0.1", types.join(", "))
    }

    /// Finds the schema of the first successful JSON response, where its values are objects, and the schema's pointer.
    pub(crate) fn object_schema(&self, root: &'d Value) -> Option<(&'d Value, String)> {
        let mut json = self
            .successes
            .iter()
            .flat_map(|response| contents(response).map(move |content| (response, content)));
        let (response, (media_type, content)) =
            json.find(|(_, (media_type, _))| family(media_type) == Family::Json)?;
        let schema = content
            .get("schema")
            .filter(|schema| is_object_like(root, schema))?;
        Some((
            schema,
            format!("{}/content/{}/schema", response.pointer, escape(media_type)),
        ))
    }
}

fn contents<'a, 'd>(
    response: &'a Target<'d>,
) -> impl Iterator<Item = (&'d str, &'d Value)> + use<'a, 'd> {
    let content = response.value.get("content").and_then(Value::as_object);
    content
        .into_iter()
        .flatten()
        .map(|(media_type, content)| (media_type.as_str(), content))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Document, Limits};

    #[test]
    fn what_no_header_can_hold_is_not_asked_for() {
        for (media_type, expected) in [
            ("a\u{1}/b", "application/json, */*;q=0.8"),
            ("a/b\u{7f}", "application/json, */*;q=0.8"),
            ("a b/c", "application/json, */*;q=0.8"),
            (
                "text/csv; header=present",
                "text/csv; header=present, */*;q=0.1",
            ),
        ] {
            let document = json!({
                "openapi": "3.1.0",
                "paths": {"/a": {"get": {"responses": {"200": {"content": {media_type: {}}}}}}},
            });
            let document = Document::parse(document.to_string().as_bytes(), &Limits::default());
            let (tools, _) = document.unwrap().tools();
            assert_eq!(tools[0].request.accept, expected, "{media_type:?}");
        }
    }
}
