//! Codes that are presented, rightly and wrongly.

use std::sync::atomic::{AtomicU8, Ordering};

use portcullis_base::{ConnectionId, FlowId, Origin, Secret, SubjectId};

use super::*;
use crate::issuer::client::{
    ApplicationType, ClientId, ClientOrigin, TokenEndpointAuthMethod, VerifiedClientMetadata,
};
use crate::issuer::code::{CODE_LIFETIME, Redeemed};
use crate::issuer::refresh::RefreshError;
use crate::pkce::CodeChallenge;
use crate::redirect_uri::RedirectUri;

mod refreshing;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REDIRECT_URI: &str = "http://127.0.0.1:1234/cb";
const PETS: &str = "https://mcp.example/pets/mcp";
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const MOMENT: Duration = Duration::from_millis(1);

/// What names no resource that a token of `pets` is for.
const OTHER_RESOURCES: [&str; 7] = [
    "https://mcp.example/cars/mcp",
    "https://mcp.example/dogs/mcp",
    "https://mcp.example/pets/mcp-v2",
    "https://mcp.example/pets/mcp#x",
    "https://other.example/pets/mcp",
    "https://mcp.example",
    "/pets/mcp",
];

/// Counts instead of being random.
struct Counting(AtomicU8);

impl Rng for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

fn rng() -> Counting {
    Counting(AtomicU8::new(1))
}

