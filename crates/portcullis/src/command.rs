//! What each command does.

pub(crate) mod apply;
pub(crate) mod key;
pub(crate) mod rotate;
