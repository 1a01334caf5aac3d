//! What a judge cannot do or gets wrong, listed with the reason.

use std::collections::BTreeSet;
use std::sync::Mutex;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::call::Call;
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
    /// The documents.
    documents: Vec<String>,
    /// The tools; all where absent.
    tools: Option<Vec<String>>,
    /// What the media type of the request's body starts with; any where absent.
    media_type: Option<String>,
    /// The parameters and members, as the judge writes where they are; any where absent.
    places: Option<Vec<String>>,
    /// Texts that what is found has in it, all of them.
    found: Vec<String>,
    /// Whether only what the arguments do not have is excused.
    #[serde(default)]
    not_given: bool,
    /// Whether the judge looks at all else of the request, so that it may accept it.
    #[serde(default)]
    rest_is_judged: bool,
    /// Why the request is good all the same, or cannot be judged.
    reason: String,
    /// The documents, tools and places that needed it.
    #[serde(skip)]
    needed_by: Mutex<BTreeSet<String>>,
}

/// What becomes of a request of which something is excused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excuse {
    /// The judge has not judged it.
    Unjudged,
    /// It has judged all the rest.
    RestJudged,
}

impl Exceptions {
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let text = tools::read(&workspace.root().join(FILE))?;
        let exceptions: Self =
            toml::from_str(&text).with_context(|| format!("{FILE} is not as it should be"))?;
        let is_empty = |it: &&Exception| {
            it.reason.trim().is_empty() || it.found.is_empty() || it.documents.is_empty()
        };
        let bare = exceptions.exception.iter().find(is_empty);
        ensure!(
            bare.is_none(),
            "an exception of {FILE} has no reason, or excuses everything, or nothing"
        );
        Ok(exceptions)
    }

    /// Excuses what a judge found, if it is no fault of the request, and remembers for what.
    pub(super) fn excuse(
        &self,
        judge: Judge,
        document: &str,
        call: &Call,
        found: &str,
    ) -> Option<Excuse> {
        let exception = self.find(judge, document, call, found)?;
        if let Ok(mut needed_by) = exception.needed_by.lock() {
            needed_by.insert(document.to_owned());
            needed_by.insert(call.tool.clone());
            let places = exception.places.iter().flatten();
            needed_by.extend(places.filter(|it| found.contains(it.as_str())).cloned());
        }
        Some(if exception.rest_is_judged {
            Excuse::RestJudged
        } else {
            Excuse::Unjudged
        })
    }

    /// Tells whether what a judge found in a broken request would be overlooked.
    pub(super) fn overlook(&self, judge: Judge, document: &str, call: &Call, found: &str) -> bool {
        self.find(judge, document, call, found).is_some()
    }

    fn find(&self, judge: Judge, document: &str, call: &Call, found: &str) -> Option<&Exception> {
        let has = |list: &[String], name: &str| list.iter().any(|it| it == name);
        self.exception.iter().find(|exception| {
            let tools = exception.tools.as_ref();
            let places = exception.places.as_ref();
            let media_type = exception.media_type.as_ref();
            exception.judge == judge
                && has(&exception.documents, document)
                && tools.is_none_or(|tools| has(tools, &call.tool))
                && !(exception.not_given && call.gives(&place(found)))
                && media_type.is_none_or(|start| call.media_type().starts_with(start))
                && places.is_none_or(|places| places.iter().any(|it| found.contains(it)))
                && exception.found.iter().all(|text| found.contains(text))
        })
    }

    /// Fails where one is needed no more, be it by a single document, tool or place that it names.
    pub(super) fn all_used(&self) -> Result<()> {
        let unused: Vec<String> = self.exception.iter().flat_map(Exception::unused).collect();
        ensure!(
            unused.is_empty(),
            "take out of {FILE} what is needed no more:\n{}",
            unused.join("\n")
        );
        Ok(())
    }
}

/// Where Prism found something: `body` or `query`, and what is below it; nothing where another judge did.
fn place(found: &str) -> Vec<String> {
    let found: Value = serde_json::from_str(found).unwrap_or_default();
    let location = found.get("location").and_then(Value::as_array);
    let names = location.into_iter().flatten().skip(1);
    names
        .map(|name| {
            name.as_str()
                .map_or_else(|| name.to_string(), str::to_owned)
        })
        .collect()
}

