//! A provider as far as it can be judged without a person: what it says of itself, and whether it knows our client.

use std::sync::Arc;

use portcullis_base::{Origin, Rng, SafeUrl, Slug};
use portcullis_oauth::client::begin::{SignInPurpose, requested_scopes};
use portcullis_oauth::client::metadata::{InvalidMetadata, ProviderMetadata, locations};
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_oauth::client::ready::ReadyProvider;
use portcullis_oauth::client::trial::ClientTrial;

use super::finding::{Finding, Part, PartKind};
use crate::catalogue::SignIn;
use crate::upstream::providers::{ProviderError, Providers};

/// Whoever registered us at the providers.
pub(super) struct Registrar<'a> {
    /// The way to them.
    pub(super) providers: &'a Providers,
    /// Where the gateway is.
    pub(super) public_url: &'a Origin,
    /// For codes that nobody issued.
    pub(super) rng: &'a dyn Rng,
}

impl Registrar<'_> {
    /// Looks at a provider, and whether it has what the toolsets ask for.
    pub(super) async fn provider(
        &self,
        provider: &Arc<ResolvedProvider>,
        sign_ins: &[(&Slug, &SignIn)],
    ) -> Part {
        let mut part = Part::new(PartKind::Provider, provider.slug().as_str());
        let callback = format!("{}/callback/{}", self.public_url, provider.slug());
        part.add(Finding::note(
            "callback",
            format!("enter this callback there, letter by letter: {callback}"),
        ));
        let metadata = match self.providers.metadata_of(provider).await {
            Ok(metadata) => metadata,
            Err(error) => {
                part.add(failed("metadata", provider, &error));
                return part;
            }
        };
        judge_metadata(&mut part, provider, metadata.as_deref());
        let ready = match ReadyProvider::new(Arc::clone(provider), metadata.as_deref()) {
            Ok(ready) => ready,
            Err(reason) => {
                part.add(Finding::wrong(
                    "endpoints",
                    format!("the provider cannot be used: {reason}"),
                    format!("set it in `[providers.{}]`", provider.slug()),
                ));
                return part;
            }
        };
        judge_endpoints(&mut part, &ready);
        for (toolset, sign_in) in sign_ins {
            part.add(judge_scopes(&ready, metadata.as_deref(), toolset, sign_in));
        }
        part.add(self.try_client(&ready, &callback).await);
        part
    }

    async fn try_client(&self, ready: &ReadyProvider, callback: &str) -> Finding {
        const CHECK: &str = "client";
        let provider = ready.provider();
        let tried = self.providers.try_client(ready, callback, self.rng).await;
        let tried = match tried {
            Ok(tried) => tried,
            Err(error) => return failed(CHECK, provider, &error),
        };
        let refusal = tried.refusal.map(|error| error.to_string());
        let refusal = refusal.unwrap_or_else(|| "it gave a token for nothing".to_owned());
        match tried.outcome {
            ClientTrial::Taken => Finding::good(
                CHECK,
                "the client id and the secret are taken: a code that nobody issued was refused, and the client was not",
            ),
            ClientTrial::Refused => Finding::wrong(
                CHECK,
                format!("the provider does not take the client id or the secret: {refusal}"),
                format!(
                    "compare `client_id` and the client secret of `[providers.{}]` with those at the provider",
                    provider.slug()
                ),
            ),
            ClientTrial::OtherCallback => Finding::wrong(
                CHECK,
                format!("the provider knows another callback: {refusal}"),
                format!("enter this one there, letter by letter: {callback}"),
            ),
            ClientTrial::Unclear => Finding::doubtful(
                CHECK,
                format!("whether the client id and the secret are taken cannot be told: {refusal}"),
                "sign in once; the log says what the provider makes of it",
            ),
        }
    }
}

fn judge_metadata(
    part: &mut Part,
    provider: &ResolvedProvider,
    metadata: Option<&ProviderMetadata>,
) {
    let Some(metadata) = metadata else {
        part.add(Finding::note(
            "metadata",
            "its endpoints are known from the profile or the configuration; no metadata is needed",
        ));
        return;
    };
    let issuer = provider.metadata_issuer().unwrap_or_default();
    part.add(Finding::good(
        "metadata",
        format!("its metadata is that of the issuer {issuer}"),
    ));
    part.add(match &metadata.challenge_methods {
        None => Finding::note(
            "pkce",
            "its metadata does not say whether it takes PKCE; the gateway sends it",
        ),
        Some(_) if metadata.takes_s256() => Finding::good("pkce", "it takes PKCE with S256"),
        Some(_) => Finding::wrong(
            "pkce",
            "its metadata lists methods of PKCE, but not S256, which the gateway sends",
            "allow S256 for the client at the provider, or bring the provider up to date",
        ),
    });
}

