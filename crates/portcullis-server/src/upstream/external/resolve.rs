//! A stored manifest made ready: whom its tokens are for, how that is found out, and what calls bear in their place.
//!
//! Decides what goes together and names what is missing; nothing is fetched.

use std::time::Duration;

use portcullis_base::{Digest, SafeUrl, Secret, Slug};
use portcullis_oauth::guard::external::{AccessTokenPolicy, DEFAULT_LEEWAY};
use portcullis_oauth::guard::probe::{
    Comparison, ExpiryPointer, NothingCompared, ProbePointers, ProbePolicy,
};
use portcullis_oauth::json_pointer::JsonPointer;
use portcullis_oauth::jws::SigningAlgorithm;
use portcullis_oauth::manifest::republish::{Republication, Unpublishable};
use portcullis_oauth::manifest::{InvalidManifest, Manifest};
use portcullis_oauth::scope::Scopes;
use portcullis_store::{
    Delegation, ExchangeSettings, ManifestSettings, OAuthManifest, ProbeSettings, TokenValidation,
};
use thiserror::Error;

/// For how long a provider's word about a token is believed unless the operator says otherwise.
const DEFAULT_CACHE: Duration = Duration::from_mins(1);

/// A manifest that toolsets can be attached to.
#[derive(Debug)]
pub struct ResolvedManifest {
    /// The slug.
    pub slug: Slug,
    /// The provider's metadata.
    pub manifest: Manifest,
    /// How it is found out what a token is good for.
    pub validation: Validation,
    /// What calls bear in the name of a caller, where it comes from his token.
    pub delegation: Option<ResolvedDelegation>,
    /// The scopes that clients are told to ask for where tokens are traded.
    pub scopes: Scopes,
    /// Our own registration at the provider.
    pub registration: Option<Registration>,
    /// Whether we serve the manifest to clients as our own.
    pub republished: bool,
    /// For how long the provider's word about a token is believed.
    pub cache: Duration,
    /// The digest of everything above: what was found out under another one is worth nothing.
    pub digest: Digest,
    audiences: Vec<String>,
    clients_without_audience: Vec<String>,
    token_issuer: String,
}

/// How it is found out what an access token is good for.
#[derive(Debug)]
pub enum Validation {
    /// By its signature.
    Jwt {
        /// Where the provider's keys are.
        keys: SafeUrl,
        /// The algorithms that are taken.
        algorithms: Vec<SigningAlgorithm>,
    },
    /// By asking the provider.
    Introspection {
        /// Where.
        endpoint: SafeUrl,
    },
    /// By a request that its answer tells the audience of.
    Probe {
        /// Where the request goes.
        url: SafeUrl,
        /// What the answer must say.
        policy: ProbePolicy,
    },
    /// By nobody but the API behind.
    Upstream,
}

impl Validation {
    /// Returns what the operator calls it.
    #[must_use]
    pub fn kind(&self) -> TokenValidation {
        match self {
            Self::Jwt { .. } => TokenValidation::Jwt,
            Self::Introspection { .. } => TokenValidation::Introspection,
            Self::Probe { .. } => TokenValidation::Probe,
            Self::Upstream => TokenValidation::Upstream,
        }
    }
}

/// We as a client of the provider.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Our client id.
    pub client_id: String,
    /// Our secret.
    pub secret: Option<Secret>,
}

/// What a call bears in the name of a caller.
#[derive(Debug)]
pub enum ResolvedDelegation {
    /// His token itself.
    Forward,
    /// A token that it is traded for.
    Trade {
        /// By which kind of request.
        kind: Trade,
        /// Where.
        endpoint: SafeUrl,
        /// What is asked for.
        settings: ExchangeSettings,
    },
}

/// The kinds of request by which one token is traded for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trade {
    /// RFC 8693.
    Exchange,
    /// Microsoft Entra's.
    OnBehalfOf,
    /// RFC 7523.
    JwtBearer,
}

