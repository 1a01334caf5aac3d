//! What is tried with redirect URIs, at registration and afterwards.

use proptest::prelude::*;
use url::Url;

use super::*;

fn register(text: &str) -> Result<RedirectUri, InvalidRedirectUri> {
    RedirectUri::register(text, &PrivateUseSchemes::default())
}

/// Checks that each of the texts is refused for this reason, and as a stored text likewise.
fn refused(reason: InvalidRedirectUri, texts: &[&str]) {
    for text in texts {
        assert_eq!(register(text), Err(reason), "{text:?}");
        assert_eq!(RedirectUri::parse(text), Err(reason), "{text:?}");
    }
}

/// Checks that, of the texts, a registered one matches exactly those that are named first.
fn matching(registered: &str, alike: &[&str], different: &[&str]) {
    let uri = register(registered).unwrap();
    for presented in alike {
        assert!(uri.matches(presented), "{presented:?}");
    }
    for presented in different {
        assert!(!uri.matches(presented), "{presented:?}");
    }
}

#[test]
fn the_redirect_uris_of_real_clients_are_kept_as_they_are() {
    for text in [
        "https://claude.ai/api/mcp/auth_callback",
        "https://chatgpt.com/connector_platform_oauth_redirect",
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "https://vscode.dev/redirect",
        "http://127.0.0.1",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
        "http://localhost/callback",
        "http://[::1]:3118/callback",
        "https://C.example:8443/cb?tenant=a%20b&x",
        "https://[2001:db8::1]/cb",
        "https://xn--bcher-kva.example",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "vscode://publisher.extension/mcp-auth/callback/1",
        "warp://mcp/oauth2callback",
        "raycast://oauth?package_name=mcp_server_(dev)",
        "com.raycast:/oauth?package_name=Extension",
    ] {
        assert_eq!(register(text).map(String::from).as_deref(), Ok(text));
    }
}

#[test]
fn r_01_schemes_that_run_or_read_are_never_allowed() {
    refused(
        InvalidRedirectUri::Scheme,
        &[
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "javascript://c.example/alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "blob:https://c.example/1",
            "about:blank",
            "view-source:https://c.example/",
            "intent://x/",
            "HTTPS://c.example/cb",
            "1cursor://x",
            "://c.example/cb",
        ],
    );
    refused(
        InvalidRedirectUri::Characters,
        &[
            " javascript:alert(1)",
            "java\tscript:alert(1)",
            "\u{0}javascript:x",
            "javascript:/%0aalert(1)",
        ],
    );
    for scheme in [
        "javascript",
        "data",
        "file",
        "http",
        "https",
        "Cursor",
        "",
        "a b",
        "a:",
        "é",
        "1a",
        &"a".repeat(65),
    ] {
        let schemes = PrivateUseSchemes::default().and(scheme);
        assert_eq!(schemes, Err(InvalidPrivateUseScheme), "{scheme}");
    }
}

#[test]
fn r_01_a_private_use_scheme_is_listed_or_refused() {
    let text = "com.example.app:/cb";
    assert_eq!(register(text), Err(InvalidRedirectUri::UnlistedScheme));
    let schemes = PrivateUseSchemes::default().and("com.example.app").unwrap();
    assert!(RedirectUri::register(text, &schemes).is_ok());
    assert!(RedirectUri::parse(text).is_ok());
}

#[test]
fn r_02_plain_http_is_for_loopback_hosts() {
    refused(
        InvalidRedirectUri::PlainHttp,
        &[
            "http://attacker.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://localhost.evil.example/cb",
            "http://localhost./cb",
            "http://127.0.0.2/cb",
            "http://0.0.0.0/cb",
            "http://LOCALHOST/cb",
        ],
    );
}

#[test]
fn r_03_a_fragment_is_refused() {
    refused(
        InvalidRedirectUri::Fragment,
        &[
            "https://c.example/cb#f",
            "https://c.example/cb#",
            "cursor://x/cb#f",
        ],
    );
}

#[test]
fn r_04_user_information_is_refused() {
    refused(
        InvalidRedirectUri::UserInformation,
        &[
            "https://good.example@attacker.example/cb",
            "https://@c.example/cb",
            "https://a:b@c.example/cb",
            "http://127.0.0.1:1@evil.example/cb",
            "cursor://good.example@x/cb",
        ],
    );
}

#[test]
fn r_05_a_wildcard_is_refused() {
    refused(
        InvalidRedirectUri::Characters,
        &[
            "https://*.a.example/cb",
            "https://c.example/*",
            "https://c.example/%2A",
            "https://c.example/?a=*",
            "cursor://*/cb",
        ],
    );
}

