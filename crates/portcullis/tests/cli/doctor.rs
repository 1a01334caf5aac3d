//! `portcullis doctor`: what it finds where all is well, and where something is not.

mod external;

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::exchange::{Exchange, Reply};
use super::running::Running;
use super::serve::write;
use super::{folder, portcullis, stderr, stdout};

const RESOURCE: &str = "/.well-known/oauth-protected-resource/petstore/mcp";
const ENDPOINT: &str = "/petstore/mcp";
const SERVER: &str = "/.well-known/oauth-authorization-server";

/// Describes a toolset that people sign in to at `provider`; its tools take the person's token.
fn sign_in_folder(provider: &Exchange) -> TempDir {
    let folder = folder();
    let issuer = issuer(provider);
    write(
        folder.path(),
        "portcullis.toml",
        &format!(
            r#"
[upstream]
allow = ["{issuer}"]

[providers.idp]
profile = "oidc"
issuer = "{issuer}"
client_id = "us"
client_secret_env = "PETSTORE_API_KEY"

[documents.petstore]
file = "petstore.yaml"

[toolsets.petstore]
documents = ["petstore"]
inbound = ["oauth"]
provider = "idp"
"#
        ),
    );
    let document = format!(
        "openapi: 3.1.0
info: {{ title: Petstore, version: '1' }}
servers: [{{ url: https://petstore.example }}]
security: [{{ people: [pets] }}]
paths:
  /pets:
    get: {{ operationId: listPets, responses: {{ '200': {{ description: ok }} }} }}
components:
  securitySchemes:
    people:
      type: oauth2
      flows:
        authorizationCode:
          authorizationUrl: {issuer}/authorize
          tokenUrl: {issuer}/token
          scopes: {{ pets: See the pets }}
"
    );
    write(folder.path(), "petstore.yaml", &document);
    folder
}

fn issuer(provider: &Exchange) -> String {
    format!("http://127.0.0.1:{}", provider.port())
}

/// The metadata of a provider that a request came to.
fn metadata(port: u16) -> Value {
    let issuer = format!("http://127.0.0.1:{port}");
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "email", "profile", "pets"],
    })
}

/// Starts a provider that knows us; `change` makes something of its metadata, `code` is how it refuses codes.
fn provider() -> Exchange {
    let provider = Exchange::start(|_| Reply::json(404, &json!({})));
    well_behaved(&provider, |_| {}, "invalid_grant");
    provider
}

fn well_behaved(provider: &Exchange, change: fn(&mut Value), code: &'static str) {
    let port = provider.port();
    provider.answer_by(move |asked| {
        if asked.is("/.well-known/openid-configuration") {
            let mut document = metadata(port);
            change(&mut document);
            return Reply::json(200, &document);
        }
        if asked.is("/token") {
            assert!(asked.body.contains("code="), "{}", asked.body);
            return Reply::json(400, &json!({"error": code}));
        }
        Reply::json(404, &json!({}))
    });
}

/// A gateway behind a proxy, which is where its public URL leads.
struct Behind {
    _gateway: Running,
    proxy: Exchange,
    port: u16,
}

impl Behind {
    fn start(folder: &Path) -> Self {
        let proxy = Exchange::start(|_| Reply::json(503, &json!({})));
        let public_url = format!("http://localhost:{}", proxy.port());
        let arguments = ["portcullis.toml", "--public-url", &public_url];
        let gateway = Running::start(folder, &arguments, "petstore");
        let listening = gateway.log().lines().find_map(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let address = line.get("address")?.as_str()?.rsplit_once(':')?;
            address.1.parse().ok()
        });
        let port = listening.expect("an address");
        let behind = Self {
            _gateway: gateway,
            proxy,
            port,
        };
        behind.change("", |reply| reply);
        behind
    }

    /// Has the proxy change what the gateway answers at a path.
    fn change(&self, path: &'static str, change: fn(Reply) -> Reply) {
        let port = self.port;
        self.proxy.answer_by(move |asked| {
            let reply = asked.forward(port);
            if asked.is(path) { change(reply) } else { reply }
        });
    }

    fn public_url(&self) -> String {
        format!("http://localhost:{}", self.proxy.port())
    }
}

