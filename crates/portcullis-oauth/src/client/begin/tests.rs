//! Authorization requests as they leave.

use portcullis_base::Rng;
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::client::fixtures::{discovered, plain, ready};
use crate::client::provider::ProviderOverrides;

struct Fixed;
impl Rng for Fixed {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

fn sent(ready: &ReadyProvider, purpose: SignInPurpose, scopes: &str) -> String {
    let nonce = Secret::new("n-1".to_owned());
    begin(
        ready,
        &SignInRequest {
            purpose,
            redirect_uri: "https://gw.example/callback/acme",
            scopes: &Scopes::parse(scopes).unwrap(),
            state: &Plain::new(&Fixed),
            challenge: &CodeChallenge::of(&nonce),
            nonce: &nonce,
            resource: Some("https://api.example/"),
        },
    )
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    let found: Vec<_> = url
        .query_pairs()
        .filter(|(found, _)| found == name)
        .collect();
    assert!(found.len() < 2, "{name} stands twice in {url}");
    found.first().map(|(_, value)| value.clone().into_owned())
}

fn with(mut profile: Value, members: &Value) -> ReadyProvider {
    for (name, value) in members.as_object().unwrap() {
        profile[name] = value.clone();
    }
    ready(profile, &ProviderOverrides::default())
}

#[test]
fn a_request_says_what_it_must_and_no_more() {
    let ready = ready(plain(), &ProviderOverrides::default());
    let url = sent(&ready, SignInPurpose::Tokens, "write read");
    let state = Plain::<UpstreamState>::new(&Fixed);
    let challenge = CodeChallenge::of(&Secret::new("n-1".to_owned()));
    assert_eq!(
        url,
        format!(
            "https://acme.example/authorize?response_type=code&client_id=our%20client\
             &redirect_uri=https%3A%2F%2Fgw.example%2Fcallback%2Facme&state={}\
             &scope=read%20write&code_challenge={}&code_challenge_method=S256",
            state.expose(),
            challenge.as_str()
        )
    );
}

#[test]
fn openid_connect_gets_a_nonce_and_its_scopes() {
    let url = sent(
        &discovered(&json!({})),
        SignInPurpose::Tokens,
        "read openid",
    );
    assert_eq!(parameter(&url, "nonce").as_deref(), Some("n-1"));
    assert_eq!(
        parameter(&url, "scope").as_deref(),
        Some("openid email read offline_access")
    );
    let without = discovered(&json!({"scopes_supported": ["openid", "email"]}));
    let url = sent(&without, SignInPurpose::Tokens, "");
    assert_eq!(parameter(&url, "scope").as_deref(), Some("openid email"));
}

#[test]
fn a_sign_in_for_the_identity_asks_for_nothing_else() {
    let members = json!({
        "offline_parameters": {"access_type": "offline"},
        "scopes": {"identity": ["openid"], "offline": "offline_access"}
    });
    let ready = with(plain(), &members);
    let url = sent(&ready, SignInPurpose::Identity, "read");
    assert_eq!(parameter(&url, "scope").as_deref(), Some("openid"));
    assert_eq!(parameter(&url, "access_type"), None);
    let url = sent(&ready, SignInPurpose::Tokens, "read");
    assert_eq!(parameter(&url, "access_type").as_deref(), Some("offline"));
}

#[test]
fn scopes_go_out_in_the_providers_words_only() {
    let members =
        json!({"scopes": {"separator": ",", "map": {"read": "things.read"}, "prefix": "x/"}});
    let url = sent(
        &with(plain(), &members),
        SignInPurpose::Tokens,
        "read write",
    );
    assert_eq!(
        parameter(&url, "scope").as_deref(),
        Some("things.read,x/write")
    );
}

#[test]
fn the_resource_goes_out_only_where_the_profile_says_so() {
    let url = sent(&with(plain(), &json!({})), SignInPurpose::Tokens, "");
    assert_eq!(parameter(&url, "resource"), None);
    let forwarding = with(plain(), &json!({"forward_resource": true}));
    let url = sent(&forwarding, SignInPurpose::Tokens, "");
    assert_eq!(
        parameter(&url, "resource").as_deref(),
        Some("https://api.example/")
    );
}

#[test]
fn further_parameters_never_replace_our_own() {
    let mut profile = plain();
    profile["authorization_parameters"] = json!({"prompt": "consent", "audience": "a"});
    profile["pkce"] = json!(false);
    let overrides = ProviderOverrides {
        parameters: [("prompt".to_owned(), "login".to_owned())].into(),
        ..ProviderOverrides::default()
    };
    let url = sent(&ready(profile, &overrides), SignInPurpose::Tokens, "");
    assert_eq!(parameter(&url, "prompt").as_deref(), Some("login"));
    assert_eq!(parameter(&url, "audience").as_deref(), Some("a"));
    assert_eq!(parameter(&url, "code_challenge"), None);
    assert_eq!(parameter(&url, "scope"), None);
}

#[test]
fn a_query_of_the_endpoint_stays_as_it_is() {
    for (endpoint, begins) in [
        (
            "https://a.example/x?p=b%2Fc",
            "https://a.example/x?p=b%2Fc&response_type=code&",
        ),
        (
            "https://a.example/x?",
            "https://a.example/x?response_type=code&",
        ),
    ] {
        let mut profile = plain();
        profile["endpoints"]["authorization"] = json!(endpoint);
        let ready = ready(profile, &ProviderOverrides::default());
        let url = sent(&ready, SignInPurpose::Tokens, "");
        assert!(url.starts_with(begins), "{url}");
    }
}

#[test]
fn a_rule_about_organisations_asks_for_the_scope_that_lists_them() {
    let mut profile = plain();
    profile["organisations"] =
        json!({"below_userinfo": "/orgs", "name": "/login", "scope": "read:org"});
    let overrides = ProviderOverrides {
        allow: vec!["org:acme".to_owned()],
        ..ProviderOverrides::default()
    };
    let ready = ready(profile, &overrides);
    let url = sent(&ready, SignInPurpose::Identity, "");
    assert_eq!(parameter(&url, "scope").as_deref(), Some("read:org"));
}
