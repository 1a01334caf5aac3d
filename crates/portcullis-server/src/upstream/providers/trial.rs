//! Whether a provider takes our client id and secret, found out without a person.
//!
//! A code that nobody issued is presented; which refusal comes is judged by `portcullis-oauth`.

use portcullis_base::Rng;
use portcullis_oauth::client::begin::SignInPurpose;
use portcullis_oauth::client::ready::ReadyProvider;
use portcullis_oauth::client::trial::{ClientTrial, judge};
use portcullis_oauth::pkce;
use portcullis_oauth::scope::Scopes;

use super::token_endpoint::{Unanswered, refused};
use super::{CodeRedemption, ProviderError, Providers};

/// What came of a trial.
#[derive(Clone, Debug)]
pub struct Tried {
    /// What the provider makes of our client.
    pub outcome: ClientTrial,
    /// How it refused the code, in words that may be shown; none where it did not.
    pub refusal: Option<ProviderError>,
}

impl Providers {
    /// Tries our client id and secret at the provider's token endpoint.
    ///
    /// # Errors
    ///
    /// When there is no answer, or one that says nothing.
    pub async fn try_client(
        &self,
        ready: &ReadyProvider,
        redirect_uri: &str,
        rng: &dyn Rng,
    ) -> Result<Tried, ProviderError> {
        let redemption = CodeRedemption {
            purpose: SignInPurpose::Identity,
            code: &pkce::verifier(rng),
            redirect_uri,
            verifier: &pkce::verifier(rng),
            scopes: &Scopes::default(),
            resource: None,
        };
        match self.present_code(ready, &redemption).await {
            Ok(_) => Ok(Tried {
                outcome: ClientTrial::Unclear,
                refusal: None,
            }),
            Err(Unanswered::Refused { refusal, .. }) => Ok(Tried {
                outcome: judge(&refusal, ready.provider().profile()),
                refusal: Some(refused(ready, &refusal)),
            }),
            Err(Unanswered::Failed { error, .. }) => Err(error),
        }
    }
}
