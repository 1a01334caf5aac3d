//! Profiles: all that differs between upstream providers, as data.
//!
//! A profile holds no secret and nothing of one operator; templates leave a place for the `{tenant}` that he names.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

use super::issuer::TENANT_ID;
use super::trial::ClientTrial;
use crate::json_pointer::JsonPointer;
use crate::wire::token::granted::AnswerPointers;

/// The place in a template that an operator's `tenant` fills.
pub const TENANT: &str = "{tenant}";

/// The place of our client id where tokens are revoked.
pub const CLIENT_ID: &str = "{client_id}";

/// What there is to know of a provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own that a file states"
)]
pub struct ProviderProfile {
    /// What people call the provider.
    pub name: String,
    /// Its issuer, where all its customers share one or a template makes it.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Whether its issuer publishes metadata from which endpoints are taken that are not named.
    #[serde(default)]
    pub discovery: bool,
    /// Its endpoints.
    #[serde(default)]
    pub endpoints: EndpointTexts,
    /// What documents of its APIs write in the place of `{tenant}` without meaning one.
    #[serde(default)]
    pub shared_tenants: Vec<String>,
    /// Whether anybody in the world can have an account there.
    #[serde(default)]
    pub public: bool,
    /// The tenants at which anybody in the world can have an account.
    #[serde(default)]
    pub public_tenants: Vec<String>,
    /// Whether it is sent a PKCE challenge.
    #[serde(default = "yes")]
    pub pkce: bool,
    /// How our secret is sent; where absent, metadata decides, and without any it is found out.
    #[serde(default)]
    pub token_endpoint_auth_method: Option<SecretMethod>,
    /// How it is asked to revoke a token.
    #[serde(default)]
    pub revocation: RevocationRequest,
    /// Further parameters of every authorization request.
    #[serde(default)]
    pub authorization_parameters: BTreeMap<String, String>,
    /// Further parameters of an authorization request that is to bring a refresh token.
    #[serde(default)]
    pub offline_parameters: BTreeMap<String, String>,
    /// Further parameters of every token request.
    #[serde(default)]
    pub token_parameters: BTreeMap<String, String>,
    /// How scopes are asked for, and how they come back.
    #[serde(default)]
    pub scopes: ScopeRules,
    /// Where in a token answer things stand.
    #[serde(default)]
    pub answer: AnswerPointers,
    /// Where it is said who a person is, best first; none where the provider never says.
    #[serde(default)]
    pub identity: Vec<IdentitySource>,
    /// Where a person's e-mail addresses are listed, if not among the claims.
    #[serde(default)]
    pub emails: Option<EmailList>,
    /// Where a person's organisations are listed.
    #[serde(default)]
    pub organisations: Option<OrganisationList>,
    /// Whether the `resource` of the API behind is named to the provider.
    #[serde(default)]
    pub forward_resource: bool,
    /// Whether every authorization response bears `iss`, without metadata that says so (RFC 9207).
    #[serde(default)]
    pub sends_iss: bool,
    /// What to tell people about its errors.
    #[serde(default)]
    pub hints: Vec<Hint>,
}

/// Endpoints, in which `{tenant}` may stand.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointTexts {
    /// The authorization endpoint.
    #[serde(default)]
    pub authorization: Option<String>,
    /// The token endpoint.
    #[serde(default)]
    pub token: Option<String>,
    /// The userinfo endpoint, or whatever tells who a token stands for.
    #[serde(default)]
    pub userinfo: Option<String>,
    /// Where the keys are that sign id tokens.
    #[serde(default)]
    pub jwks: Option<String>,
    /// Where tokens are revoked; our client id may stand in it as `{client_id}`.
    #[serde(default)]
    pub revocation: Option<String>,
}

/// How a provider is asked to revoke a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationRequest {
    /// By a form (RFC 7009).
    #[default]
    Form,
    /// By `DELETE` with a JSON object that has an access token in the member of this name, and our secret by `Basic`.
    Delete(String),
}

/// How a secret is sent to a token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum SecretMethod {
    /// In the form.
    #[serde(rename = "client_secret_post")]
    Post,
    /// In the header `Authorization`.
    #[serde(rename = "client_secret_basic")]
    Basic,
}

/// How scopes are asked for, and how they come back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScopeRules {
    /// What separates scopes in a request.
    pub separator: String,
    /// What separates scopes in an answer.
    pub answer_separator: String,
    /// Scopes that are asked for so that the provider says who a person is.
    pub identity: Vec<String>,
    /// The scope that brings a refresh token.
    pub offline: Option<String>,
    /// The provider's scopes for one of a document, separated by spaces, where its name is another.
    pub map: BTreeMap<String, String>,
    /// What is put before a document's scope that [`ScopeRules::map`] does not have.
    pub prefix: String,
    /// What comes back in an answer under another name than it was asked by.
    pub aliases: BTreeMap<String, String>,
    /// Scopes that contain others, which an answer then leaves out.
    pub implies: BTreeMap<String, Vec<String>>,
    /// Whether an answer may put the API's URI and a slash before a scope.
    pub echoed_with_prefix: bool,
}

