//! Messages as the RFCs write them.

pub mod error;
pub mod form;
pub mod grant;
pub mod introspected;
pub mod issued;
pub mod metadata;
pub mod presented;
pub mod registration;
pub mod token;

use portcullis_base::Secret;
use serde::Serialize;

/// Writes a body that holds a secret; members are texts, numbers and lists of them.
fn json(body: &impl Serialize) -> Secret {
    Secret::new(serde_json::to_string(body).expect("texts, numbers and lists are always JSON"))
}
