//! Documents over time: the revisions that the store keeps, what separates them, and which of them is served.

pub mod arrival;
pub mod fetch;
pub mod fetches;
pub mod history;
pub mod load;
pub mod refresh;
pub mod switch;
