//! Whole files through [`Configuration::load`].

mod admin;
mod answers;
mod clients;
mod external;
mod files;
mod remote;
mod selection;
mod sign_in;
mod unsaid;

use std::collections::HashMap;
use std::path::PathBuf;

use insta::assert_snapshot;
use miette::{GraphicalReportHandler, GraphicalTheme};
use portcullis_base::{Origin, Secret};
use portcullis_store::{Inbound, VariableValue};
use tempfile::TempDir;

use super::*;

const PETSTORE: &str = r#"{
    "openapi": "3.1.0",
    "info": { "title": "Swagger Petstore", "version": "1" },
    "servers": [{ "url": "https://petstore.example/v2" }],
    "paths": { "/pets": { "get": { "operationId": "listPets", "tags": ["pet"],
        "responses": { "200": { "description": "ok" } } } } },
    "components": { "securitySchemes": {
        "api_key": { "type": "apiKey", "in": "header", "name": "api_key" },
        "petstore_auth": { "type": "oauth2", "flows": { "clientCredentials": {
            "tokenUrl": "https://petstore.example/token", "scopes": {} } } }
    } }
}"#;

/// A file that is in order; the tests change one thing.
const GOOD: &str = r#"
[documents.petstore]
file = "petstore.json"

[environments.production]
PETSTORE_API_KEY_env = "KEY"
PETSTORE_SERVER_URL = "https://api.example.com"

[toolsets.petstore]
documents = ["petstore"]
environment = "production"
"#;

struct Folder(TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).expect("a file");
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn load(&self, name: &str) -> Result<Configuration, ConfigurationError> {
        self.load_with(name, Overrides::default())
    }

    fn load_with(
        &self,
        name: &str,
        overrides: Overrides,
    ) -> Result<Configuration, ConfigurationError> {
        let process = [
            ("KEY", "s3cret-canary"),
            ("PETSTORE_CLIENT_ID", "me"),
            ("PETSTORE_ACCESS_TOKEN", ""),
            ("DATABASE", "postgres://u:p@db/portcullis"),
        ];
        let process: HashMap<String, Secret> = process
            .map(|(name, value)| (name.to_owned(), Secret::new(value.to_owned())))
            .into();
        Configuration::load(&self.path(name), overrides, process)
    }
}

fn load(toml: &str) -> Result<Configuration, ConfigurationError> {
    Folder::with(&[("portcullis.toml", toml), ("petstore.json", PETSTORE)]).load("portcullis.toml")
}

/// Returns what is wrong with a file: the text pointed at, the message, the advice.
fn faults(toml: &str) -> Vec<(String, String, String)> {
    let error = load(toml).expect_err("refused");
    let fault = |problem: &Problem| {
        let at = problem.span().and_then(|span| toml.get(span));
        (
            at.unwrap_or_default().to_owned(),
            problem.to_string(),
            problem.advice().to_owned(),
        )
    };
    error.problems().iter().map(fault).collect()
}

/// Returns the only thing that is wrong with a file, on one line.
fn fault(toml: &str) -> String {
    match faults(toml).as_slice() {
        [(at, message, advice)] => format!("{at} | {message} | {advice}"),
        faults => panic!("{faults:#?}"),
    }
}

fn configuration(toml: &str) -> Configuration {
    load(toml).unwrap_or_else(|error| panic!("{error}: {:#?}", error.problems()))
}

#[test]
fn a_file_is_read_whole() {
    let read = configuration(GOOD);
    let [toolset] = read.objects.toolsets.values().collect::<Vec<_>>()[..] else {
        panic!("one toolset");
    };
    assert_eq!(toolset.inbound, [Inbound::ApiKey].into());
    let [environment] = read.objects.environments.values().collect::<Vec<_>>()[..] else {
        panic!("one environment");
    };
    assert_eq!(
        environment.variables["PETSTORE_API_KEY"],
        VariableValue::Secret(Secret::new("s3cret-canary".to_owned()))
    );
    assert_eq!(
        environment.variables["PETSTORE_SERVER_URL"],
        VariableValue::Plain("https://api.example.com".to_owned())
    );
    assert_eq!(read.settings.listener.addresses.len(), 2);
    assert_eq!(
        read.settings.access.public_url,
        Origin::parse("http://localhost:8400").ok()
    );
    assert!(!read.settings.is_public());
}

