//! Reads `[authorization]`: how long our tokens are good, and which clients are trusted with what.

use std::time::Duration;

use portcullis_oauth::issuer::redeem::TokenLifetimes;
use portcullis_oauth::redirect_uri::PrivateUseSchemes;
use toml::Spanned;

use super::host;
use crate::config::file::Authorization;
use crate::config::reading::Reading;
use crate::config::settings::AuthorizationSettings;

/// Shorter ones would have clients refresh all the time, longer ones outlive what was revoked at the provider.
const ACCESS_SECONDS: std::ops::RangeInclusive<u64> = 60..=86_400;

/// From an hour to a year.
const REFRESH_SECONDS: std::ops::RangeInclusive<u64> = 3_600..=31_536_000;

/// From an hour to ten years.
const GRANT_SECONDS: std::ops::RangeInclusive<u64> = 3_600..=315_360_000;

/// Longer ones would hide a thief for as long.
const REPLACED_SECONDS: std::ops::RangeInclusive<u64> = 0..=600;

/// Reads the table.
pub(super) fn settings(reading: &mut Reading<'_>, table: &Authorization) -> AuthorizationSettings {
    AuthorizationSettings {
        lifetimes: lifetimes(reading, table),
        trusted_redirect_hosts: reading.all_parsed(&table.trusted_redirect_hosts, host),
        private_use_schemes: private_use_schemes(reading, &table.private_use_schemes),
    }
}

fn lifetimes(reading: &mut Reading<'_>, table: &Authorization) -> TokenLifetimes {
    let usual = TokenLifetimes::default();
    let mut seconds = |value: Option<&Spanned<u64>>, usual: Duration, range| {
        reading.seconds_within(value, usual, range)
    };
    let lifetimes = TokenLifetimes {
        access: seconds(
            table.access_token_seconds.as_ref(),
            usual.access,
            ACCESS_SECONDS,
        ),
        refresh: seconds(
            table.refresh_token_seconds.as_ref(),
            usual.refresh,
            REFRESH_SECONDS,
        ),
        grant: table
            .grant_seconds
            .as_ref()
            .map(|value| seconds(Some(value), usual.refresh, GRANT_SECONDS)),
        replaced: seconds(
            table.replaced_token_seconds.as_ref(),
            usual.replaced,
            REPLACED_SECONDS,
        ),
    };
    let given = table.refresh_token_seconds.as_ref();
    let given = given.or(table.access_token_seconds.as_ref());
    if lifetimes.refresh < lifetimes.access
        && let Some(value) = given
    {
        reading.refuse(
            value.span(),
            "a refresh token would expire before the access token that it is to follow",
            "choose a larger `refresh_token_seconds` than `access_token_seconds`",
        );
    }
    lifetimes
}

fn private_use_schemes(
    reading: &mut Reading<'_>,
    schemes: &[Spanned<String>],
) -> PrivateUseSchemes {
    let read = reading.all_parsed(schemes, |text| {
        let scheme = text.to_owned();
        PrivateUseSchemes::default().and(text).map(|_| scheme)
    });
    // Each was judged alone, so that none is refused here.
    read.iter()
        .fold(PrivateUseSchemes::default(), |all, scheme| {
            all.clone().and(scheme).unwrap_or(all)
        })
}
