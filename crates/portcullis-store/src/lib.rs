//! The only crate with SQL: one [`Store`] over SQLite or PostgreSQL.
//!
//! Knows: tables, transactions, migrations, and how secrets are sealed before they are written.
//! Does not know: HTTP, OpenAPI, MCP; nothing outside knows which engine runs.

mod entity;

pub use entity::{
    ApiKeyRow, Document, Environment, Inbound, Owner, SchemeSettings, Selection, Toolset,
    ToolsetDocument, Variable, VariableValue,
};