/// Judges whether anything would travel in the clear.
fn judge_endpoints(part: &mut Part, ready: &ReadyProvider) {
    let endpoints = [
        ("authorization endpoint", Some(ready.authorization())),
        ("token endpoint", Some(ready.token())),
        ("userinfo endpoint", ready.userinfo()),
        ("keys", ready.jwks()),
        ("revocation endpoint", ready.revocation()),
    ];
    let plain = endpoints
        .into_iter()
        .filter_map(|(name, url)| Some((name, url?)))
        .filter(|(_, url)| url.as_url().scheme() != "https");
    let (own, foreign): (Vec<_>, Vec<_>) = plain.partition(|(_, url)| url.origin().is_loopback());
    let names = |of: &[(&str, &SafeUrl)]| {
        let names: Vec<&str> = of.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    };
    if !foreign.is_empty() {
        part.add(Finding::wrong(
            "https",
            format!(
                "not https, so that secrets travel in the clear: {}",
                names(&foreign)
            ),
            "let the provider speak https, and name its endpoints or its issuer by it",
        ));
    } else if !own.is_empty() {
        part.add(Finding::note(
            "https",
            format!(
                "not https, which is good enough on this machine only: {}",
                names(&own)
            ),
        ));
    } else {
        part.add(Finding::good("https", "all its endpoints are https"));
    }
}

fn judge_scopes(
    ready: &ReadyProvider,
    metadata: Option<&ProviderMetadata>,
    toolset: &Slug,
    sign_in: &SignIn,
) -> Finding {
    const CHECK: &str = "scopes";
    let purpose = if sign_in.connects {
        SignInPurpose::Tokens
    } else {
        SignInPurpose::Identity
    };
    let requested = requested_scopes(ready, purpose, &sign_in.scopes);
    let unlisted: Vec<&str> = requested
        .iter()
        .filter(|scope| metadata.is_some_and(|metadata| !metadata.has_scope(scope)))
        .map(String::as_str)
        .collect();
    if !unlisted.is_empty() {
        return Finding::doubtful(
            CHECK,
            format!(
                "for `{toolset}` it is asked for scopes that its metadata does not list: {}",
                unlisted.join(" ")
            ),
            "some providers list only a few of theirs; where a sign-in ends with `invalid_scope`, mend the scopes in the document or in `scopes`",
        );
    }
    let asked = if requested.is_empty() {
        "no scope".to_owned()
    } else {
        requested.join(" ")
    };
    Finding::good(CHECK, format!("for `{toolset}` it is asked for {asked}"))
}

fn failed(check: &'static str, provider: &ResolvedProvider, error: &ProviderError) -> Finding {
    let table = format!("`[providers.{}]`", provider.slug());
    match error {
        ProviderError::Unreachable {
            endpoint, reason, ..
        } => Finding::wrong(
            check,
            format!("its {endpoint} cannot be reached: {reason}"),
            format!(
                "see that the URLs of {table} are right, and that this machine may go there: name, port, certificate, firewall"
            ),
        ),
        ProviderError::Metadata {
            reason: InvalidMetadata::OtherIssuer,
            ..
        } => {
            let place = provider.metadata_issuer().map(SafeUrl::parse);
            let place = place.and_then(Result::ok).map(|issuer| locations(&issuer));
            let place = place.map(|[first, _]| first).unwrap_or_default();
            Finding::wrong(
                check,
                error.to_string(),
                format!("open {place} and copy `issuer` from there into {table}, letter by letter"),
            )
        }
        ProviderError::NotAllowed { .. } => Finding::wrong(
            check,
            error.to_string(),
            "allow the origin where it is one that you trust",
        ),
        _ => Finding::wrong(
            check,
            error.to_string(),
            format!("compare {table} with what the provider says of itself"),
        ),
    }
}
