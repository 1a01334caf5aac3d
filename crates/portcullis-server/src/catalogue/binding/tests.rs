//! Which schemes are bound, and what people then sign in for.

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis_base::{Digest, DocumentId, ProviderId, Timestamp, ToolsetId};
use portcullis_store::{
    AnswerSettings, Document, DocumentSettings, Inbound, Owner, ProviderSettings, Selection,
    Snapshot, Toolset, ToolsetDocument, UpstreamProvider,
};
use serde_json::{Value, json};

use super::*;
use crate::ambient::SystemRng;
use crate::catalogue::{Catalogue, CatalogueError, PublishedToolset};
use crate::compiled::KnownDocuments;
use crate::upstream::credentials::needed_scopes;
use crate::upstream::providers::catalogue::resolve;

const NOW: Timestamp = Timestamp::from_millis(0);

const GITHUB: &str = "https://github.com/login/oauth/authorize";

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

fn provider(name: &str, settings: ProviderSettings) -> UpstreamProvider {
    UpstreamProvider {
        id: ProviderId::new(NOW, &SystemRng),
        slug: slug(name),
        owner: Owner::File,
        settings,
        client_secret: None,
        updated_at: NOW,
    }
}

fn github() -> UpstreamProvider {
    let settings = ProviderSettings {
        profile: "github".to_owned(),
        client_id: "us".to_owned(),
        ..ProviderSettings::default()
    };
    provider("github", settings)
}

fn openid() -> UpstreamProvider {
    let settings = ProviderSettings {
        profile: "oidc".to_owned(),
        client_id: "us".to_owned(),
        issuer: Some("https://as.example/one".to_owned()),
        ..ProviderSettings::default()
    };
    provider("login", settings)
}

fn oauth2(flow: &str, url: &str) -> Value {
    json!({"type": "oauth2", "flows": {flow: {
        "authorizationUrl": url, "tokenUrl": "https://as.example/token",
        "scopes": {"repo": " Everything in repositories. ", "user": "", "gist": "Gists."}
    }}})
}

/// A document as it is stored, and what it says.
struct Described {
    stored: Document,
    content: Vec<u8>,
}

/// Compiles what documents say.
fn compiled(documents: &[Described]) -> KnownDocuments {
    let nothing = KnownDocuments::default();
    let compile = |it: &Described| nothing.document(it.stored.digest, &it.content).unwrap();
    documents.iter().map(compile).collect()
}

/// A store that holds one document, at whose toolset people sign in at GitHub.
fn holding(document: Described, providers: Vec<UpstreamProvider>) -> (Snapshot, KnownDocuments) {
    let documents = [document];
    let known = compiled(&documents);
    let snapshot = Snapshot {
        toolsets: vec![toolset(&documents, &[Inbound::OAuth], Some("github"))],
        documents: documents.map(|it| it.stored).into(),
        providers,
        ..Snapshot::default()
    };
    (snapshot, known)
}

/// Describes an API whose operations have these alternatives, in this order.
fn described(name: &str, schemes: &Value, security: &[Value]) -> Described {
    let paths: serde_json::Map<String, Value> = security
        .iter()
        .enumerate()
        .map(|(at, security)| {
            let operation = json!({"operationId": format!("op{at}"), "security": security});
            (format!("/{at}"), json!({"get": operation}))
        })
        .collect();
    let document = json!({
        "openapi": "3.1.0", "info": {"title": name, "version": "1"},
        "servers": [{"url": "https://api.github.com"}],
        "paths": paths, "components": {"securitySchemes": schemes}
    });
    let content = document.to_string().into_bytes();
    let stored = Document {
        id: DocumentId::new(NOW, &SystemRng),
        slug: slug(name),
        owner: Owner::File,
        source: name.to_owned(),
        digest: Digest::of(&content),
        names: None,
        waiting: None,
        remote: None,
        schemes: BTreeMap::new(),
        settings: DocumentSettings::default(),
        updated_at: NOW,
    };
    Described { stored, content }
}