fn client(id: &str) -> Client {
    Client {
        id: ClientId::parse(id).unwrap(),
        origin: ClientOrigin::Dynamic,
        metadata: VerifiedClientMetadata {
            name: "Test".to_owned(),
            redirect_uris: vec![RedirectUri::parse("http://127.0.0.1/cb").unwrap()],
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

fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).unwrap()
}

/// Judges with two toolsets that take our tokens.
fn with_policy<T>(judge: impl FnOnce(&AuthorizationPolicy<'_>) -> T) -> T {
    let public_url = Origin::parse("https://mcp.example").unwrap();
    let toolsets =
        ["pets", "cars"].map(|slug| (Slug::parse(slug).unwrap(), scopes("admin read write")));
    judge(&AuthorizationPolicy {
        public_url: &public_url,
        toolsets: &toolsets,
        trusted_redirect_hosts: &[],
    })
}

/// A code that was issued, and an attempt to redeem it.
struct Redemption {
    code: Code,
    request: CodeRequest,
    client: Client,
    now: Timestamp,
}

/// A good redemption, changed.
fn redemption(change: impl FnOnce(&mut Redemption)) -> Redemption {
    let rng = rng();
    let code = Plain::new(&rng);
    let mut redemption = Redemption {
        code: Code {
            digest: code.digest(),
            flow: FlowId::new(NOW, &rng),
            client: ClientId::parse("me").unwrap(),
            redirect_uri: REDIRECT_URI.to_owned(),
            code_challenge: CodeChallenge::of(&Secret::new(VERIFIER.to_owned())),
            toolset: Slug::parse("pets").unwrap(),
            scopes: scopes("read write"),
            subject: SubjectId::new(NOW, &rng),
            connection: Some(ConnectionId::new(NOW, &rng)),
            created_at: NOW,
            expires_at: NOW.after(CODE_LIFETIME),
            redeemed: None,
        },
        request: CodeRequest {
            code,
            redirect_uri: Some(REDIRECT_URI.to_owned()),
            code_verifier: Some(Secret::new(VERIFIER.to_owned())),
            resource: Some(PETS.to_owned()),
        },
        client: client("me"),
        now: NOW,
    };
    change(&mut redemption);
    redemption
}

impl Redemption {
    fn judge(&self) -> Result<(), RedeemError> {
        with_policy(|policy| {
            redeem(
                Some(&self.code),
                &self.request,
                &self.client,
                policy,
                self.now,
            )
        })
    }

    /// The grant that came of an earlier redemption, `ago` before this one.
    fn was_redeemed(&mut self, ago: Duration) -> GrantId {
        let grant = GrantId::new(NOW, &rng());
        let at = self.now.before(ago);
        self.code.redeemed = Some(Redeemed { at, grant });
        grant
    }
}

/// What is presented again later with everything right: the code must be as good as before.
fn stays_good(mut refused: Redemption) {
    let good = redemption(|_| {});
    refused.request = good.request;
    refused.client = good.client;
    assert_eq!(refused.judge(), Ok(()));
}

#[test]
fn a_code_is_redeemed_by_who_asked_for_it() {
    assert_eq!(redemption(|_| {}).judge(), Ok(()));
    // OAuth 2.1 has no `redirect_uri` here, and old clients of MCP have no `resource`.
    let least = redemption(|it| {
        it.request.redirect_uri = None;
        it.request.resource = None;
    });
    assert_eq!(least.judge(), Ok(()));
}

#[test]
fn p_04_p_06_nothing_but_the_verifier_redeems_a_code() {
    let challenge = CodeChallenge::of(&Secret::new(VERIFIER.to_owned()));
    let wrong = [
        None,
        Some(String::new()),
        Some(challenge.as_str().to_owned()),
        Some(VERIFIER.replace('d', "e")),
        Some(VERIFIER[1..].to_owned()),
        Some(format!("{VERIFIER}=")),
        Some("a".repeat(200)),
        Some("é".repeat(43)),
    ];
    for verifier in wrong {
        let refused = redemption(|it| it.request.code_verifier = verifier.clone().map(Secret::new));
        let error = refused.judge().unwrap_err();
        assert_eq!(error, RedeemError::Verifier, "{verifier:?}");
        assert_eq!(error.outward().code, OAuthErrorCode::InvalidGrant);
        stays_good(refused);
    }
}

#[test]
fn u_07_the_redirect_uri_is_that_of_the_request() {
    for uri in [
        // Registered as well, and what the port of a loopback host may be: but not what was asked for.
        "http://127.0.0.1/cb",
        "http://127.0.0.1:1235/cb",
        "http://127.0.0.1:1234/cb/",
        "http://localhost:1234/cb",
        "https://evil.example/cb",
    ] {
        let refused = redemption(|it| it.request.redirect_uri = Some(uri.to_owned()));
        let error = refused.judge().unwrap_err();
        assert_eq!(error, RedeemError::OtherRedirectUri, "{uri}");
        assert_eq!(error.outward().code, OAuthErrorCode::InvalidGrant);
        stays_good(refused);
    }
}

#[test]
fn p_07_another_client_redeems_nothing_and_spoils_nothing() {
    for other in ["m", "me2", "ME", "you"] {
        let refused = redemption(|it| it.client = client(other));
        let error = refused.judge().unwrap_err();
        assert_eq!(error, RedeemError::OtherClient, "{other}");
        assert_eq!(error.outward().code, OAuthErrorCode::InvalidGrant);
        stays_good(refused);
    }
}

#[test]
fn p_08_a_code_that_comes_again_ends_what_it_gave() {
    let changes: [fn(&mut Redemption); 4] = [
        |it| it.request.code_verifier = None,
        |it| it.request.code_verifier = Some(Secret::new("a".repeat(43))),
        |it| it.request.redirect_uri = Some("https://evil.example/cb".to_owned()),
        |it| it.request.resource = Some("https://mcp.example/cars/mcp".to_owned()),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut again = redemption(change);
        let grant = again.was_redeemed(MOMENT);
        let error = again.judge().unwrap_err();
        assert_eq!(error, RedeemError::Replayed(grant), "{number}");
        assert_eq!(error.outward().code, OAuthErrorCode::InvalidGrant);
    }
    let mut late = redemption(|_| {});
    let grant = late.was_redeemed(LOST_ANSWER + MOMENT);
    assert_eq!(late.judge(), Err(RedeemError::Replayed(grant)));
    // Also when the code would have expired by now.
    let mut later = redemption(|it| it.now = it.code.expires_at.after(CODE_LIFETIME));
    let grant = later.was_redeemed(CODE_LIFETIME);
    assert_eq!(later.judge(), Err(RedeemError::Replayed(grant)));
}

#[test]
fn p_08_another_client_ends_nothing_with_a_code_that_was_redeemed() {
    for after in [MOMENT, LOST_ANSWER + MOMENT, CODE_LIFETIME] {
        let mut other = redemption(|it| it.client = client("you"));
        let grant = other.was_redeemed(after);
        let error = other.judge().unwrap_err();
        assert_eq!(error, RedeemError::ReplayedByOther(grant), "{after:?}");
        assert_eq!(error.outward(), RedeemError::OtherClient.outward());
    }
}

#[test]
fn p_08_a_client_that_lost_the_answer_gets_no_second_one_and_keeps_the_first() {
    for ago in [Duration::ZERO, LOST_ANSWER] {
        let mut again = redemption(|_| {});
        let grant = again.was_redeemed(ago);
        let error = again.judge().unwrap_err();
        assert_eq!(error, RedeemError::Repeated(grant), "{ago:?}");
        assert_eq!(error.outward().code, OAuthErrorCode::InvalidGrant);
    }
}

#[test]
fn p_10_a_code_lives_for_a_minute() {
    assert!(CODE_LIFETIME <= Duration::from_mins(1));
    let at = |now: fn(&Code) -> Timestamp| redemption(|it| it.now = now(&it.code)).judge();
    assert_eq!(at(|code| code.expires_at.before(MOMENT)), Ok(()));
    assert_eq!(at(|code| code.expires_at), Err(RedeemError::Expired));
    let outward = RedeemError::Expired.outward();
    assert_eq!(outward.code, OAuthErrorCode::InvalidGrant);
}

#[test]
fn p_10_a_grant_is_for_whom_and_what_the_code_was_for() {
    let code = redemption(|_| {}).code;
    let later = NOW.after(MOMENT);
    let grant = grant(&code, later, &rng());
    assert_eq!(
        grant,
        Grant {
            id: grant.id,
            client: code.client,
            subject: code.subject,
            toolset: code.toolset,
            scopes: code.scopes,
            connection: code.connection,
            created_at: later,
            ended: None,
        }
    );
}

#[test]
fn p_10_a_code_that_was_never_issued_is_unknown() {
    let Redemption {
        request,
        client,
        now,
        ..
    } = redemption(|_| {});
    let error = with_policy(|policy| redeem(None, &request, &client, policy, now)).unwrap_err();
    assert_eq!(error, RedeemError::Unknown);
    assert_eq!(error.outward().code, OAuthErrorCode::InvalidGrant);
}

#[test]
fn p_11_j_03_another_resource_is_refused_and_consumes_nothing() {
    for resource in OTHER_RESOURCES {
        let refused = redemption(|it| it.request.resource = Some(resource.to_owned()));
        let error = refused.judge().unwrap_err();
        assert_eq!(error, RedeemError::OtherResource, "{resource}");
        assert_eq!(error.outward().code, OAuthErrorCode::InvalidTarget);
        stays_good(refused);
    }
}

#[test]
fn t_11_a_refusal_does_not_tell_an_unknown_code_from_another_clients() {
    let grant = GrantId::new(NOW, &rng());
    let unknown = RedeemError::Unknown.outward();
    for error in [
        RedeemError::OtherClient,
        RedeemError::Expired,
        RedeemError::Raced,
        RedeemError::Repeated(grant),
        RedeemError::Replayed(grant),
    ] {
        assert_eq!(error.outward(), unknown, "{error}");
    }
    let unknown = RefreshError::Unknown.outward();
    for error in [
        RefreshError::OtherClient,
        RefreshError::Expired,
        RefreshError::Ended,
        RefreshError::Replayed(grant),
        RefreshError::TooOld,
    ] {
        assert_eq!(error.outward(), unknown, "{error}");
    }
}
