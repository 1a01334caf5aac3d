//! `portcullis audit`: who changed what, and what happened to people's access.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Arc;

use portcullis_base::{AuditId, Clock as _, Secret};
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::config::{Overrides, Settings};
use portcullis_server::storage;
use portcullis_store::{AuditRow, Store};

use super::key::date;
use crate::cli::Audit;

/// How many rows are read at a time.
const PAGE: u32 = 1000;

/// Runs the command.
pub(crate) async fn run(
    arguments: Audit,
    process: HashMap<String, Secret>,
) -> anyhow::Result<ExitCode> {
    let overrides = Overrides {
        data_dir: arguments.data_dir.clone(),
        ..Overrides::default()
    };
    let settings = Settings::load(&arguments.config, overrides, process)?;
    let now = SystemClock.now();
    let store = storage::open(&settings.storage, now, Arc::new(SystemRng)).await?;
    let rows = wanted(&store, &arguments).await;
    store.close().await;
    for row in rows?.iter().rev() {
        print(row);
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the latest rows that are asked for, the latest first.
async fn wanted(store: &Store, arguments: &Audit) -> anyhow::Result<Vec<AuditRow>> {
    let is_wanted = |row: &AuditRow| {
        let mut actions = arguments.action.iter();
        arguments.action.is_empty() || actions.any(|action| *action == row.action)
    };
    let mut rows = Vec::new();
    let mut before: Option<AuditId> = None;
    while rows.len() < arguments.last {
        let page = store.list_audit(before, PAGE).await?;
        let Some(oldest) = page.last() else {
            break;
        };
        before = Some(oldest.id);
        rows.extend(page.into_iter().filter(is_wanted));
    }
    rows.truncate(arguments.last);
    Ok(rows)
}

fn print(row: &AuditRow) {
    println!(
        "{}  {}  {}  by {}",
        date(row.at),
        row.action,
        row.target,
        row.actor
    );
}
