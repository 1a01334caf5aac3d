//! Which credentials a call bears, and where it goes.
//!
//! Decides without I/O: of the alternatives of a tool's `security` the first whose schemes all have values, read from the caller's own headers first and then from the environment.
//! Where the caller signed in at the provider that a scheme is bound to, his own token is the scheme's value, and alternatives with it come first.
//! A variable's value is used for what the variable is declared for and for nothing else.
//!
//! Two rules keep the operator's secrets his own.
//! Who was admitted by his headers alone gets nothing of the environment but its addresses.
//! Where a caller says whom to speak to, by `…_SERVER_URL` or `…_TOKEN_URL`, nothing of the environment is sent there either, nor his token: an address can be put into the mouth of a client that holds it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use portcullis_base::{Origin, SafeUrl, Secret, Slug};
use portcullis_oauth::client_auth::ClientAuthMethod;
use portcullis_openapi::variables::{Purpose, VariableSpec};
use portcullis_openapi::{
    Place, SchemeKind, SecurityAlternative, SecurityRequirement, SecurityScheme, ServerTemplate,
    Tool,
};
use portcullis_store::SchemeSettings;
use thiserror::Error;

use crate::catalogue::{EnvironmentValues, PublishedDocument, PublishedTool};
use crate::mcp::caller::CallerValues;

mod missing;
mod scopes;
mod server;
mod unsaid;

pub use missing::{MissingCredentials, MissingServer};
pub(crate) use scopes::listed_scopes;
pub use scopes::needed_scopes;

/// Where the values of variables may come from.
#[derive(Clone, Copy, Debug)]
pub struct CredentialSources<'a> {
    /// The toolset's environment.
    pub environment: Option<&'a EnvironmentValues>,
    /// What the caller passes for the variables that the operator declared caller-supplied.
    pub caller: &'a CallerValues,
    /// The variables that the operator declared caller-supplied, to tell a caller what he may pass.
    pub caller_supplied: &'a BTreeSet<String>,
    /// Whether the caller may use the environment's values.
    pub environment_allowed: bool,
    /// The caller's own connection, where he came in by signing in.
    pub connection: Option<ConnectionSource<'a>>,
}

/// The token of the person who calls, at the provider that he signed in at.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionSource<'a> {
    /// The provider.
    pub provider: &'a Slug,
    /// The provider's access token.
    pub token: &'a Secret,
}

/// Who said where a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChosenBy {
    /// The operator, by a document or an environment.
    Operator,
    /// The caller, by one of his headers.
    Caller,
}

/// Where a call goes and what it bears.
#[derive(Debug)]
pub struct Decision<'a> {
    /// The URL of the server.
    pub server: Cow<'a, str>,
    /// Who chose the server.
    pub server_chosen_by: ChosenBy,
    /// Whether the operator keeps the server's address secret.
    pub server_is_secret: bool,
    /// The credentials of all schemes of the alternative.
    pub credentials: Vec<Credential<'a>>,
}

