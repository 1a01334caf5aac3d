//! Security schemes, and which of them an operation needs.
//!
//! `security` is an OR of ANDs, the operation's list replaces the document's, and an empty list or member means that no credential is needed.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::Value;

use crate::diagnostic::Diagnostics;
use crate::header::{directs_request, is_token};
use crate::model::{
    Place, SchemeFlow, SchemeKind, SecurityAlternative, SecurityRequirement, SecurityScheme,
};
use crate::pointer;
use crate::reference::follow;

/// Reads `components.securitySchemes`.
pub(crate) fn schemes(root: &Value, diagnostics: &mut Diagnostics) -> Vec<SecurityScheme> {
    let declared = root
        .pointer("/components/securitySchemes")
        .and_then(Value::as_object);
    let mut schemes = Vec::new();
    for (name, value) in declared.into_iter().flatten() {
        let at = format!("/components/securitySchemes/{}", pointer::escape(name));
        match follow(root, value, at.clone()) {
            Ok(target) => {
                let kind = kind(target.value);
                if target.value.pointer("/flows/deviceAuthorization").is_some() {
                    diagnostics.note(
                        "flow-ignored",
                        format!("{at}/flows/deviceAuthorization"),
                        "the device authorization flow is not used; the scheme's other flows are",
                    );
                }
                if let SchemeKind::Unsupported(what) = &kind {
                    let message = format!(
                        "the security scheme is {what}, which cannot be attached to requests"
                    );
                    diagnostics.warn("unsupported-scheme", at, message);
                }
                schemes.push(SecurityScheme {
                    name: name.clone(),
                    kind,
                });
            }
            Err(error) => diagnostics.warn(error.code(), at, error.to_string()),
        }
    }
    schemes
}

fn kind(scheme: &Value) -> SchemeKind {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).map(str::trim);
    match text("type").map(str::to_ascii_lowercase).as_deref() {
        Some("apikey") => api_key(text("in"), text("name")),
        Some("http") => match text("scheme").map(str::to_ascii_lowercase).as_deref() {
            Some("bearer") => SchemeKind::Bearer,
            Some("basic") => SchemeKind::Basic,
            Some(other) => {
                SchemeKind::Unsupported(format!("HTTP authentication `{}`", other.escape_debug()))
            }
            None => SchemeKind::Unsupported("HTTP authentication without a scheme".to_owned()),
        },
        Some("basic") => SchemeKind::Basic,
        Some("oauth2") => SchemeKind::OAuth2 {
            flows: flows(scheme),
        },
        Some("openidconnect") => SchemeKind::OpenIdConnect {
            url: text("openIdConnectUrl").unwrap_or_default().to_owned(),
        },
        Some("mutualtls") => SchemeKind::Unsupported("mutual TLS".to_owned()),
        Some(other) => {
            SchemeKind::Unsupported(format!("of the unknown type `{}`", other.escape_debug()))
        }
        None => SchemeKind::Unsupported("without a type".to_owned()),
    }
}

fn api_key(place: Option<&str>, name: Option<&str>) -> SchemeKind {
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return SchemeKind::Unsupported("an API key without a name".to_owned());
    };
    let place = match place.map(str::to_ascii_lowercase).as_deref() {
        Some("header") if is_token(name) && !directs_request(name) => Place::Header,
        Some("header") => {
            return SchemeKind::Unsupported(
                "an API key in a header that carries no keys".to_owned(),
            );
        }
        Some("query") => Place::Query,
        Some("cookie") if is_token(name) => Place::Cookie,
        _ => return SchemeKind::Unsupported("an API key in an unknown place".to_owned()),
    };
    SchemeKind::ApiKey {
        place,
        name: name.to_owned(),
    }
}

