//! Requests that are broken on purpose, and which judge notices: one that lets them pass proves nothing about the others.
//!
//! A judge answers for those only whose whole form it accepts, and what an exception excuses is not noticed.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::call::Call;
use super::exceptions::{Exceptions, Judge};

/// How many that a judge let pass are shown of each kind.
const MAX_SHOWN: usize = 3;
/// The share of each kind that each judge must notice, in hundredths.
const LEAST_NOTICED: usize = 95;
/// All that is done to requests, as `portcullis-bench requests` names it.
const KINDS: [&str; 6] = [
    "segment",
    "media-type",
    "missing-parameter",
    "wrong-parameter",
    "missing-member",
    "wrong-member",
];
/// The judges that have to prove themselves.
const JUDGES: [Judge; 2] = [Judge::Prism, Judge::OpenapiCore];

/// How many were noticed of all that were broken, by judge and by what was done to them.
#[derive(Default)]
pub(super) struct Control {
    counts: BTreeMap<(Judge, String), Count>,
}

#[derive(Default)]
struct Count {
    broken: usize,
    noticed: usize,
    passed: Vec<String>,
}

impl Control {
    /// Holds what was broken of a call against the judges that accept the call itself.
    pub(super) fn add(
        &mut self,
        document: &str,
        call: &Call,
        accepting: &[Judge],
        exceptions: &Exceptions,
    ) {
        for broken in &call.broken {
            for (judge, found) in broken.findings() {
                if !accepting.contains(&judge) {
                    continue;
                }
                let count = self.counts.entry((judge, broken.kind.clone())).or_default();
                let is_noticed = |text: &String| !exceptions.overlook(judge, document, call, text);
                count.broken += 1;
                if found.iter().any(is_noticed) {
                    count.noticed += 1;
                } else {
                    count
                        .passed
                        .push(format!("{} {}", call.tool, broken.shown()));
                }
            }
        }
    }

    /// Takes in what was counted of another document.
    pub(super) fn join(&mut self, other: Self) {
        for (key, count) in other.counts {
            let sum = self.counts.entry(key).or_default();
            sum.broken += count.broken;
            sum.noticed += count.noticed;
        }
    }

    /// Says what each judge noticed, and shows what it let pass.
    pub(super) fn print(&self) {
        for ((judge, kind), count) in &self.counts {
            let Count {
                broken, noticed, ..
            } = count;
            println!("    broken, {kind}: {judge:?} notices {noticed} of {broken}");
            for passed in count.passed.iter().take(MAX_SHOWN) {
                println!("      not {passed}");
            }
        }
    }

    /// Fails where a judge was not shown something of each kind.
    pub(super) fn complete(&self) -> Result<()> {
        for judge in JUDGES {
            for kind in KINDS {
                ensure!(
                    self.counts.contains_key(&(judge, kind.to_owned())),
                    "{judge:?} was shown no broken request of the kind {kind}"
                );
            }
        }
        Ok(())
    }

    /// Fails where a judge lets too much pass, or had nothing to notice.
    pub(super) fn verdict(&self) -> Result<()> {
        for judge in JUDGES {
            let mut kinds = self.counts.iter().filter(|((it, _), _)| *it == judge);
            ensure!(
                self.counts.keys().any(|(it, _)| *it == judge),
                "{judge:?} was shown no broken request, so that its word is worth nothing"
            );
            let blind = kinds.find(|(_, it)| it.noticed * 100 < it.broken * LEAST_NOTICED);
            if let Some(((_, kind), count)) = blind {
                anyhow::bail!(
                    "{judge:?} notices only {} of {} broken requests ({kind}), so that its word is worth nothing",
                    count.noticed,
                    count.broken
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAULT: Option<&[&str]> = Some(&["a fault"]);

    fn verdict(calls: &[(Call, &[Judge])]) -> Result<(), String> {
        let text = "[[exception]]\njudge = \"openapi-core\"\ndocuments = [\"d\"]\nfound = [\"style\"]\nreason = \"it cannot\"\n";
        let exceptions: Exceptions = toml::from_str(text).expect("a list");
        let mut control = Control::default();
        for (call, accepting) in calls {
            control.add("d", call, accepting, &exceptions);
        }
        control.verdict().map_err(|error| error.to_string())
    }

    fn call() -> Call {
        Call::sent("a", Some(&[]), &[])
    }

    #[test]
    fn judges_that_notice_what_is_broken_are_believed() {
        let call = call().broken("segment", FAULT, &["a fault"]);
        assert_eq!(verdict(&[(call, &JUDGES)]), Ok(()));
    }

    #[test]
    fn a_judge_that_accepts_everything_fails_the_run() {
        for (prism, openapi_core, name) in [
            (Some(&[][..]), &["a fault"][..], "Prism notices only 0"),
            (FAULT, &[][..], "OpenapiCore notices only 0"),
            // What an exception excuses is as good as not found.
            (FAULT, &["style"][..], "OpenapiCore notices only 0"),
        ] {
            let call = call().broken("segment", prism, openapi_core);
            let told = verdict(&[(call, &JUDGES)]).unwrap_err();
            assert!(told.starts_with(name), "{told}");
        }
    }

    #[test]
    fn a_judge_blind_to_one_kind_fails_the_run() {
        let call = (0..20).fold(call(), |call, _| {
            call.broken("segment", FAULT, &["a fault"])
        });
        let call = call.broken("wrong-member", FAULT, &[]);
        let told = verdict(&[(call, &JUDGES)]).unwrap_err();
        assert!(
            told.contains("0 of 1 broken requests (wrong-member)"),
            "{told}"
        );
    }

    #[test]
    fn a_judge_that_was_shown_nothing_fails_the_run() {
        let call = call().broken("segment", FAULT, &["a fault"]);
        let told = verdict(&[(call, &[Judge::Prism])]).unwrap_err();
        assert!(told.starts_with("OpenapiCore was shown no"), "{told}");
    }

    #[test]
    fn each_judge_has_to_be_shown_each_kind() {
        let exceptions: Exceptions = toml::from_str("exception = []").expect("a list");
        let mut control = Control::default();
        for kind in KINDS {
            assert!(control.complete().is_err(), "before {kind}");
            let call = call().broken(kind, FAULT, &["a fault"]);
            control.add("d", &call, &JUDGES, &exceptions);
        }
        assert!(control.complete().is_ok());
    }

    #[test]
    fn a_body_that_prism_does_not_judge_says_nothing_of_it() {
        let call = call().broken("segment", FAULT, &["a fault"]);
        let call = call.broken("wrong-member", None, &["a fault"]);
        assert_eq!(verdict(&[(call, &JUDGES)]), Ok(()));
    }
}
