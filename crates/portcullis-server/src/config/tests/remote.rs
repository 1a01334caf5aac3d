//! Documents that come from a URL, as the file describes them.

use portcullis_base::Slug;
use portcullis_store::{ChangePolicy, RemoteSettings};

use super::*;

const URL: &str = "https://api.example/openapi.json";

fn with(rest: &str) -> String {
    format!("[documents.petstore]\n{rest}\n")
}

#[test]
fn what_is_said_of_a_url_is_read_and_its_content_is_handed_in() {
    let slug = Slug::parse("petstore").expect("a slug");
    for (rest, changes, refresh_seconds) in [
        ("", ChangePolicy::Warn, 3_600),
        ("changes = \"pin\"", ChangePolicy::Pin, 3_600),
        (
            "changes = \"follow\"\nrefresh_seconds = 60",
            ChangePolicy::Follow,
            60,
        ),
    ] {
        let toml = with(&format!("url = \"{URL}\"\n{rest}"));
        let folder = Folder::with(&[("portcullis.toml", &toml)]);
        let path = folder.path("portcullis.toml");
        let read = |remote| {
            Configuration::load_remote(&path, Overrides::default(), HashMap::new(), remote)
        };
        let (_, documents) =
            Configuration::remote_documents(&path, Overrides::default(), HashMap::new())
                .expect("in order");
        let settings = RemoteSettings {
            changes,
            refresh_seconds,
        };
        assert_eq!(documents.len(), 1);
        assert_eq!(documents[0].settings, settings);
        let mut remote = RemoteContents::default();
        let bytes: Arc<[u8]> = PETSTORE.as_bytes().into();
        remote.add(slug.clone(), URL, Ok(bytes.into()));
        let configuration = read(remote).expect("in order");
        let object = &configuration.objects.documents[&slug];
        assert_eq!(
            (object.source.as_str(), object.remote),
            (URL, Some(settings))
        );
        let unfetched = read(RemoteContents::default()).expect_err("refused");
        let told = unfetched.problems()[0].to_string();
        assert_eq!(told, format!("cannot fetch `{URL}`: nobody has fetched it"));
    }
}

#[test]
fn a_content_that_was_let_go_is_kept_by_nobody_and_its_tools_are_known_still() {
    let toml = with(&format!("url = \"{URL}\""));
    let folder = Folder::with(&[("portcullis.toml", &toml)]);
    let path = folder.path("portcullis.toml");
    let slug = Slug::parse("petstore").expect("a slug");
    let bytes: Arc<[u8]> = PETSTORE.as_bytes().into();
    let mut remote = RemoteContents::default();
    remote.add(slug.clone(), URL, Ok(Arc::clone(&bytes).into()));
    let read =
        Configuration::load_remote(&path, Overrides::default(), HashMap::new(), remote.clone());
    let mut configuration = read.expect("in order");
    drop(remote);
    configuration.let_contents_go();
    assert_eq!(Arc::strong_count(&bytes), 1);
    let again = configuration.with_text(&toml).expect("in order");
    let compiled = |it: &Configuration| Arc::clone(&it.objects.documents[&slug].compiled);
    assert!(Arc::ptr_eq(&compiled(&configuration), &compiled(&again)));
}

#[test]
fn what_cannot_be_said_of_a_url_is_refused() {
    for (rest, expected) in [
        (
            "",
            "petstore | the document `petstore` has neither a file nor a URL",
        ),
        (
            "file = \"petstore.json\"\nurl = \"https://api.example/openapi.json\"",
            "\"https://api.example/openapi.json\" | a document has either a `file` or a `url`",
        ),
        (
            "file = \"petstore.json\"\nchanges = \"warn\"",
            "\"warn\" | `changes` is for documents that come from a `url`",
        ),
        (
            "file = \"petstore.json\"\nrefresh_seconds = 60",
            "60 | `refresh_seconds` is for documents that come from a `url`",
        ),
        (
            "url = \"ftp://api.example\"",
            "\"ftp://api.example\" | `ftp://api.example` cannot be used here",
        ),
    ] {
        let found = fault(&with(rest));
        assert!(found.starts_with(expected), "{found}");
    }
    for (rest, expected) in [
        (
            "changes = \"folow\"",
            "\"folow\" | `folow` is nothing that can become of a change | did you mean `follow`?",
        ),
        (
            "refresh_seconds = 5",
            "5 | 5 is out of range | choose between 60 and 31536000",
        ),
    ] {
        let found = faults(&with(&format!("url = \"{URL}\"\n{rest}")));
        let (at, message, advice) = &found[0];
        assert_eq!(format!("{at} | {message} | {advice}"), expected);
    }
}