/// Describes an API of which the document says nothing but `security` where it stands here, and what the operator says.
fn silent(whole: &Value, own: &Value, settings: DocumentSettings) -> Described {
    let mut document = described("quiet", &json!({}), &[]);
    let mut content: Value = serde_json::from_slice(&document.content).unwrap();
    let mut operation = json!({"operationId": "spoken"});
    operation["security"] = own.clone();
    content["paths"]["/silent"]["get"] = json!({"operationId": "silent"});
    content["paths"]["/spoken"]["get"] = operation;
    if !whole.is_null() {
        content["security"] = whole.clone();
    }
    document.content = content.to_string().into_bytes();
    document.stored.digest = Digest::of(&document.content);
    document.stored.settings = settings;
    document
}

fn of_github(scopes: &[&str]) -> DocumentSettings {
    DocumentSettings {
        provider: Some("github".to_owned()),
        scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        origins: Vec::new(),
    }
}

fn toolset(documents: &[Described], inbound: &[Inbound], provider: Option<&str>) -> Toolset {
    let part = |document: &Described| ToolsetDocument {
        document: document.stored.slug.clone(),
        select: Selection::default(),
    };
    Toolset {
        id: ToolsetId::new(NOW, &SystemRng),
        slug: slug("tools"),
        owner: Owner::File,
        title: None,
        instructions: None,
        documents: documents.iter().map(part).collect(),
        dynamic: false,
        answers: AnswerSettings::default(),
        environment: None,
        inbound: inbound.iter().copied().collect(),
        provider: provider.map(slug),
        manifest: None,
        caller_supplied: BTreeSet::new(),
        lifetimes: OwnLifetimes::default(),
        updated_at: NOW,
    }
}

fn build(
    documents: Vec<Described>,
    inbound: &[Inbound],
    provider: Option<&str>,
) -> Result<Arc<PublishedToolset>, CatalogueError> {
    let known = compiled(&documents);
    let snapshot = Snapshot {
        toolsets: vec![toolset(&documents, inbound, provider)],
        documents: documents.into_iter().map(|it| it.stored).collect(),
        providers: vec![github(), openid()],
        ..Snapshot::default()
    };
    let catalogue = Catalogue::build(&snapshot, &Catalogue::default(), &known);
    catalogue.map(|it| Arc::clone(&it.toolsets["tools"]))
}

/// Publishes documents for people who sign in at GitHub.
fn published(documents: Vec<Described>) -> Arc<PublishedToolset> {
    build(documents, &[Inbound::OAuth], Some("github")).unwrap()
}

fn settings(set: impl FnOnce(&mut SchemeSettings)) -> SchemeSettings {
    let mut settings = SchemeSettings::default();
    set(&mut settings);
    settings
}

/// Returns the provider that a lone scheme is bound to.
fn bound_to(
    scheme: &Value,
    settings: Option<SchemeSettings>,
    provider: &UpstreamProvider,
) -> Option<String> {
    let described = described("api", &json!({"s": scheme}), &[]);
    let compiled = KnownDocuments::default();
    let compiled = compiled.document(described.stored.digest, &described.content);
    let settings = settings.map(|settings| ("s".to_owned(), settings));
    let settings = settings.into_iter().collect();
    let document = PublishedDocument::new(slug("api"), &compiled.unwrap(), settings);
    let resolved = resolve(provider).unwrap();
    bound_provider(&document, "s", Home::Provider(&resolved), Company::Alone)
        .map(ToString::to_string)
}