impl Default for ScopeRules {
    fn default() -> Self {
        Self {
            separator: " ".to_owned(),
            answer_separator: " ".to_owned(),
            identity: Vec::new(),
            offline: None,
            map: BTreeMap::new(),
            prefix: String::new(),
            aliases: BTreeMap::new(),
            implies: BTreeMap::new(),
            echoed_with_prefix: false,
        }
    }
}

/// A place where it is said who a person is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentitySource {
    /// What says it.
    pub from: IdentityWitness,
    /// What the provider calls the person, for ever.
    pub subject: JsonPointer,
    /// What people call the person; the first that is there.
    #[serde(default)]
    pub label: Vec<JsonPointer>,
    /// The e-mail address; it counts only where `email_verified` says so.
    #[serde(default)]
    pub email: Option<JsonPointer>,
    /// Whether the provider verified the address.
    #[serde(default)]
    pub email_verified: Option<JsonPointer>,
    /// The domain of the organisation that owns the account.
    #[serde(default)]
    pub hd: Option<JsonPointer>,
    /// The tenant that the account belongs to.
    #[serde(default)]
    pub tid: Option<JsonPointer>,
}

/// What says who a person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityWitness {
    /// The id token.
    IdToken,
    /// The userinfo endpoint.
    Userinfo,
    /// The token answer itself.
    TokenAnswer,
}

/// Where a person's e-mail addresses are listed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailList {
    /// What follows the path of the userinfo endpoint, so that a token never goes anywhere else.
    pub below_userinfo: String,
    /// The scope that the list needs.
    #[serde(default)]
    pub scope: Option<String>,
    /// The address in an item of the list.
    pub address: JsonPointer,
    /// Whether the provider verified it.
    pub verified: JsonPointer,
}

/// Where a person's organisations are listed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganisationList {
    /// What follows the path of the userinfo endpoint, so that a token never goes anywhere else.
    pub below_userinfo: String,
    /// The scope that the list needs.
    #[serde(default)]
    pub scope: Option<String>,
    /// The name in an item of the list.
    pub name: JsonPointer,
}

/// What to tell people about an error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    /// The code of the error.
    pub error: String,
    /// What to do about it.
    pub text: String,
    /// What it says of our client, where the code is one of the provider's own.
    #[serde(default)]
    pub means: Option<ClientTrial>,
}

/// What a profile lacks or has wrong.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FlawedProfile {
    /// The profile has no name to show.
    #[error("`name` is empty")]
    Nameless,
    /// A template has another place to fill than `{tenant}`, the issuer's `{tenantid}` or the `{client_id}` where tokens are revoked.
    #[error("`{0}` has a place that nothing fills")]
    Template(String),
    /// A path below the userinfo endpoint does not begin with a slash.
    #[error("`{0}` must begin with a slash")]
    Below(String),
    /// Id tokens are read, but nothing asks for them.
    #[error("an id token comes only with the scope `openid` among `scopes.identity`")]
    NoOpenid,
    /// An e-mail address is read, but nothing says whether it was verified.
    #[error("`email` needs `email_verified` beside it")]
    UnverifiedEmail,
    /// Nothing separates scopes.
    #[error("`scopes.separator` and `scopes.answer_separator` must not be empty")]
    Separator,
    /// A parameter is one that we set.
    #[error("the parameter `{0}` is set by the gateway itself")]
    Reserved(String),
}

/// Parameters of an authorization request that nobody else sets.
pub const RESERVED: [&str; 12] = [
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_type",
    "scope",
    "state",
    "iss",
];

impl ProviderProfile {
    /// Returns the hint for an error.
    #[must_use]
    pub fn hint(&self, error: &str) -> Option<&str> {
        let hint = self.hints.iter().find(|hint| hint.error == error)?;
        Some(&hint.text)
    }

    /// Tells whether id tokens say who a person is.
    #[must_use]
    pub fn reads_id_tokens(&self) -> bool {
        self.has_witness(IdentityWitness::IdToken)
    }

    /// Tells whether the userinfo endpoint says who a person is.
    #[must_use]
    pub fn reads_userinfo(&self) -> bool {
        self.has_witness(IdentityWitness::Userinfo)
    }

    /// Tells whether anybody in the world can have an account there, where `tenant` is what the operator names.
    #[must_use]
    pub fn is_public_at(&self, tenant: Option<&str>) -> bool {
        let mut public = self.public_tenants.iter();
        let named = |tenant: &str| public.any(|public| public.eq_ignore_ascii_case(tenant));
        self.public || tenant.is_some_and(named)
    }

