//! From a client that nobody knows to tools that are called in a person's name, and in another's.

use anyhow::ensure;
use serde_json::{Value, json};

use super::Steps;
use super::browser::Browser;
use super::client::{self, Client, Connection, Server, Tokens};
use super::http::Http;
use crate::Places;
use crate::provider::{PEOPLE, Person};

/// Registers, signs two people in, calls in the name of each, and refreshes.
pub(super) async fn run(steps: &Steps, places: &Places) -> anyhow::Result<()> {
    let http = Http::new()?;
    let mut client = register(steps, places, &http).await?;
    let [first, second, _] = &PEOPLE;

    let first_tokens = sign_in(steps, &http, &mut client, first).await?;
    let connection = Connection::open(&client.server.endpoint, &first_tokens).await?;
    let tools = connection.tools().await?;
    ensure!(
        tools == ["bookMyBerth", "listMyBookings", "whoAmI"],
        "unexpected tools: {tools:?}"
    );
    steps.done(&format!(
        "connected with the token and listed {}",
        tools.join(", ")
    ));
    let booking = json!({ "body": { "berth": "A2", "nights": 2 } });
    expect(steps, &connection, ("whoAmI", json!({})), &[first.name]).await?;
    expect(
        steps,
        &connection,
        ("bookMyBerth", booking.clone()),
        &[first.boat],
    )
    .await?;
    connection.close().await?;

    let second_tokens = sign_in(steps, &http, &mut client, second).await?;
    ensure!(
        second_tokens.access != first_tokens.access,
        "two people have one token"
    );
    let connection = Connection::open(&client.server.endpoint, &second_tokens).await?;
    let nothing = [second.name, "[]"];
    expect(steps, &connection, ("whoAmI", json!({})), &[second.name]).await?;
    expect(steps, &connection, ("listMyBookings", json!({})), &nothing).await?;
    let refused = connection.call("bookMyBerth", &booking).await?;
    ensure!(
        refused.1 && refused.0.contains(first.boat),
        "a berth is booked twice: {}",
        refused.0
    );
    steps.done(&format!("bookMyBerth → {}", refused.0));
    connection.close().await?;

    let refreshed = client.refresh(&first_tokens).await?;
    ensure!(
        refreshed.access != first_tokens.access && refreshed.refresh != first_tokens.refresh,
        "a refresh brings new tokens"
    );
    steps.done(&format!(
        "refreshed the tokens of {}, who was not asked",
        first.name
    ));
    let connection = Connection::open(&client.server.endpoint, &refreshed).await?;
    let her_own = [first.name, "A2"];
    expect(steps, &connection, ("listMyBookings", json!({})), &her_own).await?;
    connection.close().await
}

/// Finds out where to register, and registers.
async fn register(steps: &Steps, places: &Places, http: &Http) -> anyhow::Result<Client> {
    let endpoint = format!("{}/members/mcp", places.gateway);
    let metadata = client::challenge(http, &endpoint).await?;
    steps.done(&format!(
        "401 from {endpoint}, whose challenge names its metadata"
    ));
    let server = Server::discover(http, &endpoint, &metadata).await?;
    ensure!(
        server.issuer == places.gateway,
        "the gateway is its own authorization server"
    );
    steps.done(&format!(
        "read the metadata: {} lets clients in",
        server.issuer
    ));
    let client = Client::register(http, server).await?;
    steps.done(&format!("registered as {}, {}", client::NAME, client.id()));
    Ok(client)
}

/// Signs somebody in with a browser of their own.
async fn sign_in(
    steps: &Steps,
    http: &Http,
    client: &mut Client,
    person: &Person,
) -> anyhow::Result<Tokens> {
    let mut browser = Browser::new(http);
    let asked = client.ask()?;
    let consent = browser.open(&asked.url).await?;
    consent.shows(&[
        client::NAME,
        &client.redirect_uri,
        "<p class=\"destination\">127.0.0.1",
        "Harbour members",
        "book berths for your boat",
        "registered itself",
    ])?;
    steps.done("the consent page names the client, where the answer goes, and what it may do");
    let sign_in = browser.press(&consent, "decision", "approve").await?;
    sign_in.shows(&["For trying out only", person.name])?;
    steps.done("allowed it; the provider asks who is there");
    let end = browser.press(&sign_in, "person", person.id).await?;
    end.shows(&["You can close this page."])?;
    let code = client.code(&asked)?;
    steps.done(&format!(
        "signed in as {}, and back at the client with a code",
        person.name
    ));
    let tokens = client.redeem(&asked, &code).await?;
    steps.done("redeemed the code for tokens of the gateway");
    Ok(tokens)
}

/// Calls a tool, and fails unless each of the texts is in the answer.
async fn expect(
    steps: &Steps,
    connection: &Connection,
    (tool, arguments): (&'static str, Value),
    expected: &[&str],
) -> anyhow::Result<()> {
    let (text, is_error) = connection.call(tool, &arguments).await?;
    ensure!(
        !is_error && expected.iter().all(|expected| text.contains(expected)),
        "{tool}{arguments} answered: {text}"
    );
    steps.done(&format!("{tool}{arguments} → {text}"));
    Ok(())
}