#[test]
fn a_scheme_is_bound_by_itself_where_it_names_the_providers_urls() {
    let named = Some("github".to_owned());
    for (scheme, expected) in [
        (oauth2("authorizationCode", GITHUB), &named),
        (oauth2("implicit", GITHUB), &named),
        (oauth2("clientCredentials", GITHUB), &None),
        (oauth2("password", GITHUB), &None),
        (
            oauth2(
                "authorizationCode",
                "https://evil.example/login/oauth/authorize",
            ),
            &None,
        ),
        (json!({"type": "http", "scheme": "bearer"}), &None),
    ] {
        assert_eq!(&bound_to(&scheme, None, &github()), expected, "{scheme}");
    }
    let discovered = |issuer: &str| {
        let url = format!("https://as.example/{issuer}/.well-known/openid-configuration");
        json!({"type": "openIdConnect", "openIdConnectUrl": url})
    };
    assert_eq!(
        bound_to(&discovered("one"), None, &openid()).as_deref(),
        Some("login")
    );
    assert_eq!(bound_to(&discovered("two"), None, &openid()), None);
    let below = oauth2("authorizationCode", "https://as.example/one/authorize");
    assert_eq!(bound_to(&below, None, &openid()).as_deref(), Some("login"));
}

#[test]
fn o_08_beside_others_a_document_gets_no_tokens_for_servers_that_are_not_the_providers() {
    let bound = |server: &str, settings: Option<SchemeSettings>, company| {
        let scheme = oauth2("authorizationCode", GITHUB);
        let described = described("api", &json!({"s": scheme}), &[json!([{"s": []}])]);
        let content = String::from_utf8(described.content).unwrap();
        let content = content.replace("https://api.github.com", server);
        assert!(content.contains(server), "{content}");
        let digest = Digest::of(content.as_bytes());
        let compiled = KnownDocuments::default().document(digest, content.as_bytes());
        let settings = settings.map(|settings| ("s".to_owned(), settings));
        let settings = settings.into_iter().collect();
        let document = PublishedDocument::new(slug("api"), &compiled.unwrap(), settings);
        let github = resolve(&github()).unwrap();
        bound_provider(&document, "s", Home::Provider(&github), company).is_some()
    };
    for (server, others) in [
        ("https://api.github.com", true),
        ("https://github.com:8443/api", true),
        ("https://api.weather.example", false),
        ("https://evilgithub.com", false),
        ("https://github.com.evil.example", false),
    ] {
        assert!(bound(server, None, Company::Alone), "{server}");
        assert_eq!(bound(server, None, Company::Others), others, "{server}");
        let named = settings(|it| it.provider = Some("github".to_owned()));
        assert!(bound(server, Some(named), Company::Others), "{server}");
    }
}

#[test]
fn what_the_operator_says_of_a_scheme_counts_more_than_its_urls() {
    let to = |name: &str| Some(settings(|it| it.provider = Some(name.to_owned())));
    let elsewhere = || oauth2("authorizationCode", "https://elsewhere.example/authorize");
    let bearer = || json!({"type": "http", "scheme": "bearer"});
    let key = || json!({"type": "apiKey", "in": "header", "name": "k"});
    let ours = || oauth2("authorizationCode", GITHUB);
    let bound = |scheme: Value, settings: Option<SchemeSettings>| {
        bound_to(&scheme, settings, &github()).is_some()
    };
    assert!(bound(elsewhere(), to("github")));
    assert!(bound(bearer(), to("github")));
    assert!(!bound(key(), to("github")));
    assert!(!bound(ours(), to("login")));
    let origins = settings(|it| it.origins = vec!["https://up.example".to_owned()]);
    assert!(bound(ours(), Some(origins)));
    let client = settings(|it| it.resource = Some("https://api.example".to_owned()));
    assert!(!bound(ours(), Some(client.clone())));
    let both = SchemeSettings {
        provider: Some("github".to_owned()),
        ..client
    };
    assert!(bound(ours(), Some(both)));
}

