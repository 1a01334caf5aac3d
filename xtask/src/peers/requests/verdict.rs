//! What the judges say of all requests of a document.

use std::collections::BTreeMap;

use super::call::Call;
use super::control::Control;
use super::exceptions::{Exceptions, Excuse, Judge};

/// How many calls of each kind of fault are shown.
const MAX_SHOWN: usize = 3;
/// How much is shown of what was found.
const MAX_TEXT: usize = 600;
/// How much of what was found makes a kind.
const KIND: usize = 90;

/// The sums of a document, or of all.
#[derive(Default)]
pub(super) struct Tally {
    document: String,
    documents: usize,
    tools: usize,
    calls: usize,
    accepted: usize,
    /// Requests with which a judge finds fault, and calls that the gateway refuses.
    pub(super) faulty: usize,
    /// Requests that no judge could judge.
    unjudged: usize,
    not_generated: usize,
    by_prism: usize,
    by_openapi_core: usize,
    /// By judge and the beginning of what was found.
    faults: BTreeMap<(Judge, String), Vec<String>>,
    causes: BTreeMap<String, usize>,
    pub(super) control: Control,
}

impl Tally {
    /// Holds each call against what the judges say, and the exceptions.
    pub(super) fn of(document: &str, calls: &[Call], exceptions: &Exceptions) -> Self {
        let mut tally = Self {
            document: document.to_owned(),
            documents: 1,
            ..Self::default()
        };
        let mut tool = "";
        for call in calls {
            tally.tools += usize::from(call.tool != tool);
            tool = &call.tool;
            tally.add(call, exceptions);
        }
        tally
    }

    fn add(&mut self, call: &Call, exceptions: &Exceptions) {
        if let Some(cause) = &call.not_generated {
            self.not_generated += 1;
            *self
                .causes
                .entry(format!("{}: {}", call.tool, short(cause, KIND)))
                .or_default() += 1;
            return;
        }
        self.calls += 1;
        let mut is_faulty = false;
        let mut accepting = Vec::new();
        for (judge, found) in call.findings() {
            let mut faults = Vec::new();
            let mut is_judged = judge != Judge::Gateway;
            for text in found {
                match exceptions.excuse(judge, &self.document, call, text) {
                    None => faults.push(text),
                    Some(excuse) => is_judged &= excuse == Excuse::RestJudged,
                }
            }
            is_faulty |= !faults.is_empty();
            for fault in &faults {
                let shown = format!("{} {} {}", call.tool, call.variant, call.shown());
                let kind = (judge, short(fault, KIND));
                let list = self.faults.entry(kind).or_default();
                list.push(format!(
                    "{}\n        {}",
                    short(fault, MAX_TEXT),
                    short(&shown, MAX_TEXT)
                ));
            }
            if is_judged && faults.is_empty() {
                accepting.push(judge);
                self.by_prism += usize::from(judge == Judge::Prism);
                self.by_openapi_core += usize::from(judge == Judge::OpenapiCore);
            }
        }
        self.control
            .add(&self.document, call, &accepting, exceptions);
        if is_faulty {
            self.faulty += 1;
        } else if accepting.is_empty() {
            self.unjudged += 1;
        } else {
            self.accepted += 1;
        }
    }

    /// The calls that were judged, or refused by the gateway.
    fn judged(&self) -> usize {
        self.accepted + self.faulty
    }

    /// Adds all up.
    pub(super) fn total(tallies: Vec<Self>) -> Self {
        let mut total = Self::default();
        for tally in tallies {
            total.documents += tally.documents;
            total.tools += tally.tools;
            total.calls += tally.calls;
            total.accepted += tally.accepted;
            total.faulty += tally.faulty;
            total.unjudged += tally.unjudged;
            total.not_generated += tally.not_generated;
            total.by_prism += tally.by_prism;
            total.by_openapi_core += tally.by_openapi_core;
            total.control.join(tally.control);
        }
        total
    }

    pub(super) fn print(&self) {
        println!("{}: {}", self.document, self.summary());
        for ((judge, _), faults) in &self.faults {
            println!("    {judge:?}, {} times:", faults.len());
            for fault in faults.iter().take(MAX_SHOWN) {
                println!("      {fault}");
            }
        }
        for (cause, count) in &self.causes {
            println!("    not generated, {count} times: {cause}");
        }
        self.control.print();
    }

    pub(super) fn print_last(&self) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "far fewer than a float can count"
        )]
        let percent = 100.0 * self.accepted as f64 / self.judged().max(1) as f64;
        println!(
            "\n{} documents: {}\naccepted: {} of {} requests, {percent:.2} %",
            self.documents,
            self.summary(),
            self.accepted,
            self.judged(),
        );
        self.control.print();
    }

    fn summary(&self) -> String {
        format!(
            "{} tools, {} calls: {} accepted ({} by Prism, {} by openapi-core), {} faulty, {} that nobody can judge; {} not generated",
            self.tools,
            self.calls,
            self.accepted,
            self.by_prism,
            self.by_openapi_core,
            self.faulty,
            self.unjudged,
            self.not_generated
        )
    }
}

fn short(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exceptions() -> Exceptions {
        let text = "[[exception]]\njudge = \"openapi-core\"\ndocuments = [\"d\"]\nfound = [\"style\"]\nreason = \"it cannot\"\n";
        toml::from_str(text).expect("a list")
    }

    fn judged(prism: Option<&[&str]>, openapi_core: &[&str]) -> (usize, usize, usize) {
        let call = Call::sent("a", prism, openapi_core);
        let tally = Tally::of("d", &[call], &exceptions());
        (tally.accepted, tally.faulty, tally.unjudged)
    }

    #[test]
    fn one_judge_that_finds_fault_is_enough() {
        assert_eq!(judged(Some(&[]), &[]), (1, 0, 0));
        assert_eq!(judged(Some(&["bad"]), &[]), (0, 1, 0));
        assert_eq!(judged(Some(&[]), &["bad"]), (0, 1, 0));
    }

    #[test]
    fn what_is_judged_apart_from_an_excused_part_is_accepted() {
        let text = "[[exception]]\njudge = \"openapi-core\"\ndocuments = [\"d\"]\nfound = [\"token\"]\nrest_is_judged = true\nreason = \"a header\"\n";
        let exceptions: Exceptions = toml::from_str(text).expect("a list");
        let tally = |found| Tally::of("d", &[Call::sent("a", None, found)], &exceptions);
        assert_eq!(tally(&["token"]).accepted, 1);
        assert_eq!(tally(&["token", "another"]).faulty, 1);
    }

    #[test]
    fn what_one_cannot_judge_the_other_must() {
        assert_eq!(judged(Some(&[]), &["style"]), (1, 0, 0));
        assert_eq!(judged(None, &["style"]), (0, 0, 1));
        assert_eq!(judged(None, &[]), (1, 0, 0));
    }
}
