//! Who a person is, by the best witness that the profile names.
//!
//! An id token that is there and not believed ends the sign-in; nothing weaker takes its place.

use std::sync::Arc;

use portcullis_base::{SafeUrl, Secret};
use portcullis_oauth::client::allow::{AllowKind, asks_for};
use portcullis_oauth::client::id_token::{ExpectedIdToken, IdTokenClaims, IdTokenError, validate};
use portcullis_oauth::client::identity::{
    Testimony, VerifiedFacts, organisations, verified_emails,
};
use portcullis_oauth::client::issuer::ExpectedIssuer;
use portcullis_oauth::client::keys::SigningKeys;
use portcullis_oauth::client::profile::{IdentitySource, IdentityWitness};
use portcullis_oauth::client::ready::ReadyProvider;
use portcullis_oauth::issuer::person::Identity;
use serde_json::Value;

use super::Providers;
use super::error::{AnswerProblem, Endpoint, ProviderError};
use super::exchange::Asked;
use super::redeem::ProviderTokens;

/// What a witness said, and in whose name.
struct Witnessed {
    testimony: Testimony,
    issuer: String,
    witness: IdentityWitness,
}

impl Providers {
    /// Finds out who a person is, and what the provider vouches for; nobody where its profile has no witness to ask.
    ///
    /// # Errors
    ///
    /// When a witness is not believed, cannot be asked, or says nothing.
    pub async fn identify(
        &self,
        ready: &ReadyProvider,
        tokens: &ProviderTokens,
        nonce: &Secret,
    ) -> Result<(Option<Identity>, VerifiedFacts), ProviderError> {
        let Some(mut witnessed) = self.witness(ready, tokens, nonce).await? else {
            if has_witness(ready) {
                return Err(ProviderError::NoIdentity {
                    provider: ready.provider().slug().clone(),
                });
            }
            return Ok((None, VerifiedFacts::default()));
        };
        if witnessed.witness == IdentityWitness::IdToken
            && lacks_claims(ready, &witnessed.testimony)
        {
            self.ask_userinfo_too(ready, tokens, &mut witnessed).await?;
        }
        self.ask_lists(ready, tokens, &mut witnessed.testimony.facts)
            .await?;
        let identity = witnessed.testimony.identity(witnessed.issuer);
        Ok((Some(identity), witnessed.testimony.facts))
    }

    async fn witness(
        &self,
        ready: &ReadyProvider,
        tokens: &ProviderTokens,
        nonce: &Secret,
    ) -> Result<Option<Witnessed>, ProviderError> {
        let mut userinfo: Option<Value> = None;
        for source in &ready.provider().profile().identity {
            let mut issuer = own_issuer(ready);
            let testimony = match source.from {
                IdentityWitness::IdToken => {
                    let Some(token) = &tokens.id_token else {
                        continue;
                    };
                    let claims = self.believed(ready, token, nonce).await?;
                    issuer = claims.issuer;
                    Testimony::read(source, &claims.claims)
                }
                IdentityWitness::Userinfo => {
                    let Some(url) = ready.userinfo() else {
                        continue;
                    };
                    let answer = match userinfo.take() {
                        Some(answer) => answer,
                        None => self.json(ready, Endpoint::Userinfo, url, tokens).await?,
                    };
                    let testimony = Testimony::read(source, &answer);
                    userinfo = Some(answer);
                    testimony
                }
                IdentityWitness::TokenAnswer => tokens.from_answer.clone(),
            };
            if let Some(testimony) = testimony {
                return Ok(Some(Witnessed {
                    testimony,
                    issuer,
                    witness: source.from,
                }));
            }
        }
        Ok(None)
    }

    /// Judges an id token; once more with newer keys where its key is not among those that are known.
    async fn believed(
        &self,
        ready: &ReadyProvider,
        token: &Secret,
        nonce: &Secret,
    ) -> Result<IdTokenClaims, ProviderError> {
        let provider = ready.provider();
        let doubted = |reason| {
            tracing::warn!(
                upstream.provider = %provider.slug(),
                cause = %reason,
                "an id token is not believed"
            );
            ProviderError::IdToken {
                provider: provider.slug().clone(),
                reason,
            }
        };
        let (Some(url), Some(issuer)) = (ready.jwks(), provider.issuer()) else {
            return Err(doubted(IdTokenError::UnknownKey));
        };
        let judge = |keys: &Arc<SigningKeys>| {
            let expected = ExpectedIdToken {
                keys: keys.as_ref(),
                issuer,
                audience: &provider.client().id,
                nonce,
            };
            validate(token, &expected, self.clock.now())
        };
        let keys = self.signing_keys(provider.slug(), url).await?;
        match judge(&keys) {
            Err(IdTokenError::UnknownKey) => {
                match self.newer_keys(provider.slug(), url, &keys).await? {
                    Some(newer) => judge(&newer).map_err(doubted),
                    None => Err(doubted(IdTokenError::UnknownKey)),
                }
            }
            outcome => outcome.map_err(doubted),
        }
    }

