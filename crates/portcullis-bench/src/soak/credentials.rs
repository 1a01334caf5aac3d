//! The file in which the processes of one person keep their tokens.

use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::since_epoch;
use crate::visitor::SignedIn;

/// What stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Credentials {
    pub(super) client: String,
    pub(super) access_token: String,
    pub(super) refresh_token: String,
    expires_at_ms: u128,
}

impl Credentials {
    /// Makes of an answer what is kept of it.
    pub(super) fn of(signed_in: SignedIn) -> Self {
        let life = u128::from(signed_in.expires_in) * 1000;
        Self {
            client: signed_in.client,
            access_token: signed_in.access_token,
            refresh_token: signed_in.refresh_token,
            expires_at_ms: since_epoch().as_millis() + life,
        }
    }

    /// Tells whether the access token has expired by this process's clock.
    pub(super) fn have_expired(&self) -> bool {
        self.left_ms() == 0
    }

    /// Returns how long the access token is good by this process's clock.
    pub(super) fn left_ms(&self) -> u64 {
        let left = self.expires_at_ms.saturating_sub(since_epoch().as_millis());
        u64::try_from(left).unwrap_or(u64::MAX)
    }

    /// Counts the access token as expired, since it was refused.
    pub(super) fn expire(&mut self) {
        self.expires_at_ms = 0;
    }

    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// Writes the file whole, so that nobody reads half of it.
    pub(super) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let new = file.with_extension(std::process::id().to_string());
        std::fs::write(&new, serde_json::to_vec(self)?)?;
        std::fs::rename(&new, file).with_context(|| format!("cannot write {}", file.display()))
    }
}
