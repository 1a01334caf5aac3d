//! Parameters that are alike, each kept once: the operations of a large document have the same few.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::model::{Parameter, Place, Spelling};

/// The parameters of a document so far.
#[derive(Debug, Default)]
pub(crate) struct SharedParameters(HashSet<Plain>);

/// A parameter whose value is written in a style, not as content.
#[derive(Debug)]
struct Plain(Arc<Parameter>);

impl SharedParameters {
    /// Returns the parameter, or one before it that is alike.
    pub(super) fn share(&mut self, parameter: Parameter) -> Arc<Parameter> {
        let parameter = Arc::new(parameter);
        if parameter.content.is_some() {
            return parameter;
        }
        let parameter = Plain(parameter);
        let known = self.0.get(&parameter).map(|known| Arc::clone(&known.0));
        known.unwrap_or_else(|| {
            let new = Arc::clone(&parameter.0);
            self.0.insert(parameter);
            new
        })
    }
}

impl Plain {
    /// Everything that such a parameter is.
    fn all(&self) -> (&str, &str, Place, Spelling, bool, bool) {
        let Parameter {
            argument,
            name,
            place,
            spelling,
            required,
            allow_empty,
            content: _,
        } = &*self.0;
        (argument, name, *place, *spelling, *required, *allow_empty)
    }
}

impl PartialEq for Plain {
    fn eq(&self, other: &Self) -> bool {
        self.all() == other.all()
    }
}

impl Eq for Plain {}

impl Hash for Plain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.all().hash(state);
    }
}
