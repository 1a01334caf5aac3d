//! Statements on SQLite: each runs to its end on the thread that asks, and stays prepared for the next time.

use rusqlite::{CachedStatement, Connection, Result, ToSql};

use super::row::FromSqliteRow;

/// Runs a statement; gives the number of rows that it changed.
pub(crate) fn execute(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<u64> {
    let mut statement = bound(connection, sql, values)?;
    let mut rows = statement.raw_query();
    while rows.next()?.is_some() {}
    Ok(connection.changes())
}

/// Runs a query; gives all rows.
pub(crate) fn fetch_all<R: FromSqliteRow>(
    connection: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<R>> {
    let mut statement = bound(connection, sql, values)?;
    let mut rows = statement.raw_query();
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        read.push(R::from_sqlite_row(row)?);
    }
    Ok(read)
}

/// Runs a query of at most one row.
pub(crate) fn fetch_optional<R: FromSqliteRow>(
    connection: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
) -> Result<Option<R>> {
    // One that changes rows is not left halfway: it runs until there is no more row.
    Ok(fetch_all(connection, sql, values)?.pop())
}

/// Prepares a statement, and gives `$1` the first of `values`, wherever it stands.
///
/// To SQLite `$1` is a name, and it counts names as they first appear.
fn bound<'c>(
    connection: &'c Connection,
    sql: &str,
    values: &[&dyn ToSql],
) -> Result<CachedStatement<'c>> {
    let mut statement = connection.prepare_cached(sql)?;
    for index in 1..=statement.parameter_count() {
        let name = statement.parameter_name(index).unwrap_or_default();
        let value = position(name)
            .and_then(|position| values.get(position))
            .ok_or_else(|| rusqlite::Error::InvalidParameterName(name.to_owned()))?;
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(statement)
}

/// Reads `$1` as 0.
fn position(name: &str) -> Option<usize> {
    let number: usize = name.strip_prefix('$')?.parse().ok()?;
    number.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_bound_by_number_wherever_the_number_stands() {
        let connection = Connection::open_in_memory().unwrap();
        let sql = "SELECT $2 || $1 || $2, $3 IS NULL";
        let row: Option<(String, i64)> =
            fetch_optional(&connection, sql, &[&"a", &"b".to_owned(), &None::<i64>]).unwrap();
        assert_eq!(row, Some(("bab".to_owned(), 1)));
    }

    #[test]
    fn a_number_without_a_value_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        for sql in ["SELECT $1, $2", "SELECT $0", "SELECT ?1", "SELECT :a"] {
            let error = execute(&connection, sql, &[&1]).unwrap_err();
            assert!(
                matches!(error, rusqlite::Error::InvalidParameterName(_)),
                "{sql}: {error}"
            );
        }
    }
}
