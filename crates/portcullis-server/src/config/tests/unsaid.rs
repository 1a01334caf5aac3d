//! Documents that say nothing of credentials, and whether a toolset, its documents and its provider go together.

use portcullis_store::{DocumentSettings, Snapshot};

use super::*;
use crate::ambient::SystemRng;
use crate::check::Report;
use crate::config::apply::preview;

/// One operation that says nothing, and one that needs nothing.
const SILENT: &str = r#"{
    "openapi": "3.1.0",
    "info": { "title": "Quiet", "version": "1" },
    "servers": [{ "url": "https://api.example" }],
    "paths": {
        "/me": { "get": { "operationId": "me" } },
        "/open": { "get": { "operationId": "open", "security": [] } },
        "/up": { "post": { "operationId": "up", "servers": [{ "url": "https://up.example" }] } }
    }
}"#;

/// One operation that says which credential it needs.
const SPOKEN: &str = r#"{
    "openapi": "3.1.0",
    "info": { "title": "Clear", "version": "1" },
    "servers": [{ "url": "https://api.example" }],
    "paths": { "/me": { "get": { "operationId": "me", "security": [{ "token": [] }] } } },
    "components": { "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } } }
}"#;

/// A file that is in order; the tests change one thing.
const GOOD: &str = r#"
[providers.github]
profile = "github"
client_id = "us"
client_secret_env = "KEY"

[providers.google]
profile = "google"
client_id = "us"
client_secret_env = "KEY"
allow = ["hd:example.com"]

[documents.quiet]
file = "silent.json"
provider = "github"
scopes = ["repo", "gist"]
origins = ["https://up.example"]

[toolsets.quiet]
documents = ["quiet"]
inbound = ["oauth"]
provider = "github"
"#;

const NOW: portcullis_base::Timestamp = portcullis_base::Timestamp::from_millis(0);

fn read(toml: &str) -> Result<Configuration, ConfigurationError> {
    let files = [
        ("portcullis.toml", toml),
        ("silent.json", SILENT),
        ("spoken.json", SPOKEN),
    ];
    Folder::with(&files).load("portcullis.toml")
}

