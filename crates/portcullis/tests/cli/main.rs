//! The program as its users start it.

#![expect(
    clippy::panic,
    reason = "these are tests, and so are the functions that they share"
)]

mod api;
mod doctor;
mod document;
mod exchange;
mod grants;
mod keys;
mod manifest;
mod running;
mod serve;
mod signals;
mod together;

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const DOCUMENT: &str = "openapi: 3.1.0
info: { title: Petstore, version: '1' }
servers: [{ url: https://petstore.example }]
security: [{ api_key: [] }]
paths:
  /pets:
    get: { operationId: listPets, summary: List all pets, responses: { '200': { description: ok } } }
components:
  securitySchemes:
    api_key: { type: apiKey, in: header, name: X-Key }
";

/// The value of the one variable, known to the program and to the API.
const SECRET: &str = "s3cret-canary";

const FILE: &str = r#"
[documents.petstore]
file = "petstore.yaml"

[environments.production]
PETSTORE_API_KEY_env = "PETSTORE_API_KEY"

[toolsets.petstore]
documents = ["petstore"]
environment = "production"
"#;

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("petstore.yaml"), DOCUMENT).expect("a file");
    std::fs::write(folder.path().join("portcullis.toml"), FILE).expect("a file");
    folder
}

/// Runs the program in `folder` with one secret in its environment.
fn portcullis(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments)
        .output()
        .expect("the program starts")
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command
        .current_dir(folder)
        .args(arguments)
        .env("PETSTORE_API_KEY", SECRET);
    command
}

fn stdout(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    text
}

fn stderr(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn check_lists_tools_variables_and_what_is_missing() {
    let folder = folder();
    let text = stdout(&portcullis(folder.path(), &["check", "petstore.yaml"]));
    for expected in [
        "GET     listPets",
        "PETSTORE_API_KEY (secret)",
        "/petstore/mcp",
    ] {
        assert!(text.contains(expected), "{text}");
    }
    assert!(!text.contains("canary"));
    let file = FILE.replace("environment = \"production\"", "");
    std::fs::write(folder.path().join("portcullis.toml"), file).expect("a file");
    let text = stdout(&portcullis(folder.path(), &["check", "portcullis.toml"]));
    assert!(
        text.contains("a credential that is not set: `PETSTORE_API_KEY`"),
        "{text}"
    );
}

#[test]
fn check_says_how_many_deprecated_operations_are_left_out() {
    let folder = folder();
    let old = DOCUMENT.replace(
        "operationId: listPets,",
        "operationId: listPets, deprecated: true,",
    );
    std::fs::write(folder.path().join("petstore.yaml"), old).expect("a file");
    let text = stdout(&portcullis(folder.path(), &["check", "petstore.yaml"]));
    assert!(
        text.contains("note: 1 deprecated operation of the document `petstore` left out"),
        "{text}"
    );
    let select = "[toolsets.petstore.select.petstore]\ndeprecated = true\n";
    std::fs::write(
        folder.path().join("portcullis.toml"),
        format!("{FILE}{select}"),
    )
    .expect("a file");
    let text = stdout(&portcullis(folder.path(), &["check", "portcullis.toml"]));
    assert!(
        text.contains("1 tool at") && !text.contains("left out"),
        "{text}"
    );
}

#[test]
fn check_answers_programs_in_json() {
    let folder = folder();
    let check = ["check", "--format", "json", "petstore.yaml"];
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&portcullis(folder.path(), &check))).expect("JSON");
    assert_eq!(json["tools"][0]["name"], "listPets");
    assert_eq!(json["tools"][0]["input_schema"]["type"], "object");
    assert_eq!(json["toolsets"][0]["missing"], serde_json::json!([]));
    std::fs::write(folder.path().join("portcullis.toml"), "lisener = 1").expect("a file");
    let refused = portcullis(
        folder.path(),
        &["check", "--format", "json", "portcullis.toml"],
    );
    assert_eq!(refused.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&refused.stdout).expect("JSON");
    assert_eq!(json["problems"][0]["advice"], "did you mean `listener`?");
}

#[test]
fn check_fails_where_an_operation_is_lost() {
    let folder = folder();
    let lost = DOCUMENT.replace("paths:\n", "paths:\n  /lost: { $ref: 'a.yaml#/b' }\n");
    std::fs::write(folder.path().join("petstore.yaml"), lost).expect("a file");
    let checked = portcullis(folder.path(), &["check", "petstore.yaml"]);
    assert_eq!(checked.status.code(), Some(1));
    let text = String::from_utf8_lossy(&checked.stdout);
    assert!(text.contains("error external-reference"), "{text}");
    assert!(text.contains("the file `a.yaml` is not there"), "{text}");
}

