//! The tables `environments` and `variables`.

use std::collections::{BTreeMap, HashMap};

use portcullis_base::{EnvironmentId, Slug, Timestamp, VariableId};

use super::{ApplyError, taken};
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_all};
use crate::entity::{Environment, Variable, VariableValue};
use crate::error::StoreError;
use crate::rows::{owner_text, parse, parse_owner};
use crate::seal::{Place, Sealer};

const TABLE: &str = "environments";
const VARIABLES: &str = "variables";

row! {
    struct Row {
        id: String,
        slug: String,
        owner: String,
        updated_at_ms: i64,
    }
}

row! {
    struct VariableRow {
        id: String,
        environment_id: String,
        name: String,
        value: Option<String>,
        sealed: Option<Vec<u8>>,
    }
}

pub(super) async fn all(
    sealer: &Sealer,
    connection: &mut Connection<'_>,
) -> Result<Vec<Environment>, StoreError> {
    let rows = fetch_all!(
        connection,
        Row,
        "SELECT id, slug, owner, updated_at_ms FROM environments ORDER BY slug"
    )?;
    let variables = fetch_all!(
        connection,
        VariableRow,
        "SELECT id, environment_id, name, value, sealed FROM variables"
    )?;
    let mut by_environment: HashMap<String, BTreeMap<String, Variable>> = HashMap::new();
    for row in variables {
        let environment = by_environment
            .entry(row.environment_id.clone())
            .or_default();
        environment.insert(row.name.clone(), variable(&row, sealer)?);
    }
    rows.into_iter()
        .map(|row| {
            let variables = by_environment.remove(&row.id).unwrap_or_default();
            environment(&row, variables)
        })
        .collect()
}

fn environment(
    row: &Row,
    variables: BTreeMap<String, Variable>,
) -> Result<Environment, StoreError> {
    Ok(Environment {
        id: parse(TABLE, "id", &row.id, EnvironmentId::parse(&row.id))?,
        slug: parse(TABLE, "slug", &row.id, Slug::parse(&row.slug))?,
        owner: parse_owner(TABLE, &row.id, &row.owner)?,
        variables,
        updated_at: Timestamp::from_millis(row.updated_at_ms),
    })
}

fn variable(row: &VariableRow, sealer: &Sealer) -> Result<Variable, StoreError> {
    let value = match (&row.value, &row.sealed) {
        (_, Some(record)) => VariableValue::Secret(sealer.open(record, place(&row.id))?),
        (Some(text), None) => VariableValue::Plain(text.clone()),
        (None, None) => parse(
            VARIABLES,
            "value",
            &row.id,
            Err("neither a value nor sealed"),
        )?,
    };
    Ok(Variable {
        id: parse(VARIABLES, "id", &row.id, VariableId::parse(&row.id))?,
        value,
    })
}

fn place(id: &str) -> Place<'_> {
    Place {
        table: VARIABLES,
        column: "sealed",
        row: id,
    }
}

pub(super) async fn put(
    environment: &Environment,
    sealer: &Sealer,
    connection: &mut Connection<'_>,
) -> Result<(), ApplyError> {
    let id = environment.id.to_string();
    execute!(
        connection,
        "INSERT INTO environments (id, slug, owner, updated_at_ms) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, owner = excluded.owner, \
         updated_at_ms = excluded.updated_at_ms",
        &id,
        environment.slug.as_str(),
        owner_text(environment.owner),
        environment.updated_at.as_millis()
    )
    .map_err(|error| taken(error, "environment", &environment.slug))?;
    execute!(
        connection,
        "DELETE FROM variables WHERE environment_id = $1",
        &id
    )?;
    for (name, variable) in &environment.variables {
        insert_variable(&id, name, variable, sealer, connection).await?;
    }
    Ok(())
}

async fn insert_variable(
    environment: &str,
    name: &str,
    variable: &Variable,
    sealer: &Sealer,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    let id = variable.id.to_string();
    let (value, record, data_key) = match &variable.value {
        VariableValue::Plain(text) => (Some(text.as_str()), None, None),
        VariableValue::Secret(secret) => {
            let seal = sealer.current(connection).await?;
            let record = seal.seal(secret, place(&id));
            (None, Some(record), Some(seal.data_key_id().to_owned()))
        }
    };
    execute!(
        connection,
        "INSERT INTO variables (id, environment_id, name, value, sealed, data_key_id) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        &id,
        environment,
        name,
        value,
        record,
        data_key
    )?;
    Ok(())
}