/// Why a manifest cannot be used as it is described.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UnusableManifest {
    /// The document is none.
    #[error("the manifest is not used: {0}")]
    Manifest(#[from] InvalidManifest),
    /// The document lacks what the settings need.
    #[error("`{setting}` needs `{member}` in the manifest, with a URL")]
    Endpoint {
        /// The setting.
        setting: &'static str,
        /// The member.
        member: &'static str,
    },
    /// Who asks must say who he is.
    #[error("`{0}` needs `client_id`, the one of our own registration at the provider")]
    Registration(&'static str),
    /// An algorithm is none, or proves nothing.
    #[error("`algorithms` cannot be used: {0}")]
    Algorithm(String),
    /// The table of the probe is missing or incomplete.
    #[error("the probe cannot be used: {0}")]
    Probe(String),
    /// Something is said that has no effect.
    #[error("`{setting}` says nothing without `{without}`")]
    Idle {
        /// The setting.
        setting: &'static str,
        /// What it would need.
        without: &'static str,
    },
    /// Nobody at all would judge tokens.
    #[error(
        "`validation = \"upstream\"` leaves it to the API to judge tokens, and the API is not sent them"
    )]
    Unjudged,
    /// Scopes are none.
    #[error("`{setting}` cannot be used: {reason}")]
    Scopes {
        /// The setting.
        setting: &'static str,
        /// Why not.
        reason: String,
    },
    /// An exchange on behalf of somebody asks for nothing.
    #[error("`on_behalf_of` needs `scopes` in the table `exchange`, with the API's name in front")]
    NoScopes,
    /// Only a client with a secret gets a token by itself (RFC 6749 §4.4).
    #[error("`actor` needs the secret of our own registration at the provider")]
    ActorSecret,
    /// Clients could not use it.
    #[error("the manifest cannot be republished: {0}")]
    Unpublishable(#[from] Unpublishable),
}

impl ResolvedManifest {
    /// Makes a stored manifest ready.
    ///
    /// # Errors
    ///
    /// When something is missing, or does not go together.
    pub fn of(stored: &OAuthManifest) -> Result<Self, UnusableManifest> {
        Self::new(
            &stored.slug,
            &stored.content,
            &stored.settings,
            stored.client_secret.as_ref(),
        )
    }

    /// Makes a manifest ready.
    ///
    /// # Errors
    ///
    /// When something is missing, or does not go together.
    pub fn new(
        slug: &Slug,
        content: &str,
        settings: &ManifestSettings,
        secret: Option<&Secret>,
    ) -> Result<Self, UnusableManifest> {
        let manifest = Manifest::parse(content.as_bytes())?;
        let token_issuer = settings.token_issuer.as_deref();
        let token_issuer = token_issuer.unwrap_or_else(|| manifest.issuer()).to_owned();
        let registration = settings.client_id.as_ref().map(|id| Registration {
            client_id: id.clone(),
            secret: secret.cloned(),
        });
        let resolved = Self {
            validation: validation(&manifest, settings, &token_issuer)?,
            delegation: delegation(&manifest, settings)?,
            scopes: scopes("scopes", &settings.scopes)?,
            registration,
            republished: settings.republished,
            cache: settings
                .cache_seconds
                .map_or(DEFAULT_CACHE, Duration::from_secs),
            digest: digest(slug, content, settings, secret),
            audiences: settings.audiences.clone(),
            clients_without_audience: settings.clients_without_audience.clone(),
            token_issuer,
            slug: slug.clone(),
            manifest,
        };
        resolved.judge(settings)?;
        Ok(resolved)
    }

    fn judge(&self, settings: &ManifestSettings) -> Result<(), UnusableManifest> {
        let asks = matches!(self.validation, Validation::Introspection { .. });
        if asks && self.registration.is_none() {
            return Err(UnusableManifest::Registration("introspection"));
        }
        let trades = self.is_trading();
        if trades && self.registration.is_none() {
            return Err(UnusableManifest::Registration("upstream"));
        }
        let idle = [
            ("exchange", !settings.exchange.is_empty()),
            ("scopes", !settings.scopes.is_empty()),
        ];
        if let Some((setting, _)) = idle.into_iter().find(|(_, is_said)| !trades && *is_said) {
            return Err(UnusableManifest::Idle {
                setting,
                without: "upstream = \"exchange\"",
            });
        }
        self.judge_actor(settings)?;
        if settings.probe.is_some() && settings.validation != TokenValidation::Probe {
            return Err(UnusableManifest::Idle {
                setting: "probe",
                without: "validation = \"probe\"",
            });
        }
        let forwards = matches!(self.delegation, Some(ResolvedDelegation::Forward));
        if self.is_unvalidated() && !forwards {
            return Err(UnusableManifest::Unjudged);
        }
        refuse_idle(settings)?;
        if self.republished {
            self.republication("https://gateway.invalid")?;
        }
        Ok(())
    }