fn flows(scheme: &Value) -> Vec<SchemeFlow> {
    let flows = scheme.get("flows").and_then(Value::as_object);
    let known = flows.into_iter().flatten().filter(|(kind, _)| {
        matches!(
            kind.as_str(),
            "clientCredentials" | "authorizationCode" | "implicit" | "password"
        )
    });
    known
        .map(|(kind, flow)| {
            let url = |key: &str| {
                flow.get(key)
                    .and_then(Value::as_str)
                    .filter(|url| !url.trim().is_empty())
                    .map(str::to_owned)
            };
            let scopes = flow.get("scopes").and_then(Value::as_object);
            SchemeFlow {
                kind: kind.clone(),
                token_url: url("tokenUrl"),
                authorization_url: url("authorizationUrl"),
                scopes: scopes
                    .into_iter()
                    .flatten()
                    .map(|(scope, text)| {
                        (scope.clone(), text.as_str().unwrap_or_default().to_owned())
                    })
                    .collect::<IndexMap<_, _>>(),
            }
        })
        .collect()
}

/// Tells whether the document has a `security` for an operation, its own or one for all.
pub(crate) fn is_declared(root: &Value, operation: &Value) -> bool {
    declared(operation).is_some() || declared(root).is_some()
}

/// Returns a `security` that says something.
fn declared(owner: &Value) -> Option<&Value> {
    owner.get("security").filter(|list| !list.is_null())
}

/// Tells whether a parameter's name and description say that it is an access token, which APIs take in a query, a form or a header of their own beside `Authorization` (RFC 6750 §2.2 and §2.3).
pub(crate) fn is_access_token(parameter: &Value) -> bool {
    const OPENINGS: [&str; 3] = ["access token", "auth token", "authentication token"];
    let name = parameter.get("name").and_then(Value::as_str);
    match name.map(str::to_ascii_lowercase).as_deref() {
        Some("access_token" | "oauth_token") => true,
        // The name alone says nothing: invitations, pages and devices have tokens too.
        Some("token") => OPENINGS
            .iter()
            .any(|opening| opens_with(parameter, opening)),
        _ => false,
    }
}

/// Tells whether a parameter is an API key that may be left out beside the credential that is needed.
pub(crate) fn is_spare_key(parameter: &Value) -> bool {
    let name = parameter.get("name").and_then(Value::as_str);
    let is_key = name.is_some_and(|name| {
        ["key", "api_key", "apikey"]
            .iter()
            .any(|key| name.eq_ignore_ascii_case(key))
    });
    is_key
        && parameter.get("required") != Some(&Value::Bool(true))
        && opens_with(parameter, "api key")
}

fn opens_with(parameter: &Value, opening: &str) -> bool {
    let description = parameter.get("description").and_then(Value::as_str);
    description
        .and_then(|text| text.trim_start().get(..opening.len()))
        .is_some_and(|start| start.eq_ignore_ascii_case(opening))
}

