//! What a change of objects displaces: providers that are others than before, and toolsets that people sign in to elsewhere now.
//!
//! Rows of signing in name both by slug.
//! A slug that stands for something else after the change must not meet the tokens, grants and consents of what had it before.

use std::collections::BTreeSet;

use portcullis_base::{ProviderId, Slug};

use super::{Changes, Object, ObjectId, provider, toolset};
use crate::engine::Connection;
use crate::entity::{ProviderEndpoints, ProviderSettings, Toolset};
use crate::error::StoreError;
use crate::sign_in::displace::Displaced;

/// The providers, and the toolsets that people sign in to, as they are before a change.
pub(super) struct Before {
    pub(super) toolsets: Vec<Toolset>,
    pub(super) providers: Vec<(ProviderId, Slug, ProviderSettings)>,
}

impl Before {
    pub(super) async fn read(connection: &mut Connection<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            toolsets: toolset::all(connection).await?,
            providers: provider::settings(connection).await?,
        })
    }

    /// Names what is removed by `changes`, or something else after them.
    pub(super) fn displaced(&self, changes: &Changes) -> Displaced {
        let providers: BTreeSet<Slug> = self
            .providers
            .iter()
            .filter(|(id, slug, settings)| {
                changes.remove.contains(&ObjectId::Provider(*id))
                    || changes.put.iter().any(|object| match object {
                        Object::Provider(put) if put.id == *id => {
                            put.slug != *slug || !is_the_same(&put.settings, settings)
                        }
                        _ => false,
                    })
            })
            .map(|(_, slug, _)| slug.clone())
            .collect();
        let toolsets = self
            .toolsets
            .iter()
            .filter(|toolset| {
                let Some(provider) = &toolset.provider else {
                    return false;
                };
                providers.contains(provider)
                    || changes.remove.contains(&ObjectId::Toolset(toolset.id))
                    || changes.put.iter().any(|object| match object {
                        Object::Toolset(put) if put.id == toolset.id => {
                            put.slug != toolset.slug || put.provider != toolset.provider
                        }
                        _ => false,
                    })
            })
            .map(|toolset| toolset.slug.clone())
            .collect();
        Displaced {
            toolsets,
            providers,
        }
    }
}

/// Tells whether tokens of the one are good at the other: it sits where the other sits, and knows us by the same id.
fn is_the_same(one: &ProviderSettings, other: &ProviderSettings) -> bool {
    one.profile == other.profile
        && one.issuer == other.issuer
        && one.tenant == other.tenant
        && where_tokens_count(&one.endpoints) == where_tokens_count(&other.endpoints)
        && one.client_id == other.client_id
}

/// Leaves out where tokens only end.
fn where_tokens_count(endpoints: &ProviderEndpoints) -> ProviderEndpoints {
    ProviderEndpoints {
        revocation: None,
        ..endpoints.clone()
    }
}
