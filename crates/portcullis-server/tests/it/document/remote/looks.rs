//! Looks that do not count, or cannot be noted.

use futures_util::FutureExt as _;

use super::*;
use crate::database::run;

on_both_engines! {
    a_look_that_took_too_long_changes_nothing_any_more
    a_gateway_whose_configuration_names_another_url_spoils_no_look
}

async fn a_look_that_took_too_long_changes_nothing_any_more(place: Place) {
    let publisher = Publisher::start(described("first")).await;
    let slow = applied(&place, &publisher, "follow").await;
    let other = Replica::of(&place).await;
    slow.clock.turn(Duration::from_secs(61));
    let claim = (Duration::from_secs(1), slow.clock.now());
    let due = place.store.claim_document_look(claim.0, claim.1).await;
    let due = due.unwrap().unwrap();
    publisher.publish(described("second"));
    other.clock.turn(Duration::from_secs(1));
    assert_eq!(other.look().await, taken("~ 1 tool changed"));
    publisher.publish(described("third"));
    let looked = slow.refresher.look_at(&due, None, &slow.judge).await;
    assert_eq!(looked.unwrap(), Looked::Overtaken);
    assert_eq!(numbers(&place).await, (2, None));
    // Nor does a failure count that comes too late.
    publisher.answer_by(|_| Some(answer(500, &json!({}))));
    let looked = slow.refresher.look_at(&due, None, &slow.judge).await;
    assert_eq!(looked.unwrap(), Looked::Overtaken);
    let look = place.store.document_look(due.id).await.unwrap().unwrap();
    assert_eq!(look.failure, None);
    publisher.answer_by(|_| None);
    assert_eq!(other.look().await, taken("~ 1 tool changed"));
}

/// As while replicas are given another configuration one after the other.
async fn a_gateway_whose_configuration_names_another_url_spoils_no_look(place: Place) {
    let former = Publisher::start(described("former")).await;
    let late = applied(&place, &former, "follow").await;
    let publisher = Publisher::start(described("first")).await;
    let other = applied(&place, &publisher, "follow").await;
    assert_eq!(other.look().await, [Looked::Same]);
    let id = place.document().await.id;
    let before = place.store.document_look(id).await.unwrap();
    late.clock.turn(Duration::from_mins(10));
    assert_eq!(late.look().await, [Looked::Overtaken]);
    assert_eq!(place.store.document_look(id).await.unwrap(), before);
    // What the URL said is known still.
    other.clock.turn(Duration::from_mins(30));
    assert_eq!(other.look().await, [Looked::Same]);
    let asked = publisher.server.received();
    assert!(asked.last().unwrap().header("if-none-match").is_some());
}

#[tokio::test]
async fn a_content_that_is_served_is_told_where_the_look_cannot_be_noted() {
    let place = Place::new(Engine::Postgres, "document_look_unnoted").await;
    let publisher = Publisher::start(described("first")).await;
    let replica = applied(&place, &publisher, "follow").await;
    publisher.publish(described("second"));
    let url = place.storage.split('"').nth(1).unwrap();
    run(
        url,
        "ALTER TABLE document_sources ADD CHECK (looked_at_ms IS NULL)",
    );
    replica.clock.turn(Duration::from_secs(61));
    let refresher = &replica.refresher;
    assert!(refresher.look(&replica.judge).await.is_err());
    assert_eq!(numbers(&place).await, (2, None));
    let told = refresher.metrics.render();
    let expected = "document_looks_total{outcome=\"taken\"} 1";
    assert!(told.contains(expected), "{told}");
    let woken = refresher.revised.notified();
    assert!(woken.now_or_never().is_some());
}
