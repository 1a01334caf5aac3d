//! What a judge cannot do or gets wrong, listed with the reason.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::stage::Call;
use crate::tools;
use crate::workspace::Workspace;

const FILE: &str = "tests/requests/exceptions.toml";

/// Who finds fault with a request.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Judge {
    /// The gateway, which sends none.
    Gateway,
    Prism,
    OpenapiCore,
}

/// The list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exceptions {
    exception: Vec<Exception>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    judge: Judge,
    /// The documents; all where absent.
    documents: Option<Vec<String>>,
    /// The tools; all where absent.
    tools: Option<Vec<String>>,
    /// What the media type of the request's body starts with; any where absent.
    media_type: Option<String>,
    /// Texts that what is found has in it, all of them.
    found: Vec<String>,
    /// Why the request is good all the same, or cannot be judged.
    reason: String,
    #[serde(skip)]
    is_used: AtomicBool,
}

impl Exceptions {
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let text = tools::read(&workspace.root().join(FILE))?;
        let exceptions: Self =
            toml::from_str(&text).with_context(|| format!("{FILE} is not as it should be"))?;
        let is_empty = |it: &&Exception| it.reason.trim().is_empty() || it.found.is_empty();
        let bare = exceptions.exception.iter().find(is_empty);
        ensure!(
            bare.is_none(),
            "an exception of {FILE} has no reason, or excuses everything"
        );
        Ok(exceptions)
    }

    /// Tells whether what a judge found is no fault of the request.
    pub(super) fn excuse(&self, judge: Judge, document: &str, call: &Call, found: &str) -> bool {
        let is_meant = |list: &Option<Vec<String>>, name: &str| {
            list.as_ref()
                .is_none_or(|list| list.iter().any(|it| it == name))
        };
        let exception = self.exception.iter().find(|exception| {
            exception.judge == judge
                && is_meant(&exception.documents, document)
                && is_meant(&exception.tools, &call.tool)
                && exception
                    .media_type
                    .as_ref()
                    .is_none_or(|start| call.media_type().starts_with(start))
                && exception.found.iter().all(|text| found.contains(text))
        });
        if let Some(exception) = exception {
            exception.is_used.store(true, Ordering::Relaxed);
        }
        exception.is_some()
    }

    /// Fails where one is needed no more.
    pub(super) fn all_used(&self) -> Result<()> {
        let unused: Vec<&str> = self
            .exception
            .iter()
            .filter(|exception| !exception.is_used.load(Ordering::Relaxed))
            .map(|exception| exception.reason.as_str())
            .collect();
        ensure!(
            unused.is_empty(),
            "take out of {FILE} what is needed no more:\n{}",
            unused.join("\n")
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_is_excused_and_what_is_not_needed_is_told() {
        let text = r#"
            [[exception]]
            judge = "openapi-core"
            documents = ["stripe"]
            found = ["deepObject"]
            reason = "it does not know the style"
        "#;
        let exceptions: Exceptions = toml::from_str(text).expect("a list");
        let call = Call::sent("a", None, &[]);
        assert!(exceptions.all_used().is_err());
        assert!(!exceptions.excuse(Judge::Prism, "stripe", &call, "deepObject"));
        assert!(!exceptions.excuse(Judge::OpenapiCore, "box", &call, "deepObject"));
        assert!(!exceptions.excuse(Judge::OpenapiCore, "stripe", &call, "another"));
        assert!(exceptions.excuse(Judge::OpenapiCore, "stripe", &call, "no deepObject here"));
        assert!(exceptions.all_used().is_ok());
    }

    #[test]
    fn an_exception_for_forms_excuses_no_json() {
        let text = "[[exception]]\njudge = \"prism\"\nmedia_type = \"multipart/\"\nfound = [\"a\"]\nreason = \"b\"\n";
        let exceptions: Exceptions = toml::from_str(text).expect("a list");
        let mut call = Call::sent("a", None, &[]);
        assert!(!exceptions.excuse(Judge::Prism, "box", &call, "a"));
        call.send_as("application/json");
        assert!(!exceptions.excuse(Judge::Prism, "box", &call, "a"));
        call.send_as("multipart/form-data; boundary=b");
        assert!(exceptions.excuse(Judge::Prism, "box", &call, "a"));
    }
}
