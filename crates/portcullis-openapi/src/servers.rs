//! Where an operation's API is: the nearest `servers` list decides, its variables take their defaults, the first usable one is taken.
//! What is relative is relative to the URL that the document came from, where it came from one.
//!
//! The model's arguments never choose a server or a part of its URL.

use serde_json::{Value, json};
use url::Url;

use crate::model::ServerTemplate;

/// Chooses the server of an operation from the lists of the operation, its path and the document.
pub(crate) fn server(
    operation: &Value,
    path_item: &Value,
    root: &Value,
    base: Option<&Url>,
) -> ServerTemplate {
    let nearest = [operation, path_item, root]
        .into_iter()
        .filter_map(|owner| owner.get("servers")?.as_array())
        .find(|servers| !servers.is_empty());
    let Some(servers) = nearest else {
        // "If the servers field is not provided, or is an empty array, the default value would be […] a url value of /."
        let root = base.map(|base| absolute(&json!({"url": "/"}), Some(base)));
        return match root {
            Some(Ok(url)) => ServerTemplate::Url(url),
            _ => ServerTemplate::Unknown("the document names no server".to_owned()),
        };
    };
    let mut reason = None;
    for server in servers {
        match absolute(server, base) {
            Ok(url) => return ServerTemplate::Url(url),
            Err(error) => {
                reason.get_or_insert(error);
            }
        }
    }
    ServerTemplate::Unknown(reason.unwrap_or_default())
}

/// Lists the usable servers of the document itself.
pub(crate) fn own(root: &Value, base: Option<&Url>) -> Vec<String> {
    let servers = root.get("servers").and_then(Value::as_array);
    let servers = servers.into_iter().flatten();
    servers
        .filter_map(|server| absolute(server, base).ok())
        .collect()
}

fn absolute(server: &Value, base: Option<&Url>) -> Result<String, String> {
    let template = server
        .get("url")
        .and_then(Value::as_str)
        .map(str::trim)
        .unwrap_or_default();
    let text = substituted(template, server.get("variables"))?;
    let base = base.filter(|_| !text.is_empty());
    let shown = text.escape_debug();
    let mut url = match Url::options().base_url(base).parse(&text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url,
        Ok(_) => {
            return Err(format!(
                "the server URL `{shown}` is neither http nor https"
            ));
        }
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            return Err(format!("the server URL `{shown}` is relative"));
        }
        Err(_) => return Err(format!("the server URL `{shown}` is not a URL")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the server URL carries a user name or password".to_owned());
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Puts the variables' defaults into a template.
fn substituted(template: &str, variables: Option<&Value>) -> Result<String, String> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        let variable = variables.and_then(|variables| variables.get(name));
        let default = variable.and_then(|variable| match variable.get("default")? {
            Value::String(default) => Some(default.clone()),
            Value::Number(default) => Some(default.to_string()),
            _ => None,
        });
        let first = || variable?.get("enum")?.get(0)?.as_str().map(str::to_owned);
        let value = default.or_else(first).ok_or_else(|| {
            format!(
                "the variable `{}` of the server URL has no default",
                name.escape_debug()
            )
        })?;
        text.push_str(before);
        text.push_str(&value);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(servers: &Value) -> ServerTemplate {
        server(&json!({}), &json!({}), &json!({ "servers": servers }), None)
    }

    #[test]
    fn what_is_relative_is_relative_to_where_the_document_came_from() {
        let base = Url::parse("https://api.example/docs/openapi.json?v=1").ok();
        for (servers, expected) in [
            (json!([{"url": "/v1"}]), "https://api.example/v1"),
            (json!([{"url": "v1/"}]), "https://api.example/docs/v1"),
            (json!([{"url": ".."}]), "https://api.example"),
            (json!([{"url": "//b.example/v1"}]), "https://b.example/v1"),
            (json!([{"url": "http://b.example"}]), "http://b.example"),
            (json!([]), "https://api.example"),
        ] {
            let root = json!({ "servers": servers });
            let found = server(&json!({}), &json!({}), &root, base.as_ref());
            assert_eq!(found, ServerTemplate::Url(expected.to_owned()), "{servers}");
        }
    }

    #[test]
    fn the_nearest_list_decides() {
        let root = json!({"servers": [{"url": "https://root.example/"}]});
        let path = json!({"servers": [{"url": "https://path.example/v1/"}]});
        let operation = json!({"servers": [{"url": "https://operation.example:8443/a?b#c"}]});
        let url = |text: &str| ServerTemplate::Url(text.to_owned());
        assert_eq!(
            server(&json!({}), &json!({}), &root, None),
            url("https://root.example")
        );
        assert_eq!(
            server(&json!({"servers": []}), &path, &root, None),
            url("https://path.example/v1")
        );
        assert_eq!(
            server(&operation, &path, &root, None),
            url("https://operation.example:8443/a")
        );
    }

    #[test]
    fn variables_take_their_defaults() {
        let servers = json!([{
            "url": "https://{region}.example:{port}/{base}",
            "variables": {"region": {"default": "eu"}, "port": {"enum": ["443", "8443"], "default": 8443}, "base": {"enum": ["v2"]}}
        }]);
        assert_eq!(
            document(&servers),
            ServerTemplate::Url("https://eu.example:8443/v2".to_owned())
        );
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
        assert_eq!(
            document(&servers),
            ServerTemplate::Url("https://a.example/v1".to_owned())
        );
    }
}
