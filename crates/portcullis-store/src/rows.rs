//! From columns to entities: what cannot be is an error that names table, column and row.

use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::entity::Owner;
use crate::error::InvalidRow;

/// Adds the place to a failure to read a column.
pub(crate) fn parse<T, E: Display>(
    table: &'static str,
    column: &'static str,
    row: &str,
    read: Result<T, E>,
) -> Result<T, InvalidRow> {
    read.map_err(|error| InvalidRow {
        table,
        column,
        row: row.to_owned(),
        reason: error.to_string(),
    })
}

/// Reads a column of JSON.
pub(crate) fn parse_json<T: DeserializeOwned>(
    table: &'static str,
    column: &'static str,
    row: &str,
    text: &str,
) -> Result<T, InvalidRow> {
    parse(table, column, row, serde_json::from_str(text))
}

/// Writes a column of JSON.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("settings have text keys and no failing types")
}

/// Writes the column `owner`.
pub(crate) fn owner_text(owner: Owner) -> &'static str {
    match owner {
        Owner::File => "file",
        Owner::Api => "api",
    }
}

/// Reads the column `owner`.
pub(crate) fn parse_owner(table: &'static str, row: &str, text: &str) -> Result<Owner, InvalidRow> {
    let owner = match text {
        "file" => Ok(Owner::File),
        "api" => Ok(Owner::Api),
        _ => Err("expected `file` or `api`"),
    };
    parse(table, "owner", row, owner)
}
