//! Authorization requests, good and bad.

use portcullis_base::Timestamp;

use super::*;
use crate::issuer::client::{ApplicationType, TokenEndpointAuthMethod, VerifiedClientMetadata};
use crate::redirect_uri::PrivateUseSchemes;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn client(redirect_uris: &[&str], origin: ClientOrigin) -> Client {
    let schemes = PrivateUseSchemes::default();
    let redirect_uris = redirect_uris
        .iter()
        .map(|uri| RedirectUri::register(uri, &schemes).unwrap())
        .collect();
    Client {
        id: ClientId::parse("pc_client_1").unwrap(),
        origin,
        metadata: VerifiedClientMetadata {
            name: "Test".to_owned(),
            redirect_uris,
            auth_method: TokenEndpointAuthMethod::None,
            auth_method_defaulted: false,
            application_type: ApplicationType::Native,
            refreshes: true,
            scope: None,
            client_uri: None,
        },
        secret: None,
        remembers_consent: false,
        created_at: Timestamp::from_millis(0),
    }
}

/// The parameters of a good request, with some of them replaced, added or (by an empty value) taken out.
fn parameters(changed: &[(&str, &str)]) -> Parameters {
    let good = [
        ("client_id", "pc_client_1"),
        ("redirect_uri", "https://app.example/cb"),
        ("response_type", "code"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "a b&c"),
        ("resource", "https://mcp.example/pets/mcp"),
    ];
    let kept = good
        .iter()
        .filter(|(name, _)| !changed.iter().any(|(other, _)| other == name));
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in kept.chain(changed) {
        if !value.is_empty() {
            form.append_pair(name, value);
        }
    }
    Parameters::read(form.finish().as_bytes()).unwrap()
}

fn judge(client: &Client, changed: &[(&str, &str)]) -> Outcome {
    let public_url = Origin::parse("https://mcp.example").unwrap();
    let toolsets = [
        (
            Slug::parse("pets").unwrap(),
            Scopes::parse("read write").unwrap(),
        ),
        (
            Slug::parse("cars").unwrap(),
            Scopes::parse("drive").unwrap(),
        ),
    ];
    let policy = AuthorizationPolicy {
        public_url: &public_url,
        toolsets: &toolsets,
        trusted_redirect_hosts: &["Trusted.example".to_owned()],
    };
    authorize(&parameters(changed), Some(client), &policy)
}

fn web() -> Client {
    client(&["https://app.example/cb"], ClientOrigin::Dynamic)
}

fn refused(outcome: Outcome) -> Refused {
    match outcome {
        Outcome::Refused(refused) => refused,
        other => panic!("{other:?}"),
    }
}

