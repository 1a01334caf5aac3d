//! Texts in columns, as any released version has written them: each must still load.

use portcullis_base::Digest;
use portcullis_store::Inbound;

use super::on_both_engines;
use crate::engines::Database;

on_both_engines! {
    stored_texts_of_every_version_still_load
}

async fn stored_texts_of_every_version_still_load(database: Database) {
    let store = database.open().await;
    let id = "00000000000070008000000000000001";
    let digest = Digest::of(b"").fingerprint();
    let schemes = include_str!("../../fixtures/document_schemes_1.json");
    // 32 bytes, which is all that a digest has to be here.
    database
        .execute(&format!(
            "INSERT INTO documents \
             (id, slug, owner, source, content, digest, schemes, updated_at_ms) \
             SELECT 'doc_{id}', 'petstore', 'file', 's', {blob}, {blob}, '{schemes}', 0",
            blob = database.blob_of(&digest.repeat(4)),
        ))
        .await;
    let settings = [
        include_str!("../../fixtures/toolset_settings_1.json"),
        include_str!("../../fixtures/toolset_settings_1_least.json"),
    ];
    for (number, (slug, settings)) in ["a", "b"].into_iter().zip(settings).enumerate() {
        let id = format!("ts_0000000000007000800000000000000{number}");
        database
            .execute(&format!(
                "INSERT INTO toolsets (id, slug, owner, settings, updated_at_ms) \
                 VALUES ('{id}', '{slug}', 'api', '{settings}', 0)"
            ))
            .await;
    }
    let snapshot = store.snapshot().await.unwrap();
    let scheme = &snapshot.documents[0].schemes["oauth"];
    assert_eq!(scheme.signing_algorithm.as_deref(), Some("ES256"));
    let [full, least] = &snapshot.toolsets[..] else {
        panic!("two toolsets");
    };
    assert_eq!(full.documents[0].select.exclude, ["*_delete"]);
    assert!(full.inbound.contains(&Inbound::Headers));
    assert!(least.documents.is_empty());
}
