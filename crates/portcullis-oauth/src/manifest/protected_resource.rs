//! What an existing MCP server says of itself as protected resource ([RFC 9728](https://www.rfc-editor.org/rfc/rfc9728)): where a manifest can be had.

use portcullis_base::SafeUrl;
use serde_json::{Map, Value};

use super::{InvalidManifest, object};

/// The part of such a document that leads to a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedResource {
    /// What it is to the authorization server; tokens for it are not tokens for us.
    pub resource: String,
    /// The issuers of its authorization servers, as they are written, the one that clients use in front.
    pub authorization_servers: Vec<String>,
    /// The scopes that it needs, where they are told.
    pub scopes: Option<Vec<String>>,
}

/// Where such documents stand (RFC 9728 §3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Returns where the document of an MCP server may stand, beside the place that its challenge names.
///
/// MCP has clients look behind the server's path and then at the root.
#[must_use]
pub fn locations(server: &SafeUrl) -> Vec<String> {
    let origin = server.origin();
    let path = server.as_url().path().trim_end_matches('/');
    let mut places = vec![format!("{origin}{WELL_KNOWN}{path}")];
    if !path.is_empty() {
        places.push(format!("{origin}{WELL_KNOWN}"));
    }
    places
}

/// Returns the place that a challenge names, the value of `WWW-Authenticate` (RFC 9728 §5.1).
#[must_use]
pub fn named_by(challenge: &str) -> Option<SafeUrl> {
    let (_, after) = challenge.split_once("resource_metadata=")?;
    let place = match after.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => after.split([',', ' ']).next()?,
    };
    SafeUrl::parse(place).ok()
}

impl ProtectedResource {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// When it is no JSON object, names no resource, or names no authorization server whose URL could be fetched.
    pub fn read(body: &[u8]) -> Result<Self, InvalidManifest> {
        let members = object(body)?;
        let resource = members.get("resource").and_then(Value::as_str);
        let resource = resource.ok_or(InvalidManifest::Member("resource"))?;
        let servers = texts(&members, "authorization_servers").unwrap_or_default();
        let servers = servers
            .into_iter()
            .filter(|url| SafeUrl::parse(url).is_ok());
        let servers: Vec<_> = servers.collect();
        // "MUST include the authorization_servers field containing at least one authorization server" (MCP, authorization server discovery)
        if servers.is_empty() {
            return Err(InvalidManifest::Member("authorization_servers"));
        }
        Ok(Self {
            resource: resource.to_owned(),
            authorization_servers: servers,
            scopes: texts(&members, "scopes_supported"),
        })
    }
}

fn texts(members: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    let items = members.get(name)?.as_array()?;
    let texts = items.iter().filter_map(Value::as_str);
    Some(texts.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(document: &Value) -> Result<ProtectedResource, InvalidManifest> {
        ProtectedResource::read(document.to_string().as_bytes())
    }

    #[test]
    fn the_servers_are_read_as_they_are_written() {
        let read = read(&json!({
            "resource": "https://mcp.example/mcp",
            "authorization_servers": ["https://as.example/", 7, "javascript:alert(1)", "https://b.example"],
            "scopes_supported": ["read"]
        }));
        let expected = ProtectedResource {
            resource: "https://mcp.example/mcp".to_owned(),
            authorization_servers: vec![
                "https://as.example/".to_owned(),
                "https://b.example".to_owned(),
            ],
            scopes: Some(vec!["read".to_owned()]),
        };
        assert_eq!(read, Ok(expected));
    }

    #[test]
    fn the_document_is_looked_for_behind_the_path_and_at_the_root() {
        let places = |url| locations(&SafeUrl::parse(url).unwrap());
        assert_eq!(
            places("https://mcp.example/v2/mcp/"),
            [
                "https://mcp.example/.well-known/oauth-protected-resource/v2/mcp",
                "https://mcp.example/.well-known/oauth-protected-resource",
            ]
        );
        assert_eq!(
            places("https://mcp.example"),
            ["https://mcp.example/.well-known/oauth-protected-resource"]
        );
    }

    #[test]
    fn a_challenge_names_a_web_address_or_nothing() {
        for (challenge, named) in [
            (
                r#"Bearer realm="a", resource_metadata="https://mcp.example/m", scope="b""#,
                Some("https://mcp.example/m"),
            ),
            (
                "Bearer resource_metadata=https://mcp.example/m, error=x",
                Some("https://mcp.example/m"),
            ),
            (r#"Bearer resource_metadata="file:///etc/passwd""#, None),
            ("Bearer", None),
        ] {
            let found = named_by(challenge).map(|url| url.as_url().to_string());
            assert_eq!(found.as_deref(), named, "{challenge}");
        }
    }

    #[test]
    fn a_document_that_leads_nowhere_is_refused() {
        let servers = InvalidManifest::Member("authorization_servers");
        for (document, refused) in [
            (json!([]), InvalidManifest::NoObject),
            (
                json!({"authorization_servers": ["https://a.example"]}),
                InvalidManifest::Member("resource"),
            ),
            (json!({"resource": "https://r.example"}), servers.clone()),
            (
                json!({"resource": "https://r.example", "authorization_servers": []}),
                servers.clone(),
            ),
            (
                json!({"resource": "https://r.example", "authorization_servers": "https://a.example"}),
                servers.clone(),
            ),
            (
                json!({"resource": "https://r.example", "authorization_servers": ["file:///etc/passwd"]}),
                servers,
            ),
        ] {
            assert_eq!(read(&document), Err(refused), "{document}");
        }
        let page = ProtectedResource::read(b"<html></html>");
        assert_eq!(page, Err(InvalidManifest::WebPage));
    }
}
