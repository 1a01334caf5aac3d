//! The load of clients that sign in: one step of it or the whole way, on many connections, as fast as it goes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use url::Url;

use crate::load::{self, LoadArguments, Measured, now};
use crate::process;
use crate::visitor::{Place, SignedIn, Visitor};
use crate::wire::Detour;

#[derive(clap::Args)]
pub(crate) struct SignInArguments {
    /// What is done over and over.
    #[arg(value_enum)]
    work: Work,
    /// The call that a token is for; its URL is the resource, and its origin the authorization server.
    #[command(flatten)]
    call: LoadArguments,
}

/// What is measured.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Work {
    /// A client registers.
    Register,
    /// A client that is signed in refreshes its tokens, each time with the refresh token that it got last.
    Refresh,
    /// A client registers, a person agrees and signs in, the client redeems its code and makes a call.
    Flow,
}

struct Plan {
    work: Work,
    start: Instant,
    end: Instant,
}

/// Signs one client in and returns its access token.
pub(crate) async fn once(call: LoadArguments) -> anyhow::Result<String> {
    let mut visitor = Visitor::new(place(&call).await?);
    Ok(visitor.sign_in().await?.access_token)
}

/// Signs a client in on each connection and has it refresh, until there are so many access tokens.
pub(crate) async fn tokens(call: LoadArguments, count: usize) -> anyhow::Result<Vec<String>> {
    let place = place(&call).await?;
    let mut clients = JoinSet::new();
    for _ in 0..call.connections {
        let mut visitor = Visitor::new(Arc::clone(&place));
        let share = count.div_ceil(call.connections);
        clients.spawn(async move {
            let mut tokens = Vec::new();
            let mut signed_in = visitor.sign_in().await?;
            while tokens.len() < share {
                signed_in = visitor.refresh(&signed_in).await?;
                tokens.push(signed_in.access_token.clone());
            }
            anyhow::Ok(tokens)
        });
    }
    let mut all = Vec::new();
    while let Some(tokens) = clients.join_next().await {
        all.extend(tokens??);
    }
    Ok(all)
}

/// Loads the server and measures.
pub(crate) async fn run(arguments: SignInArguments) -> anyhow::Result<Measured> {
    let SignInArguments { work, call } = arguments;
    let place = place(&call).await?;
    let mut visitors = Vec::new();
    for _ in 0..call.connections {
        let mut visitor = Visitor::new(Arc::clone(&place));
        let signed_in = visitor.sign_in().await?;
        visitors.push((visitor, signed_in));
    }
    let start = now() + Duration::from_secs(1);
    let seconds = Duration::from_secs_f64(call.seconds);
    let end = start + seconds;
    let plan = Arc::new(Plan { work, start, end });
    let mut connections = JoinSet::new();
    for (visitor, signed_in) in visitors {
        let plan = Arc::clone(&plan);
        connections.spawn(async move { one_connection(visitor, signed_in, &plan).await });
    }
    tokio::time::sleep_until(start.into()).await;
    let cpu_before = process::cpu_time(&call.pids)?;
    tokio::time::sleep_until(end.into()).await;
    let cpu = process::cpu_time(&call.pids)?.saturating_sub(cpu_before);
    let mut latencies = Vec::new();
    while let Some(done) = connections.join_next().await {
        latencies.extend(done??);
    }
    load::measured(latencies, seconds, cpu)
}

async fn place(call: &LoadArguments) -> anyhow::Result<Arc<Place>> {
    let resource = Url::parse(&call.url.to_string())?;
    let request = load::request(call)?;
    let place = Place::find(resource, request, call.expect.clone(), Detour::default()).await?;
    Ok(Arc::new(place))
}

async fn one_connection(
    mut visitor: Visitor,
    mut signed_in: SignedIn,
    plan: &Plan,
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    loop {
        let begun = now();
        if begun >= plan.end {
            return Ok(latencies);
        }
        match plan.work {
            Work::Register => {
                visitor.register().await?;
            }
            Work::Refresh => signed_in = visitor.refresh(&signed_in).await?,
            Work::Flow => {
                signed_in = visitor.sign_in().await?;
                visitor.call(&signed_in).await?;
            }
        }
        let answered = now();
        if begun >= plan.start && answered <= plan.end {
            latencies.push(answered - begun);
        }
    }
}
