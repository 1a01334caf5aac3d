//! What is kept of documents from files, and what is served of them.

use portcullis_openapi::{RememberedNames, ToolDifference};
use portcullis_server::document::history::HistoryError;
use portcullis_server::document::switch::Switch;
use portcullis_store::{Actor, AuditRow};

use super::*;

on_both_engines! {
    what_apply_changes_of_tools_is_told_before_it_is_done
    names_are_kept_with_the_document_and_remembered
    a_database_of_an_earlier_program_remembers_the_names_that_were_in_use
    revisions_are_compared_by_number
    a_restored_revision_stays_when_the_file_is_applied_again
    a_file_that_says_again_what_is_served_ends_the_setting_aside
    a_switch_that_was_overtaken_is_refused
}

fn summaries(prepared: &Prepared) -> Vec<String> {
    prepared
        .tools
        .values()
        .map(ToolDifference::summary)
        .collect()
}

async fn what_apply_changes_of_tools_is_told_before_it_is_done(place: Place) {
    place.apply(&described("first")).await;
    place.write(&pets(&json!({
        "/pets": {"get": {"operationId": "listPets", "description": "first", "parameters": [
            {"name": "limit", "in": "query", "required": true, "schema": {"type": "integer"}}
        ]}},
        "/shops": {"get": {"operationId": "listShops"}}
    })));
    let prepared = place.prepare().await;
    let summary = "+ 1 tool, ~ 1 tool changed (1 breaks callers)";
    assert_eq!(summaries(&prepared), [summary]);
    let lines: Vec<_> = prepared.difference.lines().collect();
    assert!(lines[0].ends_with(summary), "{lines:?}");
    assert_eq!(place.history().await.revisions.len(), 1);
    prepared
        .commit(&place.store, SystemClock.now())
        .await
        .unwrap();
    assert_eq!(place.history().await.revisions.len(), 2);
    assert!(place.prepare().await.difference.is_empty());
}

/// What the tools of `document` are called in the store.
async fn names(place: &Place, document: &Value) -> Vec<String> {
    let stored = place.document().await;
    let content = place.store.document_content(stored.id, stored.digest).await;
    let names = RememberedNames::parse(&content.unwrap().unwrap().names).unwrap();
    let bytes = document.to_string();
    let read = portcullis_openapi::Document::parse(
        bytes.as_bytes(),
        &portcullis_openapi::Limits::default(),
    );
    let tools: Vec<_> = read.unwrap().tools().0.into_iter().map(Arc::new).collect();
    let told = names.apply(&tools);
    told.iter().map(|tool| tool.name.clone()).collect()
}

async fn names_are_kept_with_the_document_and_remembered(place: Place) {
    place.apply(&described("first")).await;
    assert!(place.document().await.names.is_some());
    let renamed = pets(&json!({
        "/pets": {"get": {"operationId": "findPets"}}, "/shops": {"get": {"operationId": "shops"}}
    }));
    let difference = place.apply(&renamed).await;
    assert!(difference.lines().all(|line| !line.contains("renamed")));
    assert_eq!(names(&place, &renamed).await, ["listPets", "shops"]);
    let other = pets(&json!({"/cats": {"get": {"operationId": "shops"}}}));
    place.apply(&other).await;
    let found = names(&place, &other).await;
    assert_eq!(found, ["shops"], "the operation moved with its id");
}

async fn a_database_of_an_earlier_program_remembers_the_names_that_were_in_use(place: Place) {
    place.apply(&described("first")).await;
    let stored = place.document().await;
    // What is there where the program before wrote it.
    let put = portcullis_store::DocumentPut {
        document: Document {
            names: None,
            ..stored.clone()
        },
        content: Some(portcullis_store::DocumentContent {
            bytes: described("first").to_string().into_bytes().into(),
            names: Arc::default(),
        }),
        waiting: None,
    };
    let changes = portcullis_store::Changes {
        base: place.store.revision().await.unwrap(),
        actor: Actor::new("test"),
        put: vec![portcullis_store::Object::Document(Box::new(put))],
        remove: Vec::new(),
    };
    place.store.apply(changes, SystemClock.now()).await.unwrap();
    assert_eq!(place.document().await.names, None);
    let renamed = pets(&json!({"/pets": {"get": {"operationId": "findPets"}}}));
    place.apply(&renamed).await;
    assert_eq!(names(&place, &renamed).await, ["listPets"]);
}

