//! Upstream providers at work: their metadata and keys, codes redeemed for tokens, tokens revoked, and who a person is.
//!
//! Every rule is `portcullis-oauth`'s; this fetches what the rules need, by the one way out.
//! Keeps nothing but caches of public documents, whose age is bounded; tokens and identities go to whoever called.
//!
//! To add a provider or a quirk of one, see `providers.toml` and the profile's type; nothing here compares a provider's name.

pub mod catalogue;
mod error;
pub(in crate::upstream) mod exchange;
mod identify;
mod kept;
mod redeem;
mod renew;
mod revoke;
pub(in crate::upstream) mod token_endpoint;
mod trial;

use std::sync::Arc;

use portcullis_base::{Clock, SafeUrl, Slug};
use portcullis_oauth::client::keys::SigningKeys;
use portcullis_oauth::client::metadata::{InvalidMetadata, ProviderMetadata, locations};
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_oauth::client::ready::ReadyProvider;

use super::http::Http;
use exchange::Asked;
use kept::Kept;
use token_endpoint::KnownMethods;

pub use error::{AnswerProblem, Endpoint, ProviderError};
pub use redeem::{CodeRedemption, ProviderTokens};
pub use renew::RenewalError;
pub use trial::Tried;

/// The way to the providers.
pub struct Providers {
    http: Http,
    metadata: Kept<ProviderMetadata>,
    keys: Kept<SigningKeys>,
    methods: KnownMethods,
    clock: Arc<dyn Clock>,
}

impl Providers {
    /// Makes a way that goes out through `http`.
    #[must_use]
    pub fn new(http: Http, clock: Arc<dyn Clock>) -> Self {
        Self {
            http,
            metadata: Kept::new(Arc::clone(&clock)),
            keys: Kept::new(Arc::clone(&clock)),
            methods: KnownMethods::default(),
            clock,
        }
    }

    pub(in crate::upstream) fn http(&self) -> &Http {
        &self.http
    }

    /// Fills in what only the provider's metadata knows; asks for it at most once in ten minutes.
    ///
    /// # Errors
    ///
    /// When there is no metadata of the issuer, or an endpoint is missing all the same.
    pub async fn ready(
        &self,
        provider: &Arc<ResolvedProvider>,
    ) -> Result<ReadyProvider, ProviderError> {
        let metadata = self.metadata_of(provider).await?;
        ReadyProvider::new(Arc::clone(provider), metadata.as_deref()).map_err(|reason| {
            ProviderError::NotReady {
                provider: provider.slug().clone(),
                reason,
            }
        })
    }

    /// Returns the metadata of a provider; none where it can be used without.
    ///
    /// # Errors
    ///
    /// When it cannot be fetched, or is not that of the issuer.
    pub async fn metadata_of(
        &self,
        provider: &ResolvedProvider,
    ) -> Result<Option<Arc<ProviderMetadata>>, ProviderError> {
        let Some(issuer) = provider.metadata_issuer() else {
            return Ok(None);
        };
        let slug = provider.slug();
        let (http, asked) = (self.http.clone(), (slug.clone(), issuer.to_owned()));
        let fetch = async move { discover(&http, &asked.0, &asked.1).await };
        let document = self.metadata.document(&key(slug, issuer), fetch).await?;
        Ok(Some(document))
    }

    /// Returns the keys that a provider signs with; asks for them at most once in ten minutes.
    pub(in crate::upstream) async fn signing_keys(
        &self,
        provider: &Slug,
        url: &SafeUrl,
    ) -> Result<Arc<SigningKeys>, ProviderError> {
        let fetch = self.keys_at(provider, url);
        self.keys
            .document(&key(provider, url.as_url().as_str()), fetch)
            .await
    }

    fn keys_at(
        &self,
        provider: &Slug,
        url: &SafeUrl,
    ) -> impl Future<Output = Result<SigningKeys, ProviderError>> + Send + 'static {
        let (http, provider, url) = (self.http.clone(), provider.clone(), url.clone());
        async move { fetch_keys(&http, &provider, &url).await }
    }

    /// Returns newer keys than those that lack the one that a token was signed with.
    pub(in crate::upstream) async fn newer_keys(
        &self,
        provider: &Slug,
        url: &SafeUrl,
        lacking: &Arc<SigningKeys>,
    ) -> Result<Option<Arc<SigningKeys>>, ProviderError> {
        let fetch = self.keys_at(provider, url);
        self.keys
            .newer(&key(provider, url.as_url().as_str()), lacking, fetch)
            .await
    }
}

/// Each provider has documents of its own, for their failures bear its name.
fn key(provider: &Slug, place: &str) -> String {
    format!("{provider} {place}")
}

/// Looks for metadata where OpenID Connect puts it, then where RFC 8414 does.
///
/// Servers answer unknown paths with pages, redirects and errors, so an answer of no use at the first place does not end the search; a server that cannot be reached does.
async fn discover(
    http: &Http,
    provider: &Slug,
    issuer: &str,
) -> Result<ProviderMetadata, ProviderError> {
    let refused = |reason| ProviderError::Metadata {
        provider: provider.clone(),
        reason,
    };
    let url = SafeUrl::parse(issuer).map_err(|_| refused(InvalidMetadata::OtherIssuer))?;
    let mut failure = None;
    for place in locations(&url) {
        let url = SafeUrl::parse(&place).map_err(|_| refused(InvalidMetadata::Malformed))?;
        let asked = Asked {
            provider,
            endpoint: Endpoint::Metadata,
            url: &url,
        };
        let error = match asked.document(http, None).await {
            Ok(body) => match ProviderMetadata::read(&body, issuer) {
                Ok(metadata) => return Ok(metadata),
                Err(reason) => {
                    asked.log(&reason.to_string());
                    refused(reason)
                }
            },
            Err(error @ ProviderError::Answer { .. }) => error,
            Err(error) => return Err(error),
        };
        // A document that was there says more than a place where none is.
        let is_telling = matches!(error, ProviderError::Metadata { .. });
        failure = failure.filter(|_| !is_telling).or(Some(error));
    }
    Err(failure.unwrap_or_else(|| refused(InvalidMetadata::Malformed)))
}

async fn fetch_keys(
    http: &Http,
    provider: &Slug,
    url: &SafeUrl,
) -> Result<SigningKeys, ProviderError> {
    let asked = Asked {
        provider,
        endpoint: Endpoint::Keys,
        url,
    };
    let body = asked.document(http, None).await?;
    SigningKeys::read(&body).map_err(|_| asked.useless(AnswerProblem::NoKeys))
}
