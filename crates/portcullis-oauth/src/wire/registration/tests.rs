//! Registrations that can be read, and those that cannot.

use proptest::prelude::*;

use super::*;

fn read(body: &str) -> Result<ClientMetadataRequest, OAuthError> {
    ClientMetadataRequest::read(body.as_bytes())
}

fn check(body: &str, code: OAuthErrorCode) {
    assert_eq!(
        read(body).map_err(|error| error.code).err(),
        Some(code),
        "{body:.200}"
    );
}

/// A registration with one member more.
fn with(member: &str) -> String {
    format!(r#"{{"redirect_uris":["https://c.example/cb"],{member}}}"#)
}

#[test]
fn absent_null_and_empty_are_one_and_what_means_nothing_is_ignored() {
    let bare = read(r#"{"redirect_uris":["https://c.example/cb"]}"#).unwrap();
    for member in [
        r#""client_name":null,"scope":"","grant_types":null"#,
        r#""client_name":"  ","logo_uri":"","client_uri":null,"application_type":7"#,
        r#""contacts":["a@c.example"],"software_id":7,"jwks":{},"x":{"a":1,"a":2}"#,
        r#""software_statement":"eyJhbGciOiJub25lIn0.e30.","client_id":"mine","client_secret":"mine""#,
    ] {
        assert_eq!(read(&with(member)), Ok(bare.clone()), "{member}");
    }
    let named = read(&with(r#""client_name":" A\u0062c ","grant_types":[]"#)).unwrap();
    assert_eq!(named.client_name.as_deref(), Some("Abc"));
    assert_eq!(named.grant_types, Some(vec![]));
}

#[test]
fn r_07_what_is_no_registration_is_refused() {
    use OAuthErrorCode::{InvalidClientMetadata, InvalidRedirectUri};
    let many = |count: usize| {
        format!(
            r#"{{"redirect_uris":{:?}}}"#,
            vec!["https://c.example"; count]
        )
    };
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    for body in [
        "",
        "{",
        "[]",
        "7",
        "null",
        "\"x\"",
        "{}x",
        "\u{feff}{}",
        "{\"redirect_uris\":",
        &deep,
    ] {
        check(body, InvalidClientMetadata);
    }
    let long = with(&format!(r#""x":"{}""#, "a".repeat(MAX_BYTES)));
    check(&long, InvalidClientMetadata);
    let broken = ClientMetadataRequest::read(b"{\"client_name\":\"\xff\"}");
    assert_eq!(
        broken.map_err(|error| error.code),
        Err(InvalidClientMetadata)
    );
    for body in [
        "{}",
        r#"{"redirect_uris":null}"#,
        r#"{"redirect_uris":[]}"#,
        r#"{"redirect_uris":"https://c.example"}"#,
        r#"{"redirect_uris":{"0":"https://c.example"}}"#,
        r#"{"redirect_uris":["https://c.example",7]}"#,
        r#"{"redirect_uris":[["https://c.example"]]}"#,
        &many(MAX_LIST + 1),
    ] {
        check(body, InvalidRedirectUri);
    }
    assert!(read(&many(MAX_LIST)).is_ok());
    for member in [
        r#""client_name":7"#,
        r#""client_name":["x"]"#,
        &format!(r#""client_name":"{}""#, "é".repeat(MAX_NAME + 1)),
        r#""grant_types":"authorization_code""#,
        r#""grant_types":[7]"#,
        r#""response_types":{}"#,
        r#""scope":["a"]"#,
        r#""token_endpoint_auth_method":true"#,
    ] {
        check(&with(member), InvalidClientMetadata);
    }
    assert!(
        read(&with(&format!(
            r#""client_name":"{}""#,
            "é".repeat(MAX_NAME)
        )))
        .is_ok()
    );
}

#[test]
fn l_06_m_07_a_name_that_hides_or_moves_text_is_refused() {
    for name in [
        "a\\nb",
        "a\\u001b[31mb",
        "a\\u0000b",
        "a\u{202e}b",
        "a\u{2066}b",
        "a\u{2028}b",
        "a\u{e0041}b",
    ] {
        check(
            &with(&format!(r#""client_name":"{name}""#)),
            OAuthErrorCode::InvalidClientMetadata,
        );
    }
    assert!(read(&with(r#""client_name":"日本 <b>👩‍💻</b> العربية""#)).is_ok());
}

#[test]
fn r_08_addresses_are_addresses_of_the_web() {
    for name in [
        "logo_uri",
        "client_uri",
        "policy_uri",
        "tos_uri",
        "jwks_uri",
    ] {
        for value in [
            "\"javascript:alert(1)\"",
            "\"data:text/html,x\"",
            "\"JaVaScRiPt:alert(1)\"",
            "\" java\\tscript:alert(1)\"",
            "\"https://good@evil.example/\"",
            "\"/logo.png\"",
            "7",
        ] {
            check(
                &with(&format!("\"{name}\":{value}")),
                OAuthErrorCode::InvalidClientMetadata,
            );
        }
        assert!(read(&with(&format!("\"{name}\":\"https://c.example/\""))).is_ok());
    }
}

#[test]
fn r_12_two_sets_of_keys_are_refused() {
    let member = r#""jwks":{"keys":[]},"jwks_uri":"https://c.example/jwks""#;
    check(&with(member), OAuthErrorCode::InvalidClientMetadata);
}

#[test]
fn r_13_a_member_that_stands_twice_is_refused() {
    for member in [
        r#""redirect_uris":["https://evil.example/cb"]"#,
        r#""redirect\u005furis":["https://evil.example/cb"]"#,
        r#""x":1,"x":1"#,
        r#""client_name":null,"client_name":"x""#,
    ] {
        check(&with(member), OAuthErrorCode::InvalidClientMetadata);
    }
}

proptest! {
    #[test]
    fn r_07_no_bytes_are_too_strange(body in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = ClientMetadataRequest::read(&body);
    }
}
