//! Archives that hold a document and its files: `.zip`, `.tar` and `.tar.gz`, told apart by content.
//!
//! Nothing is written anywhere, so that a member's name can lead nowhere; names that are no path below the archive are left out.
//! What is unpacked is bounded while it is unpacked, whatever the archive says of its sizes.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;
use portcullis_openapi::{FileName, declares_version};
use thiserror::Error;

/// Members of an archive, folders and pictures included.
const MAX_MEMBERS: usize = 100_000;
/// Bytes of all members, unpacked.
const MAX_UNPACKED: u64 = 256 << 20;
/// Candidates that a message names.
const MAX_NAMED: usize = 8;

/// The files of an archive that may be a document or a part of one.
#[derive(Debug)]
pub(super) struct Archive(BTreeMap<FileName, Vec<u8>>);

/// Why an archive gives no document.
#[derive(Debug, Error)]
pub(super) enum ArchiveError {
    #[error("it has more than {MAX_MEMBERS} members")]
    TooManyMembers,
    #[error("it unpacks to more than {MAX_UNPACKED} bytes")]
    TooLarge,
    #[error("it is broken: {0}")]
    Broken(String),
    #[error("it holds no file `{0}`")]
    NoSuchFile(String),
    #[error("it holds no OpenAPI document")]
    NoDocument,
    #[error("it holds several documents: {}", .0.join(", "))]
    SeveralDocuments(Vec<String>),
}

impl Archive {
    /// Unpacks an archive; `None` where the bytes are none.
    pub(super) fn of(bytes: &[u8]) -> Option<Result<Self, ArchiveError>> {
        Self::within(MAX_UNPACKED, bytes)
    }

    fn within(max_unpacked: u64, bytes: &[u8]) -> Option<Result<Self, ArchiveError>> {
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            Some(unzip(bytes, max_unpacked))
        } else if bytes.starts_with(b"\x1f\x8b") {
            Some(untar(MultiGzDecoder::new(bytes), max_unpacked))
        } else if bytes.get(257..262) == Some(b"ustar") {
            Some(untar(bytes, max_unpacked))
        } else {
            None
        }
    }

    /// Returns the document: the one at `root`, else the only one that is nearest to the archive's own folder.
    pub(super) fn document(&self, root: Option<&str>) -> Result<&FileName, ArchiveError> {
        if let Some(root) = root {
            let name = FileName::parse(root).ok();
            let found = name.and_then(|name| self.0.get_key_value(&name));
            return found
                .map(|(name, _)| name)
                .ok_or_else(|| ArchiveError::NoSuchFile(root.to_owned()));
        }
        let documents = self.0.iter().filter(|(_, bytes)| declares_version(bytes));
        let documents: Vec<&FileName> = documents.map(|(name, _)| name).collect();
        let depth = |name: &FileName| name.as_str().matches('/').count();
        let least = documents.iter().map(|name| depth(name)).min();
        let nearest: Vec<&FileName> = documents
            .into_iter()
            .filter(|name| Some(depth(name)) == least)
            .collect();
        let usual = |name: &FileName| {
            let file = name.as_str().rsplit('/').next().unwrap_or_default();
            file.starts_with("openapi.") || file.starts_with("swagger.")
        };
        let mut usual = nearest.iter().filter(|name| usual(name));
        match (nearest.as_slice(), usual.next(), usual.next()) {
            ([], _, _) => Err(ArchiveError::NoDocument),
            ([only], _, _) | (_, Some(only), None) => Ok(only),
            _ => {
                let names = nearest.iter().take(MAX_NAMED);
                let names = names.map(|name| format!("`{name}`")).collect();
                Err(ArchiveError::SeveralDocuments(names))
            }
        }
    }

    /// Returns the bytes of a file.
    pub(super) fn file(&self, name: &FileName) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }
}

fn unzip(bytes: &[u8], max_unpacked: u64) -> Result<Archive, ArchiveError> {
    let broken = |error: zip::result::ZipError| ArchiveError::Broken(error.to_string());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let mut unpacking = Unpacking::new(max_unpacked);
    for index in 0..archive.len() {
        unpacking.count()?;
        let mut member = archive.by_index(index).map_err(broken)?;
        let name = member.name().map(std::borrow::Cow::into_owned);
        if let Some(name) = name.ok().filter(|_| member.is_file()) {
            unpacking.take(&name, &mut member)?;
        }
    }
    Ok(Archive(unpacking.files))
}

fn untar(bytes: impl Read, max_unpacked: u64) -> Result<Archive, ArchiveError> {
    let mut unpacking = Unpacking::new(max_unpacked);
    // What is passed over is unpacked as well.
    let mut archive = tar::Archive::new(Bounded {
        inner: bytes,
        left: max_unpacked,
    });
    for member in archive.entries().map_err(|it| broken(&it))? {
        unpacking.count()?;
        let mut member = member.map_err(|it| broken(&it))?;
        let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        if member.header().entry_type().is_file() {
            unpacking.take(&name, &mut member)?;
        }
    }
    Ok(Archive(unpacking.files))
}

fn broken(error: &io::Error) -> ArchiveError {
    if error.kind() == io::ErrorKind::FileTooLarge {
        return ArchiveError::TooLarge;
    }
    ArchiveError::Broken(error.to_string())
}

/// An archive while it is unpacked.
#[derive(Debug)]
struct Unpacking {
    files: BTreeMap<FileName, Vec<u8>>,
    members: usize,
    bytes_left: u64,
}

impl Unpacking {
    fn new(max_unpacked: u64) -> Self {
        Self {
            files: BTreeMap::new(),
            members: 0,
            bytes_left: max_unpacked,
        }
    }

