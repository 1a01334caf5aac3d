//! From columns to entities: what cannot be is an error that names table, column and row.

use std::fmt::Display;

use portcullis_base::{Digest, Timestamp};
use portcullis_oauth::scope::Scopes;
use serde::de::value::{Error as WordError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use serde::{Deserialize, Serialize};

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

/// Reads a column that this row must have.
pub(crate) fn required<T>(
    table: &'static str,
    column: &'static str,
    row: &str,
    value: Option<T>,
) -> Result<T, InvalidRow> {
    parse(table, column, row, value.ok_or("is missing"))
}

/// Reads a column with a digest.
pub(crate) fn parse_digest(
    table: &'static str,
    column: &'static str,
    row: &str,
    bytes: &[u8],
) -> Result<Digest, InvalidRow> {
    parse(table, column, row, Digest::from_slice(bytes))
}

/// Reads the digest that is a row's key; such a row is named by its fingerprint.
pub(crate) fn parse_key(table: &'static str, bytes: &[u8]) -> Result<(Digest, String), InvalidRow> {
    let digest = parse_digest(table, "digest", "of unknown digest", bytes)?;
    Ok((digest, digest.fingerprint()))
}

/// Reads the column `scopes`.
pub(crate) fn parse_scopes(
    table: &'static str,
    row: &str,
    text: &str,
) -> Result<Scopes, InvalidRow> {
    parse(table, "scopes", row, Scopes::parse(text))
}

/// Reads a column with an instant or none.
pub(crate) fn instant(at_ms: Option<i64>) -> Option<Timestamp> {
    at_ms.map(Timestamp::from_millis)
}

/// Writes a column with one word of a few.
pub(crate) fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).expect("a variant without fields");
    value.as_str().unwrap_or_default().to_owned()
}

/// Reads a column with one word of a few.
pub(crate) fn parse_word<'de, T: Deserialize<'de>>(
    table: &'static str,
    column: &'static str,
    row: &str,
    text: &'de str,
) -> Result<T, InvalidRow> {
    let word: StrDeserializer<'de, WordError> = text.into_deserializer();
    parse(table, column, row, T::deserialize(word))
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