#[test]
fn health_and_metrics_are_not_shown_to_whoever_a_proxy_lets_in() {
    let operations = |listener: &str| {
        let read = configuration(&format!("[listener]\n{listener}\n{GOOD}"));
        read.settings.operations
    };
    assert_eq!(operations(""), []);
    let public = operations("public_url = 'https://tools.example.com'");
    assert!(
        public
            .iter()
            .all(|it| it.ip().is_loopback() && it.port() == 8401)
    );
    assert_eq!(public.len(), 2);
    let refused = fault(&format!("[listener]\noperations_listen = []\n{GOOD}"));
    assert!(refused.contains("or leave it out"), "{refused}");
}

#[test]
fn o_08_any_scheme_may_be_given_further_origins() {
    let table =
        |scheme: &str, line: &str| format!("{GOOD}[documents.petstore.schemes.{scheme}]\n{line}\n");
    let read = configuration(&table("api_key", "origins = ['https://up.example:443/']"));
    let document = read.objects.documents.values().next();
    let settings = &document.expect("a document").schemes["api_key"];
    assert_eq!(settings.origins, ["https://up.example"]);
    let path = fault(&table("api_key", "origins = ['https://up.example/v1']"));
    assert!(path.contains("write `https://up.example`"), "{path}");
    let token = fault(&table("api_key", "resource = 'https://a.example'"));
    assert!(
        token.contains("only `origins` can be set for it"),
        "{token}"
    );
}

#[test]
fn a_report_shows_file_line_caret_and_advice() {
    let folder = Folder::with(&[("portcullis.toml", "[listener]\nlisen = []\n")]);
    let error = folder.load("portcullis.toml").expect_err("refused");
    let mut report = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(500)
        .render_report(&mut report, &error)
        .expect("a report");
    let report = report.replace(&folder.0.path().display().to_string(), "…");
    assert_snapshot!(report);
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let toml = GOOD
        .replace("\"production\"\n", "\"prodution\"\n")
        .replace("[\"petstore\"]", "[\"petshop\"]");
    assert_eq!(faults(&toml).len(), 2);
}