fn pending(outcome: Outcome) -> AuthorizationRequest {
    match outcome {
        Outcome::Pending(request) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_good_request_is_kept_as_it_was_sent() {
    let request = pending(judge(&web(), &[("scope", "write nonsense")]));
    assert_eq!(request.redirect_uri, "https://app.example/cb");
    assert_eq!(request.state.as_deref(), Some("a b&c"));
    assert_eq!(request.toolset.unwrap().as_str(), "pets");
    assert_eq!(request.scopes.to_string(), "write");
}

#[test]
fn u_01_who_is_not_known_is_redirected_nowhere() {
    let policy_free = |changed: &[(&str, &str)]| judge(&web(), changed);
    for uri in [
        "https://app.example/cb/",
        "https://app.example/cb?x=1",
        "https://evil.example/cb",
        "https://app.example@evil.example/cb",
        "http://app.example/cb",
    ] {
        // The error that comes with it must not change that.
        let outcome = policy_free(&[("redirect_uri", uri), ("response_type", "token")]);
        assert_eq!(
            outcome,
            Outcome::Untrusted(Untrusted::OtherRedirectUri),
            "{uri}"
        );
    }
    let several = client(
        &["https://app.example/cb", "https://app.example/other"],
        ClientOrigin::Dynamic,
    );
    let outcome = judge(&several, &[("redirect_uri", "")]);
    assert_eq!(outcome, Outcome::Untrusted(Untrusted::NoRedirectUri));
    assert_eq!(
        client_of(&parameters(&[("client_id", "")])),
        Err(Untrusted::NoClient)
    );
    let public_url = Origin::parse("https://mcp.example").unwrap();
    let policy = AuthorizationPolicy {
        public_url: &public_url,
        toolsets: &[],
        trusted_redirect_hosts: &[],
    };
    let outcome = authorize(&parameters(&[]), None, &policy);
    assert_eq!(outcome, Outcome::Untrusted(Untrusted::UnknownClient));
}

#[test]
fn the_only_redirect_uri_may_be_left_out() {
    let request = pending(judge(&web(), &[("redirect_uri", "")]));
    assert_eq!(request.redirect_uri, "https://app.example/cb");
}

#[test]
fn p_01_p_02_p_03_c_16_j_03_what_is_wrong_is_named_to_the_client() {
    for (changed, code) in [
        (&[("code_challenge", "")][..], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge_method", "s256")], "invalid_request"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("response_type", "")], "invalid_request"),
        (&[("response_type", "token")], "unsupported_response_type"),
        (
            &[("response_type", "code token")],
            "unsupported_response_type",
        ),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("response_mode", "form_post")], "invalid_request"),
        (&[("request", "x.y.z")], "request_not_supported"),
        (
            &[("request_uri", "https://evil.example/r")],
            "request_uri_not_supported",
        ),
        (&[("prompt", "none")], "interaction_required"),
        (&[("scope", "a\"b")], "invalid_scope"),
        (
            &[("resource", "https://mcp.example/dogs/mcp")],
            "invalid_target",
        ),
        (
            &[("resource", "https://mcp.example/pets/mcp-v2")],
            "invalid_target",
        ),
        (
            &[("resource", "https://other.example/pets/mcp")],
            "invalid_target",
        ),
        (
            &[("resource", "https://mcp.example/pets/mcp#x")],
            "invalid_target",
        ),
        (&[("resource", "/pets/mcp")], "invalid_target"),
    ] {
        let refused = refused(judge(&web(), changed));
        assert_eq!(refused.error.code.as_str(), code, "{changed:?}");
        assert_eq!(refused.state.as_deref(), Some("a b&c"));
    }
}

#[test]
fn a_resource_may_be_written_as_clients_write_it() {
    for resource in [
        "https://mcp.example/pets/mcp/",
        "HTTPS://MCP.example:443/pets/mcp",
    ] {
        let request = pending(judge(&web(), &[("resource", resource)]));
        assert_eq!(request.toolset.unwrap().as_str(), "pets", "{resource}");
    }
}

#[test]
fn without_a_resource_the_person_chooses_among_several() {
    let request = pending(judge(&web(), &[("resource", "")]));
    assert_eq!(request.toolset, None);
    assert_eq!(request.scopes.to_string(), "drive read write");
}

#[test]
fn scopes_of_nobodys_are_left_out_and_none_means_all() {
    for (scope, kept) in [
        ("", "read write"),
        ("openid profile", "read write"),
        ("read drive", "read"),
        ("read offline_access", "offline_access read"),
        ("offline_access", "offline_access read write"),
    ] {
        let request = pending(judge(&web(), &[("scope", scope)]));
        assert_eq!(request.scopes.to_string(), kept, "{scope}");
    }
}

#[test]
fn a_client_that_names_no_scope_gets_those_that_it_registered() {
    let mut client = web();
    client.metadata.scope = Some(Scopes::parse("read drive").unwrap());
    for (scope, kept) in [("", "read"), ("openid", "read"), ("write", "write")] {
        let request = pending(judge(&client, &[("scope", scope)]));
        assert_eq!(request.scopes.to_string(), kept, "{scope}");
    }
}

#[test]
fn c_25_a_state_that_is_too_long_is_refused() {
    let long = "x".repeat(8193);
    let refused = refused(judge(&web(), &[("state", &long)]));
    assert_eq!(refused.error.code.as_str(), "invalid_request");
    pending(judge(&web(), &[("state", &long[1..])]));
}

#[test]
fn an_error_goes_at_once_only_where_nobody_can_be_led_astray() {
    let wrong = [("response_type", "token")];
    let at_once = |uri: &str, origin| {
        let client = client(&[uri], origin);
        let changed = [wrong[0], ("redirect_uri", uri)];
        refused(judge(&client, &changed)).at_once
    };
    assert!(!at_once("https://app.example/cb", ClientOrigin::Dynamic));
    assert!(!at_once(
        "cursor://anysphere.cursor-mcp/oauth/callback",
        ClientOrigin::Dynamic
    ));
    assert!(at_once("https://trusted.example/cb", ClientOrigin::Dynamic));
    assert!(at_once("http://127.0.0.1:9000/cb", ClientOrigin::Dynamic));
    assert!(at_once(
        "https://app.example/cb",
        ClientOrigin::PreRegistered
    ));
}
