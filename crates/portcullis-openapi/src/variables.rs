//! What the variables of a document are called, and what each is for.
//!
//! Decides names only; values live in environments and in callers' headers, and are looked up elsewhere.
//! The rule is told to operators in `docs/variables.md`.

use std::collections::HashSet;

use thiserror::Error;

use crate::{SchemeKind, SecurityScheme, ServerVariable};

/// One variable that a document reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableSpec {
    /// The full name, such as `PETSTORE_OAUTH_CLIENT_ID`.
    pub name: String,
    /// Further names for the same variable: the short form, where the document has one scheme of the kind.
    pub aliases: Vec<String>,
    /// The security scheme that it belongs to; absent for the server URL.
    pub scheme: Option<String>,
    /// The variable of a server's URL that it sets.
    pub server_variable: Option<ServerVariable>,
    /// What the value is used for.
    pub purpose: Purpose,
}

impl VariableSpec {
    /// Returns every name of the variable, the full one first; where several are set, the first counts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}

/// What a variable's value is used for, and for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The key of an `apiKey` scheme.
    ApiKey,
    /// The token of an `http` scheme `bearer`.
    Bearer,
    /// The user name of an `http` scheme `basic`.
    Username,
    /// The password of an `http` scheme `basic`; may be empty.
    Password,
    /// A ready access token of an `oauth2` or `openIdConnect` scheme.
    AccessToken,
    /// The client id for client credentials.
    ClientId,
    /// The client secret for client credentials.
    ClientSecret,
    /// The private key, in PEM, for client credentials by `private_key_jwt`.
    PrivateKey,
    /// The token endpoint, instead of the document's.
    TokenUrl,
    /// The scopes to ask for, instead of the operation's.
    Scopes,
    /// The audience to ask for.
    Audience,
    /// One variable of the document's server URL.
    ServerVariable,
    /// The server, instead of the document's.
    ServerUrl,
}

impl Purpose {
    /// Tells whether the value must never be shown or written down in the clear.
    #[must_use]
    pub fn is_secret(self) -> bool {
        matches!(
            self,
            Self::ApiKey
                | Self::Bearer
                | Self::Password
                | Self::AccessToken
                | Self::ClientSecret
                | Self::PrivateKey
        )
    }

    /// Tells whether the value says where credentials are sent.
    #[must_use]
    pub fn is_url(self) -> bool {
        matches!(self, Self::TokenUrl | Self::ServerUrl)
    }

    /// Tells whether the value says to whom requests go, as a whole or in part.
    #[must_use]
    pub fn directs(self) -> bool {
        self.is_url() || self == Self::ServerVariable
    }

    /// Returns what follows the scheme's name in the variable's.
    fn suffix(self) -> &'static str {
        match self {
            Self::ApiKey | Self::Bearer | Self::ServerVariable => "",
            Self::Username => "USERNAME",
            Self::Password => "PASSWORD",
            Self::AccessToken => "ACCESS_TOKEN",
            Self::ClientId => "CLIENT_ID",
            Self::ClientSecret => "CLIENT_SECRET",
            Self::PrivateKey => "PRIVATE_KEY",
            Self::TokenUrl => "TOKEN_URL",
            Self::Scopes => "SCOPES",
            Self::Audience => "AUDIENCE",
            Self::ServerUrl => "SERVER_URL",
        }
    }
}

/// Returns the variables of a document, scheme by scheme in the order given, then those of its servers, the server URL last.
///
/// No two have a name in common: a scheme whose name reads like an earlier one's gets a number, and a short form that another variable bears is left out.
#[must_use]
pub fn variables(
    document_slug: &str,
    schemes: &[SecurityScheme],
    servers: &[ServerVariable],
) -> Vec<VariableSpec> {
    let document = normalise(document_slug);
    let mut specs = Vec::new();
    let mut stems = HashSet::new();
    for scheme in schemes {
        let stem = match normalise(&scheme.name) {
            stem if stem.is_empty() => "SCHEME".to_owned(),
            stem => stem,
        };
        let stem = unused(&stem, &mut stems);
        for &purpose in purposes(&scheme.kind) {
            specs.push(VariableSpec {
                name: join([&document, &stem, purpose.suffix()]),
                aliases: Vec::new(),
                scheme: Some(scheme.name.clone()),
                server_variable: None,
                purpose,
            });
        }
    }
    for variable in servers {
        let stem = match normalise(&variable.name) {
            stem if stem.is_empty() => "VARIABLE".to_owned(),
            stem => stem,
        };
        specs.push(VariableSpec {
            name: join([&document, "SERVER", &stem]),
            aliases: Vec::new(),
            scheme: None,
            server_variable: Some(variable.clone()),
            purpose: Purpose::ServerVariable,
        });
    }
    specs.push(VariableSpec {
        name: join([&document, Purpose::ServerUrl.suffix()]),
        aliases: Vec::new(),
        scheme: None,
        server_variable: None,
        purpose: Purpose::ServerUrl,
    });
    number_repeated_names(&mut specs);
    add_short_forms(&document, &mut specs);
    specs
}

