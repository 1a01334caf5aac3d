//! Row ids: a UUIDv7 behind a prefix that names the kind, so that ids of two kinds cannot be confused in code, logs or SQL.

use thiserror::Error;
use uuid::Uuid;

use crate::{Rng, Timestamp};

/// The text is not an id of the kind expected.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("not an id of the form {prefix}_…")]
pub struct InvalidId {
    prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new id; ids made later sort after it.
            #[must_use]
            pub fn new(now: Timestamp, rng: &dyn Rng) -> Self {
                Self(uuid_v7(now, rng))
            }

            /// Reads the form that [`std::fmt::Display`] writes.
            ///
            /// # Errors
            ///
            /// When `text` has another prefix or is no UUID after it.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(|rest| Uuid::try_parse(rest).ok())
                    .map(Self)
                    .ok_or(InvalidId { prefix: $prefix })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.as_simple())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    )*};
}

ids! {
    /// Names a stored OpenAPI document.
    DocumentId = "doc";
    /// Names a toolset.
    ToolsetId = "ts";
    /// Names an environment.
    EnvironmentId = "env";
    /// Names a variable of an environment.
    VariableId = "var";
    /// Names an API key; says nothing of the key itself.
    ApiKeyId = "key";
    /// Names an audit row.
    AuditId = "aud";
    /// Names a data key: what sealed values are encrypted under.
    DataKeyId = "dk";
    /// Names one HTTP request in logs and error pages.
    RequestId = "req";
    /// Names an upstream provider.
    ProviderId = "prv";
    /// Names the OAuth manifest of a provider.
    ManifestId = "mf";
    /// Names one authorization request, from `/authorize` to its end; shown to the person, so that the log can be searched for it.
    FlowId = "flow";
    /// Names a subject: a person who signed in, or one sign-in of a person that nobody could name.
    SubjectId = "sub";
    /// Names a subject's connection to an upstream provider.
    ConnectionId = "con";
    /// Names what a subject granted a client.
    GrantId = "gr";
    /// Names a token that a provider is to be asked to revoke.
    RevocationId = "rev";
}

fn uuid_v7(now: Timestamp, rng: &dyn Rng) -> Uuid {
    let mut random = [0; 10];
    rng.fill(&mut random);
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zero;
    impl Rng for Zero {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    #[test]
    fn an_id_reads_back_and_keeps_its_kind() {
        let id = DocumentId::new(Timestamp::from_millis(1), &Zero);
        assert_eq!(DocumentId::parse(&id.to_string()), Ok(id));
        assert!(ToolsetId::parse(&id.to_string()).is_err());
        assert!(DocumentId::parse("doc_x").is_err());
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let [early, late] =
            [1, 2].map(|ms| DocumentId::new(Timestamp::from_millis(ms), &Zero).to_string());
        assert!(early < late);
    }
}
