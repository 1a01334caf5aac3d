//! What a gateway does by itself from time to time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use portcullis_base::Clock;
use portcullis_server::catalogue::Catalogue;
use portcullis_server::upstream::http::Http;
use portcullis_server::upstream::keeper::Keeper;
use portcullis_server::upstream::providers::Providers;
use portcullis_server::upstream::revoker::Revoker;
use portcullis_server::upstream::vault::{Vault, VaultParts};

use super::{Site, loopback, upstream_provider};

impl Site {
    /// Returns what revokes tokens at the provider, as a replica of its own does.
    pub(in crate::issuer) fn revoker(&self) -> Revoker {
        Revoker::new(self.vault_parts(), Arc::clone(&self.catalogue))
    }

    /// Returns what keeps connections alive, as a replica of its own does.
    pub(in crate::issuer) fn keeper(&self) -> Keeper {
        let parts = self.vault_parts();
        let vault = Arc::new(Vault::new(parts.clone()));
        Keeper::new(vault, parts, Arc::clone(&self.catalogue))
    }

    fn vault_parts(&self) -> VaultParts {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let http = Http::new(loopback(), Duration::from_secs(5));
        VaultParts {
            store: self.store.clone(),
            providers: Arc::new(Providers::new(http, Arc::clone(&clock))),
            metrics: Arc::default(),
            clock,
        }
    }

    /// Has connections kept alive that nobody has used for so long.
    pub(in crate::issuer) fn keep_alive(&self, idle: Duration) {
        let all = self.catalogue.load_full();
        let provider = upstream_provider("idp", &self.provider, Some(idle));
        let mut providers = all.providers.clone();
        providers.insert("idp".to_owned(), Arc::new(provider));
        self.catalogue.store(Arc::new(Catalogue {
            toolsets: all.toolsets.clone(),
            documents: HashMap::new(),
            providers,
        }));
    }
}