fn configuration(toml: &str) -> Configuration {
    read(toml).unwrap_or_else(|error| panic!("{error}: {:#?}", error.problems()))
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

/// Returns [`GOOD`] with the document that says what it needs, of whose scheme this is told.
fn spoken(scheme: &str) -> String {
    GOOD.replace("silent.json", "spoken.json")
        .replace("provider = \"github\"\nscopes = [\"repo\", \"gist\"]\norigins = [\"https://up.example\"]\n", "")
        .replace("[toolsets", &format!("[documents.quiet.schemes.token]\n{scheme}\n[toolsets"))
}

#[test]
fn what_is_said_of_a_silent_document_is_read_and_kept() {
    let read = configuration(GOOD);
    let document = read.objects.documents.values().next().expect("one");
    let expected = DocumentSettings {
        provider: Some("github".to_owned()),
        scopes: vec!["repo".to_owned(), "gist".to_owned()],
        origins: vec!["https://up.example".to_owned()],
    };
    assert_eq!(document.settings, expected);
    let kept = preview(&read, NOW, &SystemRng);
    assert_eq!(kept.documents[0].settings, expected);
    assert!(Difference::between(&kept, &read.objects).is_empty());
}

#[test]
fn each_change_of_a_silent_document_is_shown() {
    let before = configuration(GOOD);
    let stored: Snapshot = preview(&before, NOW, &SystemRng);
    let lines = |toml: &str| {
        let difference = Difference::between(&stored, &configuration(toml).objects);
        let lines: Vec<_> = difference.lines().collect();
        // The file lies in another folder each time.
        let kept = lines.iter().map(|line| {
            let start = line.find("file /").unwrap_or(line.len());
            let rest = line.get(start..).and_then(|it| it.split_once(", "));
            let rest = rest.map_or("", |(_, rest)| rest);
            format!("{}{rest}", line.get(..start).unwrap_or_default())
        });
        kept.collect::<Vec<_>>()
    };
    for (old, new, expected) in [
        ("\"gist\"", "\"user\"", "~ document quiet: scopes"),
        ("https://up.", "https://down.", "~ document quiet: origins"),
    ] {
        assert_eq!(lines(&GOOD.replacen(old, new, 1)), [expected]);
    }
    let named = GOOD.replacen("client_id", "name = \"Ours\"\nclient_id", 1);
    let told = lines(&named);
    assert!(
        told.contains(&"~ provider github: name".to_owned()),
        "{told:?}"
    );
    let gone = GOOD
        .replacen("provider = \"github\"\nscopes = [\"repo\", \"gist\"]\norigins = [\"https://up.example\"]\n", "", 1)
        .replacen("client_id", "allow = [\"*\"]\nclient_id", 1);
    let lines = lines(&gone);
    let expected = "~ document quiet: provider, scopes, origins";
    assert!(lines.iter().any(|line| line == expected), "{lines:?}");
}

#[test]
fn what_is_said_of_a_document_must_mean_something() {
    for (old, new, expected) in [
        (
            "provider = \"github\"\nscopes = [\"repo\", \"gist\"]\norigins",
            "origins",
            "\"https://up.example\" | `origins` says nothing without `provider` beside it",
        ),
        (
            "provider = \"github\"\nscopes = [\"repo\", \"gist\"]\norigins = [\"https://up.example\"]",
            "scopes = [\"repo\"]",
            "\"repo\" | `scopes` says nothing without `provider` beside it",
        ),
        (
            "provider = \"github\"\nscopes",
            "provider = \"gitlab\"\nscopes",
            "\"gitlab\" | there is no provider `gitlab`",
        ),
        (
            "\"gist\"",
            "\"a b\"",
            "\"a b\" | `a b` cannot be used here | write each scope by itself",
        ),
        (
            "\"gist\"",
            "\"offline_access\"",
            "\"offline_access\" | `offline_access` cannot be used here | it opens nothing",
        ),
        (
            "\"https://up.example\"",
            "\"up.example\"",
            "\"up.example\" | `up.example` cannot be used here",
        ),
        (
            "silent.json",
            "spoken.json",
            "\"github\" | the document says of each operation which credential it needs",
        ),
    ] {
        let toml =
            GOOD.replacen(old, new, 1)
                .replacen("client_id", "allow = [\"*\"]\nclient_id", 1);
        let said = fault(&toml);
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn people_sign_in_where_the_token_is_from() {
    let elsewhere = |toml: &str| {
        let (before, toolset) = toml.split_once("[toolsets").expect("a toolset");
        format!("{before}[toolsets{}", toolset.replace("github", "google"))
    };
    let said = fault(&elsewhere(GOOD));
    assert!(
        said.starts_with(
            "\"google\" | people sign in at `google`, but `documents.quiet` takes their token of `github` | name `github` as"
        ),
        "{said}"
    );
    let of_scheme = spoken("provider = \"github\"");
    configuration(&of_scheme);
    let said = fault(&elsewhere(&of_scheme));
    assert!(
        said.contains("but `documents.quiet.schemes.token` takes their token of `github`"),
        "{said}"
    );
    // Where no tool of the toolset needs it, nothing falls back.
    let without = elsewhere(GOOD) + "[toolsets.quiet.select.quiet]\ninclude = [\"open\"]\n";
    configuration(&without);
    // Who comes in by a key signs in nowhere.
    let keyed = of_scheme.replace("inbound = [\"oauth\"]\nprovider = \"github\"\n", "");
    configuration(&keyed);
}

#[test]
fn the_world_does_not_get_the_operators_credentials_by_default() {
    let identity_only = spoken("origins = []");
    let said = fault(&identity_only);
    assert!(
        said.starts_with("\"github\" | anybody in the world who has an account at GitHub could sign in and use your credentials"),
        "{said}"
    );
    assert!(
        said.contains("`allow = [\"…\"]`, where `[\"*\"]`"),
        "{said}"
    );
    for allow in ["*", "org:acme"] {
        let rule = format!("allow = [\"{allow}\"]\nclient_id");
        configuration(&identity_only.replacen("client_id", &rule, 1));
    }
    // A place of the operator's own is not open to the world.
    let inside = "authorization_endpoint = \"https://ghe.example/a\"\ntoken_endpoint = \"https://ghe.example/t\"\nuserinfo_endpoint = \"https://ghe.example/u\"\nclient_id";
    configuration(&identity_only.replacen("client_id", inside, 1));
    let entra = |tenant: &str| {
        let profile = format!("profile = \"entra\"\ntenant = \"{tenant}\"");
        identity_only.replacen("profile = \"github\"", &profile, 1)
    };
    assert!(fault(&entra("common")).contains("an account at Microsoft Entra"));
    configuration(&entra("acme.onmicrosoft.com"));
}

#[test]
fn a_door_that_stands_open_is_told_where_people_bring_their_own_token() {
    let warnings = |toml: &str| {
        let report = Report::of(&configuration(toml), NOW, &SystemRng).expect("a report");
        report.toolsets[0].warnings.clone()
    };
    let said = warnings(GOOD);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("`allow = [\"…\"]` in") || said[0].contains("in `[providers.github]`")
    );
    let ruled = GOOD.replacen("client_id", "allow = [\"*\"]\nclient_id", 1);
    assert_eq!(warnings(&ruled), [""; 0]);
}

#[test]
fn what_a_silent_document_keeps_back_is_told_beforehand() {
    let missing = |toml: &str| {
        let report = Report::of(&configuration(toml), NOW, &SystemRng).expect("a report");
        let missing = report.toolsets[0].missing.iter();
        let told = missing.map(|it| (it.tools.join(" "), it.reason.clone()));
        told.collect::<Vec<_>>()
    };
    assert_eq!(missing(GOOD), []);
    let unnamed = missing(&GOOD.replace("origins = [\"https://up.example\"]\n", ""));
    let [(tools, reason)] = &unnamed[..] else {
        panic!("{unnamed:?}");
    };
    assert_eq!(tools, "up");
    assert!(reason.contains("in `[documents.quiet]`"), "{reason}");
}

#[test]
fn a_provider_has_a_name_that_can_be_shown() {
    let named = |name: &str| GOOD.replacen("client_id", &format!("name = '{name}'\nclient_id"), 1);
    let read = configuration(&named("Acme accounts"));
    let provider = read.objects.providers.values().next().expect("one");
    assert_eq!(provider.settings.name.as_deref(), Some("Acme accounts"));
    let said = fault(&named(" "));
    assert!(
        said.starts_with("' ' | `name` must have between 1 and 60 characters, on one line | for"),
        "{said}"
    );
}
