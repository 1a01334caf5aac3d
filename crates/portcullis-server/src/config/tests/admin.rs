//! The token of the admin API.

use super::*;

const TABLE: &str = "[admin]\ntoken_env = \"KEY\"\n";

fn read(toml: &str, token: &str) -> Result<Configuration, String> {
    let folder = Folder::with(&[
        ("portcullis.toml", toml),
        ("petstore.json", PETSTORE),
        ("token", &format!("{token}\n")),
    ]);
    let process = [("KEY", token), ("OTHER", "x")];
    let process = process.map(|(name, value)| (name.to_owned(), Secret::new(value.to_owned())));
    let path = folder.path("portcullis.toml");
    let read = Configuration::load(&path, Overrides::default(), HashMap::from(process));
    read.map_err(|error| {
        let problems = error.problems().iter();
        let lines: Vec<String> = problems
            .map(|it| format!("{it} | {}", it.advice()))
            .collect();
        lines.join("\n")
    })
}

#[test]
fn a_02_a_token_is_long_and_only_its_digest_is_kept() {
    let token = "0123456789abcdef0123456789abcdef";
    let expected = Some(portcullis_base::Digest::of(token.as_bytes()));
    let file = TABLE.replace("token_env = \"KEY\"", "token_file = \"token\"");
    for toml in [TABLE, &file] {
        let read = read(toml, token).expect("in order");
        assert_eq!(read.settings.admin, expected);
        assert!(!format!("{:?}", read.settings).contains(token));
    }
    assert_eq!(read("", token).expect("in order").settings.admin, None);
    for weak in [
        &token[1..],
        "0123456789abcdef 0123456789abcdef",
        "äääääääääääääääääääääääääääääääääää",
    ] {
        let told = read(TABLE, weak).expect_err("refused");
        assert!(
            told.contains("the token must have 32 visible ASCII characters"),
            "{told}"
        );
    }
    let twice = format!("{TABLE}token_file = \"token\"\n");
    let told = read(&twice, token).expect_err("refused");
    assert!(
        told.contains("keep one of `token_file` and `token_env`"),
        "{told}"
    );
}

#[test]
fn a_09_the_token_does_not_travel_in_the_clear() {
    let token = "0123456789abcdef0123456789abcdef";
    for (listen, is_refused) in [
        ("localhost:0", false),
        ("[::1]:0", false),
        ("0.0.0.0:0", true),
        ("192.0.2.1:8401", true),
        ("[::]:0", true),
    ] {
        let toml = format!("[listener]\noperations_listen = [\"{listen}\"]\n{TABLE}");
        let told = read(&toml, token).err().unwrap_or_default();
        assert_eq!(
            told.contains("would travel in the clear"),
            is_refused,
            "{listen}: {told}"
        );
    }
}
