//! `/callback/{provider}`: the person comes back from the provider, and the client gets its code.
//!
//! The state is used up before anything is judged: an answer that comes to the wrong browser or the wrong callback ends the flow.

use std::sync::Arc;

use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use portcullis_base::{AuthorizationCode, BrowserSession, Plain, UpstreamState};
use portcullis_oauth::client::allow::admits;
use portcullis_oauth::client::begin::SignInPurpose;
use portcullis_oauth::client::complete::{CallbackError, complete};
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_oauth::issuer::authorize::may_be_told_at_once;
use portcullis_oauth::issuer::code::CODE_LIFETIME;
use portcullis_oauth::issuer::flow::{AtProvider, Flow, FlowState};
use portcullis_oauth::issuer::person::{ConnectionTokens, Identity};
use portcullis_oauth::issuer::remember::may_be_remembered;
use portcullis_oauth::redirect_uri::RedirectUri;
use portcullis_oauth::scope::Scopes;
use portcullis_oauth::wire::error::{OAuthError, OAuthErrorCode};
use portcullis_oauth::wire::form::Parameters;
use portcullis_store::{Actor, AuditEntry, NewCode, NewSession, SignIn, StoreError};

use super::authorize::Beginning;
use super::page::{self, ProblemPage};
use super::{IssuerState, again, answer, authorize, consent, departure};
use crate::catalogue::SignIn as PublishedSignIn;
use crate::http::request_log::Particulars;
use crate::upstream::providers::{CodeRedemption, ProviderError};

