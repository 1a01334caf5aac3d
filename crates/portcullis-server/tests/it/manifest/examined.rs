//! What is found out about a manifest by asking its provider.

use portcullis_oauth::manifest::Manifest;
use portcullis_oauth::resource::Resource;
use portcullis_server::ambient::SystemRng;
use portcullis_server::doctor::{Part, Verdict};
use portcullis_server::manifest::examine::{Examinee, Trial, examine};
use portcullis_store::TokenValidation;

use super::*;

const OURS: &str = "https://mcp.example/pets/mcp";

/// How a manifest is examined; tests change it.
struct Examination {
    manifest: Value,
    republished: bool,
    validation: Option<TokenValidation>,
    registers: bool,
}

impl Examination {
    fn of(provider: &Provider) -> Self {
        Self {
            manifest: metadata(&provider.url()),
            republished: false,
            validation: None,
            registers: false,
        }
    }

    async fn at(&self, provider: &Provider) -> Part {
        let manifest = Manifest::parse(self.manifest.to_string().as_bytes()).unwrap();
        let resource = Resource::parse(OURS).unwrap();
        let examinee = Examinee {
            name: "acme",
            manifest: &manifest,
            resource: Some(&resource),
            republished: self.republished,
            validation: self.validation,
        };
        let trial = if self.registers {
            Trial::Register(&SystemRng)
        } else {
            Trial::None
        };
        examine(&provider.visitor(), &examinee, trial).await
    }
}

/// Returns what is not good, each as `CHECK VERDICT MESSAGE`.
fn amiss(part: &Part) -> Vec<String> {
    let findings = part.findings.iter();
    findings
        .filter(|it| it.verdict != Verdict::Good)
        .map(|it| format!("{} {:?} {}", it.check, it.verdict, it.message))
        .collect()
}

fn assert_amiss(part: &Part, expected: &[(&str, &str)]) {
    let found = amiss(part);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, (start, text)) in found.iter().zip(expected) {
        assert!(found.starts_with(start), "{found}");
        assert!(found.contains(text), "{found}");
    }
}

#[tokio::test]
async fn nothing_is_amiss_at_a_good_provider() {
    let provider = Provider::start().await;
    let examination = Examination::of(&provider);
    assert_amiss(&examination.at(&provider).await, &[]);
    assert!(!provider.asked("/register?"));
    let methods = provider.server.received().into_iter();
    let posted = methods.filter(|it| it.method == axum::http::Method::POST);
    assert_eq!(posted.count(), 0, "nothing is changed there");
}

#[tokio::test]
async fn what_clients_refuse_is_said() {
    let provider = Provider::start().await;
    let mut examination = Examination::of(&provider);
    examination.manifest["code_challenge_methods_supported"] = json!(["plain"]);
    examination.manifest["revocation_endpoint"] = json!("http://as.example/revoke");
    let part = examination.at(&provider).await;
    assert_amiss(
        &part,
        &[
            ("served Doubtful", "\"code_challenge_methods_supported\""),
            ("plain-http Wrong", "http://as.example/revoke"),
            ("pkce-s256 Wrong", "must refuse to sign in"),
        ],
    );
}

#[tokio::test]
async fn an_issuer_that_serves_nothing_needs_us_to_serve_it() {
    let provider = Provider::start().await;
    provider.answer_by(|received| (received.path_and_query == OAUTH).then(page));
    let mut examination = Examination::of(&provider);
    let part = examination.at(&provider).await;
    assert_amiss(&part, &[("served Wrong", "it is a web page")]);
    let remedy = part.findings.iter().find_map(|it| it.remedy.as_ref());
    assert!(remedy.unwrap().contains("republish = true"));
    examination.republished = true;
    assert_amiss(&examination.at(&provider).await, &[]);
    let sends_iss = "authorization_response_iss_parameter_supported";
    examination.manifest[sends_iss] = json!(true);
    let part = examination.at(&provider).await;
    assert_amiss(&part, &[("republish Wrong", "sends `iss`")]);
}

#[tokio::test]
async fn endpoints_that_do_not_answer_are_named() {
    let provider = Provider::start().await;
    let mut examination = Examination::of(&provider);
    let nobody = "https://127.0.0.1:8443/token";
    examination.manifest["token_endpoint"] = json!(nobody);
    provider.serve(move |document| document["token_endpoint"] = json!(nobody));
    let part = examination.at(&provider).await;
    assert_amiss(&part, &[("endpoints Wrong", "leads to a loopback address")]);
    let examination = Examination::of(&provider);
    provider.answer_by(|received| {
        (received.path_and_query == "/authorize").then(|| answer(503, &json!({})))
    });
    let part = examination.at(&provider).await;
    assert_amiss(&part, &[("endpoints Wrong", "status 503")]);
}

#[tokio::test]
async fn keys_that_are_of_no_use_are_wrong_where_tokens_are_judged_by_them() {
    let provider = Provider::start().await;
    let mut examination = Examination::of(&provider);
    for (body, reason) in [
        (json!({"keys": []}), "no key"),
        (json!([]), "it is no JWK set"),
    ] {
        provider.answer_by(move |received| {
            (received.path_and_query == "/keys").then(|| answer(200, &body))
        });
        examination.validation = Some(TokenValidation::Jwt);
        let part = examination.at(&provider).await;
        assert_amiss(&part, &[("keys Wrong", reason)]);
        examination.validation = Some(TokenValidation::Upstream);
        let part = examination.at(&provider).await;
        assert_amiss(&part, &[("keys Doubtful", reason)]);
    }
}

