//! Whether what the files say of a manifest is what the gateway serves.
//!
//! A configuration that was read is not yet one that is published: its objects may not fit what else is stored.

use portcullis_base::{Digest, Slug};
use portcullis_store::Inbound;

use crate::catalogue::Catalogue;
use crate::config::Configuration;
use crate::upstream::external::ResolvedManifest;

/// Tells whether every toolset that is attached to a manifest is served as `wanted` has it.
pub(super) fn is_published(catalogue: &Catalogue, wanted: &Configuration, manifest: &Slug) -> bool {
    let Some(digest) = digest(wanted, manifest) else {
        return false;
    };
    let toolsets = wanted.objects.toolsets.iter();
    let mut attached = toolsets.filter(|(_, it)| {
        it.manifest.as_ref() == Some(manifest) && it.inbound.contains(&Inbound::External)
    });
    attached.all(|(slug, toolset)| {
        let published = catalogue.toolsets.get(slug.as_str());
        published.is_some_and(|it| {
            let external = it.external.as_ref();
            it.inbound == toolset.inbound
                && external.is_some_and(|external| external.manifest.digest == digest)
        })
    })
}

/// Tells whether two configurations say the same of a manifest.
pub(super) fn is_same(one: &Configuration, other: &Configuration, manifest: &Slug) -> bool {
    let one = digest(one, manifest);
    one.is_some() && one == digest(other, manifest)
}

fn digest(configuration: &Configuration, manifest: &Slug) -> Option<Digest> {
    let object = configuration.objects.manifests.get(manifest)?;
    let secret = object.client_secret.as_ref();
    let resolved = ResolvedManifest::new(manifest, &object.content, &object.settings, secret);
    resolved.ok().map(|it| it.digest)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::config::Overrides;

    const FILES: [(&str, &str); 3] = [
        (
            "portcullis.toml",
            r#"
[manifests.acme]
file = "acme.json"
validation = "jwt"

[documents.pets]
file = "pets.yaml"

[toolsets.pets]
documents = ["pets"]
inbound = ["external"]
manifest = "acme"
"#,
        ),
        (
            "acme.json",
            r#"{"issuer": "https://login.acme.example", "authorization_endpoint": "https://login.acme.example/authorize", "token_endpoint": "https://login.acme.example/token", "jwks_uri": "https://login.acme.example/keys", "response_types_supported": ["code"]}"#,
        ),
        (
            "pets.yaml",
            "openapi: 3.1.0\ninfo: { title: Pets, version: '1' }\nservers: [{ url: https://pets.example }]\npaths: { /pets: { get: { operationId: listPets, responses: { '200': { description: ok } } } } }\n",
        ),
    ];

    #[test]
    fn what_was_read_and_not_published_is_not_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in FILES {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let path = folder.path().join("portcullis.toml");
        let read = Configuration::load(&path, Overrides::default(), HashMap::new()).unwrap();
        let [acme, other] = ["acme", "other"].map(|slug| Slug::parse(slug).unwrap());
        assert!(is_same(&read, &read, &acme));
        assert!(!is_published(&Catalogue::default(), &read, &acme));
        assert!(!is_same(&read, &read, &other));
    }
}
