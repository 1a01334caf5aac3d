//! Requests that are broken on purpose, each in one way: a judge that finds no fault with these would find none with ours.
//!
//! What is taken out or put in is held against the tool's input schema as well, and counts as broken only where that refuses it.

use bytes::Bytes;
use http::header;
use portcullis_openapi::{Place, Tool};
use serde::Serialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::recorder::Recorded;

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Break {
    /// The segments that the document writes out are others.
    Segment,
    /// The media type is none that a document has.
    MediaType,
    /// A parameter that is required is not there.
    MissingParameter,
    /// A parameter that is a number or a boolean is a word.
    WrongParameter,
    /// A member of the body that is required is not there.
    MissingMember,
    /// A member of the body is of another type.
    WrongMember,
}

/// A segment, and a word where none is allowed.
const NONE: &str = "none-of-these";
/// A media type that is registered nowhere.
const UNREAD: &str = "application/x-read-by-nobody";
const FORM: &str = "application/x-www-form-urlencoded";

/// Breaks a request in each way that it has something for.
pub(super) fn broken(tool: &Tool, arguments: &Value, sent: &Recorded) -> Vec<(Break, Recorded)> {
    let Some(original) = Original::of(tool, arguments, sent) else {
        return Vec::new();
    };
    let each = [
        (Break::Segment, original.segment()),
        (Break::MediaType, original.media_type()),
        (Break::MissingParameter, original.missing_parameter()),
        (Break::WrongParameter, original.wrong_parameter()),
        (Break::MissingMember, original.missing_member()),
        (Break::WrongMember, original.wrong_member()),
    ];
    // What tells operations of one path apart makes, where it is broken, a request of another of them.
    let is_shared = tool.path().contains(['?', '#']);
    let judged = each
        .into_iter()
        .filter(|(kind, _)| !is_shared || *kind == Break::Segment);
    judged
        .filter_map(|(kind, request)| Some((kind, request?)))
        .collect()
}

/// A request that is as it should be, and what it was made of.
struct Original<'a> {
    tool: &'a Tool,
    arguments: &'a Map<String, Value>,
    sent: &'a Recorded,
    schema: Value,
    validator: jsonschema::Validator,
}

impl<'a> Original<'a> {
    fn of(tool: &'a Tool, arguments: &'a Value, sent: &'a Recorded) -> Option<Self> {
        let schema: Value = serde_json::from_str(tool.whole_input_schema().get()).ok()?;
        let validator = super::validator(&schema).ok()?;
        Some(Self {
            tool,
            arguments: arguments.as_object()?,
            sent,
            schema,
            validator,
        })
    }

    fn segment(&self) -> Option<Recorded> {
        let path = self.tool.path();
        let path = path.split(['?', '#']).next()?;
        let (sent, query) = self.path_and_query();
        if path.split('/').count() != sent.split('/').count() {
            return None;
        }
        let pairs = path.split('/').zip(sent.split('/'));
        let segments = pairs.map(|(written, sent)| {
            let is_literal = !written.is_empty() && !written.contains('{');
            if is_literal { NONE } else { sent }
        });
        let changed = segments.collect::<Vec<_>>().join("/");
        (changed != sent).then(|| self.with_target(&changed, query))
    }

    fn media_type(&self) -> Option<Recorded> {
        let choices = &self.tool.request.body.as_ref()?.choices;
        let is_open = choices.iter().any(|it| it.media_type.contains('*'));
        if self.sent.body.is_empty() || is_open {
            return None;
        }
        let mut request = self.sent.clone();
        let mut headers = request.headers.iter_mut();
        let (_, value) = headers.find(|(name, _)| name == header::CONTENT_TYPE.as_str())?;
        UNREAD.clone_into(value);
        Some(request)
    }

    fn missing_parameter(&self) -> Option<Recorded> {
        let parameters = &self.tool.request.parameters;
        parameters.iter().find_map(|parameter| {
            let argument = self.arguments.get(&parameter.argument)?;
            let is_needed = !argument.is_object()
                && !self.has_default(&parameter.argument)
                && self.refuses(|it| it.remove(&parameter.argument));
            if parameter.place != Place::Query || !is_needed {
                return None;
            }
            let (path, query) = self.path_and_query();
            let query = without(query, &parameter.name)?;
            Some(self.with_target(path, &query))
        })
    }

    fn wrong_parameter(&self) -> Option<Recorded> {
        let parameters = &self.tool.request.parameters;
        parameters.iter().find_map(|parameter| {
            let argument = self.arguments.get(&parameter.argument)?;
            let put = |it: &mut Map<_, _>| it.insert(parameter.argument.clone(), json!(NONE));
            if parameter.place != Place::Query || !is_bare(argument) || !self.refuses(put) {
                return None;
            }
            let (path, query) = self.path_and_query();
            let query = replaced(query, &parameter.name)?;
            Some(self.with_target(path, &query))
        })
    }

