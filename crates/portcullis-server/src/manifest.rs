//! OAuth manifests at work: found at a provider, examined as clients would meet them, and compared with what the provider serves today.
//!
//! Every rule is `portcullis-oauth`'s; this fetches what the rules need, by the one way out, and follows no redirect.
//! Nothing is changed at a provider, except that [`trial`] registers a client, and only where it is asked to.
//!
//! To look for manifests in another place, add a way in `discover.rs`; to find out more about a provider, add a finding in `reach.rs`.

pub mod attach;
pub mod discover;
pub mod examine;
pub mod file;
pub mod proposal;
mod reach;
pub mod refresh;
pub mod subject;
pub mod table;
pub mod trial;
pub mod versions;
pub mod visit;
pub mod watch;
