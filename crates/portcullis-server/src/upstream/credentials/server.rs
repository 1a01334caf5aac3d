//! What is set for the variables of a server's URL.

use portcullis_base::Secret;
use portcullis_openapi::variables::{Purpose, VariableSpec};

use super::{ChosenBy, Values, is_set};

impl<'a> Values<'a> {
    /// Returns what somebody set for a variable of the server's URL.
    pub(super) fn server_variable(&self, name: &str) -> Option<(&'a Secret, ChosenBy)> {
        let spec = self.server_spec(name)?;
        self.value_of(spec).filter(|(value, _)| is_set(value))
    }

    pub(super) fn server_spec(&self, name: &str) -> Option<&'a VariableSpec> {
        let is_named = |spec: &&VariableSpec| {
            let variable = spec.server_variable.as_ref();
            variable.is_some_and(|variable| variable.name == name)
        };
        self.document.variables.iter().find(is_named)
    }

    /// Tells whether the environment's value for the server, or for a part of it, is a secret.
    pub(super) fn server_is_secret(&self) -> bool {
        let mut specs = self.document.variables.iter();
        let is_secret = |spec: &VariableSpec| {
            let environment = self.sources.environment?;
            let value = spec.names().find_map(|name| environment.values.get(name))?;
            value.secret.then_some(())
        };
        specs.any(|spec| {
            matches!(spec.purpose, Purpose::ServerUrl | Purpose::ServerVariable)
                && is_secret(spec).is_some()
        })
    }
}