#[tokio::test]
async fn pages_that_may_not_read_the_answers_are_said() {
    let provider = Provider::start().await;
    let url = provider.url();
    provider.answer_by(move |received| match received.path_and_query.as_str() {
        OAUTH => Some(answer(200, &metadata(&url))),
        "/token" => Some(answer(405, &json!({}))),
        _ => None,
    });
    let part = Examination::of(&provider).at(&provider).await;
    let text = "(CORS): token_endpoint, its metadata;";
    assert_amiss(&part, &[("browsers Doubtful", text)]);
}

/// Registers whoever comes, and answers requests for a sign-in by `authorize`.
fn registering(
    provider: &Provider,
    authorize: impl Fn(&Received) -> Response<Body> + Send + 'static,
) {
    let url = provider.url();
    provider.answer_by(move |received| {
        let path = received.path_and_query.as_str();
        match (received.method.as_str(), path) {
            ("POST", "/register") => Some(answer(
                201,
                &json!({
                    "client_id": "c1",
                    "registration_client_uri": format!("{url}/register/c1"),
                    "registration_access_token": "manage",
                }),
            )),
            ("DELETE", "/register/c1") => {
                let token = received.header("authorization");
                let status = if token == Some("Bearer manage") {
                    204
                } else {
                    401
                };
                Some(answer(status, &json!({})))
            }
            ("GET", path) if path.starts_with("/authorize?") => Some(authorize(received)),
            _ => None,
        }
    });
}

#[tokio::test]
async fn a_provider_that_refuses_our_url_is_found_out() {
    let provider = Provider::start().await;
    registering(&provider, |received| {
        let asked = &received.path_and_query;
        assert!(asked.contains("resource=https%3A%2F%2Fmcp.example%2Fpets%2Fmcp"));
        assert!(asked.contains("client_id=c1") && asked.contains("method=S256"));
        redirect("http://127.0.0.1/callback?error=invalid_target&state=portcullis-check")
    });
    let mut examination = Examination::of(&provider);
    examination.registers = true;
    let part = examination.at(&provider).await;
    assert_amiss(
        &part,
        &[
            ("trial Note", "`invalid_target`"),
            ("trial Note", "was deleted again"),
            ("resource-refused Wrong", "refuses our URL"),
        ],
    );
    let registered = provider.server.received().into_iter();
    let mut registered = registered.filter(|it| it.method == axum::http::Method::POST);
    assert!(registered.next().unwrap().body.contains("Portcullis check"));
}

#[tokio::test]
async fn what_a_trial_cannot_tell_is_left_open() {
    let provider = Provider::start().await;
    let mut examination = Examination::of(&provider);
    examination.registers = true;
    registering(&provider, |_| page());
    let part = examination.at(&provider).await;
    assert_amiss(
        &part,
        &[
            ("trial Note", "not refused at once"),
            ("trial Note", "deleted"),
        ],
    );
    registering(&provider, |_| {
        redirect("http://127.0.0.1/callback?error=invalid_scope")
    });
    let part = examination.at(&provider).await;
    assert_amiss(
        &part,
        &[
            ("trial Doubtful", "invalid_scope"),
            ("trial Note", "deleted"),
        ],
    );
    provider.answer_by(|received| {
        let registers = received.path_and_query == "/register" && received.body.contains("name");
        registers.then(|| answer(403, &json!({"error": "access_denied"})))
    });
    let part = examination.at(&provider).await;
    assert_amiss(&part, &[("trial Wrong", "status 403, \"access_denied\"")]);
}

#[tokio::test]
async fn c_18_a_provider_that_is_seen_to_send_iss_is_not_served_again() {
    let provider = Provider::start().await;
    let mut examination = Examination::of(&provider);
    (examination.registers, examination.republished) = (true, true);
    let at = |iss: &'static str| {
        registering(&provider, move |_| {
            redirect(&format!(
                "http://127.0.0.1/callback?error=invalid_scope{iss}"
            ))
        });
    };
    let trial = [
        ("trial Doubtful", "invalid_scope"),
        ("trial Note", "deleted"),
    ];
    at("");
    assert_amiss(&examination.at(&provider).await, &trial);
    // Its manifest does not say that it does.
    at("&iss=https%3A%2F%2Fas.example");
    let seen = [&trial[..], &[("republish Wrong", "sends `iss`")]].concat();
    assert_amiss(&examination.at(&provider).await, &seen);
}

#[tokio::test]
async fn the_token_of_a_registration_stays_with_who_gave_it() {
    let provider = Provider::start().await;
    let elsewhere = Provider::start().await;
    let place = format!("{}/register/c1", elsewhere.url());
    provider.answer_by(move |received| {
        let registered = json!({
            "client_id": "c1",
            "registration_client_uri": place,
            "registration_access_token": "manage",
        });
        let registers = received.path_and_query == "/register" && received.body.contains("name");
        registers.then(|| answer(201, &registered))
    });
    let mut examination = Examination::of(&provider);
    examination.registers = true;
    let part = examination.at(&provider).await;
    assert!(
        amiss(&part)
            .iter()
            .any(|it| it.contains("stays at the provider"))
    );
    assert_eq!(elsewhere.server.received().len(), 0);
}
