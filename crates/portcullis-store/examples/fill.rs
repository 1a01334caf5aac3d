//! Fills a SQLite database with people who never come: `cargo xtask bench grants` asks what the others then cost.
//!
//! Each has a client, a connection, a grant and its tokens, made in the likeness of the one that is there; nobody holds the tokens.

use std::error::Error;

use rusqlite::Connection;

/// Every id begins as those that are there, and goes on by number.
const STATEMENTS: [&str; 6] = [
    "INSERT INTO clients (id, origin, metadata, remember_consent, created_at_ms, used_at_ms) \
     SELECT 'pc_client_fill_' || i, origin, metadata, remember_consent, created_at_ms, used_at_ms \
     FROM numbers, (SELECT * FROM clients LIMIT 1)",
    "INSERT INTO subjects (id, issuer, subject, label, created_at_ms) \
     SELECT substr(id, 1, instr(id, '_')) || printf('%032x', i), 'fill', i, NULL, created_at_ms \
     FROM numbers, (SELECT * FROM subjects LIMIT 1)",
    "INSERT INTO connections (id, subject_id, provider, toolset, status, access_token, \
     access_key_id, scopes, expires_at_ms, generation, updated_at_ms) \
     SELECT substr(id, 1, instr(id, '_')) || printf('%032x', i), \
     substr(subject_id, 1, instr(subject_id, '_')) || printf('%032x', i), provider, toolset, \
     status, access_token, access_key_id, scopes, expires_at_ms, generation, updated_at_ms \
     FROM numbers, (SELECT * FROM connections LIMIT 1)",
    "INSERT INTO grants (id, client_id, subject_id, toolset, scopes, connection_id, created_at_ms) \
     SELECT substr(id, 1, instr(id, '_')) || printf('%032x', i), 'pc_client_fill_' || i, \
     substr(subject_id, 1, instr(subject_id, '_')) || printf('%032x', i), toolset, scopes, \
     substr(connection_id, 1, instr(connection_id, '_')) || printf('%032x', i), created_at_ms \
     FROM numbers, (SELECT * FROM grants LIMIT 1)",
    "INSERT INTO access_tokens (digest, grant_id, scopes, created_at_ms, expires_at_ms) \
     SELECT randomblob(32), substr(grant_id, 1, instr(grant_id, '_')) || printf('%032x', i), \
     scopes, created_at_ms, expires_at_ms FROM numbers, (SELECT * FROM access_tokens LIMIT 1)",
    "INSERT INTO refresh_tokens (digest, grant_id, generation, created_at_ms, expires_at_ms) \
     SELECT randomblob(32), substr(grant_id, 1, instr(grant_id, '_')) || printf('%032x', i), \
     generation, created_at_ms, expires_at_ms \
     FROM numbers, (SELECT * FROM refresh_tokens LIMIT 1)",
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(database), Some(count)) = (arguments.next(), arguments.next()) else {
        return Err("give the database and how many people".into());
    };
    let count: u32 = count.parse()?;
    let mut connection = Connection::open(database)?;
    let transaction = connection.transaction()?;
    transaction.execute(
        "CREATE TEMP TABLE numbers AS WITH RECURSIVE n (i) AS \
         (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) SELECT i FROM n",
        [count],
    )?;
    for statement in STATEMENTS {
        let rows = transaction.execute(statement, [])?;
        if u32::try_from(rows) != Ok(count) {
            return Err(format!("made {rows} rows instead of {count}: {statement}").into());
        }
    }
    transaction.execute("DROP TABLE numbers", [])?;
    transaction.commit()?;
    Ok(())
}