#[test]
fn check_tells_each_kind_of_finding_once_and_all_its_places_when_asked() {
    let folder = folder();
    let parameters: Vec<String> = (0..10)
        .map(|it| format!("{{ name: p{it}, in: query, schema: {{ enum: 1 }} }}"))
        .collect();
    let parameters = parameters.join(", ");
    let odd = DOCUMENT.replace(
        "operationId: listPets,",
        &format!("operationId: listPets, parameters: [{parameters}],"),
    );
    std::fs::write(folder.path().join("petstore.yaml"), odd).expect("a file");
    let check = |more: &[&str]| {
        let arguments = [&["check", "petstore.yaml"], more].concat();
        stdout(&portcullis(folder.path(), &arguments))
    };
    let text = check(&[]);
    for expected in [
        "warning bad-enum, 10 times",
        "List the values that are allowed",
        "at /paths/~1pets/get/parameters/2/schema/enum: ",
        "and 7 more",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(!text.contains("parameters/3"), "{text}");
    let text = check(&["--all-findings"]);
    assert!(
        text.contains("parameters/9") && !text.contains(" more"),
        "{text}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&check(&["--format", "json"])).expect("JSON");
    let document = &json["documents"][0];
    assert_eq!(document["findings"][0]["count"], 10);
    assert_eq!(document["diagnostics"].as_array().map(Vec::len), Some(10));
}

#[test]
fn check_tells_once_what_clients_rewrite_for_gemini() {
    let folder = folder();
    let odd = DOCUMENT.replace(
        "operationId: listPets,",
        "operationId: listPets, parameters: [{ name: p, in: query, schema: { type: integer, multipleOf: 2 } }],",
    );
    std::fs::write(folder.path().join("petstore.yaml"), odd).expect("a file");
    let text = stdout(&portcullis(folder.path(), &["check", "petstore.yaml"]));
    for expected in [
        "note rewritten-for-gemini",
        "1 tool (`listPets`): `multipleOf`",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn check_reads_a_document_of_several_files() {
    let folder = folder();
    let split = DOCUMENT.replace(
        "operationId: listPets,",
        "operationId: listPets, parameters: [{ $ref: 'shared/parameters.yaml#/kind' }],",
    );
    std::fs::write(folder.path().join("petstore.yaml"), split).expect("a file");
    std::fs::create_dir(folder.path().join("shared")).expect("a folder");
    let shared = "kind: { name: kind, in: query, schema: { enum: 1 } }\n";
    std::fs::write(folder.path().join("shared/parameters.yaml"), shared).expect("a file");
    let text = stdout(&portcullis(folder.path(), &["check", "petstore.yaml"]));
    assert!(
        text.contains("at shared/parameters.yaml#/kind/schema/enum: "),
        "{text}"
    );
}

#[test]
fn apply_shows_the_difference_and_writes_it_once() {
    let folder = folder();
    let unasked = portcullis(folder.path(), &["apply"]);
    assert!(stderr(&unasked).contains("--yes"));
    let first = stdout(&portcullis(folder.path(), &["apply", "--yes"]));
    assert!(first.contains("+ toolset petstore"), "{first}");
    let second = stdout(&portcullis(folder.path(), &["apply", "--yes"]));
    assert_eq!(second, "nothing changes\n");
    let file = FILE.replace(
        "[toolsets",
        "PETSTORE_SERVER_URL = \"https://b.example\"\n[toolsets",
    );
    std::fs::write(folder.path().join("portcullis.toml"), file).expect("a file");
    let third = stdout(&portcullis(folder.path(), &["apply", "--yes"]));
    assert!(third.contains("~ environment production: PETSTORE_SERVER_URL added"));
}

#[test]
fn a_key_is_shown_once_and_revoked_by_name() {
    let folder = folder();
    let create = ["key", "create", "build agents", "--toolset", "petstore"];
    let early = portcullis(folder.path(), &create);
    assert!(stderr(&early).contains("apply"));
    stdout(&portcullis(folder.path(), &["apply", "--yes"]));
    let made = stdout(&portcullis(folder.path(), &create));
    assert!(made.starts_with("pc_key_"), "{made}");
    let again = portcullis(folder.path(), &create);
    assert!(stderr(&again).contains("already"));
    let listed = stdout(&portcullis(folder.path(), &["key", "list"]));
    assert!(listed.contains("build agents") && !listed.contains(made.trim()));
    stdout(&portcullis(
        folder.path(),
        &["key", "revoke", "build agents"],
    ));
    let listed = stdout(&portcullis(folder.path(), &["key", "list"]));
    assert!(listed.contains("revoked"), "{listed}");
}

#[test]
fn a_changed_master_key_opens_what_the_former_one_sealed() {
    let folder = folder();
    stdout(&portcullis(folder.path(), &["apply", "--yes"]));
    let key_file = folder.path().join("portcullis-data/master.key");
    let before = std::fs::read(&key_file).expect("a key");
    stdout(&portcullis(folder.path(), &["key", "rotate"]));
    let after = std::fs::read(&key_file).expect("a key");
    assert_ne!(before, after);
    let unchanged = stdout(&portcullis(folder.path(), &["apply", "--yes"]));
    assert_eq!(unchanged, "nothing changes\n");
    std::fs::write(&key_file, before).expect("a file");
    let misfit = portcullis(folder.path(), &["apply", "--yes"]);
    assert!(stderr(&misfit).contains("master key"));
}

#[test]
fn l_01_no_secret_is_on_disk_in_the_clear() {
    let folder = folder();
    stdout(&portcullis(folder.path(), &["apply", "--yes"]));
    let made = stdout(&portcullis(folder.path(), &["key", "create", "a"]));
    for entry in std::fs::read_dir(folder.path().join("portcullis-data")).expect("a folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        for secret in ["s3cret-canary", made.trim()] {
            let found = bytes
                .windows(secret.len())
                .any(|it| it == secret.as_bytes());
            assert!(!found);
        }
    }
}

#[test]
fn a_bad_file_is_told_with_line_and_advice() {
    let folder = folder();
    let file = FILE.replace("environment =", "enviroment =");
    std::fs::write(folder.path().join("portcullis.toml"), file).expect("a file");
    let told = stderr(&portcullis(folder.path(), &["apply", "--yes"]));
    assert!(told.contains("portcullis.toml:10:1"), "{told}");
    assert!(told.contains("did you mean `environment`?"), "{told}");
}

#[test]
fn a_command_line_that_cannot_be_read_has_its_own_exit_code() {
    let folder = folder();
    let unknown = portcullis(folder.path(), &["aply"]);
    assert_eq!(unknown.status.code(), Some(2));
    let completions = stdout(&portcullis(folder.path(), &["completions", "bash"]));
    assert!(completions.contains("portcullis"));
}

#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    let folder = folder();
    let mut check = command(folder.path(), &["check", "portcullis.toml"]);
    check.stdout(std::process::Stdio::piped());
    check.stderr(std::process::Stdio::piped());
    let mut child = check.spawn().expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_file_that_is_not_there_makes_no_store() {
    let folder = folder();
    let told = stderr(&portcullis(
        folder.path(),
        &["key", "list", "--config", "petstor.yaml"],
    ));
    assert!(told.contains("petstor.yaml"), "{told}");
    assert!(!folder.path().join("portcullis-data").exists());
}

#[test]
fn a_key_from_the_environment_leaves_the_folder_to_be_made() {
    let folder = folder();
    let file = format!("data_dir = \"new/data\"\n[storage]\nmaster_key_env = \"MASTER\"\n{FILE}");
    std::fs::write(folder.path().join("portcullis.toml"), file).expect("a file");
    let key = master_key(folder.path());
    let mut apply = command(folder.path(), &["apply", "--yes"]);
    apply.env("MASTER", key);
    stdout(&apply.output().expect("the program starts"));
    assert!(folder.path().join("new/data/portcullis.db").exists());
}

/// Makes a master key by another start.
fn master_key(folder: &Path) -> String {
    let arguments = ["apply", "--yes", "--data-dir", "first"];
    let file = folder.join("first.toml");
    std::fs::write(&file, FILE).expect("a file");
    let file = file.display().to_string();
    stdout(&portcullis(folder, &[&arguments[..], &[&file]].concat()));
    let key = std::fs::read_to_string(folder.join("first/master.key")).expect("a key");
    key.trim().to_owned()
}
