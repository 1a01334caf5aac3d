//! Manifests that a configuration describes: attached, compared with what is served, and what they were.

use super::*;
use crate::running::Running;

const SIGN_IN: &str = r#"
# people sign in
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
inbound = ["oauth", "api_key"] # people and machines
provider = "idp"
"#;

const ATTACH: [&str; 7] = [
    "attach",
    "acme-oauth.json",
    "--name",
    "acme",
    "--toolset",
    "petstore",
    "--yes",
];

fn configuration(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("portcullis.toml")).expect("a file")
}

fn attached(provider: &Exchange) -> TempDir {
    let folder = created(provider);
    stdout(&manifest(folder.path(), provider, &ATTACH));
    folder
}

#[test]
fn a_toolset_takes_the_providers_tokens_once_its_manifest_is_attached() {
    let provider = provider();
    let folder = created(&provider);
    std::fs::write(folder.path().join("portcullis.toml"), SIGN_IN).expect("a file");
    let unasked = manifest(folder.path(), &provider, &ATTACH[..6]);
    assert!(stderr(&unasked).contains("--yes"));
    assert_eq!(configuration(folder.path()), SIGN_IN);
    let told = String::from_utf8_lossy(&unasked.stdout);
    assert!(told.contains("there is no store yet"), "{told}");
    assert!(!folder.path().join("portcullis-data").exists());

    stdout(&portcullis(folder.path(), &["apply", "--yes"]));
    let told = stdout(&manifest(folder.path(), &provider, &ATTACH));
    for expected in [
        "+ [manifests.acme]\n",
        "inbound = [\"api_key\", \"external\"] instead of [\"oauth\", \"api_key\"]",
        "without provider = \"idp\"",
        "clients that are signed in here: 0 grants end",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    let written = configuration(folder.path());
    assert!(written.starts_with("\n# people sign in\n"), "{written}");
    assert!(written.contains("# people and machines"), "{written}");
    let applied = stdout(&portcullis(folder.path(), &["apply", "--yes"]));
    assert!(applied.contains("+ manifest acme"), "{applied}");
    let again = stdout(&manifest(folder.path(), &provider, &ATTACH));
    assert_eq!(again, "nothing changes\n");
    let check = ["check", "acme"];
    let told = stdout(&manifest(folder.path(), &provider, &check));
    let named = "manifest acme at http://localhost:8400/petstore/mcp\n";
    assert!(told.starts_with(named), "{told}");
}

#[test]
fn what_cannot_be_attached_is_said_and_changes_nothing() {
    let provider = provider();
    let folder = created(&provider);
    let before = configuration(folder.path());
    let refused = |change: fn(&mut Value), further: &[&str]| {
        let mut document = metadata(&url(&provider));
        change(&mut document);
        let file = folder.path().join("acme-oauth.json");
        std::fs::write(file, document.to_string()).expect("a file");
        let arguments = [&ATTACH[..], further].concat();
        let told = stderr(&manifest(folder.path(), &provider, &arguments));
        assert_eq!(configuration(folder.path()), before);
        told
    };
    let sends_iss = |document: &mut Value| {
        document["authorization_response_iss_parameter_supported"] = json!(true);
    };
    let told = refused(sends_iss, &["--republish"]);
    assert!(told.contains("sends `iss` in its answers"), "{told}");
    let opaque = |document: &mut Value| document["jwks_uri"] = Value::Null;
    let told = refused(opaque, &[]);
    assert!(told.contains("complete this table"), "{told}");
    assert!(told.contains("validation = \"probe\""), "{told}");
    let unknown = ["attach", "acme", "--toolset", "petstore", "--yes"];
    let told = stderr(&manifest(folder.path(), &provider, &unknown));
    assert!(told.contains("`[manifests.acme]`"), "{told}");
    let nowhere = ["attach", "acme-oauth.json", "--name", "a", "--toolset", "b"];
    let told = stderr(&manifest(folder.path(), &provider, &nowhere));
    assert!(told.contains("complete this table"), "{told}");
}

#[test]
fn what_clients_would_stumble_over_is_said_before_anybody_is_asked() {
    let provider = provider();
    let folder = created(&provider);
    let mut document = metadata(&url(&provider));
    document["registration_endpoint"] = Value::Null;
    let file = folder.path().join("acme-oauth.json");
    std::fs::write(file, document.to_string()).expect("a file");
    provider.answer_by(|_| panic!("nobody is asked"));
    let unasked = manifest(folder.path(), &provider, &ATTACH[..6]);
    assert!(stderr(&unasked).contains("--yes"));
    let told = String::from_utf8_lossy(&unasked.stdout);
    assert!(
        told.contains("WRONG") && told.contains("[registration-none]"),
        "{told}"
    );
}

#[test]
fn what_a_provider_changed_is_shown_and_written_only_when_asked() {
    let provider = provider();
    let folder = attached(&provider);
    let refresh = ["refresh", "acme"];
    let told = stdout(&manifest(folder.path(), &provider, &refresh));
    assert!(told.starts_with("nothing changed"), "{told}");
    serve(&provider, |document| {
        document["scopes_supported"] = json!(["pets", "offline_access", "more\u{1b}"]);
    });
    let told = stdout(&manifest(folder.path(), &provider, &refresh));
    assert!(told.contains("\"scopes_supported\""), "{told}");
    assert!(
        !told.contains("GRAVE") && !told.contains('\u{1b}'),
        "{told}"
    );
    serve(&provider, |document| {
        document["token_endpoint"] = json!("https://elsewhere.example/token");
    });
    let refused = manifest(folder.path(), &provider, &refresh);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8_lossy(&refused.stdout);
    assert!(told.contains("GRAVE \"token_endpoint\""), "{told}");
    assert!(told.contains("https://elsewhere.example/token"), "{told}");
    let write = ["refresh", "acme", "--write"];
    stdout(&manifest(folder.path(), &provider, &write));
    let told = stdout(&manifest(folder.path(), &provider, &refresh));
    assert!(told.starts_with("nothing changed"), "{told}");
}

#[test]
fn what_the_configuration_could_not_use_is_shown_and_not_written() {
    let provider = provider();
    let folder = attached(&provider);
    let file = folder.path().join("acme-oauth.json");
    let before = std::fs::read_to_string(&file).expect("a file");
    serve(&provider, |document| {
        let members = document.as_object_mut().expect("an object");
        members.remove("jwks_uri").expect("a member");
    });
    for named in ["acme", "acme-oauth.json"] {
        let refused = manifest(folder.path(), &provider, &["refresh", named, "--write"]);
        assert_eq!(refused.status.code(), Some(1));
        let told = String::from_utf8_lossy(&refused.stdout);
        assert!(told.contains("GRAVE \"jwks_uri\""), "{told}");
        let told = stderr(&refused);
        assert!(
            told.contains("jwks_uri") && told.contains("portcullis.toml"),
            "{told}"
        );
        assert_eq!(std::fs::read_to_string(&file).expect("a file"), before);
    }
}

#[test]
fn what_a_manifest_was_is_listed_and_shown() {
    let provider = provider();
    let folder = attached(&provider);
    let versions = ["versions", "acme"];
    let early = stderr(&manifest(folder.path(), &provider, &versions));
    assert!(early.contains("there is no store yet"), "{early}");
    stdout(&portcullis(folder.path(), &["apply", "--yes"]));
    let unknown = manifest(folder.path(), &provider, &["versions", "other"]);
    assert!(stderr(&unknown).contains("no manifest `other`"));
    serve(&provider, |document| document["x_new"] = json!(true));
    let write = ["refresh", "acme", "--write"];
    stdout(&manifest(folder.path(), &provider, &write));
    stdout(&portcullis(folder.path(), &["apply", "--yes"]));
    let listed = stdout(&manifest(folder.path(), &provider, &versions));
    let digests: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .collect();
    assert_eq!(digests.len(), 2, "{listed}");
    let contents = digests.iter().map(|digest| {
        let start = digest.get(..12).expect("digits");
        let show = [&versions[..], &["--show", start]].concat();
        stdout(&manifest(folder.path(), &provider, &show))
    });
    let contents: Vec<String> = contents.collect();
    let new = contents.iter().filter(|it| it.contains("x_new"));
    assert_eq!(new.count(), 1, "{contents:?}");
    let file = folder.path().join("acme-oauth.json");
    let present = std::fs::read_to_string(file).expect("a file");
    assert!(contents.contains(&present));
    let unclear = [&versions[..], &["--show", ""]].concat();
    let told = stderr(&manifest(folder.path(), &provider, &unclear));
    assert!(told.contains("several versions"), "{told}");
}

#[test]
fn an_api_that_alone_judges_tokens_is_told_by_check_and_at_the_start() {
    let provider = provider();
    let folder = attached(&provider);
    let file = configuration(folder.path());
    let file = file.replace("\"jwt\"", "\"upstream\"\nupstream = \"forward\"");
    let file = file.replace("environment = \"production\"\ninbound", "inbound");
    let bound = "[documents.petstore.schemes.api_key]\nprovider = \"acme\"\n";
    let document = folder.path().join("petstore.yaml");
    let described = std::fs::read_to_string(&document).expect("a file");
    let key = "{ type: apiKey, in: header, name: X-Key }";
    let described = described.replace(key, "{ type: http, scheme: bearer }");
    std::fs::write(&document, described).expect("a file");
    let file = format!("{file}\n{bound}");
    std::fs::write(folder.path().join("portcullis.toml"), file).expect("a file");
    let told = "only the API judges the tokens of `acme`";
    let checked = stdout(&portcullis(folder.path(), &["check", "portcullis.toml"]));
    assert!(checked.contains(&format!("  warning: {told}")), "{checked}");
    let mut gateway = Running::start(folder.path(), &["portcullis.toml"], "petstore");
    gateway.wait_for(told);
    gateway.stop();
}
