//! OAuth manifests, and toolsets that take a provider's own tokens.

use portcullis_base::Timestamp;
use portcullis_store::{Delegation, TokenValidation};

use super::*;
use crate::ambient::SystemRng;
use crate::catalogue::Catalogue;
use crate::config::apply::preview;

const MANIFEST: &str = r#"{
    "issuer": "https://as.example",
    "authorization_endpoint": "https://as.example/authorize",
    "token_endpoint": "https://as.example/token",
    "jwks_uri": "https://as.example/keys",
    "authorization_response_iss_parameter_supported": true
}"#;

const DOCUMENT: &str = r#"{
    "openapi": "3.1.0",
    "info": { "title": "Pets", "version": "1" },
    "servers": [{ "url": "https://api.example" }],
    "security": [{ "login": ["read"] }],
    "paths": { "/me": { "get": { "operationId": "whoami", "responses": {} } } },
    "components": { "securitySchemes": {
        "token": { "type": "http", "scheme": "bearer" },
        "login": { "type": "oauth2", "flows": { "authorizationCode": {
            "authorizationUrl": "https://as.example/authorize",
            "tokenUrl": "https://as.example/token",
            "scopes": { "read": "see who you are" }
        } } }
    } }
}"#;

/// A file that is in order; the tests change one thing.
const GOOD: &str = r#"
[manifests.acme]
file = "acme.json"
validation = "jwt"
upstream = "exchange"
client_id = "us"
client_secret_env = "KEY"

[manifests.acme.exchange]
audience = "api"

[environments.production]
PETSTORE_CLIENT_SECRET_env = "KEY"

[documents.petstore]
file = "petstore.json"

[toolsets.petstore]
documents = ["petstore"]
inbound = ["external", "api_key"]
manifest = "acme"
"#;

fn folder(toml: &str) -> Folder {
    Folder::with(&[
        ("portcullis.toml", toml),
        ("petstore.json", DOCUMENT),
        ("acme.json", MANIFEST),
        ("page.json", "<!doctype html>"),
    ])
}

/// Returns the only thing that is wrong with a file, on one line.
fn fault(toml: &str) -> String {
    let error = folder(toml).load("portcullis.toml").expect_err("refused");
    let [problem] = error.problems() else {
        panic!("{:#?}", error.problems());
    };
    let at = problem.span().and_then(|span| toml.get(span));
    let advice = problem.advice();
    format!("{} | {problem} | {advice}", at.unwrap_or_default())
}

#[test]
fn a_manifest_is_read_whole() {
    let read = folder(GOOD).load("portcullis.toml");
    let read = read.unwrap_or_else(|error| panic!("{error}: {:#?}", error.problems()));
    let (slug, manifest) = read.objects.manifests.first_key_value().expect("one");
    assert_eq!(slug.as_str(), "acme");
    assert_eq!(&*manifest.content, MANIFEST);
    let settings = &manifest.settings;
    assert_eq!(settings.validation, TokenValidation::Jwt);
    assert_eq!(settings.delegation, Some(Delegation::Exchange));
    assert_eq!(settings.exchange.audience.as_deref(), Some("api"));
    let secret = Secret::new("s3cret-canary".to_owned());
    assert_eq!(manifest.client_secret, Some(secret));
    let toolset = read.objects.toolsets.values().next().expect("one");
    assert_eq!(toolset.manifest.as_ref(), Some(slug));
    assert!(!format!("{read:?}").contains("s3cret-canary"));
}

/// Sees what is said of a file in which a text is changed.
fn assert_faults(cases: &[(&str, &str, &str)]) {
    for (text, instead, expected) in cases {
        assert!(GOOD.contains(text), "{text}");
        let said = fault(&GOOD.replacen(text, instead, 1));
        assert!(said.contains(expected), "{text} -> {instead}: {said}");
    }
}

#[test]
fn what_does_not_go_together_is_said_where_it_stands() {
    assert_faults(&[
        (
            "\"jwt\"",
            "\"upstream\"",
            "\"upstream\" | `validation = \"upstream\"` leaves it to the API to judge tokens",
        ),
        (
            "validation = \"jwt\"",
            "validation = \"jwt\"\ncache_seconds = 5",
            "5 | `cache_seconds` says nothing without `validation = \"introspection\"",
        ),
        ("acme.json", "page.json", "it is a web page, such as some"),
        ("acme.json", "absent.json", "cannot be read"),
        (
            "\"jwt\"",
            "\"introspection\"",
            "\"introspection\" | `validation` needs `introspection_endpoint` in the manifest",
        ),
        (
            "validation = \"jwt\"",
            "",
            "acme | it is not said how tokens are judged | add `validation",
        ),
        (
            "validation = \"jwt\"",
            "validation = \"jwt\"\nalgorithms = [\"HS256\"]",
            "\"HS256\" | `algorithms` cannot be used",
        ),
        (
            "\"jwt\"",
            "\"probe\"",
            "the probe cannot be used: its table `probe` is missing",
        ),
        (
            "validation = \"jwt\"",
            "validation = \"jwt\"\nrepublish = true",
            "acme | the manifest cannot be republished: the provider sends `iss`",
        ),
        (
            "manifest = \"acme\"",
            "",
            "[\"external\", \"api_key\"] | `external` needs the manifest of the provider whose tokens are accepted | add `manifest = \"acme\"`",
        ),
        (
            "\"external\", ",
            "",
            "\"acme\" | no token of the provider's is accepted, since `external`",
        ),
        (
            "manifest = \"acme\"",
            "manifest = \"acmee\"",
            "\"acmee\" | there is no manifest `acmee` | did you mean `acme`?",
        ),
        (
            "\"external\", \"api_key\"",
            "\"external\", \"open\"",
            "nobody would be asked to sign in, since `open`",
        ),
    ]);
}