    fn has_witness(&self, witness: IdentityWitness) -> bool {
        self.identity.iter().any(|source| source.from == witness)
    }

    /// Judges what the types let pass.
    ///
    /// # Errors
    ///
    /// When the profile could not work as it stands.
    pub fn check(&self) -> Result<(), FlawedProfile> {
        if self.name.trim().is_empty() {
            return Err(FlawedProfile::Nameless);
        }
        if self.scopes.separator.is_empty() || self.scopes.answer_separator.is_empty() {
            return Err(FlawedProfile::Separator);
        }
        for template in self.endpoints.all() {
            filled(template, &[TENANT])?;
        }
        if let Some(template) = &self.endpoints.revocation {
            filled(template, &[TENANT, CLIENT_ID])?;
        }
        if let Some(issuer) = &self.issuer {
            filled(issuer, &[TENANT, TENANT_ID])?;
        }
        let emails = self.emails.iter().map(|list| &list.below_userinfo);
        let organisations = self.organisations.iter().map(|list| &list.below_userinfo);
        if let Some(path) = emails
            .chain(organisations)
            .find(|path| !path.starts_with('/'))
        {
            return Err(FlawedProfile::Below(path.clone()));
        }
        let asks_openid = self.scopes.identity.iter().any(|scope| scope == "openid");
        if self.reads_id_tokens() && !asks_openid {
            return Err(FlawedProfile::NoOpenid);
        }
        let unverified =
            |source: &IdentitySource| source.email.is_some() && source.email_verified.is_none();
        if self.identity.iter().any(unverified) {
            return Err(FlawedProfile::UnverifiedEmail);
        }
        let parameters = self
            .authorization_parameters
            .keys()
            .chain(self.offline_parameters.keys());
        match parameters
            .into_iter()
            .find(|name| RESERVED.contains(&name.as_str()))
        {
            Some(name) => Err(FlawedProfile::Reserved(name.clone())),
            None => Ok(()),
        }
    }
}

impl EndpointTexts {
    /// Returns those that are there and take part in signing in.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        let all = [&self.authorization, &self.token, &self.userinfo, &self.jwks];
        all.into_iter().flatten()
    }
}

fn filled(template: &str, places: &[&str]) -> Result<(), FlawedProfile> {
    let rest = places
        .iter()
        .fold(template.to_owned(), |rest, place| rest.replace(place, ""));
    if rest.contains(['{', '}']) {
        return Err(FlawedProfile::Template(template.to_owned()));
    }
    Ok(())
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn verdict(profile: Value) -> Result<(), FlawedProfile> {
        serde_json::from_value::<ProviderProfile>(profile)
            .unwrap()
            .check()
    }

    #[test]
    fn a_name_is_enough_and_an_unknown_field_is_refused() {
        assert_eq!(verdict(json!({"name": "A"})), Ok(()));
        let misspelt = json!({"name": "A", "pcke": false});
        assert!(serde_json::from_value::<ProviderProfile>(misspelt).is_err());
    }

    #[test]
    fn what_could_not_work_is_named() {
        let source = json!({"from": "id_token", "subject": "/sub", "email": "/email"});
        for (profile, flaw) in [
            (json!({"name": " "}), FlawedProfile::Nameless),
            (
                json!({"name": "A", "scopes": {"separator": ""}}),
                FlawedProfile::Separator,
            ),
            (
                json!({"name": "A", "endpoints": {"token": "https://{region}.a.example"}}),
                FlawedProfile::Template("https://{region}.a.example".to_owned()),
            ),
            (
                json!({"name": "A", "endpoints": {"token": "https://a.example/{tenantid}"}}),
                FlawedProfile::Template("https://a.example/{tenantid}".to_owned()),
            ),
            (
                json!({"name": "A", "endpoints": {"token": "https://a.example/{client_id}"}}),
                FlawedProfile::Template("https://a.example/{client_id}".to_owned()),
            ),
            (
                json!({"name": "A", "organisations": {"below_userinfo": "orgs", "name": "/login"}}),
                FlawedProfile::Below("orgs".to_owned()),
            ),
            (
                json!({"name": "A", "identity": [source]}),
                FlawedProfile::NoOpenid,
            ),
            (
                json!({"name": "A", "identity": [source], "scopes": {"identity": ["openid"]}}),
                FlawedProfile::UnverifiedEmail,
            ),
            (
                json!({"name": "A", "offline_parameters": {"state": "x"}}),
                FlawedProfile::Reserved("state".to_owned()),
            ),
        ] {
            assert_eq!(verdict(profile.clone()), Err(flaw), "{profile}");
        }
    }
}