#[test]
fn r_06_what_could_be_read_in_two_ways_is_refused() {
    refused(
        InvalidRedirectUri::Characters,
        &[
            "https://c.example\\.attacker.example/cb",
            "https://c.example/c%5Cb",
            "https://c.example/cb\r\nX: y",
            "https://c.example/cb\t",
            "https://c.example/c b",
            "https://c.example/cb\u{0}",
            "https://c.example/cb%00",
            "https://c.example/cb%0d%0a",
            "https://c\u{3002}example/cb",
            "https://bücher.example/cb",
            "https://c.example/%",
            "https://c.example/%zz",
            "https://c.example/%+1",
            "https://c.example/<b>",
        ],
    );
    refused(
        InvalidRedirectUri::DotSegment,
        &[
            "https://c.example/a/../cb",
            "https://c.example/./cb",
            "https://c.example/cb/..",
            "https://c.example/a/%2e%2E/cb",
            "https://c.example/a/.%2e",
            "https://c.example/a%2F..%2fcb",
            "http://127.0.0.1/../cb",
            "cursor://x/../cb",
            "com.raycast:/../cb",
        ],
    );
    refused(
        InvalidRedirectUri::Host,
        &[
            "https://",
            "https:///cb",
            "https://%63.example/cb",
            "https://0x7f.1/cb",
            "https://2130706433/cb",
            "https://[::0001]/cb",
            "https://[::1/cb",
            "https://c.example:/cb",
            "https://c.example:0/cb",
            "https://c.example:0443/cb",
            "https://c.example:65536/cb",
            "https://c.example:1:2/cb",
        ],
    );
    refused(
        InvalidRedirectUri::Malformed,
        &[
            "",
            "c.example",
            "/cb",
            "//c.example/cb",
            "https:c.example/cb",
            "https:/c.example/cb",
            "cursor:cb",
            "cursor:",
        ],
    );
    let long = format!("https://c.example/{}", "a".repeat(MAX_LENGTH));
    refused(InvalidRedirectUri::TooLong, &[&long]);
}

#[test]
fn u_02_u_03_u_04_a_registered_uri_matches_itself_only() {
    matching(
        "https://c.example/cb",
        &["https://c.example/cb"],
        &[
            "",
            "https://c.example/cb/../evil",
            "https://c.example/cb/%2e%2e/evil",
            "https://c.example/cb?x=1",
            "https://c.example/cb#x",
            "https://c.example/CB",
            "https://c.example/cb/",
            "https://c.example/%63b",
            "https://c.example/cb%09",
            "https://c.example/cb ",
            "https://c.example.attacker.example/cb",
            "https://c.example@attacker.example/cb",
            "http://c.example/cb",
            "https://c.example:444/cb",
            "https://c.example:443/cb",
            "https://c\u{3002}example/cb",
            "https://C.example/cb",
            "HTTPS://c.example/cb",
            "https://c.example\\.attacker.example/cb",
        ],
    );
    matching(
        "cursor://anysphere.cursor-mcp/oauth/callback",
        &[],
        &[
            "cursor://anysphere.cursor-mcp:1/oauth/callback",
            "cursor://anysphere.cursor-mcp/oauth/callback?x",
            "Cursor://anysphere.cursor-mcp/oauth/callback",
        ],
    );
    // The port of https is not free, loopback host or not.
    matching(
        "https://localhost/cb",
        &[],
        &["https://localhost:1/cb", "http://localhost/cb"],
    );
}

#[test]
fn u_05_only_the_port_of_a_loopback_host_is_free() {
    matching(
        "http://127.0.0.1:8080/cb?a=1",
        &[
            "http://127.0.0.1:8080/cb?a=1",
            "http://127.0.0.1:1/cb?a=1",
            "http://127.0.0.1:65535/cb?a=1",
            "http://127.0.0.1/cb?a=1",
        ],
        &[
            "http://127.0.0.1:8080/cb",
            "http://127.0.0.1:8080/cb?a=1#",
            "http://127.0.0.1:8080/cb?a=1&b",
            "http://127.0.0.1:8080/CB?a=1",
            "https://127.0.0.1:8080/cb?a=1",
            "http://localhost:8080/cb?a=1",
            "http://[::1]:8080/cb?a=1",
            "http://127.0.0.1.evil.example/cb?a=1",
            "http://127.0.0.1.evil.example:8080/cb?a=1",
            "http://127.0.0.1:1@evil.example/cb?a=1",
            "http://evil@127.0.0.1:1/cb?a=1",
            "http://127.0.0.1:8080@evil.example:1/cb?a=1",
            "http://127.0.0.1:0/cb?a=1",
            "http://127.0.0.1:65536/cb?a=1",
            "http://127.0.0.1:08/cb?a=1",
            "http://127.0.0.1:+1/cb?a=1",
            "http://127.0.0.1:/cb?a=1",
            "http://127.0.0.1:1:2/cb?a=1",
            "http://127.0.0.1:1\\@evil.example/cb?a=1",
            "http://evil.example/http://127.0.0.1:1/cb?a=1",
            "http:127.0.0.1/cb?a=1",
        ],
    );
    matching(
        "http://localhost/callback",
        &["http://localhost:3118/callback"],
        &[
            "http://127.0.0.1/callback",
            "http://LOCALHOST/callback",
            "http://localhost",
        ],
    );
    matching(
        "http://[::1]",
        &["http://[::1]:9", "http://[::1]"],
        &["http://[::1]:9/", "http://[::1"],
    );
}

