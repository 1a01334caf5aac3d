//! Documents over time: the revisions that the store keeps, what separates them, and which of them is served.

pub mod history;
pub mod switch;
