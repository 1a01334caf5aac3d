//! Whether files may have changed: their times, sizes and inodes, without reading them.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// What the file system said of some files at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamps(BTreeMap<PathBuf, Option<Stamp>>);

/// What changes when a file is written, replaced or linked elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: (i64, i64),
    changed: (i64, i64),
    bytes: u64,
    inode: u64,
}

impl Stamps {
    /// Asks for the state of each file; one that is not there has none.
    pub(super) fn of(files: &[PathBuf]) -> Self {
        let stamp = |path: &PathBuf| {
            let metadata = std::fs::metadata(path).ok()?;
            Some(Stamp {
                modified: (metadata.mtime(), metadata.mtime_nsec()),
                changed: (metadata.ctime(), metadata.ctime_nsec()),
                bytes: metadata.size(),
                inode: metadata.ino(),
            })
        };
        Self(
            files
                .iter()
                .map(|path| (path.clone(), stamp(path)))
                .collect(),
        )
    }

    /// Asks again for the same files.
    pub(super) fn again(&self) -> Self {
        let files: Vec<PathBuf> = self.0.keys().cloned().collect();
        Self::of(&files)
    }

    /// Takes what `earlier` says of files that both know: a file may have changed while it was read.
    pub(super) fn or_earlier(mut self, earlier: &Self) -> Self {
        for (path, stamp) in &mut self.0 {
            if let Some(before) = earlier.0.get(path) {
                *stamp = *before;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_written_replaced_or_removed_has_another_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut before = Stamps::of(std::slice::from_ref(&path));
        let mut differs = |what: &str| {
            let after = before.again();
            assert_ne!(after, before, "{what}");
            before = after;
        };
        std::fs::write(&path, "one").unwrap();
        differs("made");
        std::fs::write(&path, "longer").unwrap();
        differs("written");
        std::fs::write(folder.path().join("b"), "longer").unwrap();
        std::fs::rename(folder.path().join("b"), &path).unwrap();
        differs("replaced");
        std::fs::remove_file(&path).unwrap();
        differs("removed");
        assert_eq!(before.again(), before);
    }

    #[test]
    fn what_was_known_before_a_file_was_read_counts() {
        let folder = tempfile::tempdir().unwrap();
        let (known, new) = (folder.path().join("known"), folder.path().join("new"));
        let before = Stamps::of(std::slice::from_ref(&known));
        std::fs::write(&known, "changed while it was read").unwrap();
        let after = Stamps::of(&[known, new]).or_earlier(&before);
        assert_ne!(after.again(), after);
    }
}
