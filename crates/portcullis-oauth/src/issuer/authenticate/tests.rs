//! Clients that authenticate, well and badly.

use base64::engine::general_purpose::STANDARD;
use portcullis_base::Timestamp;

use super::*;
use crate::issuer::client::{ApplicationType, ClientOrigin, VerifiedClientMetadata};
use crate::redirect_uri::RedirectUri;

use TokenEndpointAuthMethod::{ClientSecretBasic, ClientSecretPost, None as Public};

const SECRET: &str = "s3cret+/%41é";

fn client(auth_method: TokenEndpointAuthMethod) -> Client {
    let has_secret = auth_method != Public;
    Client {
        id: ClientId::parse("me").unwrap(),
        origin: ClientOrigin::Dynamic,
        metadata: VerifiedClientMetadata {
            name: "Me".to_owned(),
            redirect_uris: vec![RedirectUri::parse("https://c.example/cb").unwrap()],
            auth_method,
            auth_method_defaulted: false,
            application_type: ApplicationType::Web,
            refreshes: true,
            scope: None,
            client_uri: None,
        },
        secret: has_secret.then(|| Digest::of(SECRET.as_bytes())),
        remembers_consent: false,
        created_at: Timestamp::from_millis(0),
    }
}

fn header(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

fn read(headers: &[&[u8]], form: &str) -> Result<PresentedClient, ClientRefused> {
    let form = Parameters::read(form.as_bytes()).unwrap();
    present(headers.iter().copied(), &form)
}

/// What comes of a request by this client: nothing, or the cause with status and challenge.
fn outcome(
    client: Option<&Client>,
    headers: &[&str],
    form: &str,
) -> Option<(RefusalCause, u16, Option<&'static str>)> {
    let headers: Vec<&[u8]> = headers.iter().map(|header| header.as_bytes()).collect();
    let refused = match read(&headers, form) {
        Ok(presented) => authenticate(&presented, client).err()?,
        Err(refused) => refused,
    };
    Some((
        refused.cause,
        refused.outward().status(),
        refused.challenge(),
    ))
}

/// The secret in a form.
fn posted() -> String {
    let mut form = url::form_urlencoded::Serializer::new("client_id=me".to_owned());
    form.append_pair("client_secret", SECRET).finish()
}

#[test]
fn each_method_lets_its_client_through() {
    let encoded = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect::<String>();
    for (method, headers, form) in [
        (Public, vec![], "client_id=me".to_owned()),
        (Public, vec![], "client_id=me&client_secret=".to_owned()),
        (ClientSecretPost, vec![], posted()),
        (
            ClientSecretBasic,
            vec![header(&format!("me:{SECRET}"))],
            String::new(),
        ),
        (
            ClientSecretBasic,
            vec![header(&format!("me:{encoded}"))],
            String::new(),
        ),
        (
            ClientSecretBasic,
            vec![header(&format!("m%65:{encoded}"))],
            String::new(),
        ),
        (
            ClientSecretBasic,
            vec![header(&format!("me:{SECRET}"))],
            "client_id=me".to_owned(),
        ),
        (
            ClientSecretBasic,
            vec![header(&format!("me:{SECRET}")).replace("Basic ", "basic  ")],
            String::new(),
        ),
        (
            ClientSecretBasic,
            vec![header(&format!("me:{SECRET}")).replace('=', "")],
            String::new(),
        ),
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        assert_eq!(
            outcome(Some(&client(method)), &headers, &form),
            None,
            "{headers:?} {form}"
        );
    }
}

#[test]
fn a_header_that_reads_in_two_ways_names_both_clients() {
    let presented = read(&[header("a%2Fb:x").as_bytes()], "client_id=a/b").unwrap();
    let ids: Vec<&str> = presented.ids().iter().map(ClientId::as_str).collect();
    assert_eq!(ids, ["a%2Fb", "a/b"]);
    assert!(!format!("{presented:?}").contains("\"x\""));
}

#[test]
fn t_01_a_missing_or_wrong_secret_is_401() {
    let (basic, post) = (client(ClientSecretBasic), client(ClientSecretPost));
    let challenge = Some(CHALLENGE);
    for (client, headers, form, cause, challenge) in [
        (
            &basic,
            vec![header("me:wrong")],
            "",
            RefusalCause::WrongSecret,
            challenge,
        ),
        (
            &basic,
            vec![header("me:")],
            "",
            RefusalCause::WrongSecret,
            challenge,
        ),
        (
            &basic,
            vec![],
            "client_id=me",
            RefusalCause::MissingSecret,
            None,
        ),
        (
            &post,
            vec![],
            "client_id=me",
            RefusalCause::MissingSecret,
            None,
        ),
        (
            &post,
            vec![],
            "client_id=me&client_secret=",
            RefusalCause::MissingSecret,
            None,
        ),
        (
            &post,
            vec![],
            "client_id=me&client_secret=wrong",
            RefusalCause::WrongSecret,
            None,
        ),
        (
            &post,
            vec![],
            "client_secret=wrong",
            RefusalCause::NoClient,
            None,
        ),
        (
            &post,
            vec![],
            "client_id=m%20e",
            RefusalCause::NoClient,
            None,
        ),
        (&post, vec![], "", RefusalCause::NoClient, None),
        (
            &post,
            vec![],
            "client_id=me&client_assertion=x",
            RefusalCause::Assertion,
            None,
        ),
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let expected = Some((cause, 401, challenge));
        assert_eq!(
            outcome(Some(client), &headers, form),
            expected,
            "{headers:?} {form}"
        );
    }
}

#[test]
fn t_02_a_malformed_header_is_401_with_a_challenge() {
    let owner = client(ClientSecretBasic);
    let malformed = Some((
        RefusalCause::MalformedHeader,
        401,
        Some("Basic realm=\"token\""),
    ));
    for header in [
        String::new(),
        "Basic".to_owned(),
        "Basic ".to_owned(),
        "Basic !!!".to_owned(),
        "Basic bWU".to_owned(),
        format!("Basic {}", STANDARD.encode(b"me:\xff")),
        header(":secret"),
        header("m e:secret"),
        header("me:x").replace("Basic", "Bearer"),
        header("me:x").replace("Basic ", "Basic"),
    ] {
        assert_eq!(outcome(Some(&owner), &[&header], ""), malformed, "{header}");
    }
    let refused = read(&[b"Basic \xff"], "").expect_err("not UTF-8");
    assert_eq!(refused.cause, RefusalCause::MalformedHeader);
}

#[test]
fn t_03_two_methods_at_once_are_400() {
    let owner = client(ClientSecretBasic);
    let good = header(&format!("me:{SECRET}"));
    for (headers, form, cause) in [
        (vec![&good], "client_secret=", RefusalCause::TwoMethods),
        (
            vec![&good],
            "client_id=me&client_secret=x",
            RefusalCause::TwoMethods,
        ),
        (vec![&good], "client_assertion=x", RefusalCause::TwoMethods),
        (
            vec![],
            "client_id=me&client_secret=x&client_assertion_type=y",
            RefusalCause::TwoMethods,
        ),
        (vec![&good], "client_id=other", RefusalCause::TwoClients),
        (vec![&good, &good], "", RefusalCause::RepeatedHeader),
    ] {
        let headers: Vec<&str> = headers.iter().map(|header| header.as_str()).collect();
        let expected = Some((cause, 400, None));
        assert_eq!(
            outcome(Some(&owner), &headers, form),
            expected,
            "{headers:?} {form}"
        );
    }
}

#[test]
fn t_04_a_public_client_with_a_secret_is_401() {
    let public = client(Public);
    for (headers, form, challenge) in [
        (vec![], "client_id=me&client_secret=made-up", None),
        (vec![header("me:made-up")], "", Some(CHALLENGE)),
        (vec![header("me:")], "", Some(CHALLENGE)),
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let expected = Some((RefusalCause::SuperfluousSecret, 401, challenge));
        assert_eq!(
            outcome(Some(&public), &headers, form),
            expected,
            "{headers:?} {form}"
        );
    }
}

#[test]
fn t_10_an_unknown_client_reads_like_a_wrong_secret() {
    let other = Client {
        id: ClientId::parse("other").unwrap(),
        ..client(ClientSecretPost)
    };
    for found in [None, Some(&other)] {
        let refused = read(&[], &posted())
            .and_then(|presented| authenticate(&presented, found))
            .expect_err("nobody");
        assert_eq!(refused.cause, RefusalCause::UnknownClient);
        let wrong = read(&[], "client_id=me&client_secret=wrong")
            .and_then(|presented| authenticate(&presented, Some(&client(ClientSecretPost))))
            .expect_err("a wrong secret");
        assert_eq!(refused.outward(), wrong.outward());
    }
}

#[test]
fn t_10_a_client_without_a_stored_secret_has_no_right_one() {
    let broken = Client {
        secret: None,
        ..client(ClientSecretPost)
    };
    let refused = outcome(Some(&broken), &[], &posted());
    assert_eq!(refused, Some((RefusalCause::WrongSecret, 401, None)));
}

#[test]
fn r_11_the_registered_method_is_enforced_unless_it_was_defaulted() {
    let good = header(&format!("me:{SECRET}"));
    for (method, headers, form) in [
        (ClientSecretBasic, vec![], posted()),
        (ClientSecretPost, vec![good.as_str()], String::new()),
    ] {
        let strict = client(method);
        let cause = outcome(Some(&strict), &headers, &form).map(|refused| refused.0);
        assert_eq!(cause, Some(RefusalCause::OtherMethod), "{form}");
        let mut lenient = strict;
        lenient.metadata.auth_method_defaulted = true;
        assert_eq!(outcome(Some(&lenient), &headers, &form), None, "{form}");
        let without = outcome(Some(&lenient), &[], "client_id=me").map(|refused| refused.0);
        assert_eq!(without, Some(RefusalCause::MissingSecret));
    }
}