pub(super) async fn callback(
    State(state): State<Arc<IssuerState>>,
    Extension(particulars): Extension<Particulars>,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let Ok(parameters) = Parameters::read(query.as_bytes()) else {
        particulars.cause("the provider's answer is malformed");
        return page::over(&particulars);
    };
    let returned = Returned {
        state,
        particulars: particulars.clone(),
        provider,
        parameters,
        headers,
    };
    // State and code are good once: a person who reloads the page while the provider is slow must not lose the sign-in half way.
    let answered = tokio::spawn(async move { returned.answer().await });
    match answered.await {
        Ok(answered) => answered.unwrap_or_else(|error| consent::failed(&particulars, &error)),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// A browser that comes back from a provider.
struct Returned {
    state: Arc<IssuerState>,
    particulars: Particulars,
    provider: String,
    parameters: Parameters,
    headers: HeaderMap,
}

impl Returned {
    async fn answer(&self) -> Result<Response, StoreError> {
        let Some((flow, at_provider)) = self.flow().await? else {
            return Ok(page::over(&self.particulars));
        };
        let published = self.state.published();
        let toolset = published.toolset(at_provider.toolset.as_str());
        let sign_in = toolset.and_then(|toolset| toolset.sign_in.as_ref());
        let (Some(sign_in), Some(provider)) = (sign_in, published.provider(&self.provider)) else {
            self.particulars
                .cause("the toolset or the provider is not there any more");
            return Ok(page::over(&self.particulars));
        };
        if sign_in.provider != at_provider.provider {
            self.particulars
                .cause("people sign in to the toolset at another provider now");
            return Ok(page::over(&self.particulars));
        }
        match self.at(provider, sign_in, &at_provider).await {
            Ok(signed_in) => {
                let identity = signed_in.identity.as_ref();
                if !again::is_the_same(&self.state, &at_provider, identity).await? {
                    return self.ask(flow).await;
                }
                self.hand_over(&flow, &at_provider, signed_in).await
            }
            Err(failure) => self.fail(&flow, &failure).await,
        }
    }

    /// Finds out at the provider who came, and what the provider gave.
    async fn at(
        &self,
        provider: &Arc<ResolvedProvider>,
        sign_in: &PublishedSignIn,
        at_provider: &AtProvider,
    ) -> Result<SignedIn, Failure> {
        let providers = &self.state.parts.providers;
        let fail = |error: ProviderError| {
            self.particulars.blame(error.blame());
            Failure::provider(&error.to_string())
        };
        let ready = providers.ready(provider).await.map_err(fail)?;
        let code = complete(&ready, &self.parameters).map_err(|error| Failure::callback(&error))?;
        let purpose = departure::purpose(sign_in);
        let asked = at_provider.scopes.intersection(&sign_in.scopes);
        let redemption = CodeRedemption {
            purpose,
            code: &code,
            redirect_uri: &self.state.url(&format!("/callback/{}", self.provider)),
            verifier: &at_provider.verifier,
            scopes: &asked,
            resource: None,
        };
        let redeemed = providers
            .redeem_code(&ready, &redemption)
            .await
            .map_err(fail)?;
        let (identity, facts) = providers
            .identify(&ready, &redeemed, &at_provider.nonce)
            .await
            .map_err(fail)?;
        if !admits(provider.allow(), &facts) {
            return Err(Failure::not_admitted());
        }
        // A token that opens no tool would send the person round in a circle.
        if redeemed.granted.is_empty() && !asked.is_empty() {
            return Err(Failure::nothing_granted());
        }
        let kept = (purpose == SignInPurpose::Tokens).then_some(redeemed.tokens);
        Ok(SignedIn {
            identity,
            tokens: kept,
            scopes: redeemed
                .granted
                .union(&at_provider.scopes.intersection(&Scopes::offline())),
        })
    }

    /// Finds the flow that the answer belongs to, and uses its state up.
    async fn flow(&self) -> Result<Option<(Flow, AtProvider)>, StoreError> {
        let parts = &self.state.parts;
        let state = self
            .parameters
            .get("state")
            .map(Plain::<UpstreamState>::parse);
        let Some(Ok(state)) = state else {
            self.particulars.cause("the answer bears no state of ours");
            return Ok(None);
        };
        let now = parts.clock.now();
        let Some(flow) = parts.store.take_flow_by_state(&state.digest(), now).await? else {
            self.particulars
                .cause("the state is unknown, used or too old");
            return Ok(None);
        };
        self.particulars.flow(flow.id);
        let FlowState::AtProvider(at_provider) = flow.state.clone() else {
            return Ok(None);
        };
        let browser = self.state.cookies.browser(&self.headers);
        if browser.is_none_or(|browser| browser.digest() != flow.browser) {
            self.particulars.cause("the answer came to another browser");
            return Ok(None);
        }
        if at_provider.provider.as_str() != self.provider {
            self.particulars
                .cause("the answer came to another provider's callback");
            return Ok(None);
        }
        Ok(Some((flow, at_provider)))
    }

    /// Stores the person, the connection and the code in one transaction, and sends the browser to the client.
    async fn hand_over(
        &self,
        flow: &Flow,
        at_provider: &AtProvider,
        signed_in: SignedIn,
    ) -> Result<Response, StoreError> {
        let parts = &self.state.parts;
        let now = parts.clock.now();
        let code = Plain::<AuthorizationCode>::new(&*parts.rng);
        let session = Plain::<BrowserSession>::new(&*parts.rng);
        let replaced = self.state.cookies.session(&self.headers);
        let request = &flow.request;
        let has_identity = signed_in.identity.is_some();
        let remember = if has_identity {
            self.approved(flow, at_provider).await?
        } else {
            None
        };
        let sign_in = SignIn {
            identity: signed_in.identity,
            provider: at_provider.provider.clone(),
            tokens: signed_in.tokens,
            code: NewCode {
                digest: code.digest(),
                flow: flow.id,
                client: request.client.clone(),
                redirect_uri: request.redirect_uri.clone(),
                code_challenge: request.code_challenge.clone(),
                toolset: at_provider.toolset.clone(),
                scopes: signed_in.scopes,
                expires_at: now.after(CODE_LIFETIME),
            },
            // Whom nobody can name cannot be recognised either.
            session: has_identity.then(|| NewSession {
                digest: session.digest(),
                replaced: replaced.map(|old| old.digest()),
            }),
            remember,
        };
        parts.store.complete_sign_in(sign_in, now).await?;
        let mut parameters = vec![("code", code.expose())];
        parameters.extend(request.state.as_deref().map(|state| ("state", state)));
        parameters.push(("iss", parts.public_url.as_str()));
        let location = RedirectUri::with_parameters(&request.redirect_uri, &parameters);
        let Some(mut response) = answer::see_other(&location) else {
            self.particulars.cause("the redirect URI cannot be sent");
            return Ok(page::over(&self.particulars));
        };
        if has_identity {
            let cookie = self.state.cookies.set_session(&session);
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    }

    /// Returns the scopes that the person was asked about a moment ago, where their consent may be remembered.
    async fn approved(
        &self,
        flow: &Flow,
        at_provider: &AtProvider,
    ) -> Result<Option<Scopes>, StoreError> {
        if at_provider.consent_of.is_some() {
            return Ok(None);
        }
        let request = &flow.request;
        let client = self.state.parts.store.client(&request.client).await?;
        let may = client.is_some_and(|client| may_be_remembered(&client, &request.redirect_uri));
        Ok(may.then(|| at_provider.scopes.clone()))
    }

    /// Begins anew with the page: whoever came back was not asked.
    async fn ask(&self, flow: Flow) -> Result<Response, StoreError> {
        self.particulars
            .cause("another person came back than the one who had approved");
        let beginning = Beginning {
            request: flow.request,
            departure: None,
        };
        beginning
            .store(&self.state, &self.particulars, &self.headers)
            .await
    }

    /// Tells the person what happened, and the client by OAuth's words.
    async fn fail(&self, flow: &Flow, failure: &Failure) -> Result<Response, StoreError> {
        self.particulars.cause(&failure.cause);
        let parts = &self.state.parts;
        let request = &flow.request;
        let actor = Actor::new(flow.id.to_string());
        let refused = AuditEntry::new(actor, "sign_in.refused", request.client.to_string());
        parts.store.insert_audit(refused, parts.clock.now()).await?;
        let location = answer::error_location(
            &request.redirect_uri,
            failure.error,
            request.state.as_deref(),
            &parts.public_url,
        );
        let client = parts.store.client(&request.client).await?;
        let published = self.state.published();
        let at_once = client.is_some_and(|client| {
            may_be_told_at_once(
                &request.redirect_uri,
                &client,
                &self.state.policy(&published),
            )
        });
        if at_once
            && failure.at_once
            && let Some(response) = answer::see_other(&location)
        {
            return Ok(response);
        }
        let label = authorize::return_label(&request.redirect_uri);
        Ok(
            ProblemPage::new(failure.title, failure.text, failure.advice)
                .flow(flow.id)
                .link(&location, &label)
                .response(failure.status),
        )
    }
}

/// What a sign-in at the provider comes to.
struct SignedIn {
    identity: Option<Identity>,
    tokens: Option<ConnectionTokens>,
    scopes: Scopes,
}

/// Why there is no code.
struct Failure {
    error: OAuthError,
    status: StatusCode,
    title: &'static str,
    text: &'static str,
    advice: &'static str,
    /// Whether the person needs no explanation of ours: they said no themselves.
    at_once: bool,
    /// The reason, for the log.
    cause: String,
}

impl Failure {
    fn provider(cause: &str) -> Self {
        Self {
            error: OAuthError::new(
                OAuthErrorCode::ServerError,
                "the sign-in at the provider could not be finished",
            ),
            status: StatusCode::BAD_GATEWAY,
            title: "The sign-in could not be finished",
            text: "The provider sent you back, but did not give the gateway what it needs.",
            advice: "Try again. If it stays like this, tell whoever runs the gateway; the log says why.",
            at_once: false,
            cause: cause.to_owned(),
        }
    }

    fn callback(error: &CallbackError) -> Self {
        let CallbackError::Refused { refusal, hint } = error else {
            return Self::provider(&error.to_string());
        };
        let cause = match hint {
            Some(hint) => format!("{error}: {hint}"),
            None => error.to_string(),
        };
        let code = refusal.code_for_client();
        if code != OAuthErrorCode::AccessDenied {
            return Self {
                error: OAuthError::new(code, "the provider refused the sign-in"),
                ..Self::provider(&cause)
            };
        }
        Self {
            error: OAuthError::new(code, "the sign-in was refused at the provider"),
            status: StatusCode::FORBIDDEN,
            title: "The provider did not let you in",
            text: "You or a rule of the provider's said no.",
            advice: "If you did not mean to, go back and connect again.",
            at_once: true,
            cause,
        }
    }

    fn nothing_granted() -> Self {
        Self {
            error: OAuthError::new(
                OAuthErrorCode::AccessDenied,
                "the provider granted none of the permissions",
            ),
            status: StatusCode::FORBIDDEN,
            title: "The provider gave no permission",
            text: "You signed in, but none of the permissions that the tools need came back.",
            advice: "Connect again and leave the permissions ticked; if there was nothing to tick, tell whoever runs the gateway.",
            at_once: false,
            cause: "the provider granted none of the scopes that were asked for".to_owned(),
        }
    }

    fn not_admitted() -> Self {
        Self {
            error: OAuthError::new(
                OAuthErrorCode::AccessDenied,
                "the account is not on the list of those who may sign in",
            ),
            status: StatusCode::FORBIDDEN,
            title: "This account may not come in",
            text: "You signed in, but your account is not among those that may use this gateway.",
            advice: "Sign in with another account, or ask whoever runs the gateway to let this one in.",
            at_once: false,
            cause: "the account is not on the provider's `allow` list".to_owned(),
        }
    }
}