/// Runs the doctor, for programs; gives whether it was content, and every finding as `KIND CHECK VERDICT MESSAGE mend: REMEDY`.
fn examine(folder: &Path, public_url: &str) -> (bool, Vec<String>) {
    let arguments = ["doctor", "--format", "json", "--public-url", public_url];
    let output = portcullis(folder, &arguments);
    let told = String::from_utf8_lossy(&output.stdout);
    let report: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{output:?}"));
    let list = |of: &Value, name| of.get(name).and_then(Value::as_array).cloned();
    let mut findings = Vec::new();
    for part in list(&report, "parts").expect("parts") {
        for finding in list(&part, "findings").expect("findings") {
            let text = |of: &Value, name| {
                let text = of.get(name).and_then(Value::as_str);
                text.unwrap_or_default().to_owned()
            };
            findings.push(format!(
                "{} {} {} {} mend: {}",
                text(&part, "kind"),
                text(&finding, "check"),
                text(&finding, "verdict"),
                text(&finding, "message"),
                text(&finding, "remedy"),
            ));
        }
    }
    (output.status.success(), findings)
}

/// Sees that exactly what is expected is amiss, and that each finding says how to mend it.
fn assert_amiss(findings: &[String], expected: &[(&str, &str)]) {
    let amiss: Vec<&String> = findings
        .iter()
        .filter(|it| it.contains(" wrong ") || it.contains(" doubtful "))
        .collect();
    assert_eq!(amiss.len(), expected.len(), "{findings:#?}");
    for (finding, (start, text)) in amiss.into_iter().zip(expected) {
        assert!(finding.starts_with(start), "{finding}");
        assert!(finding.contains(text), "{finding}");
        assert!(!finding.ends_with("mend: "), "{finding}");
    }
}

#[test]
fn a_gateway_that_people_can_sign_in_to_has_nothing_wrong() {
    let provider = provider();
    let folder = sign_in_folder(&provider);
    let behind = Behind::start(folder.path());
    let public_url = behind.public_url();
    let arguments = ["doctor", "--public-url", &public_url];
    let told = stdout(&portcullis(folder.path(), &arguments));
    for expected in [
        format!("the issuer is {public_url} [issuer]"),
        format!("the resource is {public_url}/petstore/mcp [resource]"),
        format!("letter by letter: {public_url}/callback/idp [callback]"),
        "is told where to sign in [challenge]".to_owned(),
        "refuses nonsense as clients expect [registration]".to_owned(),
        "tools are called with the token that people get at `idp`, with the scopes pets".to_owned(),
        "it takes PKCE with S256 [pkce]".to_owned(),
        "for `petstore` it is asked for openid email profile pets [scopes]".to_owned(),
        "the client id and the secret are taken".to_owned(),
        "\nnothing is wrong\n".to_owned(),
    ] {
        assert!(told.contains(&expected), "{expected}\n{told}");
    }
    assert!(!told.contains("canary"), "{told}");
    let named = [&arguments[..], &["--toolset", "petstore"]].concat();
    assert!(stdout(&portcullis(folder.path(), &named)).contains("nothing is wrong"));
}

/// A path, what a proxy makes of the gateway's answer there, and what is amiss then.
type ProxyCase = (
    &'static str,
    fn(Reply) -> Reply,
    (&'static str, &'static str),
);

const PROXY_CASES: [ProxyCase; 9] = [
    (
        SERVER,
        |_| Reply::json(302, &json!({})).with("location", "/elsewhere"),
        ("gateway metadata wrong", "without a redirect"),
    ),
    (
        RESOURCE,
        |reply| {
            let reply = reply.without("content-type");
            reply.with("content-type", "text/html")
        },
        ("toolset resource_metadata wrong", "instead of JSON"),
    ),
    (
        SERVER,
        |reply| reply.writing("\"issuer\":\"http:", "\"issuer\":\"https:"),
        ("gateway issuer wrong", "letter by letter"),
    ),
    (
        SERVER,
        |reply| reply.writing("/token\"", "/oauth/token\""),
        ("gateway endpoints wrong", "as `token_endpoint`"),
    ),
    (
        RESOURCE,
        |reply| reply.writing("/petstore/mcp", "/petstore/mcp/"),
        ("toolset resource wrong", "clients ask for"),
    ),
    (
        ENDPOINT,
        |reply| reply.without("www-authenticate"),
        ("toolset challenge wrong", "leave `WWW-Authenticate`"),
    ),
    (
        ENDPOINT,
        |reply| {
            let reply = reply.without("www-authenticate");
            reply.with("www-authenticate", "Basic realm=\"a\"")
        },
        ("toolset challenge wrong", "a password of its own"),
    ),
    (
        SERVER,
        |reply| {
            let reply = reply.without("cache-control");
            reply.with("cache-control", "max-age=31536000")
        },
        ("gateway cache doubtful", "max-age=31536000"),
    ),
    (
        "/register",
        |_| Reply::json(405, &json!({"message": "GET only"})),
        ("gateway registration wrong", "status 405 instead of 400"),
    ),
];

