//! What the documents of the npm packages become, committed: a line for each, so that a change of the importer shows.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use super::row::Row;
use crate::tools;

/// Where it stands.
pub(super) const FILE: &str = "tests/corpus/golden.tsv";

/// The first line.
const HEADER: &str = "document\tversion\toperations\ttools\tlost\tfindings";

/// How many lines that differ are shown.
const MAX_SHOWN: usize = 40;

/// How much of the golden file was asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Documents that only the file has are missing.
    Whole,
    /// They are not.
    Part,
}

/// Writes the golden file.
pub(super) fn write(file: &Path, rows: &[Row]) -> Result<()> {
    let lines = rows
        .iter()
        .map(line)
        .map(|(name, rest)| format!("{name}\t{rest}\n"));
    let text: String = std::iter::once(format!("{HEADER}\n"))
        .chain(lines)
        .collect();
    fs::write(file, text)?;
    println!("wrote {FILE}");
    Ok(())
}

/// Fails where a document became something else than the golden file says, and shows what.
pub(super) fn compare(file: &Path, rows: &[Row], extent: Extent) -> Result<()> {
    let found: BTreeMap<String, String> = rows.iter().map(line).collect();
    let differences = differences(&tools::read(file)?, &found, extent);
    if differences.is_empty() {
        return Ok(());
    }
    for difference in differences.iter().take(MAX_SHOWN) {
        println!("{difference}");
    }
    bail!(
        "{} documents became something else than {FILE} says; where that is meant, `cargo xtask corpus --bless` writes it",
        differences.len()
    )
}

fn line(row: &Row) -> (String, String) {
    let counts = [row.operations, row.tools, row.lost.len()].map(|count| count.to_string());
    let rest = format!("{}\t{}\t{}", row.version, counts.join("\t"), row.findings());
    (row.document.clone(), rest)
}

fn differences(golden: &str, found: &BTreeMap<String, String>, extent: Extent) -> Vec<String> {
    let lines = golden.lines().skip(1);
    let golden: BTreeMap<&str, &str> = lines.filter_map(|line| line.split_once('\t')).collect();
    let mut differences = Vec::new();
    for (document, is) in found {
        match golden.get(document.as_str()) {
            Some(was) if was == is => {}
            Some(was) => differences.push(format!("{document}\n  - {was}\n  + {is}")),
            None => differences.push(format!("{document}\n  + {is}")),
        }
    }
    if extent == Extent::Whole {
        let gone = golden
            .iter()
            .filter(|(name, _)| !found.contains_key(**name));
        differences.extend(gone.map(|(document, was)| format!("{document}\n  - {was}")));
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_differs_is_shown_with_both_sides() {
        let golden = format!("{HEADER}\na.json\t3.0.0\t2\t2\t0\t\nb.json\t3.0.0\t1\t1\t0\t");
        let found = BTreeMap::from([("a.json".to_owned(), "3.0.0\t2\t1\t1\tbad=1".to_owned())]);
        let of_all = differences(&golden, &found, Extent::Whole);
        let changed = "a.json\n  - 3.0.0\t2\t2\t0\t\n  + 3.0.0\t2\t1\t1\tbad=1";
        assert_eq!(of_all, [changed, "b.json\n  - 3.0.0\t1\t1\t0\t"]);
        assert_eq!(differences(&golden, &found, Extent::Part), [changed]);
    }

    #[test]
    fn the_same_lines_are_no_difference() {
        let golden = format!("{HEADER}\na.json\t3.0.0\t2\t2\t0\t\n");
        let found = BTreeMap::from([("a.json".to_owned(), "3.0.0\t2\t2\t0\t".to_owned())]);
        assert!(differences(&golden, &found, Extent::Whole).is_empty());
    }
}
