//! What each command does.

pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod doctor;
pub(crate) mod document;
pub(crate) mod grants;
pub(crate) mod key;
pub(crate) mod manifest;
pub(crate) mod rotate;
pub(crate) mod serve;
