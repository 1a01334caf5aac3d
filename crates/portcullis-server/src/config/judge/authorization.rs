//! Reads `[authorization]`: how long our tokens are good, and which clients are trusted with what.

use portcullis_oauth::redirect_uri::PrivateUseSchemes;
use toml::Spanned;

use super::host;
use crate::config::file::Authorization;
use crate::config::objects::lifetimes;
use crate::config::reading::Reading;
use crate::config::settings::AuthorizationSettings;

/// Reads the table.
pub(super) fn settings(reading: &mut Reading<'_>, table: &Authorization) -> AuthorizationSettings {
    AuthorizationSettings {
        lifetimes: lifetimes::usual(reading, table),
        trusted_redirect_hosts: reading.all_parsed(&table.trusted_redirect_hosts, host),
        private_use_schemes: private_use_schemes(reading, &table.private_use_schemes),
    }
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
