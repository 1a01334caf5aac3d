//! What people granted, listed and taken back while the gateway serves.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use portcullis_base::{AccessToken, Clock as _, Digest, FlowId, GrantId, Plain, Slug};
use portcullis_oauth::issuer::client::{Client, ClientId, ClientOrigin};
use portcullis_oauth::issuer::grant::{Grant, NewTokens};
use portcullis_oauth::issuer::person::Identity;
use portcullis_oauth::pkce::CodeChallenge;
use portcullis_oauth::scope::Scopes;
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_store::{Keyring, NewCode, SignIn, Store, read_key_file};
use serde_json::json;

use super::running::Running;
use super::{folder, portcullis, stderr, stdout};

const SIGN_IN: &str = r#"
[providers.idp]
profile = "oidc"
issuer = "https://idp.example"
client_id = "us"
client_secret_env = "PETSTORE_API_KEY"

[documents.petstore]
file = "petstore.yaml"

[environments.production]
PETSTORE_API_KEY_env = "PETSTORE_API_KEY"

[toolsets.petstore]
documents = ["petstore"]
environment = "production"
inbound = ["oauth"]
provider = "idp"
"#;

async fn open(folder: &Path) -> Store {
    let data = folder.join("portcullis-data");
    let key = read_key_file(&data.join("master.key")).expect("a key");
    let url = format!("sqlite:{}", data.join("portcullis.db").display());
    let now = SystemClock.now();
    Store::open(&url, Keyring::new(key), now, Arc::new(SystemRng))
        .await
        .expect("a store")
}

/// Lets `ann` grant a client what it asks for, as signing in does; gives the client and its token.
async fn granted(store: &Store, name: &str) -> (String, Plain<AccessToken>) {
    let now = SystemClock.now();
    let client = json!({
        "name": name, "redirect_uris": ["https://app.example/cb"], "auth_method": "none",
        "auth_method_defaulted": true, "application_type": "web", "refreshes": false,
    });
    let client = Client {
        id: ClientId::new(&SystemRng),
        origin: ClientOrigin::Dynamic,
        metadata: serde_json::from_value(client).expect("metadata"),
        secret: None,
        remembers_consent: false,
        created_at: now,
    };
    store.insert_client(&client, now).await.expect("a client");
    let code = NewCode {
        digest: Digest::of(name.as_bytes()),
        flow: FlowId::new(now, &SystemRng),
        client: client.id.clone(),
        redirect_uri: "https://app.example/cb".to_owned(),
        code_challenge: CodeChallenge::of(&portcullis_oauth::pkce::verifier(&SystemRng)),
        toolset: Slug::parse("petstore").expect("a slug"),
        scopes: Scopes::default(),
        expires_at: now.after(Duration::from_mins(1)),
    };
    let sign_in = SignIn {
        identity: Some(Identity {
            issuer: "https://idp.example".to_owned(),
            subject: "ann".to_owned(),
            label: Some("Ann".to_owned()),
        }),
        provider: Slug::parse("idp").expect("a slug"),
        tokens: None,
        code: code.clone(),
        session: None,
        remember: None,
    };
    let signed_in = store.complete_sign_in(sign_in, now).await.expect("a code");
    let token = Plain::<AccessToken>::new(&SystemRng);
    let grant = Grant {
        id: GrantId::new(now, &SystemRng),
        client: client.id.clone(),
        subject: signed_in.subject,
        toolset: code.toolset,
        scopes: code.scopes,
        connection: None,
        created_at: now,
        ended: None,
    };
    let tokens = NewTokens {
        access: token.digest(),
        scopes: Scopes::default(),
        access_expires_at: now.after(Duration::from_hours(1)),
        refresh: None,
    };
    let redeemed = store.redeem_code(&code.digest, grant, tokens, now).await;
    assert!(redeemed.expect("a grant"));
    (client.id.to_string(), token)
}

fn status(gateway: &Running, token: &Plain<AccessToken>) -> u16 {
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    gateway.post("petstore", Some(token.expose()), &ping).0
}

#[tokio::test]
async fn grants_are_taken_back_while_the_gateway_serves() {
    let folder = folder();
    std::fs::write(folder.path().join("portcullis.toml"), SIGN_IN).expect("a file");
    let mut gateway = Running::start(folder.path(), &["portcullis.toml"], "petstore");
    let store = open(folder.path()).await;
    let (client, token) = granted(&store, "The robot").await;
    let (_, other) = granted(&store, "The other").await;
    assert_eq!(
        (status(&gateway, &token), status(&gateway, &other)),
        (200, 200)
    );

    let list = |arguments: &[&str]| {
        let mut all = vec!["grants", "list"];
        all.extend(arguments);
        stdout(&portcullis(folder.path(), &all))
    };
    let told = list(&["--client", &client, "--provider", "idp"]);
    for expected in [
        &*client,
        "to The robot",
        "by Ann (sub_",
        "at petstore, signed in at idp",
    ] {
        assert!(told.contains(expected), "{told}");
    }
    assert!(!told.contains("The other"), "{told}");
    assert_eq!(list(&["--toolset", "elsewhere"]), "");

    let revoke = ["grants", "revoke", "--client", &client];
    let unasked = portcullis(folder.path(), &revoke);
    assert!(stderr(&unasked).contains("--yes"));
    let told = String::from_utf8_lossy(&unasked.stdout);
    assert!(
        told.contains("1 grant and every token under it: 1 subject"),
        "{told}"
    );
    assert_eq!(status(&gateway, &token), 200);
    let mut sure = revoke.to_vec();
    sure.push("--yes");
    assert!(stdout(&portcullis(folder.path(), &sure)).contains("revoked 1"));
    gateway.call_until(401, "petstore", Some(token.expose()));
    assert_eq!(status(&gateway, &other), 200);

    let audit = store.list_audit(None, 100).await.expect("an audit");
    let ended: Vec<_> = audit
        .iter()
        .filter(|it| it.action == "grant.ended")
        .collect();
    assert!(
        matches!(ended.as_slice(), [row] if row.actor == "cli"),
        "{ended:?}"
    );
    let id = &ended.first().expect("a row").target;
    let told = portcullis(folder.path(), &["audit", "--action", "grant.ended"]);
    let told = stdout(&told);
    assert!(
        told.ends_with(&format!("  grant.ended  {id}  by cli\n")),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1, "{told}");
    let latest = stdout(&portcullis(folder.path(), &["audit", "--last", "2"]));
    assert_eq!(latest.lines().count(), 2, "{latest}");
    assert_eq!(latest.lines().last(), told.lines().last());
    let again = portcullis(folder.path(), &["grants", "revoke", id, "--yes"]);
    assert!(stderr(&again).contains("no such grant stands"));
    let everything = portcullis(folder.path(), &["grants", "revoke", "--yes"]);
    assert!(stderr(&everything).contains("say which grants"));
    store.close().await;
    gateway.stop();
}
