//! Signing in: clients, flows, people and their connections, and the grants, codes and tokens that come of it.
//!
//! What counts and for how long is decided in `portcullis-oauth`.
//! Here a step of several rows is one transaction, and what may happen once is decided by the number of rows that one statement changed: whoever comes second changes none.

pub(crate) mod clients;
mod codes;
mod complete;
mod connections;
pub(crate) mod displace;
mod flows;
mod grant_list;
mod grants;
mod idle;
pub(crate) mod losing;
mod parting;
mod renewal;
mod renewing;
mod revocations;
mod revoking;
mod sessions;
mod sweep;
mod tokens;

pub use complete::{NewCode, NewSession, SignIn, SignedIn};
pub use flows::{InsertFlowError, MAX_OPEN_FLOWS};
pub use grant_list::{GrantPage, GrantSelection, ListedGrant};
pub use idle::IdleConnections;
pub use revocations::{DueRevocation, RevokedKind};

/// Who acts where neither a person nor a client does, in audit rows.
const GATEWAY: &str = "gateway";

/// Who registered a client that did not register itself, in audit rows.
const OPERATOR: &str = "operator";
