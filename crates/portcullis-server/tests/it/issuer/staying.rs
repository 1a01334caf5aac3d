//! Staying signed in: lost answers, processes that share a token, and thieves.

use std::time::Duration;

use axum::http::StatusCode;
use portcullis_oauth::issuer::redeem::OwnLifetimes;
use serde_json::{Value, json};

use super::person::{Asked, Person, tokens_of};
use super::site::{Answered, PETS, Site};

const HOUR: Duration = Duration::from_hours(1);
const WEB: &str = "https://app.example/cb";

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

async fn refresh(site: &Site, client: &str, token: &str) -> Answered {
    site.token(&[
        ("grant_type", "refresh_token"),
        ("client_id", client),
        ("refresh_token", token),
        ("resource", PETS),
    ])
    .await
}

/// Uses an access token, and waits until that is noted.
async fn make_use(site: &Site, token: &str) {
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let answered = site.call("pets", token, &ping).await;
    assert_eq!(answered.status, StatusCode::OK);
    // What is noted behind the caller's back is written before what is asked to be written now.
    tokio::task::yield_now().await;
    let metadata = json!({"redirect_uris": [WEB], "client_name": "After"});
    site.register(&metadata).await;
}

#[tokio::test]
async fn f_03_a_lost_answer_is_given_again_whenever_the_client_comes_back() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "ann").await;
    let (client, first) = (text(&tokens, "client"), text(&tokens, "refresh_token"));
    let lost = refresh(&site, client, first).await.json();
    site.clock.turn(24 * HOUR);
    let again = refresh(&site, client, first).await.json();
    assert_eq!(again["refresh_token"], lost["refresh_token"]);
    make_use(&site, text(&again, "access_token")).await;
    site.clock.turn(HOUR);
    let next = refresh(&site, client, text(&again, "refresh_token")).await;
    assert_eq!(next.status, StatusCode::OK);
}

#[tokio::test]
async fn f_02_a_token_that_comes_back_late_ends_everything_and_leaves_a_trace() {
    let site = Site::start().await;
    for seconds in [61, 600, 86_400] {
        let tokens = tokens_of(&site, "ann").await;
        let (client, first) = (text(&tokens, "client"), text(&tokens, "refresh_token"));
        let next = refresh(&site, client, first).await.json();
        make_use(&site, text(&next, "access_token")).await;
        site.clock.turn(Duration::from_secs(seconds));
        let thief = refresh(&site, client, first).await;
        assert_eq!(thief.status, StatusCode::BAD_REQUEST, "{seconds}");
        assert_eq!(thief.json()["error"], "invalid_grant");
        let owner = refresh(&site, client, text(&next, "refresh_token")).await;
        assert_eq!(owner.json()["error"], "invalid_grant", "{seconds}");
    }
    let audit = site.store.list_audit(None, 1000).await.unwrap();
    let told = audit
        .iter()
        .filter(|row| row.action == "refresh_token.replayed");
    assert_eq!(told.count(), 3);
}

#[tokio::test]
async fn the_operators_end_of_a_grant_is_the_end_of_its_tokens() {
    let site = Site::with(|settings| settings.lifetimes.grant = Some(90 * HOUR / 60)).await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let code = Person::default().sign_in(&site, &asked, "ann").await;
    let tokens = asked.redeem(&site, &code).await.json();
    site.clock.turn(HOUR);
    let last = refresh(&site, &asked.client, text(&tokens, "refresh_token")).await;
    let last = last.json();
    assert_eq!(last["expires_in"], 30 * 60);
    site.clock.turn(HOUR / 2);
    let late = refresh(&site, &asked.client, text(&last, "refresh_token")).await;
    assert_eq!(late.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_toolset_may_have_lifetimes_of_its_own() {
    let site = Site::start().await;
    site.publish_pets(|sign_in| {
        sign_in.lifetimes = OwnLifetimes {
            access: Some(HOUR / 4),
            refresh: Some(HOUR),
            grant: Some(2 * HOUR),
        };
    });
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut tokens = Vec::new();
    for name in ["ann", "bob"] {
        let code = Person::default().sign_in(&site, &asked, name).await;
        tokens.push(asked.redeem(&site, &code).await.json());
    }
    assert_eq!(tokens[0]["expires_in"], 15 * 60);
    site.clock.turn(HOUR * 50 / 60);
    let next = refresh(&site, &asked.client, text(&tokens[0], "refresh_token")).await;
    let next = next.json();
    assert_eq!(next["expires_in"], 15 * 60);
    site.clock.turn(HOUR * 59 / 60);
    // Never away, and near the end all the same.
    let last = refresh(&site, &asked.client, text(&next, "refresh_token")).await;
    assert_eq!(last.json()["expires_in"], 11 * 60, "{last:?}");
    // Away for too long.
    let late = refresh(&site, &asked.client, text(&tokens[1], "refresh_token")).await;
    assert_eq!(late.json()["error"], "invalid_grant");
}

/// Draws the same numbers each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Processes of one person's that share one file with tokens.
struct Processes<'a> {
    site: &'a Site,
    client: String,
    /// The refresh token in the file.
    file: String,
    dice: Dice,
    refreshes: usize,
    lost: usize,
}

impl Processes<'_> {
    /// Some of the processes find that the access token has expired, all before any has another one.
    async fn round(&mut self) {
        let mut awake: Vec<u64> = (0..=self.dice.below(6))
            .map(|_| self.dice.below(45))
            .collect();
        awake.sort_unstable();
        let read = self.file.clone();
        let mut at = 0;
        for second in awake {
            self.site.clock.turn(Duration::from_secs(second - at));
            at = second;
            self.refresh(read.clone()).await;
        }
    }

    /// One process refreshes with what it read; where the answer is lost it reads the file again, and comes back in a moment.
    async fn refresh(&mut self, read: String) {
        let mut token = read;
        loop {
            let answered = refresh(self.site, &self.client, &token).await;
            assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
            self.refreshes += 1;
            if self.dice.below(20) == 0 {
                self.lost += 1;
                self.site.clock.turn(Duration::from_secs(1));
                token.clone_from(&self.file);
                continue;
            }
            let tokens = answered.json();
            text(&tokens, "refresh_token").clone_into(&mut self.file);
            if self.dice.below(3) > 0 {
                make_use(self.site, text(&tokens, "access_token")).await;
            }
            return;
        }
    }
}

#[tokio::test]
async fn f_04_processes_that_share_a_token_stay_signed_in_for_days() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "ann").await;
    let mut processes = Processes {
        site: &site,
        client: text(&tokens, "client").to_owned(),
        file: text(&tokens, "refresh_token").to_owned(),
        dice: Dice(1),
        refreshes: 0,
        lost: 0,
    };
    for _ in 0..10 * 24 {
        site.clock.turn(HOUR);
        processes.round().await;
    }
    assert!(processes.refreshes > 500 && processes.lost > 20);
}