/// The credential of one scheme.
#[derive(Debug)]
pub enum Credential<'a> {
    /// A key under a name of the document's choosing.
    ApiKey {
        /// Header, query or cookie.
        place: Place,
        /// The name there.
        name: &'a str,
        /// The key.
        value: &'a Secret,
    },
    /// `Authorization: Bearer`.
    Bearer(&'a Secret),
    /// `Authorization: Basic`.
    Basic {
        /// The user name.
        username: &'a Secret,
        /// The password; may be empty.
        password: &'a Secret,
    },
    /// `Authorization: Bearer` with a token that is yet to be fetched.
    ClientCredentials(ClientGrant<'a>),
    /// `Authorization: Bearer` with the caller's own token; where the API refuses it alone, his connection has ended.
    Connection(&'a Secret),
}

/// What a token is asked for with.
#[derive(Debug)]
pub struct ClientGrant<'a> {
    /// The scheme's key in the document.
    pub scheme: &'a str,
    /// The token endpoint.
    pub token_url: SafeUrl,
    /// Who chose the token endpoint.
    pub chosen_by: ChosenBy,
    /// The client id.
    pub client_id: &'a Secret,
    /// What proves that the client is who it says.
    pub proof: ClientProof<'a>,
    /// The scopes, separated by spaces; may be empty.
    pub scope: String,
    /// The audience.
    pub audience: Option<&'a str>,
    /// What the operator says beyond that.
    pub settings: Option<&'a SchemeSettings>,
}

/// What proves that a client is who it says.
#[derive(Clone, Copy, Debug)]
pub enum ClientProof<'a> {
    /// A client secret.
    Secret {
        /// The secret.
        secret: &'a Secret,
        /// How it is sent; found out where absent.
        method: Option<ClientAuthMethod>,
    },
    /// A private key in PEM.
    PrivateKey(&'a Secret),
}

/// Why a call cannot be made.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CredentialError {
    /// It is not known where the API is.
    #[error(transparent)]
    Server(#[from] MissingServer),
    /// No alternative has all its values.
    #[error(transparent)]
    Missing(#[from] MissingCredentials),
    /// The credential is for another origin than the one that the operation calls.
    #[error(
        "this tool calls `{origin}`, and the credential of `{scheme}` is for the document's own servers only; the operator can allow it by `origins = [\"{origin}\"]` in `[documents.{document}.schemes.{scheme}]`"
    )]
    OtherOrigin {
        /// The document's slug.
        document: Slug,
        /// The scheme's key in the document.
        scheme: String,
        /// The origin that the operation calls.
        origin: Origin,
    },
    /// The caller's own access is for another origin than the one that the operation calls.
    #[error(
        "this tool calls `{origin}`, and your own access is for the document's own servers only; the operator can allow it by `origins = [\"{origin}\"]` in `[documents.{document}]`"
    )]
    Elsewhere {
        /// The document's slug.
        document: Slug,
        /// The origin that the operation calls.
        origin: Origin,
    },
}

/// Decides where a call goes and what it bears.
///
/// # Errors
///
/// When it is not known where the API is, no alternative of the tool's `security` has all its values, or a credential is for another origin; the error says which variables are missing and where each is set.
pub fn decide<'a>(
    tool: &'a PublishedTool,
    sources: CredentialSources<'a>,
) -> Result<Decision<'a>, CredentialError> {
    let values = Values::new(tool, sources);
    let (server, server_chosen_by) = values.server(&tool.tool)?;
    let credentials = match &tool.provider {
        Some(provider) => values.unsaid(&tool.tool, provider)?,
        None => values.credentials(&tool.tool)?,
    };
    Ok(Decision {
        server,
        server_chosen_by,
        server_is_secret: values.server_is_secret(),
        credentials,
    })
}

/// A document's variables and where their values come from.
pub(super) struct Values<'a> {
    document: &'a PublishedDocument,
    bound: &'a BTreeMap<String, Slug>,
    sources: CredentialSources<'a>,
    /// As [`CredentialSources::environment_allowed`], and no caller chooses whom to speak to.
    environment_allowed: bool,
    /// Whether no caller chooses whom to speak to.
    connection_allowed: bool,
}

impl<'a> Values<'a> {
    fn new(tool: &'a PublishedTool, sources: CredentialSources<'a>) -> Self {
        let document = &*tool.document;
        let caller_chooses = !sources.caller.is_empty()
            && document
                .variables
                .iter()
                .filter(|spec| spec.purpose.directs())
                .flat_map(VariableSpec::names)
                .any(|name| sources.caller.value(name).is_some());
        Self {
            document,
            bound: &tool.bound,
            sources,
            environment_allowed: sources.environment_allowed && !caller_chooses,
            connection_allowed: !caller_chooses,
        }
    }

    fn server(&self, tool: &'a Tool) -> Result<(Cow<'a, str>, ChosenBy), MissingServer> {
        if let Some((value, chosen_by)) = self.chosen_server() {
            return Ok((value.expose().into(), chosen_by));
        }
        if let Some(server) = &tool.request.server_variables {
            let chosen = |name: &str| self.server_variable(name);
            let names = server.variables.iter().map(|variable| &*variable.name);
            let choosers: Vec<_> = names.filter_map(|name| Some(chosen(name)?.1)).collect();
            let url = server.url(|name| Some(chosen(name)?.0.expose()));
            let by_caller = choosers.contains(&ChosenBy::Caller);
            return match url {
                Ok(url) if by_caller => Ok((url.into(), ChosenBy::Caller)),
                Ok(url) => Ok((url.into(), ChosenBy::Operator)),
                Err(error) => Err(self.missing_server(&error.to_string(), Some(server))),
            };
        }
        match &tool.request.server {
            ServerTemplate::Url(url) => Ok((url.into(), ChosenBy::Operator)),
            ServerTemplate::Unknown(reason) => Err(self.missing_server(reason, None)),
        }
    }

