//! What to tell when a call lacks a value: which variables, and where each is set.

use std::fmt::Write as _;

use portcullis_base::Slug;
use portcullis_openapi::variables::{Purpose, VariableSpec, header_name};
use portcullis_openapi::{SchemeKind, SecurityAlternative, SecurityScheme, ServerVariables};
use thiserror::Error;

use super::{Values, documented_token_url};
use crate::catalogue::PROCESS_ENVIRONMENT;

/// No alternative of a tool's `security` has all its values; the text names what is missing and where it is set.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("this tool needs a credential that is not set: {0}")]
pub struct MissingCredentials(String);

/// It is not known where the API is; the text says how to tell.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("it is not known where the API is ({reason}): {remedy}")]
pub struct MissingServer {
    reason: String,
    remedy: String,
}

impl MissingCredentials {
    /// Says that a tool bears nothing but the caller's own connection, and why it is not used.
    pub(super) fn of_person(provider: &Slug, is_allowed: bool) -> Self {
        let remedy = if is_allowed {
            "sign in there"
        } else {
            "it is not sent to an address that you choose: leave the header out"
        };
        Self(format!("your own access to `{provider}` ({remedy})"))
    }
}

impl Values<'_> {
    /// Says how to tell where the API is: by what the server's URL lacks, or by the URL as a whole.
    pub(super) fn missing_server(
        &self,
        reason: &str,
        server: Option<&ServerVariables>,
    ) -> MissingServer {
        let lacking = server.into_iter().flat_map(|server| &server.variables);
        let parts = lacking
            .filter(|variable| variable.default.is_none())
            .filter(|variable| self.server_variable(&variable.name).is_none())
            .filter_map(|variable| self.server_spec(&variable.name));
        let parts: Vec<_> = parts.map(|spec| self.remedy(spec)).collect();
        let whole = self.spec(None, Purpose::ServerUrl);
        let whole = whole.map(|spec| self.remedy(spec));
        let remedies = [
            Some(parts.join(", ")).filter(|parts| !parts.is_empty()),
            whole,
        ];
        let remedies: Vec<_> = remedies.into_iter().flatten().collect();
        MissingServer {
            reason: reason.to_owned(),
            remedy: remedies.join("; or "),
        }
    }

    pub(super) fn missing(&self, alternatives: &[SecurityAlternative]) -> MissingCredentials {
        let mut texts = Vec::new();
        for alternative in alternatives {
            let schemes = alternative
                .iter()
                .filter(|requirement| self.credential(requirement).is_none());
            let remedies: Vec<_> = schemes
                .map(
                    |requirement| match self.document.schemes.get(&requirement.scheme) {
                        Some(scheme) => self.remedies(scheme),
                        None => format!(
                            "the document does not define the scheme `{}`",
                            requirement.scheme
                        ),
                    },
                )
                .collect();
            let text = remedies.join(", and ");
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        MissingCredentials(texts.join("; or else "))
    }

    /// Says what gives a scheme its value: for one that is bound to a provider, signing in there before all else.
    fn remedies(&self, scheme: &SecurityScheme) -> String {
        let variables = self.of_variables(scheme);
        let Some(provider) = self.bound.get(&scheme.name) else {
            return variables;
        };
        let remedy = if self.sources.connection.is_some() {
            "it is not sent to an address that you choose: leave the header out"
        } else {
            "connect without an API key, and sign in"
        };
        format!("your own access to `{provider}` ({remedy}); or, without signing in, {variables}")
    }

    fn of_variables(&self, scheme: &SecurityScheme) -> String {
        let name = &scheme.name;
        let all = |purposes: &[Purpose]| {
            let specs = purposes
                .iter()
                .filter_map(|purpose| self.spec(Some(name), *purpose));
            let absent: Vec<_> = specs
                .filter(|spec| {
                    self.find(Some(name), spec.purpose)
                        .is_none_or(|(value, _)| !super::is_set(value))
                })
                .map(|spec| self.remedy(spec))
                .collect();
            absent.join(", ")
        };
        match &scheme.kind {
            SchemeKind::ApiKey { .. } => all(&[Purpose::ApiKey]),
            SchemeKind::Bearer => all(&[Purpose::Bearer]),
            SchemeKind::Basic => all(&[Purpose::Username, Purpose::Password]),
            SchemeKind::OAuth2 { .. } | SchemeKind::OpenIdConnect { .. } => {
                let mut client = vec![Purpose::ClientId, Purpose::ClientSecret];
                if documented_token_url(scheme).is_none() {
                    client.push(Purpose::TokenUrl);
                }
                let client = all(&client);
                let token = all(&[Purpose::AccessToken]);
                if client.is_empty() {
                    return format!(
                        "{token} (`{name}` has a client id and secret that do not suffice)"
                    );
                }
                format!("{token}; or, for client credentials, {client}")
            }
            SchemeKind::Unsupported(kind) => {
                format!("the scheme `{name}` is {kind}, which Portcullis cannot attach")
            }
        }
    }

    /// Names a variable and where its value is looked for.
    fn remedy(&self, spec: &VariableSpec) -> String {
        let declared = spec
            .names()
            .find(|name| self.sources.caller_supplied.contains(*name));
        let shortest = spec
            .names()
            .min_by_key(|name| name.len())
            .unwrap_or(&spec.name);
        let mut text = format!("`{}` (", declared.unwrap_or(shortest));
        let is_open = self.environment_allowed || super::is_address(spec.purpose);
        match self.sources.environment.filter(|_| is_open) {
            Some(environment) if environment.slug.as_str() == PROCESS_ENVIRONMENT => {
                text.push_str(
                    "set that environment variable for the gateway's process and start it again",
                );
            }
            Some(environment) => {
                let _ = write!(text, "set it in the environment `{}`", environment.slug);
            }
            None if is_open && declared.is_none() => {
                text.push_str("give the toolset an environment that sets it");
            }
            None => {}
        }
        match declared {
            Some(name) if text.ends_with('(') => {
                let _ = write!(text, "pass it in the header `{}`", header_name(name));
            }
            Some(name) => {
                let _ = write!(text, ", or pass it in the header `{}`", header_name(name));
            }
            None if text.ends_with('(') => {
                text.push_str("only a caller's own value may be used, and the operator does not let callers pass it");
            }
            None => {}
        }
        text.push(')');
        text
    }
}
