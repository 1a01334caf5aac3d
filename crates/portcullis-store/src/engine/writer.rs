//! SQLite's one writer: writes that wait together are committed together, by one `fsync`.
//!
//! Each write runs inside a savepoint, so that one that fails undoes nothing of its neighbours.
//! Nobody is answered before the commit; where the commit fails, everybody in the group is told so.
//! There is no timer: while one group is being committed, the next one gathers.
//! Every statement costs a turn of SQLite's thread, which is why several travel together where they can.

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::{SqliteConnection, SqlitePool};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::{Connection, dialect};
use crate::error::StoreError;

/// Writes that may wait; further ones are turned away at once.
const MAX_WAITING: usize = 1024;

/// Writes that are committed together at most.
const MAX_GROUP: usize = 128;

/// The way to the task that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    task: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn spawn(pool: SqlitePool) -> Self {
        let (sender, queue) = mpsc::channel(MAX_WAITING);
        Self {
            queue: Mutex::new(Some(sender)),
            task: tokio::sync::Mutex::new(Some(tokio::spawn(run(pool, queue)))),
        }
    }

    /// Runs `body` in a transaction that it shares with others and answers after the commit.
    pub(super) async fn write<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'c> FnOnce(Connection<'c>) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let write = Write {
            body: Some(body),
            outcome: None,
            reply,
        };
        self.enqueue(Box::new(write))?;
        // The task answers every write that it took, except one that panicked.
        answer.await.unwrap_or_else(|_| {
            Err(
                StoreError::Statement("the write was given up; it left nothing behind".into())
                    .into(),
            )
        })
    }

    fn enqueue(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let queue = self.queue.lock().expect("nobody panics with the lock");
        let queue = queue
            .as_ref()
            .ok_or_else(|| StoreError::Unavailable("the store is closed".to_owned()))?;
        queue.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                StoreError::Busy("too many writes are waiting".to_owned())
            }
            mpsc::error::TrySendError::Closed(_) => {
                StoreError::Unavailable("the writer has stopped".to_owned())
            }
        })
    }

    /// Takes no more writes, and waits for those that wait.
    pub(super) async fn close(&self) {
        self.queue
            .lock()
            .expect("nobody panics with the lock")
            .take();
        if let Some(task) = self.task.lock().await.take() {
            let _ = task.await;
        }
    }
}

/// A write of any type.
trait Job: Send {
    /// Runs the write; says whether to keep what it wrote.
    fn run<'c>(&'c mut self, connection: Connection<'c>) -> BoxFuture<'c, bool>;

    /// Answers the caller, who may have gone.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Write<F, T, E> {
    body: Option<F>,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for Write<F, T, E>
where
    T: Send,
    E: From<StoreError> + Send,
    F: for<'c> FnOnce(Connection<'c>) -> BoxFuture<'c, Result<T, E>> + Send,
{
    fn run<'c>(&'c mut self, connection: Connection<'c>) -> BoxFuture<'c, bool> {
        Box::pin(async move {
            let Some(body) = self.body.take() else {
                return false;
            };
            // A panic must not take the writer away from everybody else.
            let run = AssertUnwindSafe(async move { body(connection).await });
            self.outcome = run.catch_unwind().await.ok();
            matches!(self.outcome, Some(Ok(_)))
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (self.outcome, committed) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(error.into()),
            (Some(outcome), Ok(())) => outcome,
            (None, Ok(())) => return,
        };
        let _ = self.reply.send(answer);
    }
}

async fn run(pool: SqlitePool, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    while let Some(first) = queue.recv().await {
        let mut group = vec![first];
        let committed = commit(&pool, &mut group, &mut queue).await;
        for job in group {
            job.answer(committed.clone());
        }
    }
    pool.close().await;
}

/// Runs the group and whoever joins it, and commits.
async fn commit(
    pool: &SqlitePool,
    group: &mut Vec<Box<dyn Job>>,
    queue: &mut mpsc::Receiver<Box<dyn Job>>,
) -> Result<(), StoreError> {
    let begun = begin(pool).await;
    let Ok(mut connection) = begun else {
        // Those who wait would wait as long again, one after another, for the same answer.
        while group.len() < MAX_WAITING
            && let Ok(job) = queue.try_recv()
        {
            group.push(job);
        }
        return begun.map(|_| ());
    };
    let outcome = run_group(&mut connection, group, queue).await;
    let outcome = match outcome {
        Ok(()) => statement(&mut connection, dialect::SQLITE_COMMIT).await,
        Err(error) => Err(error),
    };
    if outcome.is_err() {
        // SQLite may have rolled back by itself; then there is nothing left to undo.
        let _ = statement(&mut connection, dialect::SQLITE_ROLL_BACK).await;
    }
    outcome
}

async fn begin(pool: &SqlitePool) -> Result<sqlx::pool::PoolConnection<sqlx::Sqlite>, StoreError> {
    let mut connection = pool.acquire().await?;
    statement(&mut connection, dialect::SQLITE_BEGIN_GROUP).await?;
    Ok(connection)
}

async fn run_group(
    connection: &mut SqliteConnection,
    group: &mut Vec<Box<dyn Job>>,
    queue: &mut mpsc::Receiver<Box<dyn Job>>,
) -> Result<(), StoreError> {
    let mut done = 0;
    while let Some(job) = group.get_mut(done) {
        let keep = job.run(Connection::Sqlite(connection)).await;
        done += 1;
        if group.len() < MAX_GROUP
            && let Ok(job) = queue.try_recv()
        {
            group.push(job);
        }
        if !keep {
            statement(connection, dialect::SQLITE_UNDO).await?;
        } else if done < group.len() {
            statement(connection, dialect::SQLITE_KEEP).await?;
        }
    }
    Ok(())
}

async fn statement(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), StoreError> {
    sqlx::query(sql).execute(connection).await?;
    Ok(())
}
