//! How documents are fetched, and how often.

use portcullis_server::document::fetches::Fetches;
use portcullis_server::gateway::Gateway;

use super::*;

/// A place on SQLite, for what has nothing to do with the engine.
async fn place() -> Place {
    Place::new(Engine::Sqlite, "").await
}

/// Says why a configuration cannot be read.
async fn refused(place: &Place) -> String {
    let refused = place.load().await.unwrap_err();
    refused.problems()[0].to_string()
}

#[tokio::test]
async fn s_01_a_document_is_fetched_from_no_address_that_nobody_allowed() {
    let publisher = Publisher::start(described("first")).await;
    let place = place().await;
    place.describe(&publisher.described("warn"));
    let path = place.folder.path().join("portcullis.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("127.0.0.0/8", "127.9.0.0/16")).unwrap();
    let told = refused(&place).await;
    assert!(told.contains("leads to a loopback address"), "{told}");
    assert_eq!(publisher.asked(), 0);
}

#[tokio::test]
async fn s_04_a_redirect_of_a_document_is_not_followed() {
    let publisher = Publisher::start(described("first")).await;
    let place = place().await;
    place.describe(&publisher.described("warn"));
    publisher.answer_by(|_| {
        let redirect = Response::builder()
            .status(302)
            .header("location", "/elsewhere");
        Some(redirect.body(Body::empty()).unwrap())
    });
    let told = refused(&place).await;
    assert!(told.contains("redirect to \"/elsewhere\""), "{told}");
    assert_eq!(publisher.asked(), 1);
}

#[tokio::test]
async fn a_file_that_is_not_there_for_the_moment_fails_the_look_and_one_that_is_gone_does_not() {
    let mut document = described("first");
    document["paths"]["/pets"]["get"]["parameters"] = json!([{
        "name": "kind", "in": "query", "schema": {"$ref": "kind.json"}
    }]);
    let publisher = Publisher::start(document).await;
    let place = place().await;
    place.describe(&publisher.described("warn"));
    for status in [404, 410, 503, 403] {
        publisher.answer_by(move |received| {
            let is_file = received.path_and_query == "/v1/kind.json";
            is_file.then(|| answer(status, &json!({})))
        });
        if status == 404 || status == 410 {
            place.load().await.unwrap();
            continue;
        }
        let told = refused(&place).await;
        let expected =
            format!("the file `v1/kind.json` that it refers to: it answers with status {status}");
        assert!(told.contains(&expected), "{told}");
    }
}

#[tokio::test]
async fn s_07_files_are_fetched_from_the_documents_own_origin_and_nowhere_else() {
    let stranger = Publisher::start(json!({})).await;
    let mut document = described("first");
    document["servers"] = json!([{"url": "../api"}]);
    let body = |reference: String| json!({"content": {"application/json": {"schema": {"$ref": reference}}}});
    document["paths"]["/pets"]["post"] = json!({
        "operationId": "addPet", "requestBody": body("models/pet.json#/Pet".to_owned())
    });
    document["paths"]["/pets"]["put"] = json!({
        "operationId": "putPet", "requestBody": body(format!("{}/x.json#/Pet", stranger.server.url()))
    });
    let publisher = Publisher::start(document).await;
    publisher.answer_by(|received| {
        let pet = json!({"Pet": {"type": "object", "properties": {"name": {"type": "string"}}}});
        (received.path_and_query == "/v1/models/pet.json").then(|| answer(200, &pet))
    });
    let place = place().await;
    place.describe(&publisher.described("warn"));
    let configuration = place.load().await.unwrap();
    assert_eq!(stranger.asked(), 0);
    let object = &configuration.objects.documents[&Slug::parse("pets").unwrap()];
    let found = object.remarks.iter().map(|it| it.code);
    assert_eq!(found.collect::<Vec<_>>(), ["external-reference"]);
    let compiled = &object.compiled;
    let tool = compiled
        .tools
        .iter()
        .find(|it| it.name == "addPet")
        .unwrap();
    assert!(
        tool.input_schema().get().contains("\"name\""),
        "{}",
        tool.input_schema()
    );
    let server = ServerTemplate::Url(format!("{}/api", publisher.server.url()));
    assert_eq!(tool.request.server, server);
}

#[tokio::test]
async fn a_configuration_that_is_refused_has_its_documents_fetched_once_and_when_it_is_asked_to() {
    let place = place().await;
    place.write(&described("first"));
    let gateway = Gateway::start(place.load().await.unwrap()).await.unwrap();
    let reloader = gateway.reloader();
    let publisher = Publisher::start(described("second")).await;
    publisher.answer_by(|_| Some(answer(500, &json!({}))));
    place.describe(&publisher.described("warn"));
    for _ in 0..5 {
        reloader.look().await;
    }
    assert_eq!(publisher.asked(), 1);
    publisher.answer_by(|_| None);
    // As on SIGHUP.
    reloader.reload().await;
    assert_eq!(publisher.asked(), 2);
    let document = place.document().await;
    assert_eq!(document.remote_source(), Some(&*publisher.url()));
}

#[tokio::test]
async fn what_was_fetched_is_kept_for_as_long_as_it_need_not_be_looked_at() {
    let publisher = Publisher::start(described("first")).await;
    let place = place().await;
    let described = publisher.described("warn");
    place.describe(&described.replace("= 60", "= 1000"));
    let path = place.folder.path().join("portcullis.toml");
    let read = Configuration::remote_documents(&path, Overrides::default(), HashMap::new());
    let document = &read.unwrap().1[0];
    let clock = Arc::new(Hand::default());
    let http = Http::new(loopback(), Duration::from_secs(5));
    let fetches = Fetches::new(Fetcher::by(http), Arc::clone(&clock) as Arc<dyn Clock>);
    let asked_after = async |seconds: u64| {
        clock.turn(Duration::from_secs(seconds));
        let is_there = fetches.of(document).await.is_ok();
        (is_there, publisher.asked())
    };
    assert_eq!(asked_after(0).await, (true, 1));
    assert_eq!(asked_after(999).await, (true, 1));
    publisher.answer_by(|_| Some(answer(500, &json!({}))));
    assert_eq!(asked_after(1).await, (false, 2));
    assert_eq!(asked_after(299).await, (false, 2));
    publisher.answer_by(|_| None);
    assert_eq!(asked_after(1).await, (true, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_document_is_fetched_the_store_is_published_all_the_same() {
    let place = place().await;
    place.write(&described("first"));
    let gateway = Gateway::start(place.load().await.unwrap()).await.unwrap();
    let reloader = gateway.reloader();
    let publisher = Publisher::start(described("second")).await;
    let (asked, mut is_asked) = tokio::sync::mpsc::unbounded_channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    publisher.answer_by(move |_| {
        asked.send(()).unwrap();
        released.recv().ok();
        None
    });
    place.describe(&publisher.described("warn"));
    reloader.look().await;
    let looking = reloader.clone();
    let looking = tokio::spawn(async move { looking.look().await });
    is_asked.recv().await.unwrap();
    reloader.publish().await.unwrap();
    drop(release);
    looking.await.unwrap();
    let document = place.document().await;
    assert_eq!(document.remote_source(), Some(&*publisher.url()));
}

#[tokio::test]
async fn a_large_file_comes_again_by_itself_and_after_all_others() {
    let mut document = described("first");
    let parameter = |file: &str| json!({"name": file, "in": "query", "schema": {"$ref": file}});
    // More than are fetched at once.
    let small = (1..=9).map(|number| format!("small-{number}.json"));
    let small = small.map(|file| parameter(&file));
    let parameters: Vec<_> = std::iter::once(parameter("large.json"))
        .chain(small)
        .collect();
    document["paths"]["/pets"]["get"]["parameters"] = json!(parameters);
    let publisher = Publisher::start(document).await;
    let large = json!({"type": "string", "x": "x".repeat(9 << 20)});
    publisher.answer_by(move |received| match received.path_and_query.as_str() {
        "/v1/large.json" => Some(answer(200, &large)),
        path if path.starts_with("/v1/small-") => Some(answer(200, &json!({"type": "string"}))),
        _ => None,
    });
    let place = place().await;
    place.describe(&publisher.described("warn"));
    let configuration = place.load().await.unwrap();
    let object = &configuration.objects.documents[&Slug::parse("pets").unwrap()];
    assert_eq!(object.remarks, []);
    assert_eq!(publisher.asked(), 12);
    let asked = publisher.server.received();
    assert_eq!(asked.last().unwrap().path_and_query, "/v1/large.json");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_document_that_is_being_fetched_holds_up_neither_another_one_nor_whoever_reads_again() {
    let slow = Publisher::start(described("slow")).await;
    let (asked, mut is_asked) = tokio::sync::mpsc::unbounded_channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    slow.answer_by(move |_| {
        asked.send(()).unwrap();
        released.recv().ok();
        None
    });
    let place = place().await;
    place.write(&described("first"));
    let gateway = Gateway::start(place.load().await.unwrap()).await.unwrap();
    let reloader = gateway.reloader();
    place.describe(&slow.described("warn"));
    reloader.look().await;
    let looking = reloader.clone();
    let looking = tokio::spawn(async move { looking.look().await });
    is_asked.recv().await.unwrap();
    // The operator thinks better of it.
    let quick = Publisher::start(described("quick")).await;
    place.describe(&quick.described("warn"));
    reloader.reload().await;
    let document = place.document().await;
    assert_eq!(document.remote_source(), Some(&*quick.url()));
    assert!(!looking.is_finished());
    drop(release);
    looking.await.unwrap();
}
