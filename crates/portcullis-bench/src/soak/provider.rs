//! A provider, and its API, that tell afterwards what they were asked, and can be told to stop in the middle.
//!
//! Everybody is let in at once, as a person of their own.
//! After `/arm?at=STEP`, `/reached` is answered when the next refresh reaches the step, so that whoever asked can kill the other side just then.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::account::{Accounts, Rotation};
use super::pause;
use crate::provider::{back, json_answer, value_of};

#[derive(clap::Args)]
pub(crate) struct ProviderArguments {
    /// The port, on loopback.
    port: u16,
    /// How long access tokens are good.
    #[arg(long, default_value_t = 600)]
    life_seconds: u64,
    /// What becomes of a refresh token that is used.
    #[arg(long, value_enum, default_value = "keeps")]
    rotation: Rotation,
    /// How long a refresh takes.
    #[arg(long, default_value_t = 0)]
    refresh_ms: u64,
}

/// Where a refresh can be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It has arrived, and nothing is done yet; nothing ever will be.
    Received,
    /// Other tokens are given, and will never be sent.
    Committed,
    /// The answer has been sent.
    Answered,
}

/// Somebody who waits until a refresh reaches a step.
struct Armed {
    step: Step,
    reached: oneshot::Sender<()>,
}

struct State {
    accounts: Mutex<Accounts>,
    armed: Mutex<Option<Armed>>,
    reached: Mutex<Option<oneshot::Receiver<()>>>,
    visits: AtomicU64,
    delay: Duration,
}

/// Serves on a port of loopback until the process ends.
pub(crate) async fn run(arguments: ProviderArguments) -> anyhow::Result<()> {
    let port = arguments.port;
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| format!("port {port} cannot be listened at"))?;
    let life = Duration::from_secs(arguments.life_seconds);
    let state = Arc::new(State {
        accounts: Mutex::new(Accounts::new(arguments.rotation, life)),
        armed: Mutex::default(),
        reached: Mutex::default(),
        visits: AtomicU64::new(0),
        delay: Duration::from_millis(arguments.refresh_ms),
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let state = Arc::clone(&state);
        let service = service_fn(move |request| {
            let state = Arc::clone(&state);
            async move { Ok::<_, Infallible>(answer(request, &state).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(request: Request<Incoming>, state: &State) -> Response<Full<Bytes>> {
    match request.uri().path() {
        "/authorize" => {
            let person = state.visits.fetch_add(1, Ordering::Relaxed);
            back(request.uri().query().unwrap_or_default(), person)
        }
        "/token" => token(request, state).await,
        "/me" => me(&request, state),
        "/journal" => json_answer(StatusCode::OK, &state.accounts().journal()),
        "/arm" => arm(&request, state),
        "/reached" => reached(state).await,
        path if path.starts_with("/berths/") => call(&request, state),
        _ => json_answer(StatusCode::NOT_FOUND, &json!({})),
    }
}

async fn token(request: Request<Incoming>, state: &State) -> Response<Full<Bytes>> {
    let Ok(body) = request.into_body().collect().await else {
        return json_answer(StatusCode::BAD_REQUEST, &json!({}));
    };
    let body = body.to_bytes();
    if let Some(token) = value_of(&body, "refresh_token") {
        return refresh(&token, state).await;
    }
    let person = value_of(&body, "code").and_then(|code| code.parse().ok());
    match person {
        Some(person) => json_answer(StatusCode::OK, &state.accounts().sign_in(person)),
        None => refused(),
    }
}

async fn refresh(token: &str, state: &State) -> Response<Full<Bytes>> {
    state.stop_at(Step::Received).await;
    pause(state.delay).await;
    let given = state.accounts().refresh(token);
    let Some(given) = given else {
        return refused();
    };
    state.stop_at(Step::Committed).await;
    if let Some(reached) = state.reached(Step::Answered) {
        // Later than what is done with this answer in the same turn of the runtime.
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            let _ = reached.send(());
        });
    }
    json_answer(StatusCode::OK, &given)
}

fn refused() -> Response<Full<Bytes>> {
    let error = json!({ "error": "invalid_grant" });
    json_answer(StatusCode::BAD_REQUEST, &error)
}

fn me(request: &Request<Incoming>, state: &State) -> Response<Full<Bytes>> {
    let person = bearer(request).and_then(|token| state.accounts().holder(token));
    match person {
        Some(person) => json_answer(StatusCode::OK, &json!({ "sub": person.to_string() })),
        None => json_answer(StatusCode::UNAUTHORIZED, &json!({})),
    }
}

fn call(request: &Request<Incoming>, state: &State) -> Response<Full<Bytes>> {
    let may_call = bearer(request).is_some_and(|token| state.accounts().may_call(token));
    if may_call {
        json_answer(StatusCode::OK, &json!({ "name": "A1", "note": "free" }))
    } else {
        json_answer(StatusCode::UNAUTHORIZED, &json!({}))
    }
}

fn bearer(request: &Request<Incoming>) -> Option<&str> {
    let given = request.headers().get(header::AUTHORIZATION)?;
    given.to_str().ok()?.strip_prefix("Bearer ")
}

/// Has the next refresh tell that it has come to a step.
fn arm(request: &Request<Incoming>, state: &State) -> Response<Full<Bytes>> {
    let query = request.uri().query().unwrap_or_default();
    let step = match value_of(query.as_bytes(), "at").as_deref() {
        Some("received") => Step::Received,
        Some("committed") => Step::Committed,
        Some("answered") => Step::Answered,
        _ => return json_answer(StatusCode::BAD_REQUEST, &json!({})),
    };
    let (reached, waiting) = oneshot::channel();
    *state.armed() = Some(Armed { step, reached });
    *state.waiting() = Some(waiting);
    json_answer(StatusCode::OK, &json!({}))
}

/// Waits until a refresh has come to the step.
async fn reached(state: &State) -> Response<Full<Bytes>> {
    let waiting = state.waiting().take();
    let has_come = match waiting {
        Some(waiting) => waiting.await.is_ok(),
        None => false,
    };
    let status = if has_come {
        StatusCode::OK
    } else {
        StatusCode::CONFLICT
    };
    json_answer(status, &json!({}))
}

impl State {
    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn armed(&self) -> MutexGuard<'_, Option<Armed>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Option<oneshot::Receiver<()>>> {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes whoever waits for this step.
    fn reached(&self, step: Step) -> Option<oneshot::Sender<()>> {
        let armed = self.armed().take_if(|armed| armed.step == step)?;
        Some(armed.reached)
    }

    /// Goes no further where somebody waits for this step; the other side hangs up when it dies.
    async fn stop_at(&self, step: Step) {
        if let Some(reached) = self.reached(step) {
            let _ = reached.send(());
            std::future::pending::<()>().await;
        }
    }
}