#[test]
fn people_are_shown_the_host_or_the_scheme() {
    for (text, kind, host) in [
        (
            "https://a.example:8443/x@y:1",
            RedirectKind::Https { host: "a.example" },
            "a.example",
        ),
        (
            "https://a.example?x",
            RedirectKind::Https { host: "a.example" },
            "a.example",
        ),
        (
            "https://[2001:db8::1]:1/",
            RedirectKind::Https {
                host: "[2001:db8::1]",
            },
            "[2001:db8::1]",
        ),
        ("http://[::1]:1/", RedirectKind::Loopback, "[::1]"),
        ("http://localhost", RedirectKind::Loopback, "localhost"),
        (
            "cursor://a.example/cb",
            RedirectKind::PrivateUse { scheme: "cursor" },
            "cursor",
        ),
    ] {
        let uri = register(text).unwrap();
        assert_eq!((uri.kind(), uri.host()), (kind, host), "{text}");
    }
}

#[test]
fn a_stored_uri_is_judged_again() {
    let read = |json: &str| serde_json::from_str::<RedirectUri>(json);
    let uri = read("\"com.example.app:/cb\"").unwrap();
    assert_eq!(
        serde_json::to_string(&uri).unwrap(),
        "\"com.example.app:/cb\""
    );
    assert!(read("\"javascript:alert(1)\"").is_err());
}

#[test]
fn c_23_parameters_are_encoded_and_the_query_stays_as_it_is() {
    let state = "a b+&=#%\r\nSet-Cookie: x\u{202e}é<script>";
    let encoded = "a%20b%2B%26%3D%23%25%0D%0ASet-Cookie%3A%20x%E2%80%AE%C3%A9%3Cscript%3E";
    for (presented, begin) in [
        ("https://c.example/cb", "https://c.example/cb?"),
        ("https://c.example", "https://c.example?"),
        ("https://c.example/cb?", "https://c.example/cb?"),
        (
            "https://c.example/cb?a=%20+b&c",
            "https://c.example/cb?a=%20+b&c&",
        ),
        ("https://c.example/cb?a&", "https://c.example/cb?a&"),
        (
            "com.raycast:/oauth?package_name=x",
            "com.raycast:/oauth?package_name=x&",
        ),
    ] {
        let uri =
            RedirectUri::with_parameters(presented, &[("code", "pc_ac-1.~"), ("state", state)]);
        assert_eq!(uri, format!("{begin}code=pc_ac-1.~&state={encoded}"));
    }
    assert_eq!(
        RedirectUri::with_parameters("https://c.example", &[]),
        "https://c.example"
    );
}

proptest! {
    #[test]
    fn c_23_every_state_comes_back_byte_for_byte(state in any::<String>()) {
        let uri = RedirectUri::with_parameters("https://c.example/cb?a=b", &[("state", &state)]);
        prop_assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()));
        let url = Url::parse(&uri).unwrap();
        let back = url.query_pairs().find(|(name, _)| name == "state").unwrap();
        prop_assert_eq!(back.1, state);
    }

    #[test]
    fn u_03_what_is_registered_goes_where_browsers_go(text in "(https|http)://[a-z0-9.:@%\\[\\]/?x]{0,24}") {
        if let Ok(uri) = RedirectUri::parse(&text) {
            let url = Url::parse(&text).unwrap();
            prop_assert_eq!(url.host_str(), Some(uri.host()));
        }
    }

    #[test]
    fn u_05_a_matching_uri_leads_to_the_same_host_and_path(presented in "http://(127.0.0.1|localhost|evil)[a-z0-9:@/.\\\\]{0,12}") {
        let uri = RedirectUri::parse("http://127.0.0.1:1/cb").unwrap();
        if uri.matches(&presented) {
            let url = Url::parse(&presented).unwrap();
            prop_assert_eq!((url.host_str(), url.path()), (Some("127.0.0.1"), "/cb"));
        }
    }
}