/// Returns the header by which a caller passes a variable: `PETSTORE_API_KEY` travels as `MCP-PETSTORE-API-KEY`.
#[must_use]
pub fn header_name(variable: &str) -> String {
    format!("MCP-{}", variable.replace('_', "-"))
}

/// Tells whether a header is one of MCP's own, which never carries a variable.
#[must_use]
pub fn is_protocol_header(header: &str) -> bool {
    let header = header.to_ascii_lowercase();
    PROTOCOL_HEADERS.contains(&header.as_str()) || header.starts_with("mcp-param-")
}

const PROTOCOL_HEADERS: [&str; 4] = [
    "mcp-method",
    "mcp-name",
    "mcp-session-id",
    "mcp-protocol-version",
];

/// Why a document or a toolset cannot have a slug.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ReservedSlug {
    /// The slug is the first segment of one of our own paths.
    #[error("`{0}` is the beginning of one of Portcullis's own paths; choose another slug")]
    Route(String),
    /// Variables of the slug would travel in headers that belong to MCP.
    #[error("headers that begin with `MCP-{0}` belong to MCP itself; choose another slug")]
    ProtocolHeader(String),
}

/// Judges the slug of a document or a toolset.
///
/// # Errors
///
/// When the slug collides with a path of our own or with a header of MCP's own.
pub fn judge_slug(slug: &str) -> Result<(), ReservedSlug> {
    if ROUTES.contains(&slug) {
        return Err(ReservedSlug::Route(slug.to_owned()));
    }
    let first_word = slug.split('-').next().unwrap_or(slug);
    if PROTOCOL_WORDS.contains(&slug) || first_word == "param" {
        return Err(ReservedSlug::ProtocolHeader(slug.to_owned()));
    }
    Ok(())
}

/// First segments of the paths in `ARCHITECTURE.md`, "The public surface".
const ROUTES: [&str; 11] = [
    "api",
    "authorize",
    "callback",
    "consent",
    "console",
    "health",
    "introspect",
    "metrics",
    "register",
    "revoke",
    "token",
];

/// First words of [`PROTOCOL_HEADERS`] after `mcp-`, and those of which the headers consist whole.
const PROTOCOL_WORDS: [&str; 6] = [
    "method",
    "name",
    "protocol",
    "protocol-version",
    "session",
    "session-id",
];

/// Writes a name as variables are written: `my-api.v2` becomes `MY_API_V2`.
///
/// Whatever is no ASCII letter or digit separates words.
/// A word also begins at a capital that follows a lower-case letter or a digit, and at the last capital of an acronym that a lower-case letter follows.
#[must_use]
pub fn normalise(text: &str) -> String {
    let mut name = String::with_capacity(text.len() + 8);
    let mut previous = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if !character.is_ascii_alphanumeric() {
            previous = None;
            continue;
        }
        let begins_word = match previous {
            None => true,
            Some(before) if character.is_ascii_uppercase() => {
                !char::is_ascii_uppercase(&before)
                    || characters.peek().is_some_and(char::is_ascii_lowercase)
            }
            Some(_) => false,
        };
        if begins_word && !name.is_empty() {
            name.push('_');
        }
        name.push(character.to_ascii_uppercase());
        previous = Some(character);
    }
    name
}

