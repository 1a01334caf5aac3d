//! Reads how long tokens are good: for all toolsets, and for one that has lifetimes of its own.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use portcullis_oauth::issuer::redeem::{OwnLifetimes, TokenLifetimes};
use portcullis_store::Inbound;
use toml::Spanned;

use crate::config::file::{Authorization, Toolset};
use crate::config::reading::Reading;

/// Shorter ones would have clients refresh all the time, longer ones outlive what was revoked at the provider.
const ACCESS_SECONDS: RangeInclusive<u64> = 60..=86_400;

/// From an hour to a year.
const REFRESH_SECONDS: RangeInclusive<u64> = 3_600..=31_536_000;

/// From an hour to ten years.
const GRANT_SECONDS: RangeInclusive<u64> = 3_600..=315_360_000;

/// Longer ones would hide a thief for as long.
const REPLACED_SECONDS: RangeInclusive<u64> = 0..=600;

/// The keys that a table may have.
struct Keys<'a> {
    access: Option<&'a Spanned<u64>>,
    refresh: Option<&'a Spanned<u64>>,
    grant: Option<&'a Spanned<u64>>,
}

/// Reads what holds for all toolsets.
pub(in crate::config) fn usual(reading: &mut Reading<'_>, table: &Authorization) -> TokenLifetimes {
    let usual = TokenLifetimes::default();
    let keys = Keys {
        access: table.access_token_seconds.as_ref(),
        refresh: table.refresh_token_seconds.as_ref(),
        grant: table.grant_seconds.as_ref(),
    };
    let own = keys.read(reading, usual);
    let replaced = table.replaced_token_seconds.as_ref();
    TokenLifetimes {
        replaced: reading.seconds_within(replaced, usual.replaced, REPLACED_SECONDS),
        ..usual.at(&own)
    }
}

/// Reads what holds for one toolset, `usual` being what holds for the others.
pub(super) fn own(
    reading: &mut Reading<'_>,
    table: &Toolset,
    inbound: &BTreeSet<Inbound>,
    usual: TokenLifetimes,
) -> OwnLifetimes {
    let keys = Keys {
        access: table.access_token_seconds.as_ref(),
        refresh: table.refresh_token_seconds.as_ref(),
        grant: table.grant_seconds.as_ref(),
    };
    if let Some(span) = keys.first().filter(|_| !inbound.contains(&Inbound::OAuth)) {
        reading.refuse(
            span,
            "Portcullis issues no tokens for the toolset, since `oauth` is not among its ways in",
            "add `oauth` to `inbound`, or leave the lifetime out",
        );
    }
    keys.read(reading, usual)
}

impl Keys<'_> {
    fn first(&self) -> Option<Range<usize>> {
        let given = self.access.or(self.refresh).or(self.grant);
        given.map(Spanned::span)
    }

    fn read(&self, reading: &mut Reading<'_>, usual: TokenLifetimes) -> OwnLifetimes {
        let mut seconds = |value: Option<&Spanned<u64>>, range| {
            value.map(|value| reading.seconds_within(Some(value), Duration::ZERO, range))
        };
        let own = OwnLifetimes {
            access: seconds(self.access, ACCESS_SECONDS),
            refresh: seconds(self.refresh, REFRESH_SECONDS),
            grant: seconds(self.grant, GRANT_SECONDS),
        };
        let both = usual.at(&own);
        if both.refresh < both.access
            && let Some(value) = self.refresh.or(self.access)
        {
            reading.refuse(
                value.span(),
                "a refresh token would expire before the access token that it is to follow",
                "choose a larger `refresh_token_seconds` than `access_token_seconds`",
            );
        }
        own
    }
}
