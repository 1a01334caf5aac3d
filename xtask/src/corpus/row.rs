//! A document's line in the table, and the totals.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::Value;

use super::count::Counted;

/// How many documents that take longest, or most memory, are named.
const MAX_WORST: usize = 3;

/// What became of a document.
pub(super) struct Row {
    pub(super) document: String,
    pub(super) version: String,
    pub(super) operations: usize,
    pub(super) tools: usize,
    /// Operations that have no tool.
    pub(super) lost: BTreeSet<String>,
    pub(super) findings: BTreeMap<String, usize>,
    /// Why it could not be read at all.
    refused: Option<String>,
    cost: Cost,
}

/// What `portcullis-bench corpus` prints of a document that was read.
#[derive(Deserialize)]
struct Imported {
    pointers: Vec<String>,
    findings: BTreeMap<String, usize>,
    #[serde(flatten)]
    cost: Cost,
}

#[derive(Default, Deserialize)]
struct Cost {
    milliseconds: u64,
    peak_memory_kib: u64,
    schema_bytes: u64,
    largest_schema_bytes: u64,
    faults: Vec<String>,
    faulty: usize,
}

impl Row {
    /// Holds what was imported against what was counted.
    pub(super) fn new(document: String, counted: Counted, outcome: &Value) -> Result<Self> {
        let Counted {
            version,
            operations,
        } = counted;
        let mut row = Self {
            document,
            version,
            operations: operations.len(),
            tools: 0,
            lost: BTreeSet::new(),
            findings: BTreeMap::new(),
            refused: outcome
                .get("refused")
                .and_then(Value::as_str)
                .map(str::to_owned),
            cost: Cost::default(),
        };
        if row.refused.is_some() {
            row.findings.insert("refused".to_owned(), 1);
            row.lost = operations;
            return Ok(row);
        }
        let imported = outcome.get("imported").context("no outcome was printed")?;
        let imported = Imported::deserialize(imported)?;
        row.tools = imported.pointers.len();
        let found: BTreeSet<String> = imported.pointers.into_iter().collect();
        row.lost = operations.difference(&found).cloned().collect();
        row.cost = imported.cost;
        for pointer in found.difference(&operations) {
            row.cost.faulty += 1;
            row.cost.faults.push(format!(
                "a tool comes from {pointer}, which is no operation"
            ));
        }
        row.findings = imported.findings;
        Ok(row)
    }

    /// The findings in one word each, in order.
    pub(super) fn findings(&self) -> String {
        summary(&self.findings)
    }

    /// Prints the table, and below each document what is wrong with its tools.
    pub(super) fn print_all(rows: &[Self]) {
        let width = rows.iter().map(|row| row.document.len()).max().unwrap_or(8);
        println!(
            "{:<width$} {:<7} {:>10} {:>6} {:>5} {:>7} {:>7} {:>10} {:>11}  findings",
            "document",
            "version",
            "operations",
            "tools",
            "lost",
            "ms",
            "MiB",
            "schema KiB",
            "largest KiB",
        );
        for row in rows {
            let cost = &row.cost;
            println!(
                "{:<width$} {:<7} {:>10} {:>6} {:>5} {:>7} {:>7.1} {:>10.1} {:>11.1}  {}",
                row.document,
                row.version,
                row.operations,
                row.tools,
                row.lost.len(),
                cost.milliseconds,
                thousandth(cost.peak_memory_kib),
                thousandth(cost.schema_bytes),
                thousandth(cost.largest_schema_bytes),
                row.findings(),
            );
            for complaint in row.refused.iter().chain(&cost.faults) {
                println!("    {complaint}");
            }
        }
    }
}

/// The sums of a table.
#[derive(Default)]
pub(super) struct Totals {
    documents: usize,
    refused: usize,
    operations: usize,
    tools: usize,
    lost: usize,
    findings: BTreeMap<String, usize>,
    milliseconds: u64,
    schema_bytes: u64,
    pub(super) faulty: usize,
    slowest: Vec<(u64, String)>,
    largest: Vec<(u64, String)>,
}