#[test]
fn slips_of_the_pen_are_met_with_what_was_meant() {
    for (old, new, expected) in [
        (
            "environment =",
            "enviroment =",
            "enviroment | unknown key `enviroment` | did you mean `environment`?",
        ),
        (
            "PETSTORE_API_KEY_env",
            "PETSTORE_APIKEY_env",
            "PETSTORE_APIKEY_env | no document reads a variable `PETSTORE_APIKEY` | did you mean `PETSTORE_API_KEY`?",
        ),
        (
            "[\"petstore\"]",
            "\"petstore\"",
            "\"petstore\" | invalid type: string \"petstore\", expected a sequence | for example `documents = [\"petstore\"]`",
        ),
        (
            "[\"petstore\"]",
            "[\"petstore\"]\ninbound = [\"apikey\"]",
            "\"apikey\" | unknown value `apikey` | did you mean `api_key`?",
        ),
        ("petstore.json", "petstor.json", "cannot read"),
        (
            "[documents.petstore]",
            "[documents.petstore.schemes.petstore_oauth]\n[documents.petstore]",
            "petstore_oauth | the document has no security scheme `petstore_oauth` | did you mean `petstore_auth`?",
        ),
    ] {
        let toml = GOOD.replacen(old, new, 1);
        let said = faults(&toml)
            .into_iter()
            .map(|(at, message, advice)| format!("{at} | {message} | {advice}"))
            .next()
            .unwrap_or_default();
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn l_01_a_secret_in_the_file_is_refused() {
    let toml = GOOD.replace(
        "PETSTORE_API_KEY_env = \"KEY\"",
        "PETSTORE_API_KEY = \"abc\"",
    );
    assert_snapshot!(fault(&toml), @r#""abc" | `PETSTORE_API_KEY` is a secret and must not stand in this file | write `PETSTORE_API_KEY_env = "PETSTORE_API_KEY"` or `PETSTORE_API_KEY_file = "path"`"#);
    let toml = format!("{GOOD}\n[storage]\nurl = \"postgres://u:hunter2@db/x\"\n");
    let said = fault(&toml);
    assert!(said.contains("a password must not stand in this file"));
}

#[test]
fn l_03_neither_report_nor_debug_tells_a_secret() {
    let bad = GOOD.replace("PETSTORE_API_KEY_env", "PETSTORE_TOKEN_URL_env");
    let error = load(&bad).expect_err("no URL");
    assert!(!format!("{error} {error:?} {:?}", faults(&bad)).contains("s3cret-canary"));
    assert!(!format!("{:?}", configuration(GOOD)).contains("s3cret-canary"));
}

#[test]
fn a_secret_in_a_file_loses_the_line_break_at_its_end() {
    let toml = GOOD.replace(
        "PETSTORE_API_KEY_env = \"KEY\"",
        "PETSTORE_API_KEY_file = \"key\"",
    );
    let folder = Folder::with(&[
        ("portcullis.toml", &toml),
        ("petstore.json", PETSTORE),
        ("key", "from-file\r\n"),
    ]);
    let read = folder.load("portcullis.toml").expect("in order");
    let environment = read.objects.environments.values().next().expect("one");
    assert_eq!(
        environment.variables["PETSTORE_API_KEY"],
        VariableValue::Secret(Secret::new("from-file".to_owned()))
    );
    assert!(read.files.contains(&folder.path("key")));
}

#[test]
fn one_variable_is_set_once() {
    let toml = GOOD.replace(
        "PETSTORE_SERVER_URL",
        "PETSTORE_CLIENT_ID = \"a\"\nPETSTORE_PETSTORE_AUTH_CLIENT_ID = \"b\"\nPETSTORE_SERVER_URL",
    );
    assert!(fault(&toml).contains("already | keep one of the two"));
}

#[test]
fn either_half_of_basic_may_be_empty_and_nothing_else() {
    let basic = PETSTORE.replace(
        "\"type\": \"apiKey\", \"in\": \"header\", \"name\": \"api_key\"",
        "\"type\": \"http\", \"scheme\": \"basic\"",
    );
    let toml = "[documents.petstore]\nfile = \"petstore.json\"\n[environments.e]\n";
    for (line, lawful) in [
        ("PETSTORE_PASSWORD = \"\"", true),
        ("PETSTORE_USERNAME = \"\"", true),
        ("PETSTORE_CLIENT_ID = \"\"", false),
    ] {
        let toml = format!("{toml}{line}\n");
        let folder = Folder::with(&[("portcullis.toml", &toml), ("petstore.json", &basic)]);
        assert_eq!(folder.load("portcullis.toml").is_ok(), lawful, "{line}");
    }
}

#[test]
fn reserved_slugs_are_refused() {
    for slug in ["api", "token", "method", "param-x", "Pet_Store"] {
        let toml = GOOD.replace("[toolsets.petstore]", &format!("[toolsets.{slug}]"));
        assert_eq!(faults(&toml).len(), 1, "{slug}");
    }
}

#[test]
fn documents_do_not_share_a_variable() {
    let twice = PETSTORE.replace("\"api_key\": {", "\"store_api_key\": {");
    let toml = "[documents.pet-store]\nfile = \"a.json\"\n[documents.pet]\nfile = \"b.json\"\n";
    let folder = Folder::with(&[
        ("portcullis.toml", toml),
        ("a.json", PETSTORE),
        ("b.json", &twice),
    ]);
    let error = folder.load("portcullis.toml").expect_err("refused");
    assert!(
        error.problems()[0]
            .to_string()
            .contains("PET_STORE_API_KEY"),
        "{error}"
    );
}

#[test]
fn callers_without_authentication_stay_on_this_machine() {
    let open = GOOD.replace(
        "[toolsets.petstore]",
        "[listener]\npublic_url = \"https://mcp.example.com\"\n[toolsets.petstore]\ninbound = [\"open\"]",
    );
    assert!(fault(&open).contains("authenticate nobody"));
    configuration(&open.replace("[listener]", "[listener]\nallow_unauthenticated = true"));
    configuration(&open.replace("https://mcp.example.com", "http://localhost:9000"));
}

#[test]
fn headers_without_anything_to_pass_name_the_candidates() {
    let headers = GOOD.replace(
        "[toolsets.petstore]",
        "[toolsets.petstore]\ninbound = [\"headers\"]",
    );
    let said = fault(&headers);
    assert!(
        said.contains("`PETSTORE_API_KEY`, `PETSTORE_PETSTORE_AUTH_ACCESS_TOKEN`"),
        "{said}"
    );
    configuration(&format!(
        "{headers}\ncaller_supplied = [\"PETSTORE_ACCESS_TOKEN\"]\n"
    ));
}

#[test]
fn h_03_the_public_url_is_an_origin_that_credentials_may_travel_to() {
    for (listener, expected) in [
        ("public_url = \"https://a.example/mcp\"", "no path"),
        ("public_url = \"http://a.example\"", "in the clear"),
        (
            "listen = [\"0.0.0.0:8400\"]\ntrusted_proxies = [\"10.0.0.1\"]",
            "not known",
        ),
        (
            "public_url = \"https://a.example\"\nlisten = [\"0.0.0.0:8400\"]",
            "loopback only",
        ),
        ("listen = []", "no address"),
        ("listen = [\"example.com:80\"]", "localhost:PORT"),
        ("allowed_origins = [\"null\"]", "absolute URL"),
        ("allowed_origins = [\"*\"]", "absolute URL"),
        ("allowed_hosts = [\"https://a.example\"]", "without scheme"),
        ("tls = { key_file = \"k\" }", "needs its key"),
        ("limits.header_seconds = 0", "out of range"),
    ] {
        let said = fault(&format!("[listener]\n{listener}\n"));
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn h_04_nobody_trusts_every_address_as_a_proxy() {
    assert!(fault("[listener]\ntrusted_proxies = [\"0.0.0.0/0\"]\n").contains("everybody"));
}

#[test]
fn a_document_alone_becomes_one_open_toolset() {
    let folder = Folder::with(&[("petstore.json", PETSTORE), ("openapi.json", PETSTORE)]);
    let read = folder.load("petstore.json").expect("in order");
    let (slug, toolset) = read.objects.toolsets.first_key_value().expect("one");
    assert_eq!(slug.as_str(), "petstore");
    assert_eq!(toolset.inbound, [Inbound::Open].into());
    let environment = read.objects.environments.values().next().expect("one");
    let names: Vec<&String> = environment.variables.keys().collect();
    assert_eq!(names, ["PETSTORE_CLIENT_ID"]);
    let titled = folder.load("openapi.json").expect("in order");
    let slug = titled.objects.toolsets.keys().next().expect("one");
    assert_eq!(slug.as_str(), "swagger-petstore");
}

#[test]
fn a_document_alone_is_not_opened_to_other_machines() {
    let folder = Folder::with(&[("petstore.json", PETSTORE)]);
    let overrides = Overrides {
        public_url: Origin::parse("https://mcp.example.com").ok(),
        ..Overrides::default()
    };
    let refused = folder.load_with("petstore.json", overrides.clone());
    assert!(refused.is_err_and(|error| error.to_string().contains("open to everybody")));
    let allowed = Overrides {
        allow_unauthenticated: true,
        ..overrides
    };
    assert!(folder.load_with("petstore.json", allowed).is_ok());
}

#[test]
fn the_example_of_the_reference_is_in_order() {
    let page = markdown();
    let example = page.split("```").nth(1).expect("an example");
    let example = example.trim_start_matches("toml");
    let form: Result<file::File, _> = toml::from_str(example);
    assert!(form.is_ok(), "{form:?}");
}

#[test]
fn what_is_not_a_configuration_says_so() {
    for (content, expected) in [
        ("[listener", "unclosed table"),
        ("\u{0}", ""),
        ("a = 1\n", "unknown key `a`"),
    ] {
        let said = faults(content);
        assert!(said[0].1.contains(expected), "{said:?}");
    }
    let folder = Folder::with(&[("readme.md", "# Hello"), ("api.yaml", "a: [")]);
    for name in ["readme.md", "api.yaml", "absent.toml", "absent.yaml"] {
        let error = folder.load(name).expect_err("refused");
        assert!(error.to_string().contains(name), "{error}");
    }
    std::fs::write(folder.path("latin.toml"), [0x61, 0xe9]).expect("a file");
    assert!(folder.load("latin.toml").is_err());
}

#[test]
fn settings_are_read_without_the_secrets_of_objects() {
    let folder = Folder::with(&[("portcullis.toml", GOOD)]);
    let path = folder.path("portcullis.toml");
    let settings = Settings::load(&path, Overrides::default(), HashMap::new());
    let settings = settings.expect("in order");
    assert!(settings.storage.data_dir.starts_with(folder.0.path()));
}

#[test]
fn a_reload_reads_everything_again() {
    let folder = Folder::with(&[("portcullis.toml", GOOD), ("petstore.json", PETSTORE)]);
    let first = folder.load("portcullis.toml").expect("in order");
    std::fs::write(folder.path("portcullis.toml"), "x").expect("a file");
    assert!(first.reload().is_err());
    std::fs::write(
        folder.path("portcullis.toml"),
        GOOD.replace("api.example", "b.example"),
    )
    .expect("a file");
    let second = first.reload().expect("in order");
    assert_ne!(first.objects, second.objects);
}
