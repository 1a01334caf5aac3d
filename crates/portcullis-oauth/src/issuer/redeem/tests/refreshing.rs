//! Refresh tokens that are presented, rightly and wrongly, and what is issued.

use portcullis_base::Digest;

use super::*;
use crate::issuer::grant::{EndReason, Ended, RefreshTokenRow};
use crate::issuer::refresh::{RefreshError, refresh};
use crate::wire::grant::RefreshRequest;

/// A refresh token that was issued, and an attempt to use it.
struct Refresh {
    row: RefreshTokenRow,
    request: RefreshRequest,
    client: Client,
    lifetimes: TokenLifetimes,
    now: Timestamp,
}

/// For how long a token is good once what came of it is in use.
const REPLACED: Duration = Duration::from_mins(1);

const ENDED: Ended = Ended {
    at: NOW,
    reason: EndReason::Revoked,
};

/// A good refresh, changed.
fn refreshing(change: impl FnOnce(&mut Refresh)) -> Result<Scopes, RefreshError> {
    let rng = rng();
    let token = Plain::new(&rng);
    let mut refreshing = Refresh {
        row: RefreshTokenRow {
            digest: token.digest(),
            grant: grant(&redemption(|_| {}).code, NOW, &rng),
            parent: None,
            generation: 0,
            created_at: NOW,
            expires_at: NOW.after(Duration::from_hours(1)),
            replaced_at: None,
            confirmed_at: None,
        },
        request: RefreshRequest {
            refresh_token: token,
            scope: None,
            resource: Some(PETS.to_owned()),
        },
        client: client("me"),
        lifetimes: TokenLifetimes::default(),
        now: NOW,
    };
    change(&mut refreshing);
    let Refresh {
        row,
        request,
        client,
        lifetimes,
        now,
    } = &refreshing;
    let refreshed =
        with_policy(|policy| refresh(Some(row), request, client, policy, *lifetimes, *now));
    refreshed.map(|refreshed| refreshed.scopes)
}

#[test]
fn what_is_issued_is_what_is_stored() {
    let issued = issue(
        scopes("read"),
        &client("me"),
        TokenLifetimes::default(),
        NOW,
        &rng(),
    );
    let refresh = issued.refresh.unwrap();
    assert_eq!(
        issued.stored,
        NewTokens {
            access: issued.access.digest(),
            scopes: scopes("read"),
            access_expires_at: NOW.after(Duration::from_hours(1)),
            refresh: Some(NewRefreshToken {
                digest: refresh.digest(),
                expires_at: NOW.after(Duration::from_hours(30 * 24)),
            }),
        }
    );
    assert_ne!(
        issued.stored.access,
        Digest::of(refresh.expose().as_bytes())
    );
}

#[test]
fn who_did_not_register_for_refreshing_gets_no_refresh_token() {
    let mut client = client("me");
    client.metadata.refreshes = false;
    let issued = issue(
        scopes("read"),
        &client,
        TokenLifetimes::default(),
        NOW,
        &rng(),
    );
    assert!(issued.refresh.is_none());
    assert_eq!(issued.stored.refresh, None);
}

#[test]
fn t_09_a_refresh_never_widens_what_was_granted() {
    for (asked, outcome) in [
        (None, Ok("read write")),
        (Some("read write"), Ok("read write")),
        (Some("read"), Ok("read")),
        (Some("read write admin"), Err(RefreshError::Scope)),
        (Some("admin"), Err(RefreshError::Scope)),
        (Some("READ"), Err(RefreshError::Scope)),
        (Some("offline_access"), Err(RefreshError::Scope)),
    ] {
        let scopes_of_the_token = refreshing(|it| it.request.scope = asked.map(scopes));
        assert_eq!(scopes_of_the_token, outcome.map(scopes), "{asked:?}");
    }
    let outward = RefreshError::Scope.outward();
    assert_eq!(outward.code, OAuthErrorCode::InvalidScope);
}

#[test]
fn f_05_another_client_refreshes_nothing_and_ends_nothing() {
    let changes: [fn(&mut Refresh); 4] = [
        |_| {},
        |it| it.now = it.row.expires_at,
        |it| it.request.resource = None,
        |it| it.row.grant.ended = Some(ENDED),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let refused = refreshing(|it| {
            change(it);
            it.client = client("you");
        });
        assert_eq!(refused, Err(RefreshError::OtherClient), "{number}");
    }
    let outward = RefreshError::OtherClient.outward();
    assert_eq!(outward.code, OAuthErrorCode::InvalidGrant);
}

