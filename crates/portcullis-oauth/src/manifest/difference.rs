//! What changed between two versions of a manifest.
//!
//! Changes that can send people, codes or tokens elsewhere, or that keep clients from signing in, are grave; a provider that changed so is looked at by a person before clients follow it.

use serde_json::Value;

use super::Manifest;

/// A member that changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change<'a> {
    /// Its name.
    pub member: &'a str,
    /// What it was; absent where it is new.
    pub before: Option<&'a Value>,
    /// What it is; absent where it is gone.
    pub after: Option<&'a Value>,
    /// Whether somebody should look at it.
    pub is_grave: bool,
}

/// Members whose change is grave, beside all endpoints.
const GRAVE: [&str; 8] = [
    "issuer",
    "jwks_uri",
    "code_challenge_methods_supported",
    "client_id_metadata_document_supported",
    "authorization_response_iss_parameter_supported",
    "response_types_supported",
    "grant_types_supported",
    "token_endpoint_auth_methods_supported",
];

/// Compares two versions, member by member, in the order of the newer one; what is gone comes last.
///
/// Lists are compared as sets, since their order says nothing and providers are known to shuffle them.
#[must_use]
pub fn difference<'a>(before: &'a Manifest, after: &'a Manifest) -> Vec<Change<'a>> {
    let (before, after) = (before.members(), after.members());
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let changes = after.keys().chain(gone).map(|name| Change {
        member: name,
        before: before.get(name),
        after: after.get(name),
        is_grave: name.ends_with("_endpoint") || GRAVE.contains(&name.as_str()),
    });
    changes
        .filter(|change| !is_same(change.before, change.after))
        .collect()
}

fn is_same(before: Option<&Value>, after: Option<&Value>) -> bool {
    match (before, after) {
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            let is_within =
                |some: &[Value], others: &[Value]| some.iter().all(|value| others.contains(value));
            is_within(before, after) && is_within(after, before)
        }
        _ => before == after,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(members: &Value) -> Manifest {
        let mut document = json!({
            "issuer": "https://as.example",
            "token_endpoint": "https://as.example/token",
            "scopes_supported": ["a", "b"],
            "service_documentation": "https://as.example/docs"
        });
        for (name, value) in members.as_object().unwrap() {
            document[name] = value.clone();
        }
        Manifest::parse(document.to_string().as_bytes()).unwrap()
    }

    fn changes(before: &Value, after: &Value) -> Vec<(String, bool)> {
        let (before, after) = (manifest(before), manifest(after));
        let changes = difference(&before, &after);
        let told = changes
            .iter()
            .map(|change| (change.member.to_owned(), change.is_grave));
        told.collect()
    }

    #[test]
    fn the_order_of_a_list_is_no_change() {
        assert_eq!(changes(&json!({}), &json!({})), []);
        let shuffled = json!({"scopes_supported": ["b", "a", "b"]});
        assert_eq!(changes(&json!({}), &shuffled), []);
        let more = json!({"scopes_supported": ["a", "b", "c"]});
        let told = [("scopes_supported".to_owned(), false)];
        assert_eq!(changes(&json!({}), &more), told);
        assert_eq!(changes(&more, &json!({})), told);
    }

    #[test]
    fn what_is_new_and_what_is_gone_are_changes() {
        let (before, after) = (
            manifest(&json!({"x_a": 1})),
            manifest(&json!({"x_b": null})),
        );
        let changes = difference(&before, &after);
        let expected = [
            Change {
                member: "x_b",
                before: None,
                after: Some(&Value::Null),
                is_grave: false,
            },
            Change {
                member: "x_a",
                before: Some(&json!(1)),
                after: None,
                is_grave: false,
            },
        ];
        assert_eq!(changes, expected);
    }

    #[test]
    fn changes_that_lead_elsewhere_or_shut_clients_out_are_grave() {
        for name in [
            "issuer",
            "authorization_endpoint",
            "token_endpoint",
            "registration_endpoint",
            "introspection_endpoint",
            "pushed_authorization_request_endpoint",
            "jwks_uri",
            "code_challenge_methods_supported",
            "client_id_metadata_document_supported",
            "authorization_response_iss_parameter_supported",
            "response_types_supported",
            "grant_types_supported",
            "token_endpoint_auth_methods_supported",
        ] {
            let told = changes(&json!({}), &json!({name: "https://evil.example"}));
            assert_eq!(told, [(name.to_owned(), true)]);
        }
        let told = changes(&json!({}), &json!({"service_documentation": "x"}));
        assert_eq!(told, [("service_documentation".to_owned(), false)]);
    }
}
