//! Clients that register, as real ones do and as attackers would.

use serde_json::{Value, json};

use super::*;
use crate::wire::registration::RegistrationResponse;

/// Counts instead of being random.
struct Counting(std::sync::atomic::AtomicU8);

impl Rng for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        let next = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        buffer.fill(next.wrapping_mul(37).wrapping_add(251));
    }
}

fn verified(body: &Value) -> Result<VerifiedClientMetadata, OAuthError> {
    let request = ClientMetadataRequest::read(body.to_string().as_bytes())?;
    let policy = RegistrationPolicy {
        private_use_schemes: &PrivateUseSchemes::default(),
        scopes: &Scopes::parse("pets:read pets:write").unwrap(),
    };
    verify(&request, &policy)
}

/// A registration with one member more than the redirect URI.
fn with(name: &str, value: &Value) -> Result<VerifiedClientMetadata, OAuthError> {
    let mut body = json!({"redirect_uris": ["https://c.example/cb"]});
    body[name] = value.clone();
    verified(&body)
}

fn refused(result: Result<VerifiedClientMetadata, OAuthError>, code: OAuthErrorCode) {
    assert_eq!(result.map_err(|error| error.code), Err(code));
}

fn answer(body: &Value) -> Value {
    let rng = Counting(0.into());
    let (client, secret) = register(verified(body).unwrap(), Timestamp::from_millis(1_999), &rng);
    let response = RegistrationResponse {
        client: &client,
        secret: secret.as_ref(),
    };
    serde_json::from_str(response.to_json().expose()).unwrap()
}

#[test]
fn a_public_client_is_answered_without_nulls_and_without_a_secret() {
    let client = answer(&json!({
        "redirect_uris": ["http://localhost:3118/callback"],
        "client_name": "Editor",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "response_types": ["code"],
        "scope": "pets:read offline_access other",
        "client_uri": "https://editor.example",
        "logo_uri": "https://editor.example/logo.png",
        "contacts": ["somebody@editor.example"],
    }));
    insta::assert_snapshot!(
        client,
        @r#"{"client_id":"pc_client_-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7","client_id_issued_at":1,"client_name":"Editor","redirect_uris":["http://localhost:3118/callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"none","application_type":"native","scope":"offline_access pets:read","client_uri":"https://editor.example"}"#
    );
}

#[test]
fn a_client_that_says_nothing_gets_every_default() {
    let client = answer(&json!({"redirect_uris": ["https://c.example/cb"]}));
    insta::assert_snapshot!(
        client,
        @r#"{"client_id":"pc_client_ICAgICAgICAgICAgICAgICAgICAgICAg","client_id_issued_at":1,"client_secret":"pc_cs_-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s","client_secret_expires_at":0,"client_name":"c.example","redirect_uris":["https://c.example/cb"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"client_secret_basic","application_type":"web"}"#
    );
}

#[test]
fn r_01_r_02_r_06_one_dangerous_redirect_uri_spoils_them_all() {
    for bad in [
        "javascript:alert(1)",
        "data:text/html,x",
        "http://attacker.example/cb",
        "https://c.example/cb#f",
        "https://a@c.example/cb",
        "https://c.example/*",
        "https://c.example/../cb",
        "",
    ] {
        for uris in [json!([bad]), json!(["https://c.example/cb", bad])] {
            refused(
                with("redirect_uris", &uris),
                OAuthErrorCode::InvalidRedirectUri,
            );
        }
    }
}

#[test]
fn an_unlisted_scheme_is_dropped_where_something_else_remains() {
    let kept = with(
        "redirect_uris",
        &json!([
            "editor://cb",
            "http://localhost:8787/cb",
            "https://c.example/cb",
            "https://c.example/cb"
        ]),
    );
    let kept: Vec<String> = kept
        .unwrap()
        .redirect_uris
        .into_iter()
        .map(String::from)
        .collect();
    assert_eq!(kept, ["http://localhost:8787/cb", "https://c.example/cb"]);
    refused(
        with("redirect_uris", &json!(["editor://cb", "other:/cb"])),
        OAuthErrorCode::InvalidRedirectUri,
    );
}

#[test]
fn the_three_addresses_of_one_real_client_are_all_kept() {
    let uris = json!([
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost:8787/callback",
    ]);
    let client = answer(&json!({"redirect_uris": uris, "application_type": "web"}));
    assert_eq!(client["redirect_uris"], uris);
    assert_eq!(client["application_type"], "native");
    assert_eq!(client["client_name"], "cursor");
}

#[test]
fn the_application_type_is_inferred_where_it_is_absent_or_wrong() {
    for (uri, said, is) in [
        ("https://c.example/cb", json!(null), ApplicationType::Web),
        ("https://c.example/cb", json!("web"), ApplicationType::Web),
        (
            "https://c.example/cb",
            json!("native"),
            ApplicationType::Native,
        ),
        (
            "https://c.example/cb",
            json!("mobile"),
            ApplicationType::Web,
        ),
        ("http://127.0.0.1/cb", json!("web"), ApplicationType::Native),
        ("http://[::1]/cb", json!(null), ApplicationType::Native),
        ("vscode://x/cb", json!(7), ApplicationType::Native),
    ] {
        let body = json!({"redirect_uris": [uri], "application_type": said});
        assert_eq!(
            verified(&body).unwrap().application_type,
            is,
            "{uri} {said}"
        );
    }
}

