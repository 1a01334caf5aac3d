//! Where an operation's API is: the nearest `servers` list decides, its variables take their defaults, the first usable one is taken.
//!
//! The model's arguments never choose a server or a part of its URL; an operator may set the variables.
//! A relative URL counts from where the document came from, where that is known.

use serde_json::{Value, json};
use url::Url;

use crate::diagnostic::Diagnostics;
use crate::model::server::{ServerError, ServerTemplate, ServerVariable, ServerVariables};
use crate::operations::Operation;

/// The server of an operation, and the variables that an operator may set for it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) template: ServerTemplate,
    pub(crate) variables: Option<ServerVariables>,
}

/// Chooses the server of an operation from the lists of the operation, its path and the document.
pub(crate) fn server(
    operation: &Operation<'_>,
    root: &Value,
    base: Option<&Url>,
    diagnostics: &mut Diagnostics,
) -> Server {
    let lists = [
        (operation.value, operation.pointer.as_str()),
        (operation.path_item, operation.path_item_pointer.as_str()),
        (root, ""),
    ];
    let nearest = lists.into_iter().find_map(|(owner, pointer)| {
        let servers = owner.get("servers")?.as_array()?;
        (!servers.is_empty()).then_some((servers, pointer))
    });
    let Some((servers, pointer)) = nearest else {
        // "If the servers field is not provided, or is an empty array, the default value would be […] a url value of /."
        return match Read::of(&json!({"url": "/"}), base).url {
            Ok(url) => Server {
                template: ServerTemplate::Url(url),
                variables: None,
            },
            Err(_) => Server::unknown("the document names no server".to_owned()),
        };
    };
    let mut first = None;
    for (index, server) in servers.iter().enumerate() {
        let read = Read::of(server, base);
        match read.url {
            Ok(url) => {
                return Server {
                    template: ServerTemplate::Url(url),
                    variables: read.variables,
                };
            }
            Err(error) => {
                if let ServerError::Missing(name) = &error {
                    let message = format!(
                        "the variable `{}` of the server URL has no default; the operator has to set it",
                        name.escape_debug()
                    );
                    let pointer = format!("{pointer}/servers/{index}");
                    diagnostics.warn("server-variable-without-default", pointer, message);
                }
                first.get_or_insert((error, read.variables));
            }
        }
    }
    let (error, variables) = first.unwrap_or((ServerError::Url(String::new()), None));
    // Whoever writes a server for one operation must not have the operator name a host that the document does not have otherwise: its credentials would go there.
    let is_own = |variables: &ServerVariables| {
        own_servers(root)
            .filter_map(|server| Read::of(server, base).variables)
            .any(|own| own.template == variables.template)
    };
    Server {
        variables: variables.filter(is_own),
        ..Server::unknown(error.to_string())
    }
}

/// Lists the usable servers of the document itself.
pub(crate) fn own(root: &Value, base: Option<&Url>) -> Vec<String> {
    own_servers(root)
        .filter_map(|server| Read::of(server, base).url.ok())
        .collect()
}

fn own_servers(root: &Value) -> impl Iterator<Item = &Value> {
    let servers = root.get("servers").and_then(Value::as_array);
    servers.into_iter().flatten()
}

impl Server {
    fn unknown(reason: String) -> Self {
        Self {
            template: ServerTemplate::Unknown(reason),
            variables: None,
        }
    }
}

/// What one entry of a list says.
struct Read {
    url: Result<String, ServerError>,
    /// Where there are any.
    variables: Option<ServerVariables>,
}

impl Read {
    fn of(server: &Value, base: Option<&Url>) -> Self {
        let template = server
            .get("url")
            .and_then(Value::as_str)
            .map(str::trim)
            .unwrap_or_default();
        let variables = ServerVariables {
            template: absolute(template, base),
            variables: variables(template, server.get("variables")),
        };
        Self {
            url: variables.url(|_| None),
            variables: Some(variables).filter(|it| !it.variables.is_empty()),
        }
    }
}

/// Puts a relative URL behind where the document came from; the braces of variables stay.
fn absolute(template: &str, base: Option<&Url>) -> String {
    let is_relative = Url::parse(&template.replace(['{', '}'], "x"))
        == Err(url::ParseError::RelativeUrlWithoutBase);
    // A variable at the start may be the whole of a URL.
    let is_relative = is_relative && !template.is_empty() && !template.starts_with('{');
    let url = base
        .filter(|_| is_relative)
        .and_then(|base| base.join(template).ok());
    url.map_or_else(
        || template.to_owned(),
        |url| url.as_str().replace("%7B", "{").replace("%7D", "}"),
    )
}

