//! Who a person is, by id token, userinfo and lists.

use std::sync::Mutex;

use portcullis_oauth::client::allow::admits;
use portcullis_oauth::client::id_token::IdTokenError;
use portcullis_oauth::client::identity::VerifiedFacts;
use portcullis_oauth::issuer::person::Identity;

use super::*;
use crate::signer::Signer;

/// What an OpenID provider signs with and says; tests change it while it serves.
struct OpenId {
    server: Server,
    says: Arc<Mutex<Says>>,
}

#[derive(Clone)]
struct Says {
    published: Vec<Signer>,
    signs_with: Signer,
    /// Claims beside those that every id token has.
    claims: Value,
    userinfo: Value,
}

impl OpenId {
    async fn start() -> Self {
        let signer = Signer::new("k1");
        let says = Arc::new(Mutex::new(Says {
            published: vec![signer.clone()],
            signs_with: signer,
            claims: json!({}),
            userinfo: json!({"sub": "person-1", "name": "Ada"}),
        }));
        let shared = Arc::clone(&says);
        let server = Server::start(move |received, _| {
            let says = shared.lock().unwrap().clone();
            match path(received) {
                "/token" => says.tokens(received),
                "/keys" => {
                    let keys: Vec<_> = says.published.iter().map(Signer::jwk).collect();
                    answer(200, &json!({"keys": keys}))
                }
                "/user" if received.header("authorization") == Some("Bearer at-1") => {
                    answer(200, &says.userinfo)
                }
                "/.well-known/openid-configuration" => metadata(received, &json!({})),
                _ => answer(404, &json!({})),
            }
        })
        .await;
        Self { server, says }
    }

    fn change(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says.lock().unwrap());
    }

    async fn sign_in(
        &self,
        gateway: &Gateway,
    ) -> Result<(Option<Identity>, VerifiedFacts), ProviderError> {
        sign_in(gateway, &discovering(&self.server)).await
    }

    fn asked(&self, path: &str) -> usize {
        paths(&self.server)
            .iter()
            .filter(|asked| *asked == path)
            .count()
    }
}

impl Says {
    fn tokens(&self, received: &Received) -> Response<Body> {
        let mut claims = json!({
            "iss": format!("http://{}", received.header("host").unwrap()),
            "sub": "person-1", "aud": "us", "nonce": NONCE,
            "iat": 1_000_000, "exp": 1_000_300, "name": "Ada"
        });
        for (name, value) in self.claims.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let id_token = self.signs_with.token(&claims);
        answer(200, &json!({"access_token": "at-1", "id_token": id_token}))
    }
}

async fn sign_in(
    gateway: &Gateway,
    provider: &Arc<ResolvedProvider>,
) -> Result<(Option<Identity>, VerifiedFacts), ProviderError> {
    let ready = gateway.ready(provider).await;
    let tokens = gateway.redeem(&ready).await.expect("tokens");
    gateway
        .providers
        .identify(&ready, &tokens, &secret(NONCE))
        .await
}

/// Why an id token was not believed, if that is what happened.
fn doubt(
    outcome: &Result<(Option<Identity>, VerifiedFacts), ProviderError>,
) -> Option<IdTokenError> {
    match outcome {
        Err(ProviderError::IdToken { reason, .. }) => Some(*reason),
        _ => None,
    }
}

#[tokio::test]
async fn c_20_a_person_is_the_issuer_and_the_subject_of_the_id_token() {
    let openid = OpenId::start().await;
    let gateway = Gateway::new();
    for _ in 0..2 {
        let (identity, facts) = openid.sign_in(&gateway).await.unwrap();
        let identity = identity.unwrap();
        assert_eq!(identity.issuer, openid.server.url());
        assert_eq!(identity.subject, "person-1");
        assert_eq!(identity.label.as_deref(), Some("Ada"));
        assert_eq!(facts, VerifiedFacts::default());
    }
    assert_eq!((openid.asked("/keys"), openid.asked("/user")), (1, 0));
}

