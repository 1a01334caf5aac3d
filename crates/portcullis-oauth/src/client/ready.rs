//! A provider of which every endpoint is known, be it by its profile, its operator or its metadata.
//!
//! Only such a provider can be begun with; the type is the proof.

use std::sync::Arc;

use portcullis_base::SafeUrl;
use thiserror::Error;

use super::metadata::ProviderMetadata;
use super::profile::{RESERVED, SecretMethod};
use super::provider::ResolvedProvider;

/// A provider that can be used.
#[derive(Clone, Debug)]
pub struct ReadyProvider {
    provider: Arc<ResolvedProvider>,
    authorization: SafeUrl,
    token: SafeUrl,
    userinfo: Option<SafeUrl>,
    jwks: Option<SafeUrl>,
    revocation: Option<SafeUrl>,
    sends_iss: bool,
    secret_method: Option<SecretMethod>,
    offline_scope: Option<String>,
}

/// Why a provider cannot be used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NotReady {
    /// Neither settings nor metadata name an endpoint.
    #[error("its metadata does not say it: set `{0}`")]
    Missing(&'static str),
    /// The authorization endpoint is plain HTTP, though the token endpoint is not.
    #[error("its authorization endpoint is not https, though its token endpoint is")]
    PlainAuthorization,
    /// The authorization endpoint carries a parameter that is ours to set.
    #[error("its authorization endpoint sets the parameter `{0}`, which the gateway sets itself")]
    Reserved(&'static str),
}

impl ReadyProvider {
    /// Fills what settings leave open with what metadata says.
    ///
    /// # Errors
    ///
    /// When an endpoint is missing or the authorization endpoint cannot be used.
    pub fn new(
        provider: Arc<ResolvedProvider>,
        metadata: Option<&ProviderMetadata>,
    ) -> Result<Self, NotReady> {
        let known = provider.endpoints();
        let or = |known: &Option<SafeUrl>, told: fn(&ProviderMetadata) -> &Option<SafeUrl>| {
            let told = metadata.and_then(|metadata| told(metadata).as_ref());
            known.as_ref().or(told).cloned()
        };
        let authorization = or(&known.authorization, |m| &m.authorization)
            .ok_or(NotReady::Missing("authorization_endpoint"))?;
        let token = or(&known.token, |m| &m.token).ok_or(NotReady::Missing("token_endpoint"))?;
        // Tokens of a place that the operator names are nothing that the metadata's place should see.
        let is_elsewhere = metadata
            .and_then(|metadata| metadata.token.as_ref())
            .is_some_and(|told| told.origin() != token.origin());
        let of_tokens = |known: &Option<SafeUrl>,
                         told: fn(&ProviderMetadata) -> &Option<SafeUrl>| {
            if is_elsewhere {
                known.clone()
            } else {
                or(known, told)
            }
        };
        let userinfo = of_tokens(&known.userinfo, |m| &m.userinfo);
        let revocation = of_tokens(&known.revocation, |m| &m.revocation);
        let jwks = or(&known.jwks, |m| &m.jwks);
        if jwks.is_none() && provider.profile().reads_id_tokens() {
            return Err(NotReady::Missing("jwks_uri"));
        }
        // The egress guard judges the token endpoint; a browser goes to this one, with nobody to judge it.
        if authorization.as_url().scheme() == "http" && token.as_url().scheme() == "https" {
            return Err(NotReady::PlainAuthorization);
        }
        if let Some(name) = reserved(&authorization) {
            return Err(NotReady::Reserved(name));
        }
        let offline_scope = provider.profile().scopes.offline.clone();
        let offline_scope =
            offline_scope.filter(|scope| metadata.is_none_or(|metadata| metadata.has_scope(scope)));
        let told_method = metadata.and_then(|metadata| metadata.secret_method);
        Ok(Self {
            authorization,
            token,
            userinfo,
            jwks,
            revocation,
            sends_iss: provider.sends_iss() || metadata.is_some_and(|metadata| metadata.sends_iss),
            secret_method: provider
                .profile()
                .token_endpoint_auth_method
                .or(told_method),
            offline_scope,
            provider,
        })
    }

    /// Returns the provider.
    #[must_use]
    pub fn provider(&self) -> &ResolvedProvider {
        &self.provider
    }

    /// Returns the authorization endpoint.
    #[must_use]
    pub fn authorization(&self) -> &SafeUrl {
        &self.authorization
    }

    /// Returns the token endpoint.
    #[must_use]
    pub fn token(&self) -> &SafeUrl {
        &self.token
    }

    /// Returns the userinfo endpoint.
    #[must_use]
    pub fn userinfo(&self) -> Option<&SafeUrl> {
        self.userinfo.as_ref()
    }

    /// Returns where the keys are that sign id tokens.
    #[must_use]
    pub fn jwks(&self) -> Option<&SafeUrl> {
        self.jwks.as_ref()
    }

    /// Returns where tokens are revoked.
    #[must_use]
    pub fn revocation(&self) -> Option<&SafeUrl> {
        self.revocation.as_ref()
    }

    /// Tells whether every authorization response must bear `iss`.
    #[must_use]
    pub fn sends_iss(&self) -> bool {
        self.sends_iss
    }

    /// Returns how our secret is sent, where that is known.
    #[must_use]
    pub fn secret_method(&self) -> Option<SecretMethod> {
        self.secret_method
    }

    /// Returns the scope that brings a refresh token, where the provider has one.
    #[must_use]
    pub fn offline_scope(&self) -> Option<&str> {
        self.offline_scope.as_deref()
    }
}

fn reserved(authorization: &SafeUrl) -> Option<&'static str> {
    let names: Vec<_> = authorization
        .as_url()
        .query_pairs()
        .map(|(name, _)| name)
        .collect();
    RESERVED
        .into_iter()
        .find(|reserved| names.iter().any(|name| name == reserved))
}