fn purposes(kind: &SchemeKind) -> &'static [Purpose] {
    match kind {
        SchemeKind::ApiKey { .. } => &[Purpose::ApiKey],
        SchemeKind::Bearer => &[Purpose::Bearer],
        SchemeKind::Basic => &[Purpose::Username, Purpose::Password],
        SchemeKind::OAuth2 { .. } | SchemeKind::OpenIdConnect { .. } => &[
            Purpose::AccessToken,
            Purpose::ClientId,
            Purpose::ClientSecret,
            Purpose::PrivateKey,
            Purpose::TokenUrl,
            Purpose::Scopes,
            Purpose::Audience,
        ],
        SchemeKind::Unsupported(_) => &[],
    }
}

/// Takes `name`, with a number behind it where it is taken already.
fn unused(name: &str, taken: &mut HashSet<String>) -> String {
    let mut candidate = name.to_owned();
    let mut count = 1;
    while !taken.insert(candidate.clone()) {
        count += 1;
        candidate = format!("{name}_{count}");
    }
    candidate
}

/// Gives a number to a name that a later variable bears, such as that of an `apiKey` scheme `server_url`.
fn number_repeated_names(specs: &mut [VariableSpec]) {
    let mut taken = HashSet::new();
    for spec in specs.iter_mut().rev() {
        spec.name = unused(&spec.name, &mut taken);
    }
}

fn add_short_forms(document: &str, specs: &mut [VariableSpec]) {
    let full: HashSet<String> = specs.iter().map(|spec| spec.name.clone()).collect();
    let shorts: Vec<Option<String>> = specs
        .iter()
        .map(|spec| {
            let suffix = spec.purpose.suffix();
            let short = join([document, suffix]);
            let alone = specs
                .iter()
                .filter(|other| other.purpose == spec.purpose)
                .count()
                == 1;
            (alone && !suffix.is_empty() && !full.contains(&short)).then_some(short)
        })
        .collect();
    for (spec, short) in specs.iter_mut().zip(shorts) {
        spec.aliases.extend(short);
    }
}

