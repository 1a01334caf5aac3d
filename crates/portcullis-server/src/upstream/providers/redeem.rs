//! A code redeemed for a person's tokens.

use portcullis_base::Secret;
use portcullis_oauth::client::begin::{SignInPurpose, requested_scopes};
use portcullis_oauth::client::identity::Testimony;
use portcullis_oauth::client::profile::IdentityWitness;
use portcullis_oauth::client::ready::ReadyProvider;
use portcullis_oauth::issuer::person::ConnectionTokens;
use portcullis_oauth::scope::Scopes;
use portcullis_oauth::wire::token::granted::{AuthorizationCodeRequest, TokenAnswer};

use super::Providers;
use super::error::ProviderError;
use super::token_endpoint::{Unanswered, refused};

/// A code, and the request that brought it.
#[derive(Clone, Copy, Debug)]
pub struct CodeRedemption<'a> {
    /// What the sign-in is for.
    pub purpose: SignInPurpose,
    /// The code.
    pub code: &'a Secret,
    /// The callback that it came to.
    pub redirect_uri: &'a str,
    /// The verifier of the request's challenge.
    pub verifier: &'a Secret,
    /// The scopes that the person approved, in our documents' words.
    pub scopes: &'a Scopes,
    /// The API that the token is for; sent only where the profile says so.
    pub resource: Option<&'a str>,
}

/// What a code brought.
#[derive(Clone, Debug)]
pub struct ProviderTokens {
    /// The tokens, to be kept where the sign-in is for calling the API.
    pub tokens: ConnectionTokens,
    /// The scopes that our own token may carry: those approved that the provider granted.
    pub granted: Scopes,
    pub(super) id_token: Option<Secret>,
    pub(super) from_answer: Option<Testimony>,
}

impl Providers {
    /// Redeems a code.
    ///
    /// # Errors
    ///
    /// When the provider refuses, cannot be reached, or answers without a token.
    pub async fn redeem_code(
        &self,
        ready: &ReadyProvider,
        redemption: &CodeRedemption<'_>,
    ) -> Result<ProviderTokens, ProviderError> {
        match self.present_code(ready, redemption).await {
            Ok(answer) => Ok(self.tokens(ready, redemption, answer)),
            Err(Unanswered::Failed { error, .. }) => Err(error),
            Err(Unanswered::Refused { refusal, .. }) => Err(refused(ready, &refusal)),
        }
    }

    /// Presents a code, with our secret as the provider takes it.
    pub(super) async fn present_code(
        &self,
        ready: &ReadyProvider,
        redemption: &CodeRedemption<'_>,
    ) -> Result<TokenAnswer, Unanswered> {
        let profile = ready.provider().profile();
        let request = AuthorizationCodeRequest {
            code: redemption.code,
            redirect_uri: redemption.redirect_uri,
            code_verifier: profile.pkce.then_some(redemption.verifier),
            resource: redemption.resource.filter(|_| profile.forward_resource),
        };
        let fields: Vec<_> = request.fields().collect();
        self.ask_for_tokens(ready, &fields).await
    }

    fn tokens(
        &self,
        ready: &ReadyProvider,
        redemption: &CodeRedemption<'_>,
        answer: TokenAnswer,
    ) -> ProviderTokens {
        let profile = ready.provider().profile();
        let requested = requested_scopes(ready, redemption.purpose, redemption.scopes);
        let granted =
            profile
                .scopes
                .granted(redemption.scopes, &requested, answer.scope.as_deref());
        let sources = profile.identity.iter();
        let mut sources = sources.filter(|source| source.from == IdentityWitness::TokenAnswer);
        let now = self.clock.now();
        ProviderTokens {
            granted: match redemption.purpose {
                // The API takes other credentials, of which the provider knows nothing.
                SignInPurpose::Identity => redemption.scopes.clone(),
                SignInPurpose::Tokens => granted.ours,
            },
            from_answer: sources
                .find_map(|source| Testimony::read(source, answer.members.expose())),
            id_token: answer.id_token,
            tokens: ConnectionTokens {
                access: answer.access_token,
                refresh: answer.refresh_token,
                expires_at: answer.expires_in.map(|lifetime| now.after(lifetime)),
                scopes: granted.theirs,
            },
        }
    }
}
