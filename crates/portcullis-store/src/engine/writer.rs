//! SQLite's one writer: writes that wait together are committed together, by one `fsync`.
//!
//! Each write runs inside a savepoint, so that one that fails undoes nothing of its neighbours.
//! Nobody is answered before the commit; where the commit fails, everybody in the group is told so.
//! There is no timer: while one group is being committed, the next one gathers, and before it is committed the thread gives way to whoever is about to join.
//! The writer is a thread and no task: SQLite and the disk keep it, and a write costs one turn of it, however many statements it has.
//! A write is a future, since the same text runs on PostgreSQL; on SQLite nothing in it waits, so that it is polled once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::{Connection, dialect, statement};
use crate::error::StoreError;

/// Writes that may wait; further ones are turned away at once.
const MAX_WAITING: usize = 1024;

/// Writes that are committed together at most.
const MAX_GROUP: usize = 128;

/// The way to the thread that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    /// Comes to its end with the thread.
    ended: tokio::sync::Mutex<Option<oneshot::Receiver<()>>>,
}

impl Writer {
    pub(super) fn spawn(connection: rusqlite::Connection) -> Result<Self, StoreError> {
        let (sender, queue) = mpsc::channel(MAX_WAITING);
        let (end, ended) = oneshot::channel();
        let run = move || {
            run(connection, queue);
            drop(end);
        };
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(run)
            .map_err(|error| StoreError::Unavailable(format!("no thread to write on: {error}")))?;
        Ok(Self {
            queue: Mutex::new(Some(sender)),
            ended: tokio::sync::Mutex::new(Some(ended)),
        })
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
        // The thread answers every write that it took, except one that panicked.
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
        if let Some(ended) = self.ended.lock().await.take() {
            let _ = ended.await;
        }
    }
}

/// A write of any type.
trait Job: Send {
    /// Runs the write; says whether to keep what it wrote.
    fn run(&mut self, connection: &mut rusqlite::Connection) -> bool;

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
    fn run(&mut self, connection: &mut rusqlite::Connection) -> bool {
        let Some(body) = self.body.take() else {
            return false;
        };
        // A panic must not take the writer away from everybody else.
        let run = AssertUnwindSafe(|| body(Connection::Sqlite(connection)).now_or_never());
        self.outcome = catch_unwind(run).ok().map(|outcome| {
            outcome.unwrap_or_else(|| {
                Err(StoreError::Statement("a write waits for more than the database".into()).into())
            })
        });
        matches!(self.outcome, Some(Ok(_)))
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

fn run(mut connection: rusqlite::Connection, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        let committed = commit(&mut connection, &mut group, &mut queue);
        for job in group {
            job.answer(committed.clone());
        }
    }
}

/// Runs the group and whoever joins it, and commits.
fn commit(
    connection: &mut rusqlite::Connection,
    group: &mut Vec<Box<dyn Job>>,
    queue: &mut mpsc::Receiver<Box<dyn Job>>,
) -> Result<(), StoreError> {
    if let Err(error) = statement(connection, dialect::SQLITE_BEGIN_WRITE) {
        // Those who wait would wait as long again, one after another, for the same answer.
        while group.len() < MAX_WAITING
            && let Ok(job) = queue.try_recv()
        {
            group.push(job);
        }
        return Err(error);
    }
    let outcome = run_group(connection, group, queue)
        .and_then(|()| statement(connection, dialect::SQLITE_COMMIT));
    if outcome.is_err() {
        // SQLite may have rolled back by itself; then there is nothing left to undo.
        let _ = statement(connection, dialect::SQLITE_ROLL_BACK);
    }
    outcome
}

fn run_group(
    connection: &mut rusqlite::Connection,
    group: &mut Vec<Box<dyn Job>>,
    queue: &mut mpsc::Receiver<Box<dyn Job>>,
) -> Result<(), StoreError> {
    let mut done = 0;
    loop {
        for job in group.iter_mut().skip(done) {
            statement(connection, dialect::SQLITE_SAVE)?;
            if !job.run(connection) {
                statement(connection, dialect::SQLITE_UNDO)?;
            }
            statement(connection, dialect::SQLITE_KEEP)?;
        }
        done = group.len();
        if !gather(group, queue) {
            return Ok(());
        }
    }
}

/// Lets those join who write now, and those who are about to; says whether anybody did.
fn gather(group: &mut Vec<Box<dyn Job>>, queue: &mut mpsc::Receiver<Box<dyn Job>>) -> bool {
    let joined = group.len();
    // They may wait for this very core; where nobody does, it comes back at once.
    std::thread::yield_now();
    while group.len() < MAX_GROUP
        && let Ok(job) = queue.try_recv()
    {
        group.push(job);
    }
    group.len() > joined
}

fn statement(connection: &rusqlite::Connection, sql: &str) -> Result<(), StoreError> {
    statement::execute(connection, sql, &[])?;
    Ok(())
}
