//! Token answers as providers really send them, and the requests for them.

use super::*;

fn issued(body: &str) -> IssuedToken {
    read_answer(200, body.as_bytes()).expect("a token")
}

fn failure(status: u16, body: &str) -> TokenAnswerError {
    read_answer(status, body.as_bytes()).expect_err("no token")
}

#[test]
fn a_lifetime_is_read_in_every_spelling_and_never_invented() {
    for (spelling, seconds) in [
        ("3600", Some(3600)),
        ("3599.9", Some(3599)),
        ("\"3600\"", Some(3600)),
        ("\" 3600.0 \"", Some(3600)),
        ("0", Some(0)),
        ("1e18", Some(u64::from(u32::MAX))),
        ("-1", None),
        ("\"soon\"", None),
        ("\"NaN\"", None),
        ("null", None),
        ("[1]", None),
    ] {
        let body = format!(r#"{{"access_token":"t","expires_in":{spelling}}}"#);
        let expected = seconds.map(Duration::from_secs);
        assert_eq!(issued(&body).expires_in, expected, "{spelling}");
    }
    assert_eq!(issued(r#"{"access_token":"t"}"#).expires_in, None);
}

#[test]
fn a_form_is_read_as_well_as_json() {
    let token = issued("access_token=a%2Fb&token_type=bearer&expires_in=60&scope=x+y");
    assert_eq!(token.access_token.expose(), "a/b");
    assert_eq!(token.expires_in, Some(Duration::from_mins(1)));
    assert_eq!(token.scope.as_deref(), Some("x y"));
}

#[test]
fn the_token_type_is_read_in_any_case_and_may_be_absent() {
    for kind in ["Bearer", "bearer", "BEARER", ""] {
        let body = format!(r#"{{"access_token":"t","token_type":"{kind}"}}"#);
        assert_eq!(issued(&body).access_token.expose(), "t");
    }
    assert_eq!(
        failure(200, r#"{"access_token":"t","token_type":"DPoP"}"#),
        TokenAnswerError::OtherType
    );
}

#[test]
fn an_error_is_one_under_any_status() {
    let body = r#"{"error":"invalid_scope","error_description":"no","error_uri":"https://a"}"#;
    for status in [200, 400, 401, 500] {
        let TokenAnswerError::Refused(refusal) = failure(status, body) else {
            panic!("a refusal");
        };
        assert_eq!(refusal.known_code(), Some("invalid_scope"));
        assert_eq!(refusal.error_description.as_deref(), Some("no"));
    }
    let TokenAnswerError::Refused(refusal) = failure(
        200,
        "error=incorrect_client_credentials&error_description=x",
    ) else {
        panic!("a refusal");
    };
    assert_eq!(refusal.known_code(), None);
}

#[test]
fn what_holds_no_token_is_no_success() {
    for body in ["{}", r#"{"access_token":""}"#, r#"{"access_token":7}"#] {
        assert_eq!(failure(200, body), TokenAnswerError::Empty { status: 200 });
    }
    for body in [
        "<html><a href=\"x?a=b\">",
        "",
        "[]",
        "\"text\"",
        "{\"access_token\":",
        "ok",
    ] {
        assert_eq!(
            failure(200, body),
            TokenAnswerError::Unreadable { status: 200 },
            "{body}"
        );
    }
    assert_eq!(
        failure(500, r#"{"access_token":"t"}"#),
        TokenAnswerError::Empty { status: 500 }
    );
    assert_eq!(
        failure(200, r#"{"access_token":"a\r\nX-Evil: b"}"#),
        TokenAnswerError::Unsendable
    );
    assert!(
        matches!(failure(401, ""), TokenAnswerError::Refused(refusal) if refusal.is_about_the_client())
    );
}

#[test]
fn further_parameters_do_not_replace_the_forms_own() {
    let request = ClientCredentialsRequest {
        scope: Some("a b"),
        audience: Some(""),
        resource: Some("https://api.example/"),
    };
    let form = form(
        request.fields(),
        &[FormField {
            name: "client_id",
            value: Secret::new("me & you".to_owned()),
        }],
        [
            ("grant_type", "password"),
            ("client_id", "x"),
            ("tenant", "t"),
        ],
    );
    assert_eq!(
        form.expose(),
        "grant_type=client_credentials&scope=a+b&resource=https%3A%2F%2Fapi.example%2F&client_id=me+%26+you&tenant=t"
    );
}