#[test]
fn a_trade_needs_what_it_is_made_with() {
    assert_faults(&[
        (
            "validation = \"jwt\"\nupstream = \"exchange\"",
            "validation = \"upstream\"\nupstream = \"forward\"\naudiences = [\"us\"]",
            "`exchange` says nothing without",
        ),
        (
            "client_id = \"us\"",
            "",
            "\"exchange\" | `upstream` needs `client_id`",
        ),
        (
            "upstream = \"exchange\"",
            "upstream = \"forward\"",
            "`exchange` says nothing without `upstream",
        ),
        (
            "audience = \"api\"",
            "scopes = [\"a b\\u0001\"]",
            "`scopes of the exchange` cannot be used",
        ),
        (
            "validation = \"jwt\"",
            "validation = \"jwt\"\nscopes = [\"fine\", \"\\u0001\"]",
            "\"fine\" | `scopes` cannot be used",
        ),
        (
            "upstream = \"exchange\"\nclient_id = \"us\"\nclient_secret_env = \"KEY\"\n\n[manifests.acme.exchange]\naudience = \"api\"",
            "scopes = [\"fine\"]",
            "\"fine\" | `scopes` says nothing without `upstream = \"exchange\"`",
        ),
        (
            "\"exchange\"\n",
            "\"on_behalf_of\"\n",
            "`on_behalf_of` needs `scopes`",
        ),
        (
            "\"exchange\"\nclient_id = \"us\"\nclient_secret_env = \"KEY\"\n\n[manifests.acme.exchange]\naudience = \"api\"",
            "\"jwt_bearer\"\nclient_id = \"us\"\nclient_secret_env = \"KEY\"\n\n[manifests.acme.exchange]\nactor = \"client_credentials\"",
            "\"client_credentials\" | `actor` says nothing without `upstream = \"exchange\"`",
        ),
        (
            "client_secret_env = \"KEY\"\n\n[manifests.acme.exchange]",
            "[manifests.acme.exchange]\nactor = \"client_credentials\"",
            "\"client_credentials\" | `actor` needs the secret of our own registration",
        ),
    ]);
}

#[test]
fn clients_are_told_of_the_scopes_that_the_operator_names_where_tokens_are_traded() {
    let named = "upstream = \"exchange\"\nscopes = [\"us\", \"us/write\"]";
    for (toml, expected) in [
        (GOOD.to_owned(), ""),
        (
            GOOD.replace("upstream = \"exchange\"", named),
            "us us/write",
        ),
    ] {
        let read = folder(&toml).load("portcullis.toml").expect("in order");
        let stored = preview(&read, Timestamp::from_millis(0), &SystemRng);
        let compiled = read.objects.compiled();
        let catalogue =
            Catalogue::build(&stored, &Catalogue::default(), &compiled).expect("usable");
        let toolset = catalogue.toolsets.get("petstore").expect("published");
        let sign_in = toolset.signing_in().expect("people sign in");
        assert_eq!(sign_in.scopes.to_string(), expected);
    }
}

#[test]
fn a_token_that_no_tool_is_called_with_is_not_for_the_api() {
    let toml = GOOD.replace(
        "[documents.petstore]\n",
        "[documents.petstore.schemes.login]\nresource = \"https://api.example\"\n[documents.petstore]\n",
    );
    let said = fault(&toml);
    let expected = "\"acme\" | no tool is called with what `acme` has for it";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn secrets_do_not_serve_those_whom_nobody_has_judged() {
    let toml = GOOD
        .replace("\"jwt\"", "\"upstream\"")
        .replace("\"exchange\"", "\"forward\"")
        .replace("[manifests.acme.exchange]\naudience = \"api\"\n", "")
        .replace("manifest =", "environment = \"production\"\nmanifest =");
    let said = fault(&toml);
    let expected = "\"production\" | nobody but the API judges tokens of `acme`";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_manifest_cannot_have_a_providers_name() {
    let provider =
        "[providers.acme]\nprofile = \"github\"\nclient_id = \"a\"\nclient_secret_env = \"KEY\"\n";
    let said = fault(&format!("{GOOD}{provider}"));
    let expected = "acme | `acme` is the name of a provider too";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn people_sign_in_at_one_place() {
    let provider = "[providers.github]\nprofile = \"github\"\nclient_id = \"a\"\nclient_secret_env = \"KEY\"\nallow = [\"org:acme\"]\n";
    let toml = GOOD
        .replace("\"external\", ", "\"external\", \"oauth\", ")
        .replace("manifest =", "provider = \"github\"\nmanifest =");
    let said = fault(&format!("{toml}{provider}"));
    assert!(said.contains("two authorization servers"), "{said}");
}
