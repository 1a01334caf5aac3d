//! Documents that change while a gateway serves: the names of their tools, and revisions that are restored.

use super::*;
use crate::document::history::History;
use crate::document::switch::Switch;

/// Serves another revision, as a command does.
async fn serve(store: &Store, number: Option<u32>) {
    let slug = Slug::parse("petstore").unwrap();
    let history = History::read(store, &slug).await.unwrap();
    let revision = match number {
        Some(number) => history.revision(number).unwrap(),
        None => history.waiting().unwrap(),
    };
    let now = SystemClock.now();
    let switch = Switch::to(store, &history, revision, Actor::new("test"), now).await;
    switch.unwrap().unwrap().commit(store, now).await.unwrap();
}

fn description(reloader: &Reloader) -> String {
    let catalogue = reloader.catalogue();
    let tool = &catalogue.toolsets["pets"].tools["listPets"].tool;
    tool.description.clone()
}

fn described(description: &str) -> String {
    DOCUMENT.replace(
        "listPets,",
        &format!("listPets, description: {description},"),
    )
}

#[tokio::test]
async fn a_tool_keeps_its_name_when_its_operation_id_changes_and_on_every_replica() {
    let (folder, gateway) = start(LOCAL, &[("pets", "open")]).await;
    let reloader = gateway.reloader();
    let clash = "  /shops:\n    get: { operationId: LISTPETS }\n";
    let changed = DOCUMENT.replace("listPets", "showPets") + clash;
    write(&folder, "petstore.yaml", &changed);
    look_twice(&reloader).await;
    let names = tools(&reloader);
    assert_eq!(names.len(), 2);
    assert_eq!(names[1], "listPets");
    assert!(names[0].starts_with("LISTPETS_"), "{names:?}");
    // One that never saw the first revision.
    let second = Gateway::start(load(&folder, "portcullis.toml")).await;
    assert_eq!(tools(&second.unwrap().reloader()), names);
}

#[tokio::test]
async fn a_revision_that_is_restored_is_served_until_the_file_changes() {
    let (folder, gateway) = start(LOCAL, &[("pets", "open")]).await;
    let reloader = gateway.reloader();
    write(&folder, "petstore.yaml", &described("second"));
    look_twice(&reloader).await;
    assert_eq!(description(&reloader), "second");
    let store = other_process(&folder).await;
    serve(&store, Some(1)).await;
    reloader.look().await;
    assert_eq!(description(&reloader), "GET /pets");
    // Neither a reload nor a start brings back what the operator has set aside.
    reloader.try_reload().await.unwrap();
    assert_eq!(description(&reloader), "GET /pets");
    let second = Gateway::start(load(&folder, "portcullis.toml")).await;
    assert_eq!(description(&second.unwrap().reloader()), "GET /pets");
    write(&folder, "petstore.yaml", &described("third"));
    look_twice(&reloader).await;
    assert_eq!(description(&reloader), "third");
    assert_eq!(store.snapshot().await.unwrap().documents[0].waiting, None);
}

#[tokio::test]
async fn what_was_set_aside_is_taken_up_by_a_word_of_the_operator() {
    let (folder, gateway) = start(LOCAL, &[("pets", "open")]).await;
    let reloader = gateway.reloader();
    write(&folder, "petstore.yaml", &described("second"));
    look_twice(&reloader).await;
    let store = other_process(&folder).await;
    serve(&store, Some(1)).await;
    serve(&store, None).await;
    reloader.look().await;
    assert_eq!(description(&reloader), "second");
    assert_eq!(store.snapshot().await.unwrap().documents[0].waiting, None);
}
