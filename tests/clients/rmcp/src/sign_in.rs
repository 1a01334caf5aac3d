//! How a person is signed in: the browser is opened at the SDK's word, and answers on loopback.

use std::process::Command;

use anyhow::{Context as _, ensure};
use reqwest::Client;
use rmcp::transport::auth::{AuthClient, AuthorizationRequest, OAuthState};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

/// Registers, has the person sign in, and returns an HTTP client that has their token.
pub(crate) async fn sign_in(url: &str) -> anyhow::Result<AuthClient<Client>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let request = AuthorizationRequest::new(format!("{origin}/callback"))
        .with_client_name("Tests of Portcullis");
    let mut state = OAuthState::new(url, None).await?;
    state.start_authorization(request).await?;
    let opened = Command::new("xdg-open")
        .arg(state.get_authorization_url().await?)
        .status()?;
    ensure!(opened.success(), "no browser could be opened");
    let target = answer(&listener).await?;
    state
        .handle_callback_url(&format!("{origin}{target}"))
        .await
        .with_context(|| format!("the answer was {}", target_without_values(&target)))?;
    let manager = state.into_authorization_manager();
    let manager = manager.context("nobody is signed in")?;
    Ok(AuthClient::new(Client::default(), manager))
}

/// Takes the one request that the browser makes, and returns its target.
async fn answer(listener: &TcpListener) -> anyhow::Result<String> {
    let (mut stream, _) = listener.accept().await?;
    let mut line = String::new();
    BufReader::new(&mut stream).read_line(&mut line).await?;
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(answer.as_bytes()).await?;
    let target = line.split(' ').nth(1).context("no request line")?;
    Ok(target.to_owned())
}

/// The names of the parameters tell what went wrong, and hold no secret.
fn target_without_values(target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let names = query.split('&').filter_map(|pair| pair.split('=').next());
    format!("{path} with {}", names.collect::<Vec<_>>().join(", "))
}