    /// Returns the server that somebody chose instead of the document's.
    fn chosen_server(&self) -> Option<(&'a Secret, ChosenBy)> {
        self.find(None, Purpose::ServerUrl)
            .filter(|(value, _)| is_set(value))
    }

    /// Who signed in acts as himself, so that an alternative with his connection comes before those with the operator's values.
    /// One that needs nothing is taken only when no other has its values: who sets a credential wants it used.
    fn credentials(&self, tool: &'a Tool) -> Result<Vec<Credential<'a>>, CredentialError> {
        let alternatives = &tool.security;
        let (personal, others): (Vec<_>, Vec<_>) = alternatives
            .iter()
            .filter(|alternative| !alternative.is_empty())
            .partition(|alternative| self.is_personal(alternative));
        let complete = personal
            .into_iter()
            .chain(others)
            .find_map(|alternative| Some((alternative, self.complete(alternative)?)));
        match complete {
            Some((alternative, credentials)) => {
                self.judge_origin(tool, alternative)?;
                Ok(credentials)
            }
            None if alternatives.is_empty() || alternatives.iter().any(Vec::is_empty) => {
                Ok(Vec::new())
            }
            None => Err(self.missing(alternatives).into()),
        }
    }

    /// Keeps credentials from an operation that has a server of its own, unless the operator allows it: whoever writes a document must not have them sent anywhere.
    fn judge_origin(
        &self,
        tool: &Tool,
        alternative: &SecurityAlternative,
    ) -> Result<(), CredentialError> {
        let Some(origin) = self.stray_origin(tool) else {
            return Ok(());
        };
        let is_allowed = |scheme: &str| {
            let settings = self.document.scheme_settings.get(scheme);
            settings.is_some_and(|it| it.origins.iter().any(|it| it == origin.as_str()))
        };
        match alternative.iter().find(|it| !is_allowed(&it.scheme)) {
            None => Ok(()),
            Some(requirement) => Err(CredentialError::OtherOrigin {
                document: self.document.slug.clone(),
                scheme: requirement.scheme.clone(),
                origin: origin.clone(),
            }),
        }
    }

    /// Returns the origin that an operation calls, where the document calls another one and nobody chose a server instead of both.
    fn stray_origin(&self, tool: &Tool) -> Option<&'a Origin> {
        let origin = self.document.strays.get(&tool.name)?;
        self.chosen_server().is_none().then_some(origin)
    }

    fn is_personal(&self, alternative: &SecurityAlternative) -> bool {
        let mut requirements = alternative.iter();
        requirements.any(|it| self.connection(&it.scheme).is_some())
    }

