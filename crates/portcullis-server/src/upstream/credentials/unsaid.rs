//! What a call bears of which the document says nothing: the caller's own connection, where the operator says so of the document.
//!
//! The rules are those of a scheme that is bound: the token goes to the document's own servers, and never where a caller chooses.
//! Who did not sign in gets what he would get without that word of the operator, which is nothing.

use portcullis_base::Slug;
use portcullis_openapi::Tool;

use super::missing::MissingCredentials;
use super::{Credential, CredentialError, Values};

impl<'a> Values<'a> {
    /// Decides what a call of a tool bears whose credential is the connection at `provider`.
    pub(super) fn unsaid(
        &self,
        tool: &Tool,
        provider: &Slug,
    ) -> Result<Vec<Credential<'a>>, CredentialError> {
        let Some(connection) = self.sources.connection else {
            return Ok(Vec::new());
        };
        if !self.connection_allowed || connection.provider != provider {
            return Err(MissingCredentials::of_person(provider, self.connection_allowed).into());
        }
        match self.stray_origin(tool) {
            Some(origin) if !self.is_open_to(origin.as_str()) => Err(CredentialError::Elsewhere {
                document: self.document.slug.clone(),
                origin: origin.clone(),
            }),
            _ => Ok(vec![Credential::Connection(connection.token)]),
        }
    }

    fn is_open_to(&self, origin: &str) -> bool {
        let mut named = self.document.settings.origins.iter();
        named.any(|named| named == origin)
    }
}
