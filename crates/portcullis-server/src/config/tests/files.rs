//! Documents of several files, in a folder or an archive.

use std::io::Write as _;
use std::path::Path;

use super::*;

const ROOT: &str = "openapi: 3.0.0
info: {title: Pets, version: '1'}
paths:
  /pets: {get: {operationId: listPets, parameters: [{name: kind, in: query, schema: {$ref: models/kind.yml}}]}}
";
const KIND: &str = "type: string\n";

/// Writes files, and the folders that they are in.
fn write(folder: &Folder, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
}

fn remarks(configuration: &Configuration) -> Vec<String> {
    let documents = configuration.objects.documents.values();
    let all = documents.flat_map(|it| it.remarks.iter().chain(&it.compiled.diagnostics));
    all.map(|it| format!("{} {}", it.code, it.message))
        .collect()
}

fn problem(folder: &Folder, file: &str) -> String {
    let error = folder.load(file).expect_err("refused");
    let [problem] = error.problems() else {
        panic!("{:#?}", error.problems());
    };
    format!("{problem} | {}", problem.advice())
}

#[test]
fn the_files_of_a_document_are_read_and_watched() {
    let folder = Folder::with(&[]);
    write(
        &folder,
        &[("openapi.yaml", ROOT), ("models/kind.yml", KIND)],
    );
    let first = folder.load("openapi.yaml").expect("a configuration");
    assert_eq!(remarks(&first), Vec::<String>::new());
    let kind = folder
        .path("models/kind.yml")
        .canonicalize()
        .expect("a file");
    assert!(first.files.contains(&kind), "{:?}", first.files);
    let digest = |it: &Configuration| {
        it.objects
            .documents
            .values()
            .next()
            .map(|it| it.compiled.digest)
    };
    let again = first.reload().expect("a configuration");
    assert_eq!(digest(&again), digest(&first));
    write(&folder, &[("models/kind.yml", "type: integer\n")]);
    let changed = first.reload().expect("a configuration");
    assert_ne!(digest(&changed), digest(&first));
}

#[test]
fn a_file_that_comes_later_is_watched_as_well() {
    let folder = Folder::with(&[]);
    write(&folder, &[("openapi.yaml", ROOT)]);
    let read = folder.load("openapi.yaml").expect("a configuration");
    assert!(
        remarks(&read)[0].starts_with("missing-file the file `models/kind.yml` is not there: ")
    );
    assert!(
        read.files
            .iter()
            .any(|file| file.ends_with("models/kind.yml"))
    );
}

#[test]
fn s_07_links_and_paths_out_of_the_folder_are_not_followed() {
    let folder = Folder::with(&[]);
    let root = ROOT.replace("models/kind.yml", "../secret.yml");
    write(
        &folder,
        &[
            ("secret.yml", KIND),
            ("api/openapi.yaml", ROOT),
            ("api/up.yaml", &root),
        ],
    );
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(folder.path(target), folder.path(name)).expect("a link");
    };
    std::fs::create_dir(folder.path("api/models")).expect("a folder");
    link("secret.yml", "api/models/kind.yml");
    let read = folder.load("api/openapi.yaml").expect("a configuration");
    let said = "missing-file the file `models/kind.yml` is not there: a link leads out of the document's folder";
    assert_eq!(remarks(&read)[0], said);
    let read = folder.load("api/up.yaml").expect("a configuration");
    let said =
        "reference-outside `../secret.yml` leads out of the document's folder and is not followed";
    assert_eq!(remarks(&read)[0], said);
}

#[test]
fn a_folder_that_is_itself_a_link_is_the_folder() {
    let folder = Folder::with(&[]);
    write(
        &folder,
        &[
            ("..data/openapi.yaml", ROOT),
            ("..data/models/kind.yml", KIND),
        ],
    );
    for name in ["openapi.yaml", "models"] {
        let target = Path::new("..data").join(name);
        std::os::unix::fs::symlink(target, folder.path(name)).expect("a link");
    }
    let read = folder.load("openapi.yaml").expect("a configuration");
    assert_eq!(remarks(&read), Vec::<String>::new());
}

#[test]
fn the_operator_may_name_a_larger_folder() {
    let folder = Folder::with(&[]);
    let root = ROOT.replace("models/kind.yml", "../../models/kind.yml");
    let toml = |folder: &str| {
        format!("[documents.pets]\nfile = \"api/v1/openapi.yaml\"\nfolder = \"{folder}\"\n")
    };
    write(
        &folder,
        &[
            ("api/v1/openapi.yaml", &root),
            ("models/kind.yml", KIND),
            ("good.toml", &toml(".")),
            ("narrow.toml", &toml("api")),
            ("beside.toml", &toml("models")),
            ("nowhere.toml", &toml("nowhere")),
        ],
    );
    assert_eq!(
        remarks(&folder.load("good.toml").expect("a configuration")),
        Vec::<String>::new()
    );
    let narrow = remarks(&folder.load("narrow.toml").expect("a configuration"));
    assert!(narrow[0].starts_with("reference-outside "), "{narrow:?}");
    assert!(problem(&folder, "beside.toml").contains("is not below the folder"));
    assert!(problem(&folder, "nowhere.toml").contains("cannot read the folder"));
}

#[test]
fn an_archive_is_a_document_with_its_files() {
    let folder = Folder::with(&[]);
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let root = ROOT.replace("models/kind.yml", "../models/kind.yml");
    for (name, text) in [
        ("api/v1/a.yaml", &*root),
        ("api/v1/b.yaml", &root),
        ("api/models/kind.yml", KIND),
    ] {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(name, options).expect("a member");
        writer.write_all(text.as_bytes()).expect("a member");
    }
    let bytes = writer.finish().expect("an archive").into_inner();
    std::fs::write(folder.path("pets.zip"), bytes).expect("a file");
    write(
        &folder,
        &[
            (
                "named.toml",
                "[documents.pets]\nfile = \"pets.zip\"\nroot = \"api/v1/b.yaml\"\n",
            ),
            ("unnamed.toml", "[documents.pets]\nfile = \"pets.zip\"\n"),
            (
                "misplaced.toml",
                "[documents.pets]\nfile = \"named.toml\"\nroot = \"a.yaml\"\n",
            ),
        ],
    );
    let read = folder.load("named.toml").expect("a configuration");
    assert_eq!(remarks(&read), Vec::<String>::new());
    assert_eq!(
        read.objects
            .documents
            .values()
            .next()
            .expect("one")
            .compiled
            .tools
            .len(),
        1
    );
    let several = problem(&folder, "unnamed.toml");
    assert!(
        several.contains("several documents: `api/v1/a.yaml`, `api/v1/b.yaml`")
            && several.contains("`root`"),
        "{several}"
    );
    assert!(problem(&folder, "misplaced.toml").contains("is no archive"));
}