#[test]
fn r_09_ids_and_secrets_are_ours_and_random() {
    let wanted = json!({
        "redirect_uris": ["https://c.example/cb"],
        "client_id": "mine",
        "client_secret": "mine",
        "registration_access_token": "mine",
    });
    let client = answer(&wanted);
    let (id, secret) = (
        client["client_id"].as_str().unwrap(),
        client["client_secret"].as_str().unwrap(),
    );
    let random = id.strip_prefix("pc_client_").unwrap();
    assert!(random.len() >= 22 && secret.len() >= 43, "{id} {secret}");
    for text in [random, secret] {
        assert!(
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)),
            "{text}"
        );
    }
    let rng = Counting(0.into());
    let one = || register(verified(&wanted).unwrap(), Timestamp::from_millis(0), &rng);
    let ((first, first_secret), (second, _)) = (one(), one());
    assert_ne!(first.id, second.id);
    assert_ne!(first.secret, second.secret);
    assert_eq!(first.secret, first_secret.map(|secret| secret.digest()));
}

#[test]
fn r_10_what_cannot_be_had_is_refused_or_dropped_and_never_echoed() {
    let code = OAuthErrorCode::InvalidClientMetadata;
    refused(
        with(
            "grant_types",
            &json!(["password", "implicit", "client_credentials"]),
        ),
        code,
    );
    refused(with("grant_types", &json!(["refresh_token"])), code);
    refused(with("response_types", &json!(["token"])), code);
    refused(with("scope", &json!("a\"b")), code);
    let client = answer(&json!({
        "redirect_uris": ["https://c.example/cb"],
        "grant_types": ["password", "authorization_code"],
        "response_types": ["token", "code"],
        "scope": "admin *",
    }));
    assert_eq!(client["grant_types"], json!(["authorization_code"]));
    assert_eq!(client["response_types"], json!(["code"]));
    assert_eq!(client.get("scope"), None);
    let scope = with("scope", &json!("admin pets:write *")).unwrap().scope;
    assert_eq!(scope, Scopes::parse("pets:write").ok());
}

#[test]
fn r_11_a_method_is_known_and_only_secret_ones_get_a_secret() {
    for method in ["private_key_jwt", "client_secret_jwt", "None", "basic"] {
        refused(
            with("token_endpoint_auth_method", &json!(method)),
            OAuthErrorCode::InvalidClientMetadata,
        );
    }
    for (method, has_secret) in [
        ("none", false),
        ("client_secret_basic", true),
        ("client_secret_post", true),
    ] {
        let client = answer(&json!({
            "redirect_uris": ["https://c.example/cb"],
            "token_endpoint_auth_method": method,
        }));
        assert_eq!(client["token_endpoint_auth_method"], method);
        assert_eq!(
            client.get("client_secret").is_some(),
            has_secret,
            "{method}"
        );
        assert_eq!(
            client.get("client_secret_expires_at"),
            has_secret.then_some(&json!(0))
        );
    }
    assert!(
        !with("token_endpoint_auth_method", &json!("client_secret_basic"))
            .unwrap()
            .auth_method_defaulted
    );
    assert!(with("x", &json!(1)).unwrap().auth_method_defaulted);
}

#[test]
fn r_12_keys_and_statements_are_neither_believed_nor_echoed() {
    let client = answer(&json!({
        "redirect_uris": ["https://c.example/cb"],
        "jwks": {"keys": []},
        "software_statement": "eyJhbGciOiJub25lIn0.eyJzY29wZSI6ImFkbWluIn0.",
    }));
    for name in ["jwks", "software_statement", "scope"] {
        assert_eq!(client.get(name), None);
    }
}

#[test]
fn r_14_no_management_of_registrations_is_announced() {
    let client = answer(&json!({"redirect_uris": ["https://c.example/cb"]}));
    for name in ["registration_client_uri", "registration_access_token"] {
        assert_eq!(client.get(name), None);
    }
}

#[test]
fn t_11_no_error_repeats_what_was_sent() {
    for (name, value) in [
        ("redirect_uris", json!(["canary://canary"])),
        ("redirect_uris", json!(["javascript:canary"])),
        ("token_endpoint_auth_method", json!("canary")),
        ("grant_types", json!(["canary"])),
        ("scope", json!("\"canary\"")),
        ("logo_uri", json!("canary:x")),
    ] {
        let error = with(name, &value).expect_err("refused");
        assert!(!error.to_string().contains("canary"), "{error}");
        assert!(!error.description.contains(['"', '\\']), "{error}");
        assert!(
            error
                .description
                .bytes()
                .all(|b| (b' '..=b'~').contains(&b)),
            "{error}"
        );
    }
}