#[tokio::test]
async fn a_new_key_is_fetched_once_and_not_for_every_token() {
    let openid = OpenId::start().await;
    let gateway = Gateway::new();
    openid.sign_in(&gateway).await.unwrap();
    openid.change(|says| {
        let new = Signer::new("k2");
        says.published.push(new.clone());
        says.signs_with = new;
    });
    // The keys are too new for others to be any better.
    assert_eq!(
        doubt(&openid.sign_in(&gateway).await),
        Some(IdTokenError::UnknownKey)
    );
    assert_eq!(openid.asked("/keys"), 1);
    gateway.clock.turn(Duration::from_secs(30));
    openid.sign_in(&gateway).await.unwrap();
    assert_eq!(openid.asked("/keys"), 2);
    openid.change(|says| says.signs_with = Signer::new("k3"));
    for _ in 0..3 {
        assert_eq!(
            doubt(&openid.sign_in(&gateway).await),
            Some(IdTokenError::UnknownKey)
        );
    }
    assert_eq!(openid.asked("/keys"), 2);
    gateway.clock.turn(Duration::from_secs(30));
    for _ in 0..3 {
        assert_eq!(
            doubt(&openid.sign_in(&gateway).await),
            Some(IdTokenError::UnknownKey)
        );
    }
    assert_eq!(openid.asked("/keys"), 3);
}

#[tokio::test]
async fn keys_are_believed_for_ten_minutes() {
    let openid = OpenId::start().await;
    let gateway = Gateway::new();
    openid.sign_in(&gateway).await.unwrap();
    // Whoever has the old key can sign no more once it is withdrawn.
    openid.change(|says| says.published = vec![Signer::new("k2")]);
    gateway.clock.turn(Duration::from_mins(10));
    openid.change(|says| says.claims = json!({"exp": 1_001_000}));
    assert_eq!(
        doubt(&openid.sign_in(&gateway).await),
        Some(IdTokenError::UnknownKey)
    );
}

#[tokio::test]
async fn j_05_nothing_weaker_takes_the_place_of_an_id_token_that_is_not_believed() {
    let openid = OpenId::start().await;
    let gateway = Gateway::new();
    for (claims, reason) in [
        (json!({"nonce": "another"}), IdTokenError::OtherNonce),
        (json!({"aud": "another"}), IdTokenError::OtherAudience),
        (
            json!({"iss": "https://evil.example"}),
            IdTokenError::OtherIssuer,
        ),
        (json!({"exp": 999_000}), IdTokenError::Time),
    ] {
        openid.change(|says| says.claims = claims);
        assert_eq!(doubt(&openid.sign_in(&gateway).await), Some(reason));
    }
    openid.change(|says| {
        says.claims = json!({});
        says.signs_with = Signer::new("k1");
    });
    assert_eq!(
        doubt(&openid.sign_in(&gateway).await),
        Some(IdTokenError::Signature)
    );
    assert_eq!(openid.asked("/user"), 0);
}

#[tokio::test]
async fn userinfo_adds_what_a_rule_needs_and_only_of_the_same_person() {
    let openid = OpenId::start().await;
    let gateway = Gateway::new();
    let ruled = provider(ProviderSettings {
        profile: "oidc".to_owned(),
        issuer: Some(openid.server.url()),
        allow: vec!["email:*@example.com".to_owned()],
        ..ProviderSettings::default()
    });
    let email = json!({"sub": "person-1", "email": "ada@example.com", "email_verified": true});
    openid.change(|says| says.userinfo = email.clone());
    let (_, facts) = sign_in(&gateway, &ruled).await.unwrap();
    assert!(admits(ruled.allow(), &facts), "{facts:?}");

    openid.change(|says| says.userinfo["email_verified"] = json!(false));
    let (_, facts) = sign_in(&gateway, &ruled).await.unwrap();
    assert!(!admits(ruled.allow(), &facts), "{facts:?}");

    openid.change(|says| {
        says.userinfo = email;
        says.userinfo["sub"] = json!("person-2");
    });
    let error = sign_in(&gateway, &ruled).await.unwrap_err();
    assert!(
        matches!(error, ProviderError::OtherPerson { .. }),
        "{error}"
    );

    openid.change(|says| says.userinfo = json!("no object"));
    let (identity, facts) = sign_in(&gateway, &ruled).await.unwrap();
    assert!(identity.is_some() && !admits(ruled.allow(), &facts));
}