    /// Asks the userinfo endpoint for what an id token leaves out; what only a page would show is done without where it does not answer.
    async fn ask_userinfo_too(
        &self,
        ready: &ReadyProvider,
        tokens: &ProviderTokens,
        witnessed: &mut Witnessed,
    ) -> Result<(), ProviderError> {
        let mut sources = ready.provider().profile().identity.iter();
        let source = sources.find(|source| source.from == IdentityWitness::Userinfo);
        let Some((source, url)) = source.zip(ready.userinfo()) else {
            return Ok(());
        };
        let answer = match self.json(ready, Endpoint::Userinfo, url, tokens).await {
            Ok(answer) => answer,
            Err(error) if lacks_facts(ready, &witnessed.testimony) => return Err(error),
            Err(_) => return Ok(()),
        };
        let Some(more) = Testimony::read(source, &answer) else {
            return Ok(());
        };
        // OpenID Connect Core §5.3.2: "The sub Claim in the UserInfo Response MUST be verified to exactly match the sub Claim in the ID Token".
        if more.subject != witnessed.testimony.subject {
            return Err(ProviderError::OtherPerson {
                provider: ready.provider().slug().clone(),
            });
        }
        witnessed.testimony.add(more);
        Ok(())
    }

    /// Asks for the lists that the operator's rules are about.
    async fn ask_lists(
        &self,
        ready: &ReadyProvider,
        tokens: &ProviderTokens,
        facts: &mut VerifiedFacts,
    ) -> Result<(), ProviderError> {
        let provider = ready.provider();
        let rules = provider.allow();
        let profile = provider.profile();
        if let Some(list) = profile
            .emails
            .as_ref()
            .filter(|_| asks_for(rules, AllowKind::Email))
        {
            let answer = self
                .list(ready, Endpoint::Emails, &list.below_userinfo, tokens)
                .await?;
            facts.emails.extend(verified_emails(list, &answer));
        }
        let list = profile.organisations.as_ref();
        if let Some(list) = list.filter(|_| asks_for(rules, AllowKind::Organisation)) {
            let path = &list.below_userinfo;
            let answer = self
                .list(ready, Endpoint::Organisations, path, tokens)
                .await?;
            facts.organisations = organisations(list, &answer);
        }
        Ok(())
    }

    /// Fetches a list below the userinfo endpoint, so that the token stays where it belongs.
    async fn list(
        &self,
        ready: &ReadyProvider,
        endpoint: Endpoint,
        below: &str,
        tokens: &ProviderTokens,
    ) -> Result<Value, ProviderError> {
        let url = ready.userinfo().and_then(|userinfo| {
            let mut base = userinfo.as_url().clone();
            base.set_query(None);
            let base = base.as_str().trim_end_matches('/').to_owned();
            SafeUrl::parse(&format!("{base}{below}")).ok()
        });
        match url {
            Some(url) => self.json(ready, endpoint, &url, tokens).await,
            None => Err(ProviderError::NoIdentity {
                provider: ready.provider().slug().clone(),
            }),
        }
    }

    async fn json(
        &self,
        ready: &ReadyProvider,
        endpoint: Endpoint,
        url: &SafeUrl,
        tokens: &ProviderTokens,
    ) -> Result<Value, ProviderError> {
        let asked = Asked {
            provider: ready.provider().slug(),
            endpoint,
            url,
        };
        let body = asked
            .document(&self.http, Some(&tokens.tokens.access))
            .await?;
        serde_json::from_slice(&body).map_err(|_| asked.useless(AnswerProblem::NotJson))
    }
}

/// Returns in whose name a witness other than an id token speaks: the issuer that the operator or the profile names, else the provider's slug, which is no URL.
fn own_issuer(ready: &ReadyProvider) -> String {
    let provider = ready.provider();
    let issuer = provider.issuer().and_then(ExpectedIssuer::exact);
    issuer.unwrap_or(provider.slug().as_str()).to_owned()
}

/// Tells whether the provider says who people are, if everything is as it should be.
fn has_witness(ready: &ReadyProvider) -> bool {
    let can_be_asked = |source: &IdentitySource| match source.from {
        IdentityWitness::IdToken | IdentityWitness::TokenAnswer => true,
        IdentityWitness::Userinfo => ready.userinfo().is_some(),
    };
    ready.provider().profile().identity.iter().any(can_be_asked)
}

fn lacks_claims(ready: &ReadyProvider, testimony: &Testimony) -> bool {
    testimony.label.is_none() || lacks_facts(ready, testimony)
}

fn lacks_facts(ready: &ReadyProvider, testimony: &Testimony) -> bool {
    let rules = ready.provider().allow();
    let facts = &testimony.facts;
    (facts.emails.is_empty() && asks_for(rules, AllowKind::Email))
        || (facts.hd.is_none() && asks_for(rules, AllowKind::HostedDomain))
        || (facts.tid.is_none() && asks_for(rules, AllowKind::Tenant))
}
