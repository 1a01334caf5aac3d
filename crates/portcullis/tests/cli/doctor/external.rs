//! What the doctor finds where clients bring the tokens of a provider's own authorization server.

use super::*;

const METADATA: &str = "/.well-known/oauth-authorization-server";

const REPUBLISHED: &str = "/.well-known/oauth-authorization-server/petstore/mcp";

/// A provider that registers clients itself, and a folder with a toolset for its tokens.
fn outside(settings: &str) -> (Exchange, TempDir) {
    let provider = Exchange::start(|_| Reply::json(404, &json!({})));
    let issuer = issuer(&provider);
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "registration_endpoint": format!("{issuer}/register"),
        "introspection_endpoint": format!("{issuer}/introspect"),
        "scopes_supported": ["pets", "offline_access"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
    });
    let folder = folder();
    write(folder.path(), "acme.json", &document.to_string());
    write(
        folder.path(),
        "portcullis.toml",
        &format!(
            "
[upstream]
allow = [\"{issuer}\"]

[manifests.acme]
file = \"acme.json\"
validation = \"introspection\"
client_id = \"us\"
client_secret_env = \"PETSTORE_API_KEY\"
{settings}

[documents.petstore]
file = \"petstore.yaml\"

[toolsets.petstore]
documents = [\"petstore\"]
inbound = [\"external\"]
manifest = \"acme\"
"
        ),
    );
    provider.answer_by(move |asked| {
        let status = if asked.is(METADATA) { 200 } else { 400 };
        Reply::json(status, &document).with("access-control-allow-origin", "*")
    });
    (provider, folder)
}

#[test]
fn a_toolset_for_a_providers_own_tokens_has_nothing_wrong() {
    let (provider, folder) = outside("");
    let behind = Behind::start(folder.path());
    let public_url = behind.public_url();
    let arguments = ["doctor", "--public-url", &public_url];
    let told = stdout(&portcullis(folder.path(), &arguments));
    for expected in [
        format!("the resource is {public_url}/petstore/mcp [resource]"),
        "is told where to sign in [challenge]".to_owned(),
        "which are judged by asking the provider; tools are called with the environment's credentials".to_owned(),
        format!("manifest acme at {public_url}/petstore/mcp\n"),
        format!("the provider serves it at {}{METADATA} [served]", issuer(&provider)),
        "\nnothing is wrong\n".to_owned(),
    ] {
        assert!(told.contains(&expected), "{expected}\n{told}");
    }
    assert!(!told.contains("[registration]") && !told.contains("canary"));
    behind.change(RESOURCE, |reply| {
        reply.writing(
            "\"authorization_servers\":[\"http:",
            "\"authorization_servers\":[\"https:",
        )
    });
    let (content, findings) = examine(folder.path(), &public_url);
    assert!(!content);
    let expected = ("toolset authorization_servers wrong", "names other");
    assert_amiss(&findings, &[expected]);
}

#[test]
fn a_manifest_that_is_served_again_is_looked_at_where_it_is_served() {
    let (provider, folder) = outside("republish = true");
    provider.answer_by(|_| Reply::json(400, &json!({})).with("access-control-allow-origin", "*"));
    let behind = Behind::start(folder.path());
    let (content, findings) = examine(folder.path(), &behind.public_url());
    assert!(content, "{findings:#?}");
    let is_seen = |it: &String| it.starts_with("toolset republished good");
    assert!(findings.iter().any(is_seen), "{findings:#?}");
    behind.change(REPUBLISHED, |_| Reply::json(404, &json!({})));
    let (content, findings) = examine(folder.path(), &behind.public_url());
    assert!(!content);
    let expected = ("toolset republished wrong", "status 404");
    assert_amiss(&findings, &[expected]);
}

#[test]
fn what_the_provider_no_longer_offers_is_wrong() {
    let (provider, folder) = outside("");
    provider.answer_by(|_| Reply::json(404, &json!({})).with("access-control-allow-origin", "*"));
    let behind = Behind::start(folder.path());
    let (content, findings) = examine(folder.path(), &behind.public_url());
    assert!(!content);
    let expected = ("manifest served wrong", "would find nothing at the issuer");
    assert_amiss(&findings, &[expected]);
}