    fn missing_member(&self) -> Option<Recorded> {
        let (argument, members) = self.body()?;
        members.iter().find_map(|(name, value)| {
            if !self.refuses(|it| it.get_mut(argument)?.as_object_mut()?.remove(name)) {
                return None;
            }
            if let Some(mut sent) = self.json() {
                sent.remove(name)?;
                return Some(self.with_body(&Value::Object(sent).to_string()));
            }
            // A form without a field is no body, which may be allowed; Prism takes a list or an object that is not there for an empty one.
            let form = without(self.form()?, name).filter(|it| !it.is_empty())?;
            let is_one_field = !value.is_object() && !value.is_array();
            is_one_field.then(|| self.with_body(&form))
        })
    }

    fn wrong_member(&self) -> Option<Recorded> {
        let (argument, members) = self.body()?;
        members.iter().find_map(|(name, value)| {
            let refuses = |wrong: &Value| {
                self.refuses(|it| {
                    let members = it.get_mut(argument)?.as_object_mut()?;
                    members.insert(name.clone(), wrong.clone())
                })
            };
            let Some(mut sent) = self.json() else {
                let is_wrong = is_bare(value) && refuses(&json!(NONE));
                let form = is_wrong.then(|| replaced(self.form()?, name))??;
                return Some(self.with_body(&form));
            };
            let others = [json!({ NONE: NONE }), json!(true), json!(NONE), json!(7.5)];
            let wrong = others.into_iter().find(refuses)?;
            sent.insert(name.clone(), wrong);
            Some(self.with_body(&Value::Object(sent).to_string()))
        })
    }

    /// Tells whether a judge may put a value in where there is none.
    fn has_default(&self, argument: &str) -> bool {
        let property = self
            .schema
            .get("properties")
            .and_then(|it| it.get(argument));
        property.is_some_and(|it| it.get("default").is_some())
    }

    /// Tells whether the input schema refuses what is made of the arguments.
    fn refuses<T>(&self, change: impl FnOnce(&mut Map<String, Value>) -> Option<T>) -> bool {
        let mut arguments = self.arguments.clone();
        let is_changed = change(&mut arguments).is_some();
        is_changed && !self.validator.is_valid(&Value::Object(arguments))
    }

    /// The argument of the body, and its members.
    fn body(&self) -> Option<(&str, &Map<String, Value>)> {
        let argument = self.tool.request.body.as_ref()?.argument.as_str();
        Some((argument, self.arguments.get(argument)?.as_object()?))
    }

    fn json(&self) -> Option<Map<String, Value>> {
        let sent = self.sent.has_json().then_some(&self.sent.body)?;
        serde_json::from_slice(sent).ok()
    }

    fn form(&self) -> Option<&str> {
        let kind = self.sent.header(&header::CONTENT_TYPE)?;
        let sent = kind.starts_with(FORM).then_some(&self.sent.body)?;
        std::str::from_utf8(sent).ok()
    }

    fn path_and_query(&self) -> (&str, &str) {
        let target = self.sent.target.as_str();
        target.split_once('?').unwrap_or((target, ""))
    }

    fn with_target(&self, path: &str, query: &str) -> Recorded {
        let mark = if query.is_empty() { "" } else { "?" };
        Recorded {
            target: format!("{path}{mark}{query}"),
            ..self.sent.clone()
        }
    }

    fn with_body(&self, body: &str) -> Recorded {
        Recorded {
            body: Bytes::copy_from_slice(body.as_bytes()),
            ..self.sent.clone()
        }
    }
}

/// Tells whether a word is something else, however it is written.
fn is_bare(value: &Value) -> bool {
    value.is_number() || value.is_boolean()
}

/// The pairs of a query or a form without one; nothing where it is not there.
fn without(pairs: &str, name: &str) -> Option<String> {
    let kept = pairs.split('&').filter(|pair| !is_named(pair, name));
    let kept = kept.collect::<Vec<_>>().join("&");
    (kept != pairs).then_some(kept)
}

/// The pairs of a query or a form, where one is a word; nothing where it is not there.
fn replaced(pairs: &str, name: &str) -> Option<String> {
    let changed = pairs.split('&').map(|pair| {
        let key = pair.split('=').next().unwrap_or_default();
        if is_named(pair, name) {
            format!("{key}={NONE}")
        } else {
            pair.to_owned()
        }
    });
    let changed = changed.collect::<Vec<_>>().join("&");
    (changed != pairs).then_some(changed)
}

/// Tells whether a pair is of this name, or of a member of it (`name[member]=`).
fn is_named(pair: &str, name: &str) -> bool {
    let mut pairs = form_urlencoded::parse(pair.as_bytes());
    let of_name = |(key, _): (std::borrow::Cow<'_, str>, _)| {
        let rest = key.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
    };
    pairs.next().is_some_and(of_name)
}

#[cfg(test)]
mod tests;
