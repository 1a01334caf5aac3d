//! Many requests at one moment: calls with one access token, and refreshes with one refresh token.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::credentials::Credentials;
use crate::load::{self, now};
use crate::visitor::Place;

/// How long one waits for an answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// What came back to one of many.
struct Back {
    status: String,
    body: String,
    took: Duration,
}

/// Makes `count` calls with one access token at one moment, each over a connection of its own.
pub(super) async fn burst(
    place: &Place,
    addresses: &[String],
    token: &str,
    count: usize,
) -> anyhow::Result<Value> {
    let (_, request) = place.calling(token)?;
    let all = send_all(&request, addresses, count).await?;
    let mut answers = BTreeMap::new();
    let mut odd = String::new();
    for back in &all {
        let is_good = back.status == "200" && place.is_expected(&back.body);
        if !is_good {
            odd.clone_from(&back.body);
        }
        let name = match (&*back.status, is_good) {
            ("200", false) => "200, and not what was asked for",
            (status, _) => status,
        };
        *answers.entry(name.to_owned()).or_insert(0_usize) += 1;
    }
    Ok(json!({ "outcome": "ok", "answers": answers, "odd": odd, "slowest_ms": slowest(&all) }))
}

/// Presents one refresh token `count` times at one moment; everybody should get the same successor.
pub(super) async fn race(
    place: &Place,
    addresses: &[String],
    tokens: &Credentials,
    count: usize,
) -> anyhow::Result<Value> {
    let (_, request) = place.refreshing(&tokens.client, &tokens.refresh_token)?;
    let all = send_all(&request, addresses, count).await?;
    let mut answers = BTreeMap::new();
    let mut successors = BTreeSet::new();
    for back in &all {
        *answers.entry(back.status.clone()).or_insert(0_usize) += 1;
        let body: Value = serde_json::from_str(&back.body).unwrap_or_default();
        if let Some(token) = body.get("refresh_token").and_then(Value::as_str) {
            successors.insert(token.to_owned());
        }
    }
    let successors = successors.len();
    let slowest = slowest(&all);
    Ok(
        json!({ "outcome": "ok", "answers": answers, "successors": successors, "slowest_ms": slowest }),
    )
}

async fn send_all(
    request: &Request<Full<Bytes>>,
    addresses: &[String],
    count: usize,
) -> anyhow::Result<Vec<Back>> {
    let barrier = Arc::new(Barrier::new(count));
    let mut requests = JoinSet::new();
    for number in 0..count {
        let address = addresses.get(number % addresses.len().max(1));
        let sender = load::connect(address.context("no `--gateway`")?).await?;
        let (request, barrier) = (request.clone(), Arc::clone(&barrier));
        requests.spawn(async move {
            barrier.wait().await;
            let begun = now();
            let answer = timeout(PATIENCE, send(sender, request)).await;
            let (status, body) = match answer {
                Ok(Ok(answer)) => answer,
                Ok(Err(error)) => ("cut".to_owned(), format!("{error:#}")),
                Err(_) => ("no answer".to_owned(), String::new()),
            };
            let took = now() - begun;
            Back { status, body, took }
        });
    }
    Ok(requests.join_all().await)
}

async fn send(
    mut sender: SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<(String, String)> {
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16().to_string();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

fn slowest(all: &[Back]) -> u128 {
    all.iter().map(|it| it.took.as_millis()).max().unwrap_or(0)
}
