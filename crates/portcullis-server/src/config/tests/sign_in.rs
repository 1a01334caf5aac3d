//! Providers, what names them, and how clients are let in on behalf of people.

use std::time::Duration;

use portcullis_oauth::issuer::redeem::OwnLifetimes;

use super::*;

const OPENID: &str = r#"{
    "openapi": "3.1.0",
    "info": { "title": "Pets", "version": "1" },
    "paths": {},
    "components": { "securitySchemes": {
        "key": { "type": "apiKey", "in": "header", "name": "key" },
        "token": { "type": "http", "scheme": "bearer" },
        "login": { "type": "openIdConnect", "openIdConnectUrl": "https://as.example/x" }
    } }
}"#;

/// A file that is in order; the tests change one thing.
const GOOD: &str = r#"
[providers.github]
profile = "github"
client_id = "us"
client_secret_env = "KEY"
allow = ["org:acme"]

[documents.petstore]
file = "petstore.json"

[documents.petstore.schemes.token]
provider = "github"

[toolsets.petstore]
documents = ["petstore"]
inbound = ["oauth", "api_key"]
provider = "github"
"#;

fn folder(toml: &str) -> Folder {
    Folder::with(&[
        ("portcullis.toml", toml),
        ("petstore.json", OPENID),
        ("secret", "from-file\n"),
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

fn configuration(toml: &str) -> Configuration {
    let read = folder(toml).load("portcullis.toml");
    read.unwrap_or_else(|error| panic!("{error}: {:#?}", error.problems()))
}

/// Returns a file with one provider, of which these lines are told.
fn provider(lines: &str) -> String {
    format!("[providers.acme]\n{lines}\n")
}

#[test]
fn a_provider_is_read_whole() {
    let read = configuration(GOOD);
    let (slug, provider) = read.objects.providers.first_key_value().expect("one");
    assert_eq!(slug.as_str(), "github");
    assert_eq!(provider.settings.profile, "github");
    assert_eq!(provider.settings.client_id, "us");
    assert_eq!(provider.settings.allow, ["org:acme"]);
    assert_eq!(
        provider.client_secret,
        Some(Secret::new("s3cret-canary".to_owned()))
    );
    let toolset = read.objects.toolsets.values().next().expect("one");
    assert_eq!(toolset.provider.as_ref(), Some(slug));
    assert_eq!(toolset.inbound, [Inbound::OAuth, Inbound::ApiKey].into());
    let document = read.objects.documents.values().next().expect("one");
    let scheme = &document.schemes["token"];
    assert_eq!(scheme.provider.as_deref(), Some("github"));
    assert!(!format!("{read:?}").contains("s3cret-canary"));
}

#[test]
fn a_client_secret_in_a_file_is_watched() {
    let toml = GOOD.replace(
        "client_secret_env = \"KEY\"",
        "client_secret_file = \"secret\"",
    );
    let folder = folder(&toml);
    let read = folder.load("portcullis.toml").expect("in order");
    let secret = |read: &Configuration| {
        let provider = read.objects.providers.values().next().expect("one");
        provider.client_secret.clone()
    };
    assert_eq!(secret(&read), Some(Secret::new("from-file".to_owned())));
    assert!(read.files.contains(&folder.path("secret")));
    std::fs::write(folder.path("secret"), "changed").expect("a file");
    let again = read.reload().expect("in order");
    assert_eq!(secret(&again), Some(Secret::new("changed".to_owned())));
}

#[test]
fn what_a_profile_needs_is_said_where_it_is_missing() {
    for (lines, expected) in [
        (
            "client_id = 'a'",
            "acme | the provider has no profile | add `profile = \"…\"` with one of `entra`, `github`",
        ),
        (
            "profile = 'gihtub'\nclient_id = 'a'",
            "'gihtub' | there is no profile `gihtub` | did you mean `github`?",
        ),
        (
            "profile = 'google'",
            "acme | `client_id` is empty | add `client_id = \"…\"`",
        ),
        (
            "profile = 'github'\nclient_id = 'a'",
            "acme | GitHub takes no client without its secret | add `client_secret_file = \"path\"` or",
        ),
        (
            "profile = 'oidc'\nclient_id = 'a'",
            "acme | `issuer` is not set, and nothing else says where the provider is | add `issuer = \"https://…\"`",
        ),
        (
            "profile = 'oauth2'\nclient_id = 'a'\nauthorization_endpoint = 'https://a.example/a'",
            "acme | `token_endpoint` is not set, and",
        ),
        (
            "profile = 'entra'\nclient_id = 'a'",
            "acme | `tenant` is not set, but Microsoft Entra has other endpoints for every tenant | add `tenant = \"…\"`",
        ),
        (
            "profile = 'entra'\nclient_id = 'a'\ntenant = 'a/b'",
            "'a/b' | `tenant` must consist of",
        ),
        (
            "profile = 'oidc'\nclient_id = 'a'\nissuer = 'login.example'",
            "'login.example' | `issuer` is no URL that can be used",
        ),
        (
            "profile = 'oidc'\nclient_id = 'a'\nissuer = 'https://a.example'\njwks_uri = 'keys'",
            "'keys' | `jwks_uri` is no URL that can be used",
        ),
    ] {
        let said = fault(&provider(lines));
        assert!(said.starts_with(expected), "{said}");
    }
    for lines in [
        "profile = 'oidc'\nissuer = 'https://a.example'",
        "profile = 'oauth2'\nauthorization_endpoint = 'https://a.example/a'\ntoken_endpoint = 'https://a.example/t'",
        "profile = 'google'",
        "profile = 'entra'\ntenant = 'organizations'\nclient_secret_env = 'KEY'",
    ] {
        configuration(&provider(&format!("{lines}\nclient_id = 'a'")));
    }
}

#[test]
fn c_20_a_rule_is_about_what_the_provider_vouches_for() {
    for (allow, expected) in [
        (
            "['ada@example.com']",
            "'ada@example.com' | `ada@example.com` cannot be used here | `ada@example.com` is no rule: write `email:",
        ),
        (
            "['org:acme', 'hd:acme.example']",
            "'hd:acme.example' | `allow`: GitHub vouches for nothing that",
        ),
    ] {
        let said = fault(&GOOD.replace("[\"org:acme\"]", allow));
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn single_values_of_a_provider_are_judged() {
    for (line, expected) in [
        (
            "scopes = ['a b']",
            "'a b' | `a b` cannot be used here | write each scope by itself",
        ),
        (
            "scopes = ['']",
            "'' | `` cannot be used here | write each scope by itself",
        ),
        (
            "scopes = ['\"']",
            "cannot be used here | a scope consists of",
        ),
        (
            "parameters = { state = 'x' }",
            "state | `parameters`: `state` is set by the gateway itself | leave it out",
        ),
        (
            "client_secret_file = 'secret'",
            "keep one of `client_secret_file` and `client_secret_env`",
        ),
        (
            "client_secret = 'abc'",
            "client_secret | unknown key `client_secret` | did you mean `client_secret_",
        ),
        (
            "isuer = 'a'",
            "isuer | unknown key `isuer` | did you mean `issuer`?",
        ),
    ] {
        let toml = GOOD.replace("client_id = \"us\"", &format!("client_id = \"us\"\n{line}"));
        let said = fault(&toml);
        assert!(said.contains(expected), "{said}");
    }
    let absent = GOOD.replace("\"KEY\"", "\"ABSENT\"");
    assert!(fault(&absent).contains("`ABSENT` is not set"));
    let empty = GOOD.replace("\"KEY\"", "\"PETSTORE_ACCESS_TOKEN\"");
    assert!(fault(&empty).contains("the client secret is empty"));
}

#[test]
fn oauth_and_the_provider_need_each_other() {
    for (old, new, expected) in [
        (
            "provider = \"github\"\n",
            "",
            "[\"oauth\", \"api_key\"] | `oauth` needs a provider that people sign in at | add `provider = \"github\"`",
        ),
        (
            "inbound = [\"oauth\", \"api_key\"]\n",
            "",
            "\"github\" | nobody signs in at the provider, since `oauth` is not among the ways in | add `oauth` to `inbound`",
        ),
        (
            "provider = \"github\"\n",
            "provider = \"gitub\"\n",
            "\"gitub\" | there is no provider `gitub` | the only one there is is `github`",
        ),
    ] {
        let (before, toolset) = GOOD.split_once("[toolsets").expect("a toolset");
        let toml = format!("{before}[toolsets{}", toolset.replace(old, new));
        let said = fault(&toml);
        assert!(
            said.replace(
                "did you mean `github`?",
                "the only one there is is `github`"
            )
            .starts_with(expected),
            "{said}"
        );
    }
    let none = "[documents.petstore]\nfile = \"petstore.json\"\n[toolsets.petstore]\ndocuments = [\"petstore\"]\ninbound = [\"oauth\"]\n";
    assert!(fault(none).contains("describe one in `[providers.…]`"));
}

#[test]
fn whoever_must_sign_in_is_asked() {
    for way in ["open", "headers"] {
        let toml = GOOD.replace("\"api_key\"", &format!("\"{way}\""))
            + "caller_supplied = [\"PETSTORE_KEY\"]\n";
        let said = fault(&toml);
        let expected = format!("nobody would be asked to sign in, since `{way}` lets everybody in");
        assert!(said.contains(&expected), "{said}");
    }
}

#[test]
fn people_who_sign_in_may_come_from_other_machines() {
    let public = "[listener]\npublic_url = \"https://mcp.example.com\"\n";
    configuration(&format!("{public}{GOOD}"));
}

#[test]
fn a_providers_token_is_the_credential_of_schemes_that_bear_tokens() {
    configuration(&GOOD.replace("schemes.token", "schemes.login"));
    let key = fault(&GOOD.replace("schemes.token", "schemes.key"));
    assert!(
        key.starts_with(
            "\"github\" | a provider's token cannot be the credential of `key` | leave"
        ),
        "{key}"
    );
    let absent = fault(&GOOD.replacen("provider = \"github\"", "provider = \"google\"", 1));
    assert!(absent.contains("there is no provider `google`"), "{absent}");
}

#[test]
fn a_provider_with_a_fault_is_not_missed_elsewhere() {
    let said = fault(&GOOD.replace("profile = \"github\"", "profile = \"gitlab\""));
    assert!(said.contains("there is no profile `gitlab`"), "{said}");
}

#[test]
fn tokens_live_as_long_as_they_should() {
    let usual = configuration("").settings.authorization;
    assert_eq!(usual.lifetimes.access, Duration::from_hours(1));
    assert_eq!(usual.lifetimes.refresh, Duration::from_hours(30 * 24));
    assert!(usual.private_use_schemes.contains("cursor"));
    let table = |lines: &str| format!("[authorization]\n{lines}\n");
    let read = configuration(&table(
        "access_token_seconds = 300\nrefresh_token_seconds = 86400\n\
         trusted_redirect_hosts = ['Claude.ai']\nprivate_use_schemes = ['com.example.a']",
    ));
    let settings = read.settings.authorization;
    assert_eq!(settings.lifetimes.access, Duration::from_mins(5));
    assert_eq!(settings.lifetimes.refresh, Duration::from_hours(24));
    assert_eq!(settings.trusted_redirect_hosts, ["claude.ai"]);
    assert!(settings.private_use_schemes.contains("com.example.a"));
    assert!(settings.private_use_schemes.contains("cursor"));
    for (lines, expected) in [
        ("access_token_seconds = 59", "59 is out of range"),
        ("access_token_seconds = 86401", "86401 is out of range"),
        (
            "refresh_token_seconds = 31536001",
            "31536001 is out of range",
        ),
        (
            "access_token_seconds = 7200\nrefresh_token_seconds = 3600",
            "3600 | a refresh token would expire before",
        ),
        (
            "trusted_redirect_hosts = ['https://a.example']",
            "without scheme",
        ),
    ] {
        let said = fault(&table(lines));
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_toolset_may_have_lifetimes_of_its_own() {
    let with = |lines: &str| {
        let provider = "provider = \"github\"\n";
        let (before, after) = GOOD.rsplit_once(provider).unwrap();
        format!("{before}{provider}{lines}\n{after}")
    };
    let read = configuration(&with("grant_seconds = 86400\nrefresh_token_seconds = 7200"));
    let toolset = read.objects.toolsets.values().next().unwrap();
    let expected = OwnLifetimes {
        access: None,
        refresh: Some(Duration::from_hours(2)),
        grant: Some(Duration::from_hours(24)),
    };
    assert_eq!(toolset.lifetimes, expected);
    for (lines, expected) in [
        ("access_token_seconds = 59", "59 is out of range"),
        // The access token's own lifetime is that of all toolsets: an hour.
        (
            "access_token_seconds = 7201\nrefresh_token_seconds = 7200",
            "7200 | a refresh token would expire before",
        ),
        ("grant_seconds = 60", "60 is out of range"),
    ] {
        let said = fault(&with(lines));
        assert!(said.contains(expected), "{said}");
    }
    let (before, after) = GOOD.rsplit_once("provider = \"github\"").unwrap();
    let by_key = format!("{before}grant_seconds = 86400{after}").replace("\"oauth\", ", "");
    let said = fault(&by_key);
    assert!(said.contains("issues no tokens for the toolset"), "{said}");
}

#[test]
fn r_01_no_scheme_is_listed_that_browsers_handle_themselves() {
    for scheme in [
        "javascript",
        "data",
        "file",
        "https",
        "Cursor",
        "cursor:",
        "a b",
        "",
    ] {
        let said = fault(&format!(
            "[authorization]\nprivate_use_schemes = ['{scheme}']\n"
        ));
        assert!(said.contains("a private-use scheme has"), "{said}");
    }
}
