//! Replicas on one PostgreSQL: what one ends, the others refuse at once.
//!
//! The clock stands, so that nothing which a replica remembers grows old.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use portcullis_base::{Clock as _, GrantId};
use portcullis_store::{Actor, GrantSelection};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::person::tokens_of;
use super::site::Site;
use crate::database::{new_database, run};

/// How long a condition may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Begins to heed what other replicas change; gives what wakes where anything may have changed.
async fn follow(site: &Site) -> Arc<Notify> {
    let revised = Arc::new(Notify::new());
    let (keys, woken) = (Arc::clone(&site.keys), Arc::clone(&revised));
    let notices = site.store.notices();
    tokio::spawn(async move { keys.follow(notices, &woken).await });
    // That it listens is known by the first notice, which is that it may have missed something.
    timeout(PATIENCE, revised.notified()).await.unwrap();
    revised
}

async fn status(site: &Site, tokens: &Value) -> StatusCode {
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let token = tokens["access_token"].as_str().unwrap();
    site.call("pets", token, &ping).await.status
}

async fn until_refused(site: &Site, tokens: &Value) {
    let refused = async {
        while status(site, tokens).await != StatusCode::UNAUTHORIZED {
            yield_now().await;
        }
    };
    timeout(PATIENCE, refused).await.unwrap();
}

/// The grants that have not ended.
async fn grants(site: &Site) -> Vec<GrantId> {
    let selection = GrantSelection::default();
    let page = site.store.list_grants(&selection, None).await.unwrap();
    page.grants.into_iter().map(|it| it.grant.id).collect()
}

async fn end(site: &Site, grants: Vec<GrantId>) {
    let now = site.clock.now();
    let ended = site.store.revoke_grants(grants, Actor::new("test"), now);
    assert_eq!(ended.await.unwrap(), 1);
}

#[tokio::test]
async fn what_one_replica_ends_the_other_refuses_without_growing_old() {
    let [ours, theirs] = Site::pair(&new_database("server_what_one_replica_ends")).await;
    follow(&theirs).await;
    let tokens = tokens_of(&ours, "ann").await;
    assert_eq!(status(&theirs, &tokens).await, StatusCode::OK);
    let grants = grants(&ours).await;
    end(&ours, grants).await;
    until_refused(&theirs, &tokens).await;
    // The one that ended it does not listen, and would find out in two seconds.
    let tokens = tokens_of(&ours, "bea").await;
    assert_eq!(status(&theirs, &tokens).await, StatusCode::OK);
    let client = tokens["client"].as_str().unwrap();
    let token = tokens["access_token"].as_str().unwrap();
    let fields = [("client_id", client), ("token", token)];
    let revoked = ours.form("/revoke", &fields, &[]).await;
    assert_eq!(revoked.status, StatusCode::OK);
    until_refused(&theirs, &tokens).await;
}

#[tokio::test]
async fn a_replica_whose_listener_was_cut_off_looks_everything_up_anew() {
    let url = new_database("server_a_listener_cut_off");
    let [ours, theirs] = Site::pair(&url).await;
    let revised = follow(&theirs).await;
    let tokens = tokens_of(&ours, "ann").await;
    assert_eq!(status(&theirs, &tokens).await, StatusCode::OK);
    run(
        &url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name = 'portcullis listener'",
    );
    let grants = grants(&ours).await;
    end(&ours, grants).await;
    until_refused(&theirs, &tokens).await;
    timeout(PATIENCE, revised.notified()).await.unwrap();
}
