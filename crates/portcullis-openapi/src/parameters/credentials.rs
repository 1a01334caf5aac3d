//! Parameters that are an operation's credentials: they are attached by the gateway, never asked of the model.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::Declared;
use crate::model::{Place, SchemeKind, SecurityAlternative};
use crate::security::{is_access_token, is_spare_key};

/// Where the credentials of an operation go, read once for all of its parameters.
#[derive(Debug, Default)]
pub(crate) struct Credentials<'a> {
    /// API keys, as [`Declared::key`] has parameters.
    keys: HashSet<(Place, Cow<'a, str>)>,
    /// Whether there are access tokens, which APIs take in other places than `Authorization` too.
    has_tokens: bool,
}

impl<'a> Credentials<'a> {
    pub(crate) fn of(
        security: &[SecurityAlternative],
        schemes: &HashMap<&str, &'a SchemeKind>,
    ) -> Self {
        let mut credentials = Self::default();
        for requirement in security.iter().flatten() {
            match schemes.get(requirement.scheme.as_str()) {
                Some(SchemeKind::ApiKey { place, name }) => {
                    credentials.keys.insert(key(*place, name));
                }
                Some(
                    SchemeKind::OAuth2 { .. }
                    | SchemeKind::OpenIdConnect { .. }
                    | SchemeKind::Bearer,
                ) => credentials.has_tokens = true,
                _ => {}
            }
        }
        credentials
    }

    /// Tells whether a credential goes where the parameter goes, or could.
    pub(super) fn have(&self, parameter: &Declared<'_>) -> bool {
        let may_be_token = self.has_tokens && parameter.place != Place::Path;
        self.keys.contains(&parameter.key())
            || parameter
                .value
                .filter(|_| may_be_token)
                .is_some_and(|value| is_access_token(value) || is_spare_key(value))
    }
}

/// What no two parameters of an operation share; names of headers are the same in any case.
pub(super) fn key(place: Place, name: &str) -> (Place, Cow<'_, str>) {
    let name = match place {
        Place::Header => Cow::Owned(name.to_ascii_lowercase()),
        _ => Cow::Borrowed(name),
    };
    (place, name)
}
