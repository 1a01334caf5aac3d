//! The table of who may speak.

use super::*;
use crate::http::settings::ListenerSettings;

fn public() -> OriginPolicy {
    let mut listener = ListenerSettings::loopback(443);
    listener.addresses = vec!["0.0.0.0:443".parse().expect("an address")];
    OriginPolicy::new(
        &listener,
        &Origin::parse("https://gw.example").expect("an origin"),
        &["gw.internal:8443".to_owned(), "2001:db8::7".to_owned()],
        &[Origin::parse("https://console.example").expect("an origin")],
    )
}

fn loopback() -> OriginPolicy {
    OriginPolicy::new(
        &ListenerSettings::loopback(8080),
        &Origin::parse("http://localhost:8080").expect("an origin"),
        &[],
        &[],
    )
}

fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
    list.iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).expect("a value"),
            )
        })
        .collect()
}

fn judge(policy: &OriginPolicy, list: &[(&'static str, &str)]) -> Verdict {
    policy.judge(
        &Method::POST,
        &Uri::from_static("/petstore/mcp"),
        &headers(list),
    )
}

fn refusal(policy: &OriginPolicy, list: &[(&'static str, &str)]) -> Option<Refusal> {
    match judge(policy, list) {
        Verdict::Refused(refusal) => Some(refusal),
        Verdict::Pass(_) | Verdict::Preflight(_) => None,
    }
}

#[test]
fn h_01_foreign_and_null_origins_are_refused() {
    for origin in [
        "https://evil.example",
        "null",
        "",
        "http://gw.example",
        "https://gw.example:8443",
        "https://gw.example.evil.example",
        "https://GW.example",
        "https://gw.example/",
        "https://gw.example, https://evil.example",
        "http://localhost:6274",
        "http://127.0.0.1",
    ] {
        let asked = refusal(&public(), &[("host", "gw.example"), ("origin", origin)]);
        assert_eq!(asked, Some(Refusal::Origin), "{origin}");
    }
    let twice = [
        ("host", "gw.example"),
        ("origin", "https://gw.example"),
        ("origin", "https://evil.example"),
    ];
    assert_eq!(refusal(&public(), &twice), Some(Refusal::Origin));
    assert_eq!(Refusal::Origin.status(), StatusCode::FORBIDDEN);
}

#[test]
fn h_01_a_loopback_listener_refuses_foreign_and_null_origins() {
    for origin in [
        "https://evil.example",
        "null",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "file://",
        "http://user@localhost",
    ] {
        let asked = refusal(
            &loopback(),
            &[("host", "localhost:8080"), ("origin", origin)],
        );
        assert_eq!(asked, Some(Refusal::Origin), "{origin}");
    }
}

#[test]
fn own_loopback_and_operators_origins_pass() {
    for origin in ["https://gw.example", "https://console.example"] {
        let asked = refusal(&public(), &[("host", "gw.example"), ("origin", origin)]);
        assert_eq!(asked, None, "{origin}");
    }
    for origin in [
        "http://localhost:6274",
        "http://127.0.0.1:3000",
        "https://[::1]:1",
    ] {
        let asked = refusal(
            &loopback(),
            &[("host", "localhost:8080"), ("origin", origin)],
        );
        assert_eq!(asked, None, "{origin}");
    }
}

#[test]
fn h_02_a_host_that_is_not_ours_is_refused() {
    for host in [
        "evil.example",
        "gw.example.evil.example",
        "gw.example.",
        "localhost",
        "127.0.0.1",
        "user@gw.example",
        "gw.example:80@evil.example",
        "gw.example:http",
        "gw.example/",
        "",
        ":443",
    ] {
        let asked = refusal(&public(), &[("host", host)]);
        assert_eq!(asked, Some(Refusal::HostUnknown), "{host}");
    }
    for host in [
        "evil.example:8080",
        "192.168.0.7:8080",
        "localhost.evil.example",
        "[::2]",
    ] {
        let asked = refusal(&loopback(), &[("host", host)]);
        assert_eq!(asked, Some(Refusal::HostUnknown), "{host}");
    }
    assert_eq!(
        Refusal::HostUnknown.status(),
        StatusCode::MISDIRECTED_REQUEST
    );
}

#[test]
fn h_02_the_host_must_be_named_exactly_once() {
    assert_eq!(refusal(&public(), &[]), Some(Refusal::HostMissing));
    let twice = [("host", "gw.example"), ("host", "gw.example")];
    assert_eq!(refusal(&public(), &twice), Some(Refusal::HostAmbiguous));
    let differing = public().judge(
        &Method::GET,
        &Uri::from_static("https://gw.example/x"),
        &headers(&[("host", "evil.example")]),
    );
    assert_eq!(differing, Verdict::Refused(Refusal::HostAmbiguous));
    let foreign_target = public().judge(
        &Method::GET,
        &Uri::from_static("https://evil.example/x"),
        &headers(&[]),
    );
    assert_eq!(foreign_target, Verdict::Refused(Refusal::HostUnknown));
}

#[test]
fn h_03_forwarded_hosts_change_nothing() {
    let forwarded = [
        ("host", "evil.example"),
        ("x-forwarded-host", "gw.example"),
        ("forwarded", "host=gw.example"),
    ];
    assert_eq!(refusal(&public(), &forwarded), Some(Refusal::HostUnknown));
}

#[test]
fn our_hosts_pass_in_any_case_and_on_any_port() {
    for host in [
        "gw.example",
        "GW.Example:443",
        "gw.internal:9000",
        "[2001:db8::7]:1",
    ] {
        assert_eq!(refusal(&public(), &[("host", host)]), None, "{host}");
    }
    for host in [
        "localhost:1",
        "127.0.0.1:8080",
        "127.9.9.9",
        "[::1]:8080",
        "LOCALHOST",
    ] {
        assert_eq!(refusal(&loopback(), &[("host", host)]), None, "{host}");
    }
}

#[test]
fn h_14_cors_names_the_origin_and_never_grants_credentials() {
    let asked = [
        ("host", "gw.example"),
        ("origin", "https://console.example"),
    ];
    let Verdict::Pass(Some(cross_origin)) = judge(&public(), &asked) else {
        panic!("a lawful origin passes");
    };
    let mut answer = HeaderMap::new();
    cross_origin.write(&mut answer);
    assert_eq!(
        answer
            .get(header::ACCESS_CONTROL_ALLOW_ORIGIN)
            .map(HeaderValue::as_bytes),
        Some(b"https://console.example".as_slice())
    );
    assert!(!answer.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    assert_eq!(
        judge(&public(), &[("host", "gw.example")]),
        Verdict::Pass(None)
    );
}

#[test]
fn h_14_a_preflight_allows_what_mcp_clients_send_and_no_more() {
    let asked = headers(&[
        ("host", "gw.example"),
        ("origin", "https://gw.example"),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "content-type, mcp-param-city,MCP-PETSTORE-API-KEY, cookie, x-evil, mcp-bad name",
        ),
    ]);
    let verdict = public().judge(&Method::OPTIONS, &Uri::from_static("/x"), &asked);
    let Verdict::Preflight(preflight) = verdict else {
        panic!("a preflight is answered here: {verdict:?}");
    };
    let mut answer = HeaderMap::new();
    preflight.write(&mut answer);
    let allowed = answer
        .get(header::ACCESS_CONTROL_ALLOW_HEADERS)
        .and_then(|value| value.to_str().ok());
    assert_eq!(
        allowed,
        Some(format!("{ALLOWED_HEADERS}, mcp-param-city, mcp-petstore-api-key").as_str())
    );
    assert!(!answer.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
}

#[test]
fn a_plain_options_request_is_not_a_preflight() {
    let asked = headers(&[("host", "gw.example")]);
    let verdict = public().judge(&Method::OPTIONS, &Uri::from_static("/x"), &asked);
    assert_eq!(verdict, Verdict::Pass(None));
}

#[test]
fn h_14_what_says_how_to_sign_in_is_for_every_origin_and_the_pages_are_not() {
    let asked = headers(&[("host", "gw.example"), ("origin", "https://evil.example")]);
    for path in [
        "/.well-known/oauth-authorization-server",
        "/token",
        "/revoke",
        "/register",
    ] {
        let uri = Uri::try_from(path).unwrap();
        let verdict = public().judge(&Method::POST, &uri, &asked);
        let Verdict::Pass(Some(origin)) = verdict else {
            panic!("{path}: {verdict:?}");
        };
        let mut answer = HeaderMap::new();
        origin.write(&mut answer);
        assert_eq!(answer[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!answer.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }
    for path in [
        "/authorize",
        "/consent",
        "/callback/github",
        "/token/x",
        "/pets/mcp",
    ] {
        let uri = Uri::try_from(path).unwrap();
        let verdict = public().judge(&Method::GET, &uri, &asked);
        assert_eq!(verdict, Verdict::Refused(Refusal::Origin), "{path}");
    }
}

#[test]
fn a_03_the_admin_api_is_for_no_script_of_another_origin() {
    for (policy, host, origin) in [
        (loopback(), "localhost", "http://localhost:1"),
        (public(), "gw.example", "https://console.example"),
        (public(), "gw.example", "https://gw.example"),
    ] {
        let asked = headers(&[
            ("host", host),
            ("origin", origin),
            ("access-control-request-method", "POST"),
        ]);
        let uri = Uri::from_static("/api/v1/manifests");
        for method in [Method::OPTIONS, Method::GET] {
            let verdict = policy.judge(&method, &uri, &asked);
            assert_eq!(verdict, Verdict::Pass(None), "{method} by {origin}");
        }
    }
}

#[test]
fn h_14_the_pages_of_a_sign_in_are_for_no_script_even_of_our_own_origin() {
    let asked = headers(&[
        ("host", "gw.example"),
        ("origin", "https://gw.example"),
        ("access-control-request-method", "POST"),
    ]);
    for path in ["/authorize", "/consent", "/callback/github", "/sign-out"] {
        let uri = Uri::try_from(path).unwrap();
        let verdict = public().judge(&Method::OPTIONS, &uri, &asked);
        assert_eq!(verdict, Verdict::Pass(None), "{path}");
    }
}
