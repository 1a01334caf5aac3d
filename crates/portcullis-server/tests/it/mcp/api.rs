//! A small API on loopback that says what it received.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// The API, and what happened at it.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) port: u16,
    pub(super) events: Arc<Events>,
}

pub(super) struct Events {
    /// Requests that arrived.
    pub(super) hits: AtomicUsize,
    /// The keys that `whoami` was called with.
    pub(super) keys: Mutex<Vec<String>>,
    /// Gets a permit when a slow request has arrived.
    pub(super) arrived: Semaphore,
    /// A permit lets one slow request end.
    pub(super) release: Semaphore,
    /// Gets a permit when a slow request has ended.
    pub(super) ended: Semaphore,
    /// Gets a permit when a slow request was given up by the client.
    pub(super) abandoned: Semaphore,
}

impl Api {
    pub(super) async fn start() -> Self {
        let events = Arc::new(Events {
            hits: AtomicUsize::new(0),
            keys: Mutex::default(),
            arrived: Semaphore::new(0),
            release: Semaphore::new(0),
            ended: Semaphore::new(0),
            abandoned: Semaphore::new(0),
        });
        let router = Router::new()
            .route("/pets/{id}", get(pet))
            .route("/whoami", get(whoami))
            .route("/slow/{id}", get(slow))
            .with_state(Arc::clone(&events));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, events }
    }

    pub(super) fn hits(&self) -> usize {
        self.events.hits.load(Ordering::SeqCst)
    }

    /// The keys that `whoami` was called with.
    pub(super) fn keys(&self) -> Vec<String> {
        self.events.keys.lock().unwrap().clone()
    }

    /// Describes the API.
    pub(super) fn document(&self) -> Vec<u8> {
        let by_id = |name: &str, tags: &[&str]| {
            json!({"get": {
                "operationId": name,
                "tags": tags,
                "summary": name,
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}],
                "responses": {"200": {"description": "found"}},
            }})
        };
        json!({
            "openapi": "3.1.0",
            "info": {"title": "Pets", "version": "1"},
            "servers": [{"url": format!("http://127.0.0.1:{}", self.port)}],
            "paths": {
                "/pets/{id}": by_id("pets_get", &["pets"]),
                "/slow/{id}": by_id("slow", &["pets", "slow, but sure"]),
                "/whoami": {"get": {
                    "operationId": "whoami",
                    "tags": ["Callers"],
                    "summary": "Who am I",
                    "security": [{"key": []}],
                    "responses": {"200": {"description": "the caller"}},
                }},
            },
            "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
        })
        .to_string()
        .into_bytes()
    }
}

/// An answer of JSON.
type Json = ([(&'static str, &'static str); 1], String);

fn answer(value: &Value) -> Json {
    ([("content-type", "application/json")], value.to_string())
}

async fn pet(State(events): State<Arc<Events>>, Path(id): Path<u32>) -> (StatusCode, Json) {
    events.hits.fetch_add(1, Ordering::SeqCst);
    if id == 0 {
        return (
            StatusCode::NOT_FOUND,
            answer(&json!({"message": "no such pet"})),
        );
    }
    (StatusCode::OK, answer(&json!({"id": id})))
}

async fn whoami(State(events): State<Arc<Events>>, headers: HeaderMap) -> Json {
    events.hits.fetch_add(1, Ordering::SeqCst);
    let key = headers.get("x-key").map(|key| key.to_str().unwrap());
    events.keys.lock().unwrap().extend(key.map(str::to_owned));
    let received: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    answer(&json!({"received": received}))
}

async fn slow(State(events): State<Arc<Events>>, Path(id): Path<u32>) -> Json {
    let guard = Abandonment(Some(Arc::clone(&events)));
    events.hits.fetch_add(1, Ordering::SeqCst);
    events.arrived.add_permits(1);
    events.release.acquire().await.unwrap().forget();
    guard.disarm();
    events.ended.add_permits(1);
    answer(&json!({"id": id}))
}

/// Notices when a handler is dropped before its end.
struct Abandonment(Option<Arc<Events>>);

impl Abandonment {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Abandonment {
    fn drop(&mut self) {
        if let Some(events) = &self.0 {
            events.abandoned.add_permits(1);
        }
    }
}
