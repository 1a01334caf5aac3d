//! Clients that the operator registers.

use portcullis_base::Digest;
use portcullis_oauth::issuer::client::{ApplicationType, TokenEndpointAuthMethod};
use portcullis_oauth::redirect_uri::RedirectUri;

use super::*;

const SECRET: &str = "canary-0123456789abcdef0123456789";

/// Returns a file with one client, of which these lines are told.
fn one(lines: &str) -> String {
    format!("[clients.assistant]\n{lines}\n")
}

fn read(toml: &str) -> Result<Configuration, ConfigurationError> {
    let files = [
        ("portcullis.toml", toml),
        ("secret", SECRET),
        ("short", "hunter2"),
    ];
    Folder::with(&files).load("portcullis.toml")
}

fn object(lines: &str) -> (String, ClientObject) {
    let read = read(&one(lines)).unwrap_or_else(|error| panic!("{:#?}", error.problems()));
    let (id, object) = read.objects.clients.first_key_value().expect("one");
    (id.to_string(), object.clone())
}

/// Returns the only thing that is wrong with a file, on one line.
fn fault(toml: &str) -> String {
    let error = read(toml).expect_err("refused");
    let [problem] = error.problems() else {
        panic!("{:#?}", error.problems());
    };
    let at = problem.span().and_then(|span| toml.get(span));
    let advice = problem.advice();
    format!("{} | {problem} | {advice}", at.unwrap_or_default())
}

#[test]
fn a_client_needs_nothing_but_its_redirect_uris() {
    let (id, client) = object("redirect_uris = ['https://a.example/cb']");
    assert_eq!(id, "assistant");
    assert_eq!(client.metadata.name, "assistant");
    assert_eq!(client.metadata.auth_method, TokenEndpointAuthMethod::None);
    assert_eq!(client.metadata.application_type, ApplicationType::Web);
    assert!(client.metadata.refreshes && !client.remembers_consent);
    assert_eq!(client.secret, None);
}

#[test]
fn a_client_is_read_whole_and_of_its_secret_a_digest_is_kept() {
    let (id, client) = object(
        "client_id = 'Acme.1'\nname = 'The assistant'\nremember_consent = true\n\
         redirect_uris = ['https://a.example/cb', 'com.acme.own:/cb', 'http://localhost/cb']\n\
         token_endpoint_auth_method = 'client_secret_post'\nclient_secret_file = 'secret'",
    );
    assert_eq!(id, "Acme.1");
    assert_eq!(client.metadata.name, "The assistant");
    let uris = client.metadata.redirect_uris.iter();
    let uris: Vec<_> = uris.map(RedirectUri::as_str).collect();
    assert_eq!(
        uris,
        [
            "https://a.example/cb",
            "com.acme.own:/cb",
            "http://localhost/cb"
        ]
    );
    assert_eq!(client.metadata.application_type, ApplicationType::Native);
    let method = TokenEndpointAuthMethod::ClientSecretPost;
    assert_eq!(client.metadata.auth_method, method);
    assert!(!client.metadata.auth_method_defaulted);
    assert_eq!(client.secret, Some(Digest::of(SECRET.as_bytes())));
    assert!(client.remembers_consent);
    assert!(!format!("{client:?}").contains("canary"));
}

#[test]
fn a_secret_without_a_method_may_be_sent_in_either_way() {
    let (_, client) =
        object("redirect_uris = ['https://a.example/cb']\nclient_secret_file = 'secret'");
    let method = TokenEndpointAuthMethod::ClientSecretBasic;
    assert_eq!(client.metadata.auth_method, method);
    assert!(client.metadata.auth_method_defaulted);
}

#[test]
fn r_01_a_redirect_uri_that_is_never_safe_is_refused_of_the_operator_too() {
    for uri in [
        "javascript:alert(1)",
        "http://a.example/cb",
        "https://a.example/cb#f",
        "https://good.example@a.example/cb",
        "https://*.a.example/cb",
        "https://a.example/a/../cb",
        "cb",
    ] {
        let told = fault(&one(&format!("redirect_uris = ['{uri}']")));
        let expected = format!("'{uri}' | `{uri}` cannot be used here | ");
        assert!(told.starts_with(&expected), "{told}");
    }
}

#[test]
fn what_does_not_go_together_is_said_where_it_stands() {
    let uris = "redirect_uris = ['https://a.example/cb']";
    for (lines, expected) in [
        ("name = 'x'", "assistant | the client has no redirect URI"),
        (
            &*format!("{uris}\nclient_id = 'pc_client_x'"),
            "'pc_client_x' | client ids that begin with `pc_client_`",
        ),
        (
            &format!("{uris}\nclient_id = 'https://a.example/client'"),
            "'https://a.example/client' | a client id that is a URL",
        ),
        (
            &format!("{uris}\nclient_id = 'a b'"),
            "'a b' | `a b` cannot be used here",
        ),
        (
            &format!("{uris}\nname = ' '"),
            "' ' | people cannot read this name",
        ),
        (
            &format!("{uris}\ntoken_endpoint_auth_method = 'client_secret_basic'"),
            "'client_secret_basic' | the client has no secret",
        ),
        (
            &format!("{uris}\ntoken_endpoint_auth_method = 'client_secret'"),
            "'client_secret' | there is no method `client_secret` | did you mean",
        ),
        (
            &format!("{uris}\ntoken_endpoint_auth_method = 'none'\nclient_secret_file = 'secret'"),
            "'none' | with `none` the client presents no secret",
        ),
        (
            &format!("{uris}\nclient_secret_file = 'short'"),
            "'short' | the client secret must have 32 visible ASCII characters",
        ),
        (
            &format!("{uris}\nclient_secret_file = 'secret'\nclient_secret_env = 'KEY'"),
            "'KEY' | this value is given twice",
        ),
        (
            "redirect_uris = ['http://localhost/cb', 'com.acme.own:/cb']\nremember_consent = true",
            "true | consent is remembered for `https` redirect URIs only",
        ),
    ] {
        let told = fault(&one(lines));
        assert!(told.starts_with(expected), "{told}");
    }
}

#[test]
fn two_clients_do_not_share_an_id() {
    let uris = "redirect_uris = ['https://a.example/cb']";
    let told = fault(&format!(
        "[clients.a]\n{uris}\n[clients.b]\nclient_id = 'a'\n{uris}\n"
    ));
    assert!(
        told.starts_with("'a' | there is another client with the id `a`"),
        "{told}"
    );
}
