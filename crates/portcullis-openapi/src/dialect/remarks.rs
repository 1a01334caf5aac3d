//! What to tell the operator of schemas that vendors refuse: for each vendor one finding about the document, however many tools it has.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Vendor, refusals, unknown};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::Tool;

/// Tools that a finding names.
const MAX_NAMED: usize = 5;
/// Reasons that a finding names, the most frequent first.
const MAX_REASONS: usize = 3;

/// The keyword that every tool has, and every client that speaks to Gemini leaves out; it would be told of every document.
const OF_EVERY_TOOL: &str = "additionalProperties";

/// What a vendor refuses among a document's tools.
#[derive(Default)]
struct Refused {
    names: Vec<String>,
    /// How many tools each reason holds for.
    reasons: BTreeMap<String, usize>,
}

/// Says which vendors would refuse some of these tools, for each vendor once.
///
/// Reads each input schema anew, so it is for commands that look at a document, not for serving it.
#[must_use]
pub fn remarks<T: Borrow<Tool>>(tools: &[T]) -> Vec<Diagnostic> {
    let mut refused: BTreeMap<Vendor, Refused> = BTreeMap::new();
    for tool in tools.iter().map(Borrow::borrow) {
        let schema: Value = serde_json::from_str(tool.input_schema().get()).unwrap_or_default();
        let mut found = refusals(&schema);
        found.remove(&(Vendor::Gemini, unknown(OF_EVERY_TOOL)));
        let vendors: BTreeSet<Vendor> = found.iter().map(|(vendor, _)| *vendor).collect();
        for vendor in vendors {
            let name = format!("`{}`", tool.name);
            refused.entry(vendor).or_default().names.push(name);
        }
        for (vendor, why) in found {
            let refused = refused.entry(vendor).or_default();
            *refused.reasons.entry(why).or_default() += 1;
        }
    }
    refused.iter().map(remark).collect()
}

fn remark((vendor, refused): (&Vendor, &Refused)) -> Diagnostic {
    let (severity, code, consequence) = match vendor {
        Vendor::Anthropic => (
            Severity::Warning,
            "refused-by-anthropic",
            "Anthropic refuses requests with the input schemas",
        ),
        Vendor::OpenAi => (
            Severity::Warning,
            "refused-by-openai",
            "OpenAI refuses requests with the input schemas",
        ),
        Vendor::Gemini => (
            Severity::Note,
            "rewritten-for-gemini",
            "clients that speak to Gemini have to rewrite the input schemas",
        ),
    };
    Diagnostic {
        severity,
        code,
        pointer: String::new(),
        message: format!("{consequence} of {}: {}", refused.tools(), refused.why()),
    }
}

impl Refused {
    fn tools(&self) -> String {
        let count = self.names.len();
        let named = self.names.get(..MAX_NAMED.min(count)).unwrap_or_default();
        let others = if count > MAX_NAMED { " and others" } else { "" };
        let tools = if count == 1 { "tool" } else { "tools" };
        format!("{count} {tools} ({}{others})", named.join(", "))
    }

    fn why(&self) -> String {
        let mut reasons: Vec<(&String, &usize)> = self.reasons.iter().collect();
        // The sort is stable, and the reasons are in order.
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let named = reasons.iter().take(MAX_REASONS);
        let named: Vec<String> = named
            .map(|(why, count)| format!("{why} ({count})"))
            .collect();
        let more = if reasons.len() > MAX_REASONS {
            ", and more"
        } else {
            ""
        };
        format!("{}{more}", named.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Limits};

    fn told(parameters: &str) -> Vec<String> {
        let paths: Vec<String> = (0..7)
            .map(|number| format!(r#""/{number}": {{"get": {{"operationId": "get_{number}", "parameters": [{parameters}]}}}}"#))
            .collect();
        let text = format!(
            r#"{{"openapi": "3.1.0", "paths": {{{}}}}}"#,
            paths.join(", ")
        );
        let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
        let (tools, _) = document.tools();
        let found = remarks(&tools).into_iter();
        found.map(|it| it.to_string()).collect()
    }

    #[test]
    fn what_all_vendors_take_is_not_told_of() {
        let plain = r#"{"name": "a", "in": "query", "schema": {"type": "string"}}"#;
        assert_eq!(told(plain), [""; 0]);
    }

    #[test]
    fn what_clients_rewrite_for_gemini_is_told_once_with_how_many_tools_and_why() {
        let parameters =
            r#"{"name": "a", "in": "query", "schema": {"type": "integer", "multipleOf": 2}}"#;
        assert_eq!(
            told(parameters),
            [
                "note[rewritten-for-gemini] document: clients that speak to Gemini have to rewrite the input schemas of 7 tools (`get_0`, `get_1`, `get_2`, `get_3`, `get_4` and others): `multipleOf` is unknown (7)"
            ]
        );
    }

    #[test]
    fn what_a_vendor_refuses_is_told_by_vendor() {
        let refused = Refused {
            names: vec!["`a`".to_owned()],
            reasons: [("an array has no `items`".to_owned(), 1)].into(),
        };
        let told = |vendor| remark((&vendor, &refused)).to_string();
        assert_eq!(
            told(Vendor::OpenAi),
            "warning[refused-by-openai] document: OpenAI refuses requests with the input schemas of 1 tool (`a`): an array has no `items` (1)"
        );
        assert!(told(Vendor::Anthropic).starts_with("warning[refused-by-anthropic]"));
    }
}
