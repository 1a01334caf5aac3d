//! Signing in.

mod clients;
mod completion;
mod displaced;
mod flows;
mod grants;
mod operator;
mod parting;
mod renewal;
mod renewing;
mod revoking;
mod sealing;
mod sweep;
mod tokens;

use std::future::Future;

use portcullis_store::Store;

use super::on_both_engines;
use crate::engines::Database;

/// Does one thing eight times at once, from two replicas; gives how often it succeeded.
async fn won<F, A>(database: &Database, attempt: F) -> usize
where
    F: Fn(Store) -> A,
    A: Future<Output = bool> + Send + 'static,
{
    let replicas = [database.open().await, database.open().await];
    let attempts: Vec<_> = (0..8)
        .map(|number| tokio::spawn(attempt(replicas[number % 2].clone())))
        .collect();
    let mut won = 0;
    for outcome in attempts {
        won += usize::from(outcome.await.unwrap());
    }
    won
}