async fn revisions_are_compared_by_number(place: Place) {
    place.apply(&described("first")).await;
    let only = place.history().await;
    assert!(matches!(
        only.chosen(None, None),
        Err(HistoryError::OnlyOne(_))
    ));
    place.apply(&described("second")).await;
    place.apply(&pets(&json!({}))).await;
    let history = place.history().await;
    let numbers = |from, to| {
        let (from, to) = history.chosen(from, to).unwrap();
        (from.number, to.number)
    };
    assert_eq!(numbers(None, None), (2, 3));
    assert_eq!(numbers(Some(1), None), (1, 3));
    assert_eq!(numbers(Some(1), Some(2)), (1, 2));
    assert!(matches!(
        history.chosen(Some(4), None),
        Err(HistoryError::NoRevision { number: 4, .. })
    ));
    let (from, to) = history.chosen(Some(1), Some(2)).unwrap();
    let difference = history.difference(&place.store, from, to).await.unwrap();
    assert_eq!(difference.changed[0].changes[0].code, "description");
    assert!(!difference.breaks());
    let (from, to) = history.chosen(None, None).unwrap();
    let difference = history.difference(&place.store, from, to).await.unwrap();
    assert_eq!(difference.removed, ["listPets"]);
}

async fn switch(place: &Place, number: u32) -> Switch {
    let history = place.history().await;
    let revision = history.revision(number).unwrap();
    let actor = Actor::new("operator");
    let now = SystemClock.now();
    let switch = Switch::to(&place.store, &history, revision, actor, now).await;
    switch.unwrap().unwrap()
}

async fn restore(place: &Place, number: u32) {
    let switch = switch(place, number).await;
    switch
        .commit(&place.store, SystemClock.now())
        .await
        .unwrap();
}

fn is_of_operator(row: &AuditRow) -> bool {
    row.action == "document.put" && row.actor == "operator"
}

async fn a_restored_revision_stays_when_the_file_is_applied_again(place: Place) {
    place.apply(&described("first")).await;
    place.apply(&described("second")).await;
    restore(&place, 1).await;
    let history = place.history().await;
    assert_eq!(history.served().unwrap().number, 1);
    assert_eq!(history.waiting().unwrap().number, 2);
    assert!(is_of_operator(
        &place.store.list_audit(None, 1).await.unwrap()[0]
    ));
    assert!(place.prepare().await.difference.is_empty());
    // What else the configuration says of the document is taken up, and nothing is lost.
    std::fs::copy(
        place.folder.path().join("pets.json"),
        place.folder.path().join("copy.json"),
    )
    .unwrap();
    place.describe("file = \"copy.json\"");
    place.apply(&described("second")).await;
    let history = place.history().await;
    assert!(history.document.source.ends_with("copy.json"));
    assert_eq!(history.served().unwrap().number, 1);
    assert_eq!(history.waiting().unwrap().number, 2);
    // The file's next content is taken up.
    place.describe("file = \"pets.json\"");
    place.apply(&described("third")).await;
    let history = place.history().await;
    assert_eq!(history.served().unwrap().number, 3);
    assert!(history.waiting().is_none());
}

async fn a_file_that_says_again_what_is_served_ends_the_setting_aside(place: Place) {
    place.apply(&described("first")).await;
    place.apply(&described("second")).await;
    restore(&place, 1).await;
    let difference = place.apply(&described("first")).await;
    let lines: Vec<_> = difference.lines().collect();
    assert_eq!(lines, ["~ document pets: what was set aside waits no more"]);
    assert_eq!(place.document().await.waiting, None);
    assert!(place.prepare().await.difference.is_empty());
}

async fn a_switch_that_was_overtaken_is_refused(place: Place) {
    place.apply(&described("first")).await;
    place.apply(&described("second")).await;
    let late = switch(&place, 1).await;
    place.apply(&described("third")).await;
    let refused = late.commit(&place.store, SystemClock.now()).await;
    assert!(matches!(refused, Err(portcullis_store::ApplyError::Stale)));
    assert_eq!(place.history().await.served().unwrap().number, 3);
}