    fn count(&mut self) -> Result<(), ArchiveError> {
        self.members += 1;
        if self.members > MAX_MEMBERS {
            return Err(ArchiveError::TooManyMembers);
        }
        Ok(())
    }

    /// Keeps a member that may be a document or a part of one.
    fn take(&mut self, name: &str, member: &mut impl Read) -> Result<(), ArchiveError> {
        let Some(name) = FileName::parse(name).ok().filter(may_be_needed) else {
            return Ok(());
        };
        let mut bytes = Vec::new();
        let mut bounded = Bounded {
            inner: member,
            left: self.bytes_left,
        };
        bounded.read_to_end(&mut bytes).map_err(|it| broken(&it))?;
        self.bytes_left = bounded.left;
        self.files.insert(name, bytes);
        Ok(())
    }
}

fn may_be_needed(name: &FileName) -> bool {
    let file = name.as_str().rsplit('/').next().unwrap_or_default();
    file.rsplit_once('.').is_none_or(|(_, ending)| {
        ["json", "yaml", "yml", "md", "markdown", "txt"]
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}

/// Fails once more than so many bytes were read.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let bytes = u64::try_from(read).unwrap_or(u64::MAX);
        self.left = self
            .left
            .checked_sub(bytes)
            .ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const DOCUMENT: &[u8] = b"openapi: 3.0.0\npaths: {}\n";

    pub(super) fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn tarred(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_ustar();
            // The name is written as it is, for the crate refuses what we want to try.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            builder.append(&header, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn names(archive: &[u8]) -> Vec<String> {
        let archive = Archive::of(archive)
            .expect("an archive")
            .expect("a good one");
        archive.0.keys().map(ToString::to_string).collect()
    }

    fn document(files: &[(&str, &[u8])], root: Option<&str>) -> Result<String, String> {
        let archive = Archive::of(&zipped(files))
            .expect("an archive")
            .expect("a good one");
        let document = archive.document(root).map(ToString::to_string);
        document.map_err(|error| error.to_string())
    }

    #[test]
    fn each_kind_of_archive_is_known_by_its_content() {
        let files: [(&str, &[u8]); 2] = [("api/openapi.yaml", DOCUMENT), ("api/logo.png", b"x")];
        let tar = tarred(&files);
        for archive in [zipped(&files), gzipped(&tar), tar] {
            assert_eq!(names(&archive), ["api/openapi.yaml"]);
        }
        assert!(Archive::of(DOCUMENT).is_none());
    }

    #[test]
    fn s_07_names_that_lead_out_of_an_archive_are_left_out() {
        let files: [(&str, &[u8]); 4] = [
            ("../a.yml", b"a"),
            ("/etc/b.yml", b"b"),
            ("x/../../c.yml", b"c"),
            ("x/./d.yml", b"d"),
        ];
        assert_eq!(names(&tarred(&files)), ["x/d.yml"]);
        assert_eq!(names(&zipped(&files)), ["x/d.yml"]);
    }

    #[test]
    fn the_document_is_the_one_that_is_nearest() {
        let other: &[u8] = b"type: object\n";
        let name = |it: Result<String, String>| it.expect("found");
        let files = [
            ("a/pet.yml", other),
            ("a/api.yml", DOCUMENT),
            ("a/b/api.yml", DOCUMENT),
        ];
        assert_eq!(name(document(&files, None)), "a/api.yml");
        assert_eq!(name(document(&files, Some("a/b/api.yml"))), "a/b/api.yml");
        let files = [("other.json", DOCUMENT), ("openapi.json", DOCUMENT)];
        assert_eq!(name(document(&files, None)), "openapi.json");
        let files = [("b.json", DOCUMENT), ("a.json", DOCUMENT)];
        let error = document(&files, None).expect_err("two");
        assert_eq!(error, "it holds several documents: `a.json`, `b.json`");
        assert_eq!(
            document(&[("a.yml", other)], None).expect_err("none"),
            "it holds no OpenAPI document"
        );
        assert_eq!(
            document(&files, Some("../a.json")).expect_err("none"),
            "it holds no file `../a.json`"
        );
    }

    #[test]
    fn x_01_an_archive_that_unpacks_to_too_much_is_refused() {
        let zeros = vec![0; 1 << 20];
        let files: [(&str, &[u8]); 2] = [("a.json", &zeros), ("b.json", &zeros)];
        let bomb = zipped(&files);
        assert!(bomb.len() < 10_000);
        let unpacked = |max| Archive::within(max, &bomb).expect("an archive");
        assert!(unpacked(2 << 20).is_ok());
        assert!(matches!(
            unpacked((2 << 20) - 1),
            Err(ArchiveError::TooLarge)
        ));
    }

    #[test]
    fn x_01_what_is_passed_over_in_a_stream_counts_as_well() {
        let bomb = gzipped(&tarred(&[("a.png", &vec![0; 2 << 20])]));
        assert!(bomb.len() < 10_000);
        let unpacked = |max| Archive::within(max, &bomb).expect("an archive");
        assert!(unpacked(3 << 20).is_ok());
        assert!(matches!(unpacked(1 << 20), Err(ArchiveError::TooLarge)));
    }

    #[test]
    fn x_01_an_archive_that_is_cut_off_is_refused() {
        let whole = zipped(&[("a.json", DOCUMENT)]);
        for bytes in [&whole[..whole.len() / 2], b"\x1f\x8b\x08", b"PK\x03\x04"] {
            assert!(matches!(
                Archive::of(bytes),
                Some(Err(ArchiveError::Broken(_)))
            ));
        }
    }
}