#[test]
fn what_a_proxy_changes_is_found() {
    let provider = provider();
    let folder = sign_in_folder(&provider);
    let behind = Behind::start(folder.path());
    for (path, change, expected) in PROXY_CASES {
        behind.change(path, change);
        let (content, findings) = examine(folder.path(), &behind.public_url());
        assert_amiss(&findings, &[expected]);
        assert_eq!(content, !expected.0.ends_with("wrong"), "{findings:#?}");
    }
}

#[test]
fn a_gateway_that_does_not_run_is_said_once() {
    let provider = provider();
    let folder = sign_in_folder(&provider);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = nobody.local_addr().expect("an address");
    drop(nobody);
    let (content, findings) = examine(folder.path(), &format!("http://{address}"));
    assert!(!content);
    assert_amiss(
        &findings,
        &[("gateway reachable wrong", "start the gateway")],
    );
}

/// What a provider's metadata has instead, how it refuses a code, and what is amiss then.
type ProviderCase = (fn(&mut Value), &'static str, (&'static str, &'static str));

const PROVIDER_CASES: [ProviderCase; 8] = [
    (
        |_| {},
        "invalid_client",
        ("provider client wrong", "compare `client_id`"),
    ),
    (
        |_| {},
        "invalid_request",
        ("provider client doubtful", "sign in once"),
    ),
    (
        |it| it["issuer"] = json!("https://other.example"),
        "invalid_grant",
        (
            "provider metadata wrong",
            "/.well-known/openid-configuration and copy `issuer`",
        ),
    ),
    (
        |it| it["code_challenge_methods_supported"] = json!(["plain"]),
        "invalid_grant",
        ("provider pkce wrong", "but not S256"),
    ),
    (
        |it| it["scopes_supported"] = json!(["openid", "email", "profile"]),
        "invalid_grant",
        ("provider scopes doubtful", "does not list: pets"),
    ),
    (
        |it| it["jwks_uri"] = json!("http://keys.example/"),
        "invalid_grant",
        ("provider https wrong", "in the clear: keys"),
    ),
    (
        |it| it["token_endpoint"] = Value::Null,
        "invalid_grant",
        ("provider endpoints wrong", "set `token_endpoint`"),
    ),
    (
        |it| it["token_endpoint"] = json!("http://127.0.0.1:9/token"),
        "invalid_grant",
        ("provider client wrong", "port 9 is not used for HTTP"),
    ),
];

#[test]
fn what_is_wrong_at_the_provider_is_found() {
    let provider = provider();
    let folder = sign_in_folder(&provider);
    let behind = Behind::start(folder.path());
    for (change, code, expected) in PROVIDER_CASES {
        well_behaved(&provider, change, code);
        let (content, findings) = examine(folder.path(), &behind.public_url());
        assert_amiss(&findings, &[expected]);
        assert_eq!(content, !expected.0.ends_with("wrong"), "{findings:#?}");
    }
    provider.answer_by(|_| Reply::json(404, &json!({})));
    let (_, findings) = examine(folder.path(), &behind.public_url());
    assert_amiss(&findings, &[("provider metadata wrong", "status 404")]);
}

#[test]
fn a_provider_that_nobody_allowed_is_not_asked() {
    let provider = provider();
    let folder = sign_in_folder(&provider);
    let file = std::fs::read_to_string(folder.path().join("portcullis.toml")).expect("a file");
    let file = file.replace("allow = [", "connect_seconds = 1 #");
    write(folder.path(), "portcullis.toml", &file);
    provider.answer_by(|_| panic!("nobody is allowed to ask"));
    let (content, findings) = examine(folder.path(), "http://127.0.0.1:9");
    assert!(!content);
    let refused = "leads to a loopback address";
    assert_amiss(
        &findings,
        &[
            ("gateway reachable wrong", "start the gateway"),
            ("provider metadata wrong", refused),
        ],
    );
}

#[test]
fn where_nobody_signs_in_there_is_nothing_to_look_at() {
    let folder = folder();
    let told = stderr(&portcullis(folder.path(), &["doctor"]));
    assert!(told.contains("nobody signs in anywhere"), "{told}");
    let provider = provider();
    let folder = sign_in_folder(&provider);
    let unknown = portcullis(folder.path(), &["doctor", "--toolset", "petshop"]);
    assert!(stderr(&unknown).contains("there is no toolset `petshop`"));
    let no_port = portcullis(folder.path(), &["doctor", "--listen", "localhost:0"]);
    assert!(stderr(&no_port).contains("--public-url"));
    write(folder.path(), "portcullis.toml", "lisener = 1");
    let bad = portcullis(folder.path(), &["doctor", "--format", "json"]);
    assert_eq!(bad.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&bad.stdout).expect("JSON");
    assert_eq!(json["problems"][0]["advice"], "did you mean `listener`?");
}
