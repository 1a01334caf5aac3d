//! Strangers who bring tokens without number: neither providers nor those who are known shall notice.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::Router;
use axum::extract::State;
use axum::http::Request;
use axum::response::IntoResponse as _;
use axum::routing::post;
use portcullis_server::http::serve::Peer;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::*;

/// How many tokens of strangers are asked about at a time.
const AT_A_TIME: usize = 32;

/// How many tokens of one address may be refused within a minute.
const REFUSALS: usize = 240;

/// Starts a provider that leaves every question about a stranger's token open, and counts them.
async fn hesitating() -> (String, watch::Receiver<usize>) {
    let (count, counted) = watch::channel(0);
    let answer = async |State(count): State<watch::Sender<usize>>, form: String| {
        if form.contains("token=stranger") {
            count.send_modify(|count| *count += 1);
            std::future::pending::<()>().await;
        }
        let mut members = claims(&json!({}));
        members["active"] = json!(true);
        answer(200, &members).into_response()
    };
    let router = Router::new().route("/introspect", post(answer));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/introspect", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router.with_state(count)).await });
    (url, counted)
}

#[tokio::test]
async fn x_07_strangers_wait_for_their_turn_and_not_in_the_way_of_those_who_are_known() {
    let outside = Arc::new(Outside::start(settings(TokenValidation::Introspection)).await);
    let (introspection, mut counted) = hesitating().await;
    let settings = settings(TokenValidation::Introspection);
    outside.publish_asking(&introspection, "pets", &settings, &[Inbound::External]);
    assert_called_with(&outside.whoami("known").await, "known");
    for number in 0..AT_A_TIME {
        let outside = Arc::clone(&outside);
        tokio::spawn(async move { outside.whoami(&format!("stranger-{number}")).await });
    }
    let asked = counted.wait_for(|count| *count == AT_A_TIME).await;
    assert_eq!(*asked.unwrap(), AT_A_TIME);
    // Who is known is asked about at once, when the answer about him is old.
    turn(&outside, Duration::from_mins(1));
    assert_called_with(&outside.whoami("known").await, "known");
    // From here on nobody waits for real.
    tokio::time::pause();
    let one_more = outside.whoami("stranger-too-many").await;
    assert_eq!(one_more.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(one_more.json()["error"], "temporarily_unavailable");
    assert!(
        one_more.text.contains("too many tokens are asked about"),
        "{one_more:?}"
    );
    assert_eq!(one_more.header("retry-after"), Some("5"));
    assert_eq!(*counted.borrow(), AT_A_TIME);
}

impl Outside {
    /// A provider that is asked about tokens, and that knows the holder of `known`, who comes from `address`.
    async fn knowing(address: Ipv4Addr) -> Self {
        let outside = Self::start(settings(TokenValidation::Introspection)).await;
        outside.answer_about_tokens(true);
        assert_called_with(&outside.whoami_from(address, "known").await, "known");
        outside
    }

    /// Has the provider call every token good, or none.
    fn answer_about_tokens(&self, are_good: bool) {
        let mut members = claims(&json!({}));
        members["active"] = json!(are_good);
        self.change(|says| says.introspection = (200, members.clone()));
    }

    /// Presents as many tokens that nobody issued as an address may.
    async fn exhaust(&self, address: Ipv4Addr) {
        self.answer_about_tokens(false);
        for number in 0..REFUSALS {
            let answered = self.whoami_from(address, &format!("junk-{number}")).await;
            assert_refused(&answered, "not active");
        }
    }

    /// Calls a tool with a token from an address.
    async fn whoami_from(&self, address: Ipv4Addr, token: &str) -> Answered {
        let message = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "whoami", "arguments": {}},
        });
        let address = SocketAddr::new(IpAddr::V4(address), 4711);
        let request = Request::post("/pets/mcp")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .header("authorization", format!("Bearer {token}"))
            .extension(Peer { address })
            .body(Body::from(message.to_string()));
        self.site.send(request.unwrap()).await
    }
}

#[tokio::test]
async fn x_07_tokens_that_nobody_issued_exhaust_neither_the_provider_nor_anybody_else() {
    let (theirs, ours) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
    let outside = Outside::knowing(theirs).await;
    outside.exhaust(theirs).await;
    let asked = outside.asked("/introspect");
    let refused = outside.whoami_from(theirs, "one-more").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{refused:?}");
    assert_eq!(refused.header("retry-after"), Some("60"));
    assert_eq!(refused.header("www-authenticate"), None);
    assert_eq!(outside.asked("/introspect"), asked);
    // Who is known goes on, and so does everybody elsewhere.
    outside.answer_about_tokens(true);
    assert_called_with(&outside.whoami_from(ours, "new").await, "new");
    turn(&outside, Duration::from_mins(1));
    assert_called_with(&outside.whoami_from(theirs, "known").await, "known");
    assert_called_with(&outside.whoami_from(theirs, "one-more").await, "one-more");
}

#[tokio::test]
async fn x_07_who_is_known_is_asked_about_although_his_address_has_to_wait() {
    let shared = Ipv4Addr::new(192, 0, 2, 1);
    let outside = Outside::knowing(shared).await;
    turn(&outside, Duration::from_mins(1));
    outside.exhaust(shared).await;
    outside.answer_about_tokens(true);
    let new = outside.whoami_from(shared, "new").await;
    assert_eq!(new.status, StatusCode::TOO_MANY_REQUESTS);
    assert_called_with(&outside.whoami_from(shared, "known").await, "known");
}

#[tokio::test]
async fn x_07_signatures_are_judged_without_asking_and_never_counted() {
    let outside = Outside::start(signed()).await;
    let address = Ipv4Addr::new(192, 0, 2, 1);
    for number in 0..=REFUSALS {
        let expired = outside.token(&json!({"jti": number.to_string(), "exp": 1}));
        let answered = outside.whoami_from(address, &expired).await;
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
    }
    let token = outside.token(&json!({}));
    assert_called_with(&outside.whoami_from(address, &token).await, &token);
    assert_eq!(outside.asked("/keys"), 1);
}
