//! An argument whose schema another argument chooses: the body, by its media type.
//!
//! Models are shown any of the schemas, since vendors take no condition at a schema's root; what is held against arguments is the one that was chosen.

use std::sync::Arc;

use super::string;
use crate::schema::{Detail, Fragment};

/// Which schema an argument is held against.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// The argument whose schema is chosen.
    pub(crate) argument: Box<str>,
    /// The argument that chooses.
    pub(crate) chooser: Box<str>,
    /// Each schema once; the first counts where nothing is chosen.
    pub(crate) cases: Arc<[Case]>,
}

/// One of the schemas.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The values of the chooser that choose it.
    pub(crate) values: Vec<Box<str>>,
    pub(crate) schema: Arc<Fragment>,
}

impl Choice {
    /// Appends a condition for each schema to the members of an object's schema.
    pub(super) fn write(&self, detail: impl Fn(&Fragment) -> Detail, out: &mut Vec<u8>) {
        out.extend_from_slice(br#","allOf":["#);
        for (index, case) in self.cases.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(br#"{"if":{"properties":{"#);
            string(out, &self.chooser);
            out.extend_from_slice(br#":{"enum":["#);
            for (index, value) in case.values.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                string(out, value);
            }
            out.extend_from_slice(b"]}}");
            // Without, the condition holds where nothing is chosen as well.
            if index > 0 {
                out.extend_from_slice(br#","required":["#);
                string(out, &self.chooser);
                out.push(b']');
            }
            out.extend_from_slice(br#"},"then":{"properties":{"#);
            string(out, &self.argument);
            out.push(b':');
            case.schema.write(detail(&case.schema), out);
            out.extend_from_slice(b"}}}");
        }
        out.push(b']');
    }
}
