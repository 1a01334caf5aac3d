//! What 2.0 says at the document's root in its own way: where the API is, and which credentials it takes.

use serde_json::{Map, Value, json};

use super::{ORIGIN, Reading};
use crate::pointer::escape;
use crate::reference::Target;

impl<'d> Reading<'_, 'd> {
    /// Adds `servers`, from `schemes`, `host` and `basePath`.
    pub(super) fn servers(&mut self) {
        let schemes = self.root.get("schemes");
        if let Some(servers) = self.urls(schemes) {
            self.add("", "servers", servers);
        }
    }

    /// Adds the servers of an operation that has schemes of its own.
    pub(super) fn servers_of(&mut self, operation: &Target<'d>) {
        let schemes = operation.value.get("schemes").filter(|own| own.is_array());
        if let Some(servers) = schemes.and_then(|own| self.urls(Some(own))) {
            self.add(&operation.pointer, "servers", servers);
        }
    }

    /// Writes the URLs of the API, HTTPS before HTTP; without a host they are relative.
    fn urls(&self, schemes: Option<&Value>) -> Option<Value> {
        let text = |key: &str| {
            let text = self.root.get(key).and_then(Value::as_str);
            text.map(str::trim).filter(|text| !text.is_empty())
        };
        let base = text("basePath").unwrap_or_default().trim_end_matches('/');
        let slash = if base.is_empty() || base.starts_with('/') {
            ""
        } else {
            "/"
        };
        let Some(host) = text("host") else {
            return text("basePath").map(|_| json!([{"url": format!("{slash}{base}/")}]));
        };
        let (scheme, host) = host.split_once("://").unwrap_or(("", host));
        let host = host.trim_end_matches('/');
        let mut schemes: Vec<&str> = match schemes {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if !scheme.is_empty() {
            schemes = vec![scheme];
        } else if schemes.is_empty() {
            schemes.push("https");
        }
        schemes.sort_by_key(|scheme| !scheme.eq_ignore_ascii_case("https"));
        schemes.truncate(4);
        let url = |scheme: &&str| json!({"url": format!("{scheme}://{host}{slash}{base}")});
        Some(schemes.iter().map(url).collect())
    }

    /// Adds `components.securitySchemes`, from `securityDefinitions`.
    pub(super) fn schemes(&mut self) {
        let declared = self.root.get("securityDefinitions");
        let schemes: Map<String, Value> = declared
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                let mut scheme = scheme(value);
                if let Value::Object(members) = &mut scheme {
                    let origin = format!("/securityDefinitions/{}", escape(name));
                    members.insert(ORIGIN.to_owned(), Value::String(origin));
                }
                (name.clone(), scheme)
            })
            .collect();
        if schemes.is_empty() {
            return;
        }
        let schemes = Value::Object(schemes);
        if self.root.get("components").is_some_and(Value::is_object) {
            self.add("/components", "securitySchemes", schemes);
        } else {
            self.add("", "components", json!({ "securitySchemes": schemes }));
        }
    }

    /// Tells whether an operation takes an access token of OAuth 2.
    pub(super) fn takes_token(&self, operation: &Target<'d>) -> bool {
        let list = |owner: &'d Value| owner.get("security").filter(|list| !list.is_null());
        let list = list(operation.value).or_else(|| list(self.root));
        let alternatives = list.and_then(Value::as_array).into_iter().flatten();
        let mut needed = alternatives.filter_map(Value::as_object).flatten();
        let declared = self.root.get("securityDefinitions");
        needed.any(|(name, _)| {
            let scheme = declared.and_then(|all| all.get(name));
            let kind = scheme.and_then(|scheme| scheme.get("type")?.as_str());
            kind.is_some_and(|kind| kind.eq_ignore_ascii_case("oauth2"))
        })
    }
}

/// Writes one scheme: `basic` by its HTTP name, `oauth2` with its one flow; the others are the same in both versions.
fn scheme(value: &Value) -> Value {
    let named = value
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if named.eq_ignore_ascii_case("basic") {
        return json!({"type": "http", "scheme": "basic"});
    }
    if !named.eq_ignore_ascii_case("oauth2") || value.get("flows").is_some() {
        return value.clone();
    }
    let has = |key: &str| value.get(key).is_some_and(|url| url.as_str() != Some(""));
    let flow = match value.get("flow").and_then(Value::as_str) {
        Some("implicit") => "implicit",
        Some("password") => "password",
        Some("application" | "clientCredentials") => "clientCredentials",
        Some("accessCode" | "authorizationCode") => "authorizationCode",
        _ => match (has("authorizationUrl"), has("tokenUrl")) {
            (true, true) => "authorizationCode",
            (true, false) => "implicit",
            _ => "clientCredentials",
        },
    };
    let members = ["authorizationUrl", "tokenUrl", "scopes"];
    let members: Map<String, Value> = members
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), value.get(key)?.clone())))
        .collect();
    json!({"type": "oauth2", "flows": {flow: members}})
}