#[test]
fn f_02_a_replaced_token_of_another_client_ends_its_grant() {
    let error = refreshing(|it| {
        it.row.replaced_at = Some(NOW);
        it.client = client("you");
    });
    assert!(matches!(error, Err(RefreshError::Replayed(_))), "{error:?}");
}

#[test]
fn f_06_j_03_another_resource_is_not_refreshed() {
    for resource in OTHER_RESOURCES {
        let refused = refreshing(|it| it.request.resource = Some(resource.to_owned()));
        assert_eq!(refused, Err(RefreshError::OtherResource), "{resource}");
    }
    let outward = RefreshError::OtherResource.outward();
    assert_eq!(outward.code, OAuthErrorCode::InvalidTarget);
    assert_eq!(
        refreshing(|it| it.request.resource = None),
        Ok(scopes("read write"))
    );
}

#[test]
fn t_12_a_token_is_good_until_it_expires_and_what_it_gives_lasts_its_whole_time() {
    let at = |now: fn(&RefreshTokenRow) -> Timestamp| refreshing(|it| it.now = now(&it.row));
    let last = at(|row| row.expires_at.before(MOMENT));
    assert_eq!(last, Ok(scopes("read write")));
    assert_eq!(at(|row| row.expires_at), Err(RefreshError::Expired));
    let forever = TokenLifetimes {
        access: Duration::MAX,
        refresh: Duration::MAX,
        ..TokenLifetimes::default()
    };
    for (lifetimes, access, refresh) in [
        (
            TokenLifetimes {
                access: MOMENT,
                refresh: Duration::ZERO,
                ..TokenLifetimes::default()
            },
            NOW.after(MOMENT),
            NOW,
        ),
        (
            forever,
            Timestamp::from_millis(i64::MAX),
            Timestamp::from_millis(i64::MAX),
        ),
    ] {
        let stored = issue(scopes("read"), &client("me"), lifetimes, NOW, &rng()).stored;
        assert_eq!(stored.access_expires_at, access);
        assert_eq!(stored.refresh.unwrap().expires_at, refresh);
    }
}

#[test]
fn a_refresh_token_of_an_ended_grant_is_not_good() {
    for reason in [
        EndReason::CodeReplayed,
        EndReason::RefreshTokenReplayed,
        EndReason::ConnectionLost,
        EndReason::Revoked,
    ] {
        let ended = Some(Ended { at: NOW, reason });
        let refused = refreshing(|it| it.row.grant.ended = ended);
        assert_eq!(refused, Err(RefreshError::Ended), "{reason:?}");
    }
}

#[test]
fn f_03_a_replaced_token_is_good_as_long_as_nothing_that_came_of_it_is_used() {
    let replaced = refreshing(|it| {
        it.row.replaced_at = Some(NOW.before(Duration::from_hours(24)));
    });
    assert_eq!(replaced, Ok(scopes("read write")));
}

#[test]
fn f_02_a_token_whose_successor_is_in_use_is_good_for_a_moment_and_then_ends_its_grant() {
    for lifetime in [Duration::ZERO, REPLACED, Duration::from_mins(10)] {
        let confirmed = |ago| {
            refreshing(|it| {
                it.lifetimes.replaced = lifetime;
                it.row.replaced_at = Some(NOW.before(ago));
                it.row.confirmed_at = Some(NOW.before(ago));
            })
        };
        assert_eq!(confirmed(lifetime), Ok(scopes("read write")));
        let error = confirmed(lifetime + MOMENT);
        assert!(matches!(error, Err(RefreshError::Replayed(_))), "{error:?}");
    }
}

#[test]
fn a_grant_ends_where_the_operator_says_so_however_often_it_is_refreshed() {
    let day = Duration::from_hours(24);
    let refreshed = |ago| {
        refreshing(|it| {
            it.lifetimes.grant = Some(day);
            it.row.grant.created_at = NOW.before(ago);
        })
    };
    let almost = day.saturating_sub(MOMENT);
    assert_eq!(refreshed(almost), Ok(scopes("read write")));
    assert_eq!(refreshed(day), Err(RefreshError::TooOld));
    let outward = RefreshError::TooOld.outward();
    assert_eq!(outward.code, OAuthErrorCode::InvalidGrant);
}

#[test]
fn a_refresh_token_that_was_never_issued_is_unknown() {
    let request = RefreshRequest {
        refresh_token: Plain::new(&rng()),
        scope: None,
        resource: None,
    };
    let lifetimes = TokenLifetimes::default();
    let me = client("me");
    let outcome = with_policy(|policy| refresh(None, &request, &me, policy, lifetimes, NOW));
    assert_eq!(outcome, Err(RefreshError::Unknown));
}