/// Reads the alternatives of an operation; a scheme that the document does not declare takes its alternative away.
pub(crate) fn alternatives(
    root: &Value,
    operation: &Value,
    pointer: &str,
    schemes: &HashMap<&str, &SchemeKind>,
    diagnostics: &mut Diagnostics,
) -> Vec<SecurityAlternative> {
    let (list, at) = match (declared(operation), declared(root)) {
        (Some(own), _) => (own, format!("{pointer}/security")),
        (None, Some(inherited)) => (inherited, "/security".to_owned()),
        (None, None) => return Vec::new(),
    };
    let mut alternatives = Vec::new();
    let members = match list {
        Value::Array(members) => members.as_slice(),
        // Authors who need one scheme forget the list around it.
        Value::Object(_) => std::slice::from_ref(list),
        _ => &[],
    };
    for (index, member) in members.iter().enumerate() {
        let mut alternative = SecurityAlternative::new();
        let mut known = true;
        for (scheme, scopes) in member.as_object().into_iter().flatten() {
            if !schemes.contains_key(scheme.as_str()) {
                let message = format!(
                    "the document declares no security scheme `{}`; the alternative is left out",
                    scheme.escape_debug()
                );
                diagnostics.warn("unknown-scheme", format!("{at}/{index}"), message);
                known = false;
            }
            let scopes = scopes
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            alternative.push(SecurityRequirement {
                scheme: scheme.clone(),
                scopes,
            });
        }
        if known {
            alternatives.push(alternative);
        }
    }
    alternatives
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(scheme: &Value) -> SchemeKind {
        kind(scheme)
    }

    #[test]
    fn schemes_are_read_whatever_their_case() {
        assert_eq!(
            read(&json!({"type": "http", "scheme": "BEARER"})),
            SchemeKind::Bearer
        );
        assert_eq!(
            read(&json!({"type": "http", "scheme": "Basic"})),
            SchemeKind::Basic
        );
        assert_eq!(
            read(&json!({"type": "apiKey", "in": "query", "name": "k"})),
            SchemeKind::ApiKey {
                place: Place::Query,
                name: "k".to_owned()
            }
        );
    }

    #[test]
    fn access_tokens_and_spare_keys_are_known_by_what_is_said_of_them() {
        let parameter =
            |name: &str, description: &str| json!({"name": name, "description": description});
        for (name, description, expected) in [
            ("access_token", "", true),
            ("OAuth_Token", "OAuth 2.0 token for the current user.", true),
            (
                "token",
                "Authentication token. Requires scope: `chat:write`",
                true,
            ),
            (
                "token",
                "access token to use if unable to set a header",
                true,
            ),
            ("token", "The access token to revoke", false),
            ("token", "The invite token to resolve", false),
            ("token", "", false),
            ("page_token", "Access token", false),
        ] {
            assert_eq!(
                is_access_token(&parameter(name, description)),
                expected,
                "{name} {description}"
            );
        }
        assert!(is_spare_key(&parameter(
            "key",
            "API key. Your API key identifies your project."
        )));
        assert!(!is_spare_key(&parameter("key", "The key of the object")));
        assert!(!is_spare_key(
            &json!({"name": "key", "description": "API key", "required": true})
        ));
    }

    #[test]
    fn o_08_a_key_never_goes_into_a_header_that_directs_the_request() {
        for name in [
            "Host",
            "Content-Length",
            "transfer-encoding",
            "Cookie",
            "a b",
            "X-Forwarded-For",
        ] {
            let kind = read(&json!({"type": "apiKey", "in": "header", "name": name}));
            assert!(
                matches!(kind, SchemeKind::Unsupported(_)),
                "{name}: {kind:?}"
            );
        }
        let kind = read(&json!({"type": "apiKey", "in": "header", "name": "Authorization"}));
        assert!(matches!(kind, SchemeKind::ApiKey { .. }));
    }

    #[test]
    fn o_08_saying_that_nothing_is_needed_is_not_saying_nothing() {
        let (silent, none) = (json!({}), json!({"security": []}));
        assert!(!is_declared(&silent, &silent));
        assert!(!is_declared(&silent, &json!({"security": null})));
        assert!(is_declared(&silent, &none));
        assert!(is_declared(&none, &silent));
    }

    #[test]
    fn o_08_an_operations_empty_security_overrides_the_documents() {
        let root = json!({"security": [{"key": []}]});
        let schemes = HashMap::from([("key", &SchemeKind::Bearer)]);
        let mut diagnostics = Diagnostics::new(10);
        let mut of =
            |operation: &Value| alternatives(&root, operation, "", &schemes, &mut diagnostics);
        assert_eq!(
            of(&json!({"security": []})),
            Vec::<SecurityAlternative>::new()
        );
        assert_eq!(of(&json!({"security": [{}]})), vec![vec![]]);
        assert_eq!(of(&json!({})).len(), 1);
        assert_eq!(of(&json!({"security": null})).len(), 1);
        assert_eq!(of(&json!({"security": {"key": []}})).len(), 1);
        assert_eq!(
            of(&json!({"security": [{"key": ["a"]}, {"other": []}]})),
            vec![vec![SecurityRequirement {
                scheme: "key".to_owned(),
                scopes: vec!["a".to_owned()],
            }]]
        );
        assert_eq!(diagnostics.finish()[0].code, "unknown-scheme");
    }
}