#[test]
fn people_sign_in_for_what_the_tools_need_in_the_documents_words() {
    let schemes = json!({"github": oauth2("authorizationCode", GITHUB), "key": {
        "type": "apiKey", "in": "header", "name": "k"
    }});
    let security = [
        json!([{"github": ["user"]}, {"github": ["gist"]}]),
        json!([{"key": []}, {"github": ["repo", "offline_access", "a\"b"], "key": ["admin"]}]),
        json!([]),
    ];
    let other = json!({"other": oauth2("implicit", GITHUB), "elsewhere": oauth2(
        "authorizationCode", "https://elsewhere.example/authorize"
    )});
    let toolset = published(vec![
        described("one", &schemes, &security),
        described(
            "two",
            &other,
            &[json!([{"other": ["gist"], "elsewhere": ["secret"]}])],
        ),
    ]);
    let sign_in = toolset.sign_in.as_deref().unwrap();
    assert_eq!(sign_in.provider.as_str(), "github");
    assert_eq!(sign_in.scopes.to_string(), "gist repo user");
    assert!(sign_in.connects);
    let told: Vec<_> = sign_in.descriptions.iter().collect();
    let told: Vec<_> = told
        .iter()
        .map(|it| (it.0.as_str(), it.1.as_str()))
        .collect();
    let expected = [("gist", "Gists."), ("repo", "Everything in repositories.")];
    assert_eq!(told, expected);
}

#[test]
fn where_no_scheme_is_bound_people_only_say_who_they_are() {
    let key = json!({"key": {"type": "apiKey", "in": "header", "name": "k"}});
    let toolset = published(vec![described("one", &key, &[json!([{"key": []}])])]);
    let sign_in = toolset.sign_in.as_deref().unwrap();
    assert!(sign_in.scopes.is_empty() && !sign_in.connects);
    assert!(toolset.tools["op0"].bound.is_empty());
}

#[test]
fn a_bearer_scheme_connects_without_any_scope() {
    let bearer = json!({"token": {"type": "http", "scheme": "bearer"}});
    let mut document = described("one", &bearer, &[json!([{"token": ["admin"]}])]);
    let settings = settings(|it| it.provider = Some("github".to_owned()));
    document.stored.schemes = BTreeMap::from([("token".to_owned(), settings)]);
    let sign_in = published(vec![document]).sign_in.clone().unwrap();
    assert!(sign_in.connects && sign_in.scopes.is_empty());
}

#[test]
fn nothing_is_bound_where_nobody_signs_in() {
    let schemes = json!({"github": oauth2("authorizationCode", GITHUB)});
    let document = described("one", &schemes, &[json!([{"github": ["repo"]}])]);
    let toolset = build(vec![document], &[Inbound::ApiKey], None).unwrap();
    assert!(toolset.sign_in.is_none() && toolset.tools["op0"].bound.is_empty());
}

#[test]
fn a_toolset_without_its_provider_is_not_published() {
    for provider in [None, Some("absent")] {
        let built = build(Vec::new(), &[Inbound::OAuth], provider);
        assert!(matches!(built, Err(CatalogueError::UnknownProvider { .. })));
    }
}

#[test]
fn a_tool_needs_the_scopes_of_the_alternative_that_can_be_met() {
    let schemes = json!({"github": oauth2("authorizationCode", GITHUB), "key": {
        "type": "apiKey", "in": "header", "name": "k"
    }});
    let toolset = published(vec![described(
        "one",
        &schemes,
        &[
            json!([{"key": []}, {"github": ["repo", "user"]}, {"github": ["gist"]}]),
            json!([{}, {"github": ["repo"]}]),
            json!([{"key": []}]),
        ],
    )]);
    let github = slug("github");
    let needed = |tool: &str, granted: &str| {
        let granted = Scopes::parse(granted).unwrap();
        needed_scopes(&toolset.tools[tool], &github, &granted).to_string()
    };
    assert_eq!(needed("op0", ""), "repo user");
    assert_eq!(needed("op0", "repo"), "repo user");
    assert_eq!(needed("op0", "repo user gist"), "repo user");
    assert_eq!(needed("op0", "gist"), "gist");
    assert_eq!(needed("op1", ""), "");
    assert_eq!(needed("op1", "repo"), "repo");
    assert_eq!(needed("op2", ""), "");
    let other = slug("login");
    let none = needed_scopes(&toolset.tools["op0"], &other, &Scopes::default());
    assert!(none.is_empty());
}