    fn judge_actor(&self, settings: &ManifestSettings) -> Result<(), UnusableManifest> {
        if settings.exchange.actor.is_none() {
            return Ok(());
        }
        if settings.delegation != Some(Delegation::Exchange) {
            return Err(UnusableManifest::Idle {
                setting: "actor",
                without: "upstream = \"exchange\"",
            });
        }
        let registration = self.registration.as_ref();
        let secret = registration.and_then(|it| it.secret.as_ref());
        secret.map(drop).ok_or(UnusableManifest::ActorSecret)
    }

    /// Returns the manifest as we serve it under `issuer`.
    ///
    /// # Errors
    ///
    /// When clients could not use it.
    pub fn republication(&self, issuer: &str) -> Result<Manifest, Unpublishable> {
        let republication = Republication {
            manifest: &self.manifest,
            issuer,
            iss_was_seen: false,
        };
        republication.served()
    }

    /// Returns what a token must say that is presented at an endpoint.
    #[must_use]
    pub fn policy(&self, endpoint: &str) -> AccessTokenPolicy {
        AccessTokenPolicy {
            issuer: self.token_issuer.clone(),
            audiences: match self.audiences.as_slice() {
                [] => vec![endpoint.to_owned()],
                audiences => audiences.to_vec(),
            },
            clients_without_audience: self.clients_without_audience.clone(),
            leeway: DEFAULT_LEEWAY,
        }
    }

    /// Returns the issuer that tokens name.
    #[must_use]
    pub fn token_issuer(&self) -> &str {
        &self.token_issuer
    }

    /// Tells whether the provider is asked about each token.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        matches!(
            self.validation,
            Validation::Introspection { .. } | Validation::Probe { .. }
        )
    }

    /// Tells whether tokens are traded for others, which the API takes.
    #[must_use]
    pub fn is_trading(&self) -> bool {
        matches!(self.delegation, Some(ResolvedDelegation::Trade { .. }))
    }

    /// Tells whether the API behind is the only judge of tokens.
    #[must_use]
    pub fn is_unvalidated(&self) -> bool {
        matches!(self.validation, Validation::Upstream)
    }
}

/// Refuses settings that look as if they guarded something, and do not.
fn refuse_idle(settings: &ManifestSettings) -> Result<(), UnusableManifest> {
    use TokenValidation::{Introspection, Jwt, Probe};
    let is = |ways: &[TokenValidation]| ways.contains(&settings.validation);
    let has_audiences = !settings.audiences.is_empty();
    let has_clients = !settings.clients_without_audience.is_empty();
    let idle = [
        (
            "audiences",
            has_audiences && !is(&[Jwt, Introspection]),
            "validation = \"jwt\" or \"introspection\"; a probe compares what is `accepted`",
        ),
        (
            "clients_without_audience",
            has_clients && !is(&[Jwt, Introspection]),
            "validation = \"jwt\" or \"introspection\"",
        ),
        (
            "algorithms",
            !settings.algorithms.is_empty() && !is(&[Jwt]),
            "validation = \"jwt\"",
        ),
        (
            "cache_seconds",
            settings.cache_seconds.is_some() && !is(&[Introspection, Probe]),
            "validation = \"introspection\" or \"probe\"",
        ),
    ];
    match idle.into_iter().find(|(_, is_idle, _)| *is_idle) {
        Some((setting, _, without)) => Err(UnusableManifest::Idle { setting, without }),
        None => Ok(()),
    }
}

fn validation(
    manifest: &Manifest,
    settings: &ManifestSettings,
    issuer: &str,
) -> Result<Validation, UnusableManifest> {
    let endpoint = |setting, member| {
        let url = manifest.url(member);
        url.ok_or(UnusableManifest::Endpoint { setting, member })
    };
    Ok(match settings.validation {
        TokenValidation::Jwt => Validation::Jwt {
            keys: endpoint("validation", "jwks_uri")?,
            algorithms: algorithms(&settings.algorithms)?,
        },
        TokenValidation::Introspection => Validation::Introspection {
            endpoint: endpoint("validation", "introspection_endpoint")?,
        },
        TokenValidation::Probe => probe(settings.probe.as_ref(), issuer)?,
        TokenValidation::Upstream => Validation::Upstream,
    })
}