    /// Returns the caller's own token, where a scheme is bound to its provider.
    fn connection(&self, scheme: &str) -> Option<&'a Secret> {
        let connection = self
            .sources
            .connection
            .filter(|_| self.connection_allowed)?;
        let is_bound = self.bound.get(scheme) == Some(connection.provider);
        is_bound.then_some(connection.token)
    }

    fn complete(&self, alternative: &'a SecurityAlternative) -> Option<Vec<Credential<'a>>> {
        alternative
            .iter()
            .map(|requirement| self.credential(requirement))
            .collect()
    }

    fn credential(&self, requirement: &'a SecurityRequirement) -> Option<Credential<'a>> {
        let scheme = self.document.schemes.get(&requirement.scheme)?;
        if let Some(token) = self.connection(&scheme.name) {
            return Some(Credential::Connection(token));
        }
        let value = |purpose| self.value(scheme, purpose).filter(|value| is_set(value));
        match &scheme.kind {
            SchemeKind::ApiKey { place, name } => Some(Credential::ApiKey {
                place: *place,
                name,
                value: value(Purpose::ApiKey)?,
            }),
            SchemeKind::Bearer => value(Purpose::Bearer).map(Credential::Bearer),
            SchemeKind::Basic => {
                let username = self.value(scheme, Purpose::Username)?;
                let password = self.value(scheme, Purpose::Password)?;
                (is_set(username) || is_set(password))
                    .then_some(Credential::Basic { username, password })
            }
            SchemeKind::OAuth2 { .. } | SchemeKind::OpenIdConnect { .. } => {
                match value(Purpose::AccessToken) {
                    Some(token) => Some(Credential::Bearer(token)),
                    None => self
                        .grant(scheme, requirement)
                        .map(Credential::ClientCredentials),
                }
            }
            SchemeKind::Unsupported(_) => None,
        }
    }

    fn grant(
        &self,
        scheme: &'a SecurityScheme,
        requirement: &'a SecurityRequirement,
    ) -> Option<ClientGrant<'a>> {
        let value = |purpose| self.value(scheme, purpose).filter(|value| is_set(value));
        let settings = self.document.scheme_settings.get(&scheme.name);
        let (token_url, chosen_by) = self.token_url(scheme)?;
        let scope = match value(Purpose::Scopes) {
            Some(scopes) => scopes.expose().to_owned(),
            None => requirement.scopes.join(" "),
        };
        Some(ClientGrant {
            scheme: &scheme.name,
            token_url,
            chosen_by,
            client_id: value(Purpose::ClientId)?,
            proof: proof(
                value(Purpose::ClientSecret),
                value(Purpose::PrivateKey),
                settings,
            )?,
            scope,
            audience: value(Purpose::Audience).map(Secret::expose),
            settings,
        })
    }

    fn token_url(&self, scheme: &'a SecurityScheme) -> Option<(SafeUrl, ChosenBy)> {
        let found = self.find(Some(&scheme.name), Purpose::TokenUrl);
        let (text, chosen_by) = match found.filter(|(value, _)| is_set(value)) {
            Some((value, chosen_by)) => (value.expose(), chosen_by),
            None => (documented_token_url(scheme)?, ChosenBy::Operator),
        };
        Some((SafeUrl::parse(text).ok()?, chosen_by))
    }

    fn value(&self, scheme: &SecurityScheme, purpose: Purpose) -> Option<&'a Secret> {
        self.find(Some(&scheme.name), purpose)
            .map(|(value, _)| value)
    }

    fn find(&self, scheme: Option<&str>, purpose: Purpose) -> Option<(&'a Secret, ChosenBy)> {
        self.value_of(self.spec(scheme, purpose)?)
    }

    fn value_of(&self, spec: &VariableSpec) -> Option<(&'a Secret, ChosenBy)> {
        let by_caller = spec
            .names()
            .find_map(|name| self.sources.caller.value(name));
        if let Some(value) = by_caller {
            return Some((value, ChosenBy::Caller));
        }
        let environment = self.sources.environment?;
        let value = spec.names().find_map(|name| environment.values.get(name))?;
        let is_allowed = self.environment_allowed || (is_address(spec.purpose) && !value.secret);
        is_allowed.then_some((&value.text, ChosenBy::Operator))
    }

    pub(super) fn spec(&self, scheme: Option<&str>, purpose: Purpose) -> Option<&'a VariableSpec> {
        self.document
            .variables
            .iter()
            .find(|spec| spec.purpose == purpose && spec.scheme.as_deref() == scheme)
    }
}

fn is_set(value: &Secret) -> bool {
    !value.expose().is_empty()
}

/// What tells whom to speak to and what to ask him for, but proves nothing.
fn is_address(purpose: Purpose) -> bool {
    matches!(
        purpose,
        Purpose::ServerUrl
            | Purpose::ServerVariable
            | Purpose::TokenUrl
            | Purpose::Scopes
            | Purpose::Audience
    )
}

pub(super) fn documented_token_url(scheme: &SecurityScheme) -> Option<&str> {
    let SchemeKind::OAuth2 { flows } = &scheme.kind else {
        return None;
    };
    flows
        .iter()
        .find(|flow| flow.kind == "clientCredentials")?
        .token_url
        .as_deref()
        .filter(|url| SafeUrl::parse(url).is_ok())
}

/// The configured method decides which proof is used; without one it is the secret.
fn proof<'a>(
    secret: Option<&'a Secret>,
    private_key: Option<&'a Secret>,
    settings: Option<&SchemeSettings>,
) -> Option<ClientProof<'a>> {
    let method = settings
        .and_then(|settings| settings.token_endpoint_auth_method.as_deref())
        .and_then(|method| method.parse().ok());
    match (method, secret, private_key) {
        (Some(ClientAuthMethod::PrivateKeyJwt), _, key) => key.map(ClientProof::PrivateKey),
        (method, Some(secret), _) => Some(ClientProof::Secret { secret, method }),
        (None, None, Some(key)) => Some(ClientProof::PrivateKey(key)),
        (_, None, _) => None,
    }
}