/// Lists the variables of a template; where one has no default, the first of its list is.
fn variables(template: &str, declared: Option<&Value>) -> Vec<ServerVariable> {
    let mut found: Vec<ServerVariable> = Vec::new();
    let mut rest = template;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        rest = after;
        if found.iter().any(|known| known.name == name) {
            continue;
        }
        let variable = declared.and_then(|declared| declared.get(name));
        let allowed = variable.and_then(|variable| variable.get("enum")?.as_array());
        let allowed: Vec<_> = allowed.into_iter().flatten().filter_map(text).collect();
        let default = variable.and_then(|variable| text(variable.get("default")?));
        found.push(ServerVariable {
            name: name.to_owned(),
            default: default.or_else(|| allowed.first().cloned()),
            allowed,
        });
    }
    found
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Method;
    use serde_json::json;

    fn at(
        operation: &Value,
        path_item: &Value,
        root: &Value,
        base: Option<&str>,
    ) -> (Server, usize) {
        let operation = Operation {
            path: "/a",
            method: Method::Get,
            path_item,
            path_item_pointer: "/paths/~1a".to_owned(),
            value: operation,
            pointer: "/paths/~1a/get".to_owned(),
        };
        let mut diagnostics = Diagnostics::new(10);
        let base = base.and_then(|base| Url::parse(base).ok());
        let server = server(&operation, root, base.as_ref(), &mut diagnostics);
        (server, diagnostics.finish().len())
    }

    fn document(servers: &Value) -> ServerTemplate {
        at(&json!({}), &json!({}), &json!({ "servers": servers }), None)
            .0
            .template
    }

    fn url(text: &str) -> ServerTemplate {
        ServerTemplate::Url(text.to_owned())
    }

    #[test]
    fn the_nearest_list_decides() {
        let root = json!({"servers": [{"url": "https://root.example/"}]});
        let path = json!({"servers": [{"url": "https://path.example/v1/"}]});
        let operation = json!({"servers": [{"url": "https://operation.example:8443/a?b#c"}]});
        let chosen = |operation: &Value, path: &Value| at(operation, path, &root, None).0.template;
        assert_eq!(chosen(&json!({}), &json!({})), url("https://root.example"));
        assert_eq!(
            chosen(&json!({"servers": []}), &path),
            url("https://path.example/v1")
        );
        assert_eq!(
            chosen(&operation, &path),
            url("https://operation.example:8443/a")
        );
    }

    #[test]
    fn variables_take_their_defaults() {
        let servers = json!([{
            "url": "https://{region}.example:{port}/{base}",
            "variables": {"region": {"default": "eu"}, "port": {"enum": ["443", "8443"], "default": 8443}, "base": {"enum": ["v2"]}}
        }]);
        assert_eq!(document(&servers), url("https://eu.example:8443/v2"));
    }

    #[test]
    fn a_server_that_cannot_be_known_says_why() {
        for (servers, reason) in [
            (json!([]), "no server"),
            (json!([{"url": "/v1"}]), "relative"),
            (json!([{"url": "https://{tenant}.example"}]), "`tenant`"),
            (json!([{"url": "ftp://a.example"}]), "neither"),
            (json!([{"url": "https://u:p@a.example"}]), "user name"),
            (json!([{}]), "relative"),
        ] {
            match document(&servers) {
                ServerTemplate::Unknown(text) => assert!(text.contains(reason), "{text}"),
                ServerTemplate::Url(url) => panic!("{url}"),
            }
        }
    }

    #[test]
    fn the_first_usable_server_is_taken() {
        let servers =
            json!([{"url": "/v1"}, {"url": "https://a.example/v1"}, {"url": "https://b.example"}]);
        assert_eq!(document(&servers), url("https://a.example/v1"));
    }

    #[test]
    fn what_is_relative_is_relative_to_where_the_document_came_from() {
        let base = Some("https://api.example/docs/openapi.json?v=1");
        let variables = json!({"base": {"default": "b"}});
        for (servers, expected) in [
            (json!([{"url": "/v1"}]), "https://api.example/v1"),
            (json!([{"url": "v1/"}]), "https://api.example/docs/v1"),
            (json!([{"url": ".."}]), "https://api.example"),
            (json!([{"url": "//b.example/v1"}]), "https://b.example/v1"),
            (json!([{"url": "http://b.example"}]), "http://b.example"),
            (
                json!([{"url": "/{base}/c", "variables": variables}]),
                "https://api.example/b/c",
            ),
            (json!([]), "https://api.example"),
        ] {
            let root = json!({ "servers": servers });
            let found = at(&json!({}), &json!({}), &root, base).0.template;
            assert_eq!(found, url(expected), "{servers}");
        }
    }

    #[test]
    fn a_variable_without_a_default_is_a_finding_and_the_operators_to_set() {
        let root = json!({"servers": [{"url": "https://{tenant}.example"}]});
        let (server, findings) = at(&json!({}), &json!({}), &root, None);
        assert_eq!(findings, 1);
        assert!(matches!(server.template, ServerTemplate::Unknown(_)));
        let variables = server.variables.expect("variables");
        let set = variables.url(|_| Some("acme"));
        assert_eq!(set.as_deref(), Ok("https://acme.example"));
    }

    #[test]
    fn o_08_an_operation_cannot_have_the_operator_name_another_host() {
        let root = json!({"servers": [{"url": "https://{tenant}.example"}]});
        let evil = json!({"servers": [{"url": "https://{tenant}.evil.example"}]});
        assert_eq!(at(&evil, &json!({}), &root, None).0.variables, None);
        assert!(at(&root, &json!({}), &root, None).0.variables.is_some());
    }
}
