//! We as OAuth client of an upstream provider: where a person signs in, and whose API tools then call.
//!
//! What differs between providers is a [`profile::ProviderProfile`], which is data; what the operator says of one makes a [`provider::ResolvedProvider`] of it.
//! A sign-in begins with [`begin::begin`] and comes back through [`complete::complete`]; who the person is, is [`identity`]'s.
//! Nothing here sends anything: whoever calls fetches documents and tokens, and passes them in.
//!
//! To add a provider, add a table to the catalogue of profiles; to add a quirk, add a field to [`profile::ProviderProfile`], never a comparison with a provider's name.

pub mod allow;
pub mod begin;
pub mod complete;
pub(crate) mod documented;
pub mod exchange;
pub mod id_token;
pub mod identity;
pub mod issuer;
pub mod keys;
pub mod metadata;
mod place;
pub mod profile;
pub mod provider;
pub mod ready;
pub mod scopes;
pub mod trial;

#[cfg(test)]
mod fixtures;