fn join<const N: usize>(words: [&str; N]) -> String {
    let mut name = String::new();
    for word in words.into_iter().filter(|word| !word.is_empty()) {
        if !name.is_empty() {
            name.push('_');
        }
        name.push_str(word);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;

    fn scheme(name: &str, kind: SchemeKind) -> SecurityScheme {
        SecurityScheme {
            name: name.to_owned(),
            kind,
        }
    }

    fn api_key() -> SchemeKind {
        SchemeKind::ApiKey {
            place: Place::Header,
            name: "X-Key".to_owned(),
        }
    }

    fn oauth2() -> SchemeKind {
        SchemeKind::OAuth2 { flows: Vec::new() }
    }

    fn names(schemes: &[SecurityScheme]) -> Vec<String> {
        variables("petstore", schemes, &[])
            .iter()
            .map(|spec| spec.names().collect::<Vec<_>>().join("|"))
            .collect()
    }

    #[test]
    fn words_are_found_as_documented() {
        for (text, name) in [
            ("OAuth2", "O_AUTH2"),
            ("my-api.v2", "MY_API_V2"),
            ("HTTPStatus", "HTTP_STATUS"),
            ("api_key", "API_KEY"),
            ("apiKey", "API_KEY"),
            ("APIKey", "API_KEY"),
            ("api  key", "API_KEY"),
            ("__api--key..", "API_KEY"),
            ("bearerAuth", "BEARER_AUTH"),
            ("JWT", "JWT"),
            ("v2Token", "V2_TOKEN"),
            ("v2token", "V2TOKEN"),
            ("SHA256", "SHA256"),
            ("OAuth2ClientCredentials", "O_AUTH2_CLIENT_CREDENTIALS"),
            ("S3Bucket", "S3_BUCKET"),
            ("X", "X"),
            ("ABc", "A_BC"),
            ("clé/API", "CL_API"),
            ("", ""),
        ] {
            assert_eq!(normalise(text), name, "{text}");
        }
    }

    #[test]
    fn each_scheme_has_its_variables_and_the_short_form_where_it_is_alone() {
        insta::assert_snapshot!(names(&[
            scheme("api_key", api_key()),
            scheme("basicAuth", SchemeKind::Basic),
            scheme("petstore_auth", oauth2()),
        ]).join("\n"), @r"
        PETSTORE_API_KEY
        PETSTORE_BASIC_AUTH_USERNAME|PETSTORE_USERNAME
        PETSTORE_BASIC_AUTH_PASSWORD|PETSTORE_PASSWORD
        PETSTORE_PETSTORE_AUTH_ACCESS_TOKEN|PETSTORE_ACCESS_TOKEN
        PETSTORE_PETSTORE_AUTH_CLIENT_ID|PETSTORE_CLIENT_ID
        PETSTORE_PETSTORE_AUTH_CLIENT_SECRET|PETSTORE_CLIENT_SECRET
        PETSTORE_PETSTORE_AUTH_PRIVATE_KEY|PETSTORE_PRIVATE_KEY
        PETSTORE_PETSTORE_AUTH_TOKEN_URL|PETSTORE_TOKEN_URL
        PETSTORE_PETSTORE_AUTH_SCOPES|PETSTORE_SCOPES
        PETSTORE_PETSTORE_AUTH_AUDIENCE|PETSTORE_AUDIENCE
        PETSTORE_SERVER_URL
        ");
    }

    #[test]
    fn two_schemes_of_a_kind_have_no_short_form() {
        let names = names(&[scheme("a", oauth2()), scheme("b", oauth2())]);
        assert!(names.iter().all(|name| !name.contains('|')), "{names:?}");
    }

    #[test]
    fn no_two_variables_share_a_name() {
        assert_eq!(
            names(&[scheme("api_key", api_key()), scheme("apiKey", api_key())]),
            [
                "PETSTORE_API_KEY",
                "PETSTORE_API_KEY_2",
                "PETSTORE_SERVER_URL"
            ]
        );
        assert_eq!(
            names(&[scheme("server_url", api_key())]),
            ["PETSTORE_SERVER_URL_2", "PETSTORE_SERVER_URL"]
        );
        let oauth = names(&[scheme("client_id", api_key()), scheme("o", oauth2())]);
        assert!(oauth.contains(&"PETSTORE_CLIENT_ID".to_owned()));
        assert!(oauth.contains(&"PETSTORE_O_CLIENT_ID".to_owned()));
        assert_eq!(names(&[scheme("鍵", api_key())])[0], "PETSTORE_SCHEME");
    }

    #[test]
    fn variables_of_the_server_have_names_of_their_own() {
        let variable = |name: &str| ServerVariable {
            name: name.to_owned(),
            default: None,
            allowed: Vec::new(),
        };
        let servers = ["tenantId", "url", "鍵", "tenant-id"].map(variable);
        let specs = variables(
            "petstore",
            &[scheme("server_tenant_id", api_key())],
            &servers,
        );
        let names: Vec<_> = specs.iter().map(|spec| spec.name.as_str()).collect();
        let mut unique = names.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), names.len(), "{names:?}");
        assert_eq!(names.last(), Some(&"PETSTORE_SERVER_URL"));
        assert!(
            names.contains(&"PETSTORE_SERVER_TENANT_ID")
                && names.contains(&"PETSTORE_SERVER_VARIABLE")
        );
    }

    #[test]
    fn headers_of_the_protocol_never_carry_a_variable() {
        assert_eq!(header_name("PETSTORE_API_KEY"), "MCP-PETSTORE-API-KEY");
        for header in [
            "Mcp-Method",
            "MCP-NAME",
            "mcp-param-x",
            "Mcp-Session-Id",
            "MCP-Protocol-Version",
        ] {
            assert!(is_protocol_header(header), "{header}");
        }
        assert!(!is_protocol_header("MCP-PETSTORE-API-KEY"));
    }

    #[test]
    fn slugs_that_collide_are_refused() {
        for slug in ["api", "console", "token", "metrics"] {
            assert_eq!(judge_slug(slug), Err(ReservedSlug::Route(slug.to_owned())));
        }
        for slug in ["method", "name", "param", "param-x", "session", "protocol"] {
            assert_eq!(
                judge_slug(slug),
                Err(ReservedSlug::ProtocolHeader(slug.to_owned()))
            );
        }
        for slug in ["petstore", "parameters", "tokens", "session-store"] {
            assert_eq!(judge_slug(slug), Ok(()));
        }
    }
}