/// A stand-in for GitHub; the second person has a verified address at work and is in an organisation.
async fn github() -> Server {
    Server::start(|received, _| {
        let person = received
            .header("authorization")
            .map_or("", |value| &value["Bearer ".len()..]);
        match (path(received), person) {
            ("/token", _) => answer(
                200,
                &json!({"access_token": received.field("code").unwrap()}),
            ),
            ("/user", _) => answer(
                200,
                &json!({
                    "id": 583_231, "login": "octocat", "email": "boss@example.com"
                }),
            ),
            ("/user/emails", _) => answer(
                200,
                &json!([
                    {"email": "octocat@home.example", "primary": true, "verified": true},
                    {"email": "octocat@example.com", "primary": false, "verified": false},
                ]),
            ),
            ("/user/orgs", _) => answer(200, &json!([{"login": "acme"}, {"login": "other"}])),
            _ => answer(404, &json!({})),
        }
    })
    .await
}

#[tokio::test]
async fn c_20_a_person_of_a_provider_without_issuer_is_that_providers_own() {
    let server = github().await;
    let gateway = Gateway::new();
    let provider = provider(at(&server, "github"));
    let (identity, facts) = sign_in(&gateway, &provider).await.unwrap();
    let identity = identity.unwrap();
    assert_eq!(
        (identity.issuer.as_str(), identity.subject.as_str()),
        ("acme", "583231")
    );
    assert_eq!(identity.label.as_deref(), Some("octocat"));
    // What people write into their profiles is no fact.
    assert_eq!(facts, VerifiedFacts::default());
    assert_eq!(paths(&server), ["/token", "/user"]);
}

#[tokio::test]
async fn lists_are_asked_for_what_the_rules_are_about() {
    let server = github().await;
    let gateway = Gateway::new();
    for (rules, admitted) in [
        (vec!["org:acme"], true),
        (vec!["org:evil"], false),
        (vec!["email:*@home.example"], true),
        (vec!["email:*@example.com"], false),
        (vec!["email:*@example.com", "org:ac*"], true),
    ] {
        let provider = provider(ProviderSettings {
            allow: rules.iter().map(|rule| (*rule).to_owned()).collect(),
            ..at(&server, "github")
        });
        let (_, facts) = sign_in(&gateway, &provider).await.unwrap();
        assert_eq!(
            admits(provider.allow(), &facts),
            admitted,
            "{rules:?} {facts:?}"
        );
    }
}

#[tokio::test]
async fn a_list_that_is_refused_lets_nobody_in() {
    let server = Server::start(|received, _| match path(received) {
        "/token" => answer(200, &json!({"access_token": "at-1"})),
        "/user" => answer(200, &json!({"id": 1})),
        _ => answer(403, &json!({"message": "no"})),
    })
    .await;
    let provider = provider(ProviderSettings {
        allow: vec!["org:acme".to_owned()],
        ..at(&server, "github")
    });
    let error = sign_in(&Gateway::new(), &provider).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the provider `acme` gave no usable answer for its list of organisations: status 403"
    );
}

#[tokio::test]
async fn a_provider_without_a_witness_names_nobody() {
    let server = github().await;
    let mut settings = at(&server, "oauth2");
    settings.endpoints.userinfo = None;
    let (identity, facts) = sign_in(&Gateway::new(), &provider(settings)).await.unwrap();
    assert_eq!((identity, facts), (None, VerifiedFacts::default()));
}