#[test]
fn a_document_that_says_nothing_is_bound_where_the_operator_says_so() {
    let document = silent(&Value::Null, &json!([]), of_github(&["repo", "gist"]));
    let toolset = published(vec![document]);
    let github = slug("github");
    let tool = &toolset.tools["silent"];
    assert_eq!(tool.provider.as_ref(), Some(&github));
    let sign_in = toolset.sign_in.as_deref().unwrap();
    assert!(sign_in.connects);
    assert_eq!(sign_in.scopes.to_string(), "gist repo");
    assert!(sign_in.descriptions.is_empty());
    // The document does not say which of them a tool needs.
    let needed = needed_scopes(tool, &github, &Scopes::default());
    assert!(needed.is_empty());
}

#[test]
fn o_08_what_a_document_says_of_credentials_is_not_overruled() {
    let toolset = published(vec![silent(&Value::Null, &json!([]), of_github(&[]))]);
    assert_eq!(toolset.tools["spoken"].provider, None);
    let toolset = published(vec![silent(&json!([]), &json!([{}]), of_github(&["repo"]))]);
    let tools = toolset.tools.values();
    assert!(tools.into_iter().all(|tool| tool.provider.is_none()));
    let sign_in = toolset.sign_in.as_deref().unwrap();
    assert!(!sign_in.connects && sign_in.scopes.is_empty());
}

#[test]
fn o_08_a_document_is_bound_to_no_provider_but_the_one_that_people_sign_in_at() {
    let document = || silent(&Value::Null, &json!([]), of_github(&["repo"]));
    for (inbound, provider) in [
        (Inbound::OAuth, Some("login")),
        (Inbound::ApiKey, None),
        (Inbound::ApiKey, Some("github")),
    ] {
        let toolset = build(vec![document()], &[inbound], provider).unwrap();
        assert_eq!(toolset.tools["silent"].provider, None, "{inbound:?}");
        let connects = toolset.sign_in.as_ref().is_some_and(|it| it.connects);
        assert!(!connects, "{inbound:?}");
    }
    let unsaid = silent(&Value::Null, &json!([]), DocumentSettings::default());
    assert_eq!(published(vec![unsaid]).tools["silent"].provider, None);
}

#[test]
fn only_tools_that_are_published_ask_for_scopes() {
    let document = silent(&Value::Null, &json!([]), of_github(&["repo"]));
    let (mut snapshot, known) = holding(document, vec![github()]);
    snapshot.toolsets[0].documents[0].select.exclude = vec!["silent".to_owned()];
    let catalogue = Catalogue::build(&snapshot, &Catalogue::default(), &known).unwrap();
    let sign_in = catalogue.toolsets["tools"].sign_in.clone().unwrap();
    assert!(!sign_in.connects && sign_in.scopes.is_empty());
}

#[test]
fn what_is_newly_said_of_a_document_is_taken_up() {
    let document = silent(&Value::Null, &json!([]), DocumentSettings::default());
    let (mut snapshot, known) = holding(document, vec![github()]);

    let before = Catalogue::build(&snapshot, &Catalogue::default(), &known).unwrap();
    assert_eq!(before.toolsets["tools"].tools["silent"].provider, None);
    snapshot.documents[0].settings = of_github(&[]);
    let after = Catalogue::build(&snapshot, &before, &known).unwrap();
    assert!(after.toolsets["tools"].tools["silent"].provider.is_some());
}

#[test]
fn a_door_that_stands_open_to_the_world_is_told() {
    let told = |allow: &[&str]| {
        let document = silent(&Value::Null, &json!([]), of_github(&[]));
        let mut provider = github();
        provider.settings.allow = allow.iter().map(|&rule| rule.to_owned()).collect();
        let (snapshot, known) = holding(document, vec![provider]);

        let catalogue = Catalogue::build(&snapshot, &Catalogue::default(), &known).unwrap();
        catalogue.open_door(&catalogue.toolsets["tools"])
    };
    let warning = told(&[]).unwrap();
    assert!(
        warning.contains("an account at GitHub can sign in"),
        "{warning}"
    );
    assert_eq!(told(&["*"]), None);
    assert_eq!(told(&["org:acme"]), None);
}