impl Totals {
    pub(super) fn of(rows: &[Row]) -> Self {
        let mut totals = Self {
            documents: rows.len(),
            ..Self::default()
        };
        for row in rows {
            totals.refused += usize::from(row.refused.is_some());
            totals.operations += row.operations;
            totals.tools += row.tools;
            totals.lost += row.lost.len();
            totals.milliseconds += row.cost.milliseconds;
            totals.schema_bytes += row.cost.schema_bytes;
            totals.faulty += row.cost.faulty;
            for (code, count) in &row.findings {
                *totals.findings.entry(code.clone()).or_default() += count;
            }
        }
        totals.slowest = worst(rows, |cost| cost.milliseconds);
        totals.largest = worst(rows, |cost| cost.peak_memory_kib);
        totals
    }

    /// Prints them, the sums in the last line.
    pub(super) fn print(&self) {
        println!("\nfindings by code: {}", summary(&self.findings));
        for (milliseconds, document) in &self.slowest {
            println!("slow: {milliseconds} ms {document}");
        }
        for (kib, document) in &self.largest {
            println!("large: {:.1} MiB {document}", thousandth(*kib));
        }
        let served = self.operations - self.lost;
        #[expect(
            clippy::cast_precision_loss,
            reason = "far fewer than a float can count"
        )]
        let percent = 100.0 * served as f64 / self.operations.max(1) as f64;
        println!(
            "{} documents ({} refused), {} operations, {} tools, {} lost ({percent:.3} % are tools), {} ms in all, {:.1} MiB of schemas, {} faulty tools",
            self.documents,
            self.refused,
            self.operations,
            self.tools,
            self.lost,
            self.milliseconds,
            thousandth(self.schema_bytes) / 1024.0,
            self.faulty,
        );
    }
}

fn worst(rows: &[Row], cost: impl Fn(&Cost) -> u64) -> Vec<(u64, String)> {
    let mut sorted: Vec<(u64, String)> = rows
        .iter()
        .map(|row| (cost(&row.cost), row.document.clone()))
        .collect();
    sorted.sort_by(|one, other| other.cmp(one));
    sorted.truncate(MAX_WORST);
    sorted
}

fn summary(findings: &BTreeMap<String, usize>) -> String {
    let each = findings
        .iter()
        .map(|(code, count)| format!("{code}={count}"));
    each.collect::<Vec<_>>().join(",")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "far fewer than a float can count"
)]
fn thousandth(count: u64) -> f64 {
    count as f64 / 1024.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn counted(operations: &[&str]) -> Counted {
        Counted {
            version: "3.0.0".to_owned(),
            operations: operations.iter().map(|&it| it.to_owned()).collect(),
        }
    }

    fn imported(pointers: &[&str]) -> Value {
        json!({ "imported": {
            "pointers": pointers, "findings": { "b": 2, "a": 1 }, "milliseconds": 1, "peak_memory_kib": 1,
            "schema_bytes": 1, "largest_schema_bytes": 1, "faults": [], "faulty": 0,
        } })
    }

    #[test]
    fn an_operation_without_a_tool_is_lost_and_a_tool_without_an_operation_is_a_fault() {
        let outcome = imported(&["/paths/~1a/get", "/paths/~1c/get"]);
        let counted = counted(&["/paths/~1a/get", "/paths/~1b/get"]);
        let row = Row::new("a".to_owned(), counted, &outcome).expect("a row");
        assert_eq!(Vec::from_iter(&row.lost), ["/paths/~1b/get"]);
        assert_eq!(row.findings(), "a=1,b=2");
        assert_eq!(Totals::of(&[row]).faulty, 1);
    }

    #[test]
    fn a_document_that_is_refused_loses_all() {
        let outcome = json!({ "refused": "why" });
        let counted = counted(&["/paths/~1a/get"]);
        let row = Row::new("a".to_owned(), counted, &outcome).expect("a row");
        let totals = Totals::of(&[row]);
        assert_eq!((totals.lost, totals.refused), (1, 1));
    }
}
