//! The stick of the list's measure: the same bytes, from memory, by the gateway's own HTTP server and nothing else of it.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::routing::any;
use http::header;
use http_body_util::BodyExt as _;
use portcullis_server::http::listener::Listener;
use portcullis_server::http::serve::serve;
use portcullis_server::http::settings::ListenerSettings;
use tokio_util::sync::CancellationToken;

use crate::load::{LoadArguments, address, connect, request};

/// Makes a request once, and answers every other one with what came of it, until the process ends.
pub(crate) async fn run(port: u16, of: LoadArguments) -> anyhow::Result<()> {
    let mut sender = connect(&address(&of)?).await?;
    let answer = sender.send_request(request(&of)?).await?;
    ensure!(answer.status().is_success(), "{}", answer.status());
    let media_type = answer.headers().get(header::CONTENT_TYPE).cloned();
    let media_type = media_type.context("the answer has no media type")?;
    let bytes = answer.into_body().collect().await?.to_bytes();
    let answer = move || {
        let answer = ([(header::CONTENT_TYPE, media_type.clone())], bytes.clone());
        async move { answer }
    };
    let router = Router::new().fallback(any(answer));
    let settings = ListenerSettings {
        addresses: vec![SocketAddr::from(([127, 0, 0, 1], port))],
        ..ListenerSettings::loopback(port)
    };
    let listener = Listener::bind(settings).await?;
    serve(listener, router, CancellationToken::new()).await;
    Ok(())
}
