//! The way out: the one HTTP client, and the credentials that its requests carry.
