//! The table of the configuration file that a manifest is described in, for the operator to complete.

use portcullis_base::{SafeUrl, Slug};
use portcullis_oauth::manifest::Manifest;

/// Makes a name for a manifest of the provider's own; none where its issuer gives none away.
///
/// It is the part of the host that people know the provider by, such as `acme` of `https://login.acme.example`.
#[must_use]
pub fn name(manifest: &Manifest) -> Option<Slug> {
    let issuer = SafeUrl::parse(manifest.issuer()).ok()?;
    let mut labels = issuer.as_url().domain()?.rsplit('.');
    let last = labels.next()?;
    Slug::nearest(labels.next().unwrap_or(last))
}

/// Writes the table `[manifests.…]` of a manifest in `file`, judged by the best means that the provider offers.
#[must_use]
pub fn table(slug: &Slug, file: &str, manifest: &Manifest) -> String {
    let mut lines = vec![
        format!("[manifests.{slug}]"),
        format!("file = {}", toml::Value::from(file)),
    ];
    lines.extend(validation(manifest).iter().map(|line| (*line).to_owned()));
    lines.push(String::new());
    lines.join("\n")
}

/// Tells whether the table of a manifest needs nothing that only the operator knows.
#[must_use]
pub fn is_complete(manifest: &Manifest) -> bool {
    manifest.text("jwks_uri").is_some()
}

fn validation(manifest: &Manifest) -> &'static [&'static str] {
    if is_complete(manifest) {
        return &["validation = \"jwt\""];
    }
    if manifest.text("introspection_endpoint").is_some() {
        return &[
            "validation = \"introspection\"",
            "# The client id and the secret of Portcullis's own registration at the provider, which may ask about tokens.",
            "client_id = \"…\"",
            "client_secret_file = \"…\"",
        ];
    }
    &[
        "# The provider says of no way to judge tokens: name a request whose answer tells whom a token is for.",
        "validation = \"probe\"",
        "probe = { url = \"…\", audience = \"/aud\", accepted = [\"…\"] }",
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn manifest(issuer: &str, members: &Value) -> Manifest {
        let mut document = json!({"issuer": issuer});
        for (name, value) in members.as_object().unwrap() {
            document[name] = value.clone();
        }
        Manifest::parse(document.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_manifest_is_called_as_its_provider() {
        for (issuer, expected) in [
            ("https://login.acme.example/mcp", Some("acme")),
            ("https://acme.example", Some("acme")),
            ("http://localhost:8080", Some("localhost")),
            ("http://127.0.0.1:8080", None),
            ("https://123.example", None),
        ] {
            let slug = name(&manifest(issuer, &json!({})));
            assert_eq!(slug.as_ref().map(Slug::as_str), expected, "{issuer}");
        }
    }

    #[test]
    fn tokens_are_judged_by_the_best_means_there_is() {
        let of = |members: &Value| {
            let manifest = manifest("https://as.example", members);
            let slug = Slug::parse("acme").unwrap();
            table(&slug, "a \"b\".json", &manifest)
        };
        let keys = json!({"jwks_uri": "https://as.example/keys", "introspection_endpoint": "x"});
        insta::assert_snapshot!(of(&keys), @r#"
        [manifests.acme]
        file = 'a "b".json'
        validation = "jwt"
        "#);
        let asked = of(&json!({"introspection_endpoint": "https://as.example/introspect"}));
        assert!(
            asked.contains("validation = \"introspection\"\n"),
            "{asked}"
        );
        let tried = of(&json!({}));
        assert!(tried.contains("validation = \"probe\"\n"), "{tried}");
        for table in [asked, tried] {
            assert!(toml::from_str::<toml::Table>(&table).is_ok(), "{table}");
        }
    }
}
