//! A clock that is turned by hand, for programs that know nothing of it: `libfaketime` reads how far ahead it is from a file.

use std::cell::Cell;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

/// Where the system's clock stands for the programs that go by it.
pub(crate) struct Clock {
    file: PathBuf,
    library: PathBuf,
    ahead_ms: Cell<i64>,
}

impl Clock {
    /// Makes a clock that is ahead of the system's, or behind.
    pub(crate) fn new(file: PathBuf, library: &Path, ahead_ms: i64) -> Result<Self> {
        let clock = Self {
            file,
            library: library.to_owned(),
            ahead_ms: Cell::new(ahead_ms),
        };
        clock.write()?;
        Ok(clock)
    }

    /// Turns the clock forward, for all that go by it, from their next look on.
    pub(crate) fn turn(&self, by: Duration) -> Result<()> {
        let by = i64::try_from(by.as_millis())?;
        self.ahead_ms.set(self.ahead_ms.get() + by);
        self.write()
    }

    /// Makes a clock that differs from this one, as it stands now.
    pub(crate) fn skewed(&self, file: PathBuf, by_ms: i64) -> Result<Self> {
        Self::new(file, &self.library, self.ahead_ms.get() + by_ms)
    }

    /// Returns what has a program go by this clock; timers, which count from when they were set, stay as they are.
    pub(crate) fn variables(&self) -> [(&'static str, OsString); 5] {
        [
            ("LD_PRELOAD", self.library.clone().into()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.clone().into()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            // Otherwise files seem to change whenever the clock is turned.
            ("NO_FAKE_STAT", "1".into()),
        ]
    }

    /// Has a program go by this clock.
    pub(crate) fn apply(&self, command: &mut Command) {
        command.envs(self.variables());
    }

    /// Writes the file whole: it is read while it changes.
    fn write(&self) -> Result<()> {
        let new = self.file.with_extension("new");
        let ahead_ms = self.ahead_ms.get();
        let seconds = ahead_ms / 1000;
        let millis = (ahead_ms % 1000).abs();
        let sign = if ahead_ms < 0 { "-" } else { "+" };
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
