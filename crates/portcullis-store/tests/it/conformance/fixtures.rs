//! Texts in columns, as any released version has written them: each must still load.

use std::time::Duration;

use portcullis_base::{Digest, FlowId};
use portcullis_oauth::issuer::client::{ApplicationType, ClientId, TokenEndpointAuthMethod};
use portcullis_oauth::issuer::redeem::OwnLifetimes;
use portcullis_store::{
    AnswerSettings, Delegation, DocumentSettings, ExchangeActor, Inbound, ProviderEndpoints,
};

use super::on_both_engines;
use crate::engines::Database;
use crate::samples::slug;

on_both_engines! {
    stored_texts_of_every_version_still_load
    stored_texts_of_signing_in_still_load
}

/// The hexadecimal digits of an id.
fn id(number: usize) -> String {
    format!("0000000000007000800000000000000{number}")
}

async fn insert_documents(database: &Database, schemes: &[&str]) {
    // 32 bytes, which is all that a digest has to be here.
    let digest = Digest::of(b"").fingerprint();
    let blob = database.blob_of(&digest.repeat(4));
    for (number, schemes) in schemes.iter().enumerate() {
        let id = id(number);
        database
            .execute(&format!(
                "INSERT INTO documents \
                 (id, slug, owner, source, content, digest, schemes, updated_at_ms) \
                 SELECT 'doc_{id}', 'd{number}', 'file', 's', {blob}, {blob}, '{schemes}', 0",
            ))
            .await;
    }
}

async fn insert_settings(database: &Database, table: &str, prefix: &str, settings: &[&str]) {
    for (number, settings) in settings.iter().enumerate() {
        let id = id(number);
        database
            .execute(&format!(
                "INSERT INTO {table} (id, slug, owner, settings, updated_at_ms) \
                 VALUES ('{prefix}_{id}', 's{number}', 'api', '{settings}', 0)"
            ))
            .await;
    }
}

async fn stored_texts_of_every_version_still_load(database: Database) {
    let store = database.open().await;
    let schemes = [
        include_str!("../../fixtures/document_schemes_1.json"),
        include_str!("../../fixtures/document_schemes_2.json"),
    ];
    insert_documents(&database, &schemes).await;
    let settings = [
        include_str!("../../fixtures/document_settings_1.json"),
        include_str!("../../fixtures/document_settings_1_least.json"),
    ];
    for (number, settings) in settings.iter().enumerate() {
        let update =
            format!("UPDATE documents SET settings = '{settings}' WHERE slug = 'd{number}'");
        database.execute(&update).await;
    }
    let toolsets = [
        include_str!("../../fixtures/toolset_settings_1.json"),
        include_str!("../../fixtures/toolset_settings_1_least.json"),
        include_str!("../../fixtures/toolset_settings_2.json"),
        include_str!("../../fixtures/toolset_settings_3.json"),
        include_str!("../../fixtures/toolset_settings_4.json"),
        include_str!("../../fixtures/toolset_settings_5.json"),
    ];
    insert_settings(&database, "toolsets", "ts", &toolsets).await;
    let providers = [
        include_str!("../../fixtures/provider_settings_1.json"),
        include_str!("../../fixtures/provider_settings_1_least.json"),
        include_str!("../../fixtures/provider_settings_2.json"),
        include_str!("../../fixtures/provider_settings_3.json"),
        include_str!("../../fixtures/provider_settings_4.json"),
    ];
    insert_settings(&database, "providers", "prv", &providers).await;
    let manifests = [
        include_str!("../../fixtures/manifest_settings_1.json"),
        include_str!("../../fixtures/manifest_settings_1_least.json"),
        include_str!("../../fixtures/manifest_settings_2.json"),
    ];
    for (number, settings) in manifests.iter().enumerate() {
        let id = id(number);
        database
            .execute(&format!(
                "INSERT INTO manifests \
                 (id, slug, owner, source, content, settings, updated_at_ms) \
                 VALUES ('mf_{id}', 's{number}', 'file', 'a', '{{}}', '{settings}', 0)"
            ))
            .await;
    }

    let snapshot = store.snapshot().await.unwrap();
    let [scheme, bound] = [0, 1].map(|number| &snapshot.documents[number].schemes["oauth"]);
    assert_eq!(scheme.signing_algorithm.as_deref(), Some("ES256"));
    assert_eq!(bound.provider.as_deref(), Some("github"));
    let [whole, least] = [0, 1].map(|number| &snapshot.documents[number].settings);
    assert_eq!(whole.scopes, ["repo"]);
    assert_eq!(*least, DocumentSettings::default());
    let [full, least, signed_in, short, chosen, shown] = &snapshot.toolsets[..] else {
        panic!("six toolsets");
    };
    assert_eq!(shown.answers.max_result_bytes, Some(100_000));
    assert_eq!(shown.answers.project["list*"], "[].name");
    assert_eq!(full.answers, AnswerSettings::default());
    assert_eq!(full.documents[0].select.exclude, ["*_delete"]);
    assert_eq!(full.documents[0].select.methods, [""; 0]);
    let select = &chosen.documents[0].select;
    assert_eq!((&*select.methods[0], select.deprecated), ("GET", true));
    assert!(chosen.dynamic && !full.dynamic);
    assert!(full.inbound.contains(&Inbound::Headers));
    assert!(least.documents.is_empty());
    assert_eq!(signed_in.inbound, [Inbound::OAuth].into());
    assert_eq!(signed_in.provider, Some(slug("github")));
    assert_eq!(signed_in.lifetimes, OwnLifetimes::default());
    assert_eq!(short.lifetimes.refresh, Some(Duration::from_hours(7 * 24)));
    let [full, least, named, revoking, kept] = &snapshot.providers[..] else {
        panic!("five providers");
    };
    assert_eq!(full.settings.parameters["prompt"], "select_account");
    assert_eq!(least.settings.endpoints, ProviderEndpoints::default());
    assert_eq!(kept.settings.keep_alive_seconds, Some(2_592_000));
    assert_eq!(named.settings.name.as_deref(), Some("Acme"));
    let revocation = revoking.settings.endpoints.revocation.as_deref();
    assert_eq!(revocation, Some("https://login.example.com/revoke"));
    let [full, least, acting] = &snapshot.manifests[..] else {
        panic!("three manifests");
    };
    assert_eq!(acting.settings.scopes, ["access_as_user"]);
    let actor = acting.settings.exchange.actor;
    assert_eq!(actor, Some(ExchangeActor::ClientCredentials));
    assert_eq!(full.settings.delegation, Some(Delegation::OnBehalfOf));
    assert!(!least.settings.republished);
}