fn algorithms(named: &[String]) -> Result<Vec<SigningAlgorithm>, UnusableManifest> {
    if named.is_empty() {
        return Ok(SigningAlgorithm::ALL.to_vec());
    }
    let parsed = named.iter().map(|name| SigningAlgorithm::parse(name));
    parsed
        .collect::<Result<_, _>>()
        .map_err(|error| UnusableManifest::Algorithm(error.to_string()))
}

fn probe(settings: Option<&ProbeSettings>, issuer: &str) -> Result<Validation, UnusableManifest> {
    let unusable = |reason: String| UnusableManifest::Probe(reason);
    let settings = settings.ok_or_else(|| unusable("its table `probe` is missing".to_owned()))?;
    let url = SafeUrl::parse(&settings.url)
        .map_err(|error| unusable(format!("its `url` is none: {error}")))?;
    let pointer = |text: &Option<String>| {
        let parsed = text.as_deref().map(JsonPointer::parse).transpose();
        parsed.map_err(|error| unusable(error.to_string()))
    };
    let audience = JsonPointer::parse(&settings.audience).map_err(|it| unusable(it.to_string()))?;
    let comparison = Comparison::new(audience, settings.accepted.clone())
        .map_err(|error: NothingCompared| unusable(error.to_string()))?;
    let expiry = match (&settings.expires_at, &settings.expires_in) {
        (Some(_), Some(_)) => {
            return Err(unusable(
                "keep one of `expires_at` and `expires_in`".to_owned(),
            ));
        }
        (at, None) => pointer(at)?.map(ExpiryPointer::At),
        (None, after) => pointer(after)?.map(ExpiryPointer::In),
    };
    Ok(Validation::Probe {
        url,
        policy: ProbePolicy {
            issuer: issuer.to_owned(),
            comparison,
            alive: pointer(&settings.alive)?,
            pointers: ProbePointers {
                subject: pointer(&settings.subject)?,
                client: pointer(&settings.client)?,
                scope: pointer(&settings.scope)?,
                expiry,
            },
            leeway: DEFAULT_LEEWAY,
        },
    })
}

fn delegation(
    manifest: &Manifest,
    settings: &ManifestSettings,
) -> Result<Option<ResolvedDelegation>, UnusableManifest> {
    let kind = match settings.delegation {
        None => return Ok(None),
        Some(Delegation::Forward) => return Ok(Some(ResolvedDelegation::Forward)),
        Some(Delegation::Exchange) => Trade::Exchange,
        Some(Delegation::OnBehalfOf) => Trade::OnBehalfOf,
        Some(Delegation::JwtBearer) => Trade::JwtBearer,
    };
    let endpoint = manifest
        .url("token_endpoint")
        .ok_or(UnusableManifest::Endpoint {
            setting: "upstream",
            member: "token_endpoint",
        })?;
    scopes("scopes of the exchange", &settings.exchange.scopes)?;
    if kind == Trade::OnBehalfOf && settings.exchange.scopes.is_empty() {
        return Err(UnusableManifest::NoScopes);
    }
    Ok(Some(ResolvedDelegation::Trade {
        kind,
        endpoint,
        settings: settings.exchange.clone(),
    }))
}

fn scopes(setting: &'static str, named: &[String]) -> Result<Scopes, UnusableManifest> {
    let parsed = named.iter().map(|text| Scopes::parse(text));
    let united = parsed.reduce(|all, more| Ok(all?.union(&more?)));
    let scopes = united.unwrap_or_else(|| Ok(Scopes::default()));
    scopes.map_err(|error| UnusableManifest::Scopes {
        setting,
        reason: error.to_string(),
    })
}

fn digest(
    slug: &Slug,
    content: &str,
    settings: &ManifestSettings,
    secret: Option<&Secret>,
) -> Digest {
    let settings = serde_json::to_vec(settings).unwrap_or_default();
    Digest::of_fields([
        slug.as_str().as_bytes(),
        content.as_bytes(),
        &settings,
        secret.map_or(b"-".as_slice(), |secret| secret.expose().as_bytes()),
    ])
}
