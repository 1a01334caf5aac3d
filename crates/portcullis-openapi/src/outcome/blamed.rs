//! Which of the tool's arguments an error of the API is about: APIs name them as they are on the wire, and models know them by other names.
//!
//! Read are `errors[].pointer` (RFC 9457 §3), `invalid-params[].name` (RFC 7807 §3), JSON:API's `source`, the `loc` of Python's APIs, `field`, `param` and the like, and an object of lists of texts by names.
//! What is named and no argument is passed over; of the body that is known as far as its schema names its members, and of those only.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::{Place, Tool};
use crate::pointer::{from_fragment, unescape};

/// How many places are looked at.
const MAX_SPOTS: usize = 200;
/// How many arguments are named.
const MAX_NAMED: usize = 10;
/// How long the name of one is.
const MAX_NAME: usize = 80;

/// Where an API says that something is wrong.
#[derive(Debug)]
enum Spot {
    /// In the body, by the names on the way there.
    Body(Vec<String>),
    /// A parameter in a place, or in any.
    Parameter(Option<Place>, String),
    /// A parameter, or something in the body.
    Either(String),
}

/// The arguments of a tool.
struct Arguments<'a> {
    tool: &'a Tool,
    /// The members of the body, where its schema names them; read when they are asked for.
    members: OnceCell<Option<BTreeSet<String>>>,
}

/// Lists the arguments that an error names, as they are written for models.
pub(super) fn blamed(error: &Value, tool: &Tool) -> Vec<String> {
    const LISTS: [&str; 6] = [
        "errors",
        "invalid-params",
        "invalid_params",
        "invalidParams",
        "detail",
        "details",
    ];
    let nested = error.get("error").filter(|it| it.is_object());
    let arguments = Arguments {
        tool,
        members: OnceCell::new(),
    };
    let mut named: Vec<String> = Vec::new();
    let found = [Some(error), nested]
        .into_iter()
        .flatten()
        .flat_map(|owner| LISTS.iter().filter_map(|list| owner.get(list)))
        .flat_map(spots)
        .take(MAX_SPOTS)
        .filter_map(|spot| arguments.written(&spot));
    for argument in found {
        let is_sayable = argument.len() <= MAX_NAME && !argument.contains(['`', '\n']);
        let argument = format!("`{argument}`");
        if is_sayable && named.len() < MAX_NAMED && !named.contains(&argument) {
            named.push(argument);
        }
    }
    named
}

fn spots(list: &Value) -> Vec<Spot> {
    match list {
        Value::Array(items) => items
            .iter()
            .filter_map(|item| spot(item.as_object()?))
            .collect(),
        Value::Object(by_name) => by_name
            .iter()
            .filter(|(_, said)| is_list_of_texts(said))
            .map(|(name, _)| Spot::Either(name.clone()))
            .collect(),
        _ => Vec::new(),
    }
}

/// Tells whether a member is what is wrong with a value, not a code, a message or the like.
fn is_list_of_texts(said: &Value) -> bool {
    let said = said.as_array();
    said.is_some_and(|texts| texts.iter().all(Value::is_string))
}

fn spot(item: &Map<String, Value>) -> Option<Spot> {
    const NAMES: [&str; 7] = [
        "field",
        "param",
        "parameter",
        "name",
        "path",
        "property",
        "propertyName",
    ];
    let text = |owner: &Value, key: &str| Some(owner.get(key)?.as_str()?.to_owned());
    if let Some(source) = item.get("source") {
        return text(source, "pointer")
            .and_then(|pointer| in_body(&pointer))
            .or_else(|| Some(Spot::Parameter(None, text(source, "parameter")?)))
            .or_else(|| {
                Some(Spot::Parameter(
                    Some(Place::Header),
                    text(source, "header")?,
                ))
            });
    }
    if let Some(pointer) = item.get("pointer").and_then(Value::as_str) {
        return in_body(pointer);
    }
    if let Some(steps) = item.get("loc").and_then(Value::as_array) {
        return located(steps);
    }
    let named = NAMES.iter().find_map(|key| item.get(*key)?.as_str());
    named.map(|name| Spot::Either(name.to_owned()))
}

fn in_body(pointer: &str) -> Option<Spot> {
    let pointer = from_fragment(pointer.strip_prefix('#').unwrap_or(pointer))?;
    let steps = pointer.strip_prefix('/')?.split('/').map(unescape);
    Some(Spot::Body(steps.collect()))
}

/// Reads the way to a value whose first step says where it was sent.
fn located(steps: &[Value]) -> Option<Spot> {
    let mut steps = steps.iter().map(|step| match step {
        Value::String(name) => name.clone(),
        other => other.to_string(),
    });
    let place = match steps.next()?.as_str() {
        "body" => return Some(Spot::Body(steps.collect())),
        "path" => Place::Path,
        "query" => Place::Query,
        "header" => Place::Header,
        "cookie" => Place::Cookie,
        _ => return None,
    };
    Some(Spot::Parameter(Some(place), steps.next()?))
}

impl Arguments<'_> {
    /// Writes the argument that is meant, where the tool has it.
    fn written(&self, spot: &Spot) -> Option<String> {
        match spot {
            Spot::Parameter(place, name) => self.parameter(*place, name),
            Spot::Body(steps) => {
                self.in_body(&steps.iter().map(String::as_str).collect::<Vec<_>>())
            }
            Spot::Either(name) => self.parameter(None, name).or_else(|| {
                let name = name.strip_prefix("$.").unwrap_or(name);
                let steps: Vec<_> = name
                    .split(['.', '/', '[', ']'])
                    .filter(|it| !it.is_empty())
                    .collect();
                let is_plain = |step: &&str| {
                    step.bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
                };
                let is_sound = !steps.is_empty() && steps.iter().all(is_plain);
                self.in_body(&steps).filter(|_| is_sound)
            }),
        }
    }

    fn parameter(&self, place: Option<Place>, name: &str) -> Option<String> {
        let mut parameters = self.tool.request.parameters.iter();
        let is_it = |own: &str, at: Place| match at {
            Place::Header => own.eq_ignore_ascii_case(name),
            _ => own == name,
        };
        let found = parameters
            .find(|it| place.is_none_or(|place| place == it.place) && is_it(&it.name, it.place));
        found.map(|it| it.argument.clone())
    }

    fn in_body(&self, steps: &[&str]) -> Option<String> {
        let body = self.tool.request.body.as_ref()?.argument.as_str();
        let Some((first, rest)) = steps.split_first() else {
            return Some(body.to_owned());
        };
        let first = self.member(body, first)?;
        Some([&[body, first], rest].concat().join("/"))
    }

    /// Finds a member of the body, as its schema spells it; some APIs name members in other letters. Where the schema does not name them, any may be one.
    fn member<'n>(&'n self, body: &str, name: &'n str) -> Option<&'n str> {
        let members = self.members.get_or_init(|| self.tool.input.members(body));
        let Some(members) = members else {
            return Some(name);
        };
        let alike = || members.iter().find(|it| it.eq_ignore_ascii_case(name));
        members.get(name).or_else(alike).map(String::as_str)
    }
}