async fn stored_texts_of_signing_in_still_load(database: Database) {
    let store = database.open().await;
    let clients = [
        include_str!("../../fixtures/client_metadata_1.json"),
        include_str!("../../fixtures/client_metadata_1_least.json"),
    ];
    for (number, metadata) in clients.iter().enumerate() {
        database
            .execute(&format!(
                "INSERT INTO clients \
                 (id, origin, metadata, remember_consent, created_at_ms, used_at_ms) \
                 VALUES ('pc_client_{number}', 'dynamic', '{metadata}', 0, 0, 0)"
            ))
            .await;
    }
    let blob = database.blob_of(&"b".repeat(32));
    let requests = [
        include_str!("../../fixtures/authorization_request_1.json"),
        include_str!("../../fixtures/authorization_request_1_least.json"),
    ];
    for (number, request) in requests.iter().enumerate() {
        let id = id(number);
        database
            .execute(&format!(
                "INSERT INTO flows \
                 (id, client_id, request, browser, status, created_at_ms, expires_at_ms) \
                 VALUES ('flow_{id}', 'pc_client_1', '{request}', {blob}, 'pending', 0, 0)"
            ))
            .await;
    }

    let mut clients = Vec::new();
    let mut flows = Vec::new();
    for number in 0..2 {
        let client = ClientId::parse(&format!("pc_client_{number}")).unwrap();
        clients.extend(store.client(&client).await.unwrap());
        let flow = FlowId::parse(&format!("flow_{}", id(number))).unwrap();
        flows.extend(store.flow(&flow).await.unwrap());
    }
    let [full, least] = &clients[..] else {
        panic!("two clients");
    };
    assert_eq!(full.metadata.application_type, ApplicationType::Native);
    assert_eq!(least.metadata.auth_method, TokenEndpointAuthMethod::None);
    let [full, least] = &flows[..] else {
        panic!("two flows");
    };
    assert_eq!(full.request.state.as_deref(), Some("<\"é\">"));
    assert_eq!(least.request.toolset, None);
}