impl Exception {
    fn unused(&self) -> Vec<String> {
        let needed_by = self.needed_by.lock();
        let needed_by = needed_by.map(|it| it.clone()).unwrap_or_default();
        let [tools, places] = [&self.tools, &self.places].map(|it| it.iter().flatten());
        let named = self.documents.iter().chain(tools).chain(places);
        let unused = named.filter(|name| !needed_by.contains(*name));
        unused
            .map(|name| format!("{name}, of `{}`: {}", self.found.join(", "), self.reason))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn exceptions(text: &str) -> Exceptions {
        toml::from_str(text).expect("a list")
    }

    #[test]
    fn only_what_is_listed_is_excused() {
        let exceptions = exceptions(
            r#"
            [[exception]]
            judge = "openapi-core"
            documents = ["stripe"]
            found = ["deepObject"]
            reason = "it does not know the style"
        "#,
        );
        let call = Call::sent("a", None, &[]);
        let excuse = |judge, document, found| exceptions.excuse(judge, document, &call, found);
        assert_eq!(excuse(Judge::Prism, "stripe", "deepObject"), None);
        assert_eq!(excuse(Judge::OpenapiCore, "box", "deepObject"), None);
        assert_eq!(excuse(Judge::OpenapiCore, "stripe", "another"), None);
        let found = excuse(Judge::OpenapiCore, "stripe", "no deepObject here");
        assert_eq!(found, Some(Excuse::Unjudged));
    }

    #[test]
    fn each_document_and_tool_of_an_exception_must_need_it() {
        let exceptions = exceptions(
            r#"
            [[exception]]
            judge = "prism"
            documents = ["stripe", "box"]
            tools = ["a", "b"]
            places = ["p", "q"]
            found = ["style"]
            rest_is_judged = true
            reason = "it does not know the style"
        "#,
        );
        let unused = || exceptions.all_used().map_err(|error| error.to_string());
        let excuse = |document, tool, found| {
            exceptions.excuse(Judge::Prism, document, &Call::sent(tool, None, &[]), found)
        };
        let excused = Some(Excuse::RestJudged);
        assert_eq!(excuse("stripe", "a", "style of p"), excused);
        assert_eq!(excuse("stripe", "c", "style of p"), None);
        assert_eq!(excuse("stripe", "a", "style"), None);
        let told = unused().unwrap_err();
        assert!(told.contains("\nbox, of `style`"), "{told}");
        assert!(told.contains("\nb, of `style`"), "{told}");
        assert!(told.contains("\nq, of `style`"), "{told}");
        assert!(
            !told.contains("\nstripe") && !told.contains("\na,"),
            "{told}"
        );
        assert_eq!(excuse("box", "b", "style of q"), excused);
        assert_eq!(unused(), Ok(()));
    }

    #[test]
    fn what_is_broken_needs_no_exception() {
        let exceptions = exceptions(
            "[[exception]]\njudge = \"prism\"\ndocuments = [\"d\"]\nfound = [\"a\"]\nreason = \"b\"\n",
        );
        assert!(exceptions.overlook(Judge::Prism, "d", &Call::sent("a", None, &[]), "a"));
        assert!(exceptions.all_used().is_err());
    }

    #[test]
    fn what_the_arguments_have_is_not_excused_as_not_given() {
        let exceptions = exceptions(
            "[[exception]]\njudge = \"prism\"\ndocuments = [\"d\"]\nfound = [\"required\"]\nnot_given = true\nreason = \"b\"\n",
        );
        let call = Call::sent("a", None, &[]).with_arguments(json!({
            "query": [{"a": 1}], "b": {"c": {"d": 1}}, "empty": {}, "body": {"e": {"f": 1}},
        }));
        for (location, is_excused) in [
            (json!(["request", "query", "b", "c"]), false),
            (json!(["request", "query", "b", "x"]), true),
            (json!(["request", "query", "query", 0]), false),
            (json!(["request", "query", "empty"]), true),
            (json!(["request", "body", "e"]), false),
            (json!(["request", "body", "b"]), true),
        ] {
            let found = json!({"location": location, "message": "required"}).to_string();
            let excuse = exceptions.excuse(Judge::Prism, "d", &call, &found);
            assert_eq!(excuse.is_some(), is_excused, "{found}");
        }
    }

    #[test]
    fn an_exception_for_forms_excuses_no_json() {
        let exceptions = exceptions(
            "[[exception]]\njudge = \"prism\"\ndocuments = [\"box\"]\nmedia_type = \"multipart/\"\nfound = [\"a\"]\nreason = \"b\"\n",
        );
        let mut call = Call::sent("a", None, &[]);
        assert_eq!(exceptions.excuse(Judge::Prism, "box", &call, "a"), None);
        call.send_as("application/json");
        assert_eq!(exceptions.excuse(Judge::Prism, "box", &call, "a"), None);
        call.send_as("multipart/form-data; boundary=b");
        assert!(exceptions.excuse(Judge::Prism, "box", &call, "a").is_some());
    }
}
