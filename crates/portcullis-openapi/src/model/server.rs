//! Where an operation's API is, and which parts of that an operator may say.

use url::Url;

/// Where an operation's API is, after the operation's, the path's and the document's `servers` and their variables' defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerTemplate {
    /// An absolute `http` or `https` URL without query, fragment and trailing slash.
    Url(String),
    /// The document does not say; the operator must, by `{DOCUMENT}_SERVER_URL` or by the variables of the server's URL. The text says why, for a message.
    Unknown(String),
}

/// A server's URL with variables in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerVariables {
    /// The URL as the document writes it, absolute, with `{name}` for each variable.
    pub template: String,
    /// The variables, in the order of the template.
    pub variables: Vec<ServerVariable>,
}

/// One variable of a server's URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerVariable {
    /// The name in the template.
    pub name: String,
    /// What it is unless somebody says otherwise.
    pub default: Option<String>,
    /// The values that the document allows; empty where it allows all.
    pub allowed: Vec<String>,
}

/// Why a server's URL cannot be put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// A variable has neither a value nor a default.
    #[error("the variable `{0}` of the server URL has no default")]
    Missing(String),
    /// A value does not fit its variable.
    #[error("the value for the variable `{name}` of the server URL {fault}")]
    Value {
        /// The variable.
        name: String,
        /// What is wrong with the value.
        fault: ValueFault,
    },
    /// The whole is no server.
    #[error("{0}")]
    Url(String),
}

/// What is wrong with the value of a server's variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueFault {
    /// The document has a list of values.
    #[error("must be one of {0}, as the document says")]
    NotListed(String),
    /// A mark would make another URL of it.
    #[error(
        "must not contain `/`, `@`, `:`, `#`, `?`, `\\`, `%` or white space, and not be `.` or `..`"
    )]
    Mark,
}

impl ServerVariable {
    /// Judges a value that an operator sets: nothing that changes which part of the URL it is.
    ///
    /// # Errors
    /// When the document does not list the value, or it contains what separates the parts of a URL.
    pub fn judge(&self, value: &str) -> Result<(), ValueFault> {
        if !self.allowed.is_empty() {
            let is_listed = self.allowed.iter().any(|allowed| allowed == value);
            let list = || ValueFault::NotListed(format!("`{}`", self.allowed.join("`, `")));
            return is_listed.then_some(()).ok_or_else(list);
        }
        let separates = |c: char| "/@:#?\\%[]{}".contains(c) || c.is_whitespace() || c.is_control();
        if value.contains(separates) || matches!(value, "." | "..") {
            return Err(ValueFault::Mark);
        }
        Ok(())
    }
}

impl ServerVariables {
    /// Puts the URL together from the values that an operator set; an empty value is none.
    ///
    /// # Errors
    /// When a variable has no value, a value does not fit, or the whole is no server's URL.
    pub fn url<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Result<String, ServerError> {
        let mut text = self.template.clone();
        for variable in &self.variables {
            let given = value(&variable.name).filter(|given| !given.is_empty());
            let filled = match (given, &variable.default) {
                (Some(given), _) => {
                    variable.judge(given).map_err(|fault| ServerError::Value {
                        name: variable.name.clone(),
                        fault,
                    })?;
                    given
                }
                (None, Some(default)) => default,
                (None, None) => return Err(ServerError::Missing(variable.name.clone())),
            };
            text = text.replace(&format!("{{{}}}", variable.name), filled);
        }
        plain(&text).map_err(ServerError::Url)
    }
}

/// Reads a server's URL: absolute, without user, query, fragment and trailing slash.
pub(crate) fn plain(text: &str) -> Result<String, String> {
    let shown = text.escape_debug();
    let mut url = match Url::parse(text) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(allowed: &[&str]) -> ServerVariable {
        ServerVariable {
            name: "v".to_owned(),
            default: None,
            allowed: allowed.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    #[test]
    fn o_03_a_value_stays_within_its_part_of_the_url() {
        for value in [
            "a/b",
            "a@evil.example",
            "a:8080",
            "a#",
            "a?x",
            "a\\b",
            "..",
            ".",
            "a b",
            "a%2fb",
            "a\r\n",
            "{x}",
        ] {
            assert_eq!(variable(&[]).judge(value), Err(ValueFault::Mark), "{value}");
        }
        for value in ["eu", "eu-1.west", "8443", "v2"] {
            assert_eq!(variable(&[]).judge(value), Ok(()), "{value}");
        }
    }

    #[test]
    fn o_03_a_list_of_values_is_held() {
        let listed = variable(&["eu", "us/east"]);
        assert_eq!(listed.judge("us/east"), Ok(()));
        assert!(matches!(
            listed.judge("asia"),
            Err(ValueFault::NotListed(_))
        ));
    }

    #[test]
    fn a_url_is_put_together_from_values_and_defaults() {
        let server = ServerVariables {
            template: "https://{v}.example/{w}/{v}/".to_owned(),
            variables: vec![
                variable(&[]),
                ServerVariable {
                    name: "w".to_owned(),
                    default: Some("v1/api".to_owned()),
                    allowed: Vec::new(),
                },
            ],
        };
        let url = |v: &'static str, w: &'static str| {
            server.url(|name| Some(if name == "v" { v } else { w }))
        };
        assert_eq!(url("eu", "").as_deref(), Ok("https://eu.example/v1/api/eu"));
        assert_eq!(url("eu", "v2").as_deref(), Ok("https://eu.example/v2/eu"));
        assert_eq!(url("", "v2"), Err(ServerError::Missing("v".to_owned())));
        assert!(matches!(url("a/b", ""), Err(ServerError::Value { .. })));
    }
}
