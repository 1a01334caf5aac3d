//! The way to the provider: what the browser is sent there with, and what is kept to know it by when it comes back.

use std::sync::Arc;

use portcullis_base::{Plain, Slug, UpstreamState};
use portcullis_oauth::client::begin::{SignInPurpose, SignInRequest, begin};
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_oauth::issuer::flow::{AtProvider, AuthorizationRequest};
use portcullis_oauth::pkce::{self, CodeChallenge};
use portcullis_oauth::scope::Scopes;

use super::IssuerState;
use crate::catalogue::SignIn;
use crate::upstream::providers::ProviderError;

/// Where a person signs in, and for which toolset.
#[derive(Clone, Copy)]
pub(super) struct Destination<'a> {
    pub(super) toolset: &'a Slug,
    pub(super) sign_in: &'a SignIn,
    pub(super) provider: &'a Arc<ResolvedProvider>,
}

/// A browser that is ready to leave; nothing of it is stored yet.
pub(super) struct Departure {
    pub(super) at_provider: AtProvider,
    pub(super) url: String,
}

impl Departure {
    /// Makes the state, the verifier and the nonce for one sign-in.
    pub(super) async fn prepare(
        state: &IssuerState,
        request: &AuthorizationRequest,
        to: Destination<'_>,
    ) -> Result<Self, ProviderError> {
        let parts = &state.parts;
        let sign_in = to.sign_in;
        let ready = parts.providers.ready(to.provider).await?;
        let upstream_state = Plain::<UpstreamState>::new(&*parts.rng);
        let verifier = pkce::verifier(&*parts.rng);
        let nonce = pkce::verifier(&*parts.rng);
        let scopes = to.scopes(request);
        let url = begin(
            &ready,
            &SignInRequest {
                purpose: purpose(sign_in),
                redirect_uri: &state.url(&format!("/callback/{}", sign_in.provider)),
                scopes: &scopes.intersection(&sign_in.scopes),
                state: &upstream_state,
                challenge: &CodeChallenge::of(&verifier),
                nonce: &nonce,
                resource: None,
            },
        );
        let at_provider = AtProvider {
            provider: sign_in.provider.clone(),
            state: upstream_state.digest(),
            verifier,
            nonce,
            toolset: to.toolset.clone(),
            scopes,
            consent_of: None,
        };
        Ok(Self { at_provider, url })
    }
}

impl Destination<'_> {
    /// Returns what of a request can be approved here.
    pub(super) fn scopes(&self, request: &AuthorizationRequest) -> Scopes {
        let known = self.sign_in.scopes.union(&Scopes::offline());
        request.scopes.intersection(&known)
    }
}

/// Returns what a sign-in is for: where no tool is called with the person's token, none is kept.
pub(super) fn purpose(sign_in: &SignIn) -> SignInPurpose {
    if sign_in.connects {
        SignInPurpose::Tokens
    } else {
        SignInPurpose::Identity
    }
}
