//! A clock that is turned by hand, for programs that know nothing of it: `libfaketime` reads how far ahead it is from a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

/// Where the system's clock stands for the programs that go by it.
pub(crate) struct Clock {
    file: PathBuf,
    library: PathBuf,
    ahead_ms: i64,
}

impl Clock {
    /// Makes a clock that is ahead of the system's, or behind.
    pub(crate) fn new(file: PathBuf, library: &Path, ahead_ms: i64) -> Result<Self> {
        let clock = Self {
            file,
            library: library.to_owned(),
            ahead_ms,
        };
        clock.write()?;
        Ok(clock)
    }

    /// Turns the clock forward, for all that go by it, from their next look on.
    pub(crate) fn turn(&mut self, by: Duration) -> Result<()> {
        self.ahead_ms += i64::try_from(by.as_millis())?;
        self.write()
    }

    /// Has a program go by this clock; timers, which count from when they were set, stay as they are.
    pub(crate) fn apply(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            // Otherwise files seem to change whenever the clock is turned.
            .env("NO_FAKE_STAT", "1");
    }

    /// Writes the file whole: it is read while it changes.
    fn write(&self) -> Result<()> {
        let new = self.file.with_extension("new");
        let seconds = self.ahead_ms / 1000;
        let millis = (self.ahead_ms % 1000).abs();
        let sign = if self.ahead_ms < 0 { "-" } else { "+" };
        fs::write(&new, format!("{sign}{}.{millis:03}\n", seconds.abs()))?;
        fs::rename(&new, &self.file)?;
        Ok(())
    }
}

/// Removes what `libfaketime` keeps of a process in shared memory, which is there for ever where the process was killed.
pub(crate) fn forget(pid: u32) {
    for name in ["faketime_shm_", "sem.faketime_sem_"] {
        // A process that ended by itself has removed them.
        let _ = fs::remove_file(format!("/dev/shm/{name}{pid}"));
    }
}
