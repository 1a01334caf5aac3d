//! Parameters of an operation: those of its path and its own, and the template of its path.
//!
//! Parameters that carry authority or the operation's credentials never become arguments.
//! A path parameter that the template lacks is left out, and one that only the template has is a text.

mod credentials;
mod path;
mod shared;
mod wire;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::diagnostic::Diagnostics;
use crate::document::Dialect;
use crate::header::{carries_authority, is_said_elsewhere, is_token};
use crate::model::{Parameter, PathPart, Place};
use crate::names::{ArgumentSubject, argument_names};
use crate::operations::Operation;
use crate::pointer;
use crate::reference::{follow, reference};
use crate::schema::{Flow, Fragment, Property, Schemas};
pub(crate) use credentials::Credentials;
use path::{QueryMember, Segment};
pub(crate) use shared::SharedParameters;

/// The parameters of one operation, compiled.
#[derive(Debug)]
pub(crate) struct Parameters {
    pub(crate) path: Vec<PathPart>,
    /// What the path's template says of the query.
    pub(crate) query: String,
    pub(crate) list: Vec<Arc<Parameter>>,
    /// The schema of each parameter's argument.
    pub(crate) schemas: Vec<Arc<Fragment>>,
}

/// A parameter as the document declares it.
#[derive(Clone, Debug)]
struct Declared<'d> {
    name: &'d str,
    place: Place,
    /// `None` where only the path template has it.
    value: Option<&'d Value>,
    /// The reference to it, where that has a description of its own.
    described: Option<&'d Value>,
    pointer: String,
}

/// What decides about an operation's parameters beside the operation itself.
pub(crate) struct Surroundings<'a, 'd> {
    pub(crate) root: &'d Value,
    pub(crate) dialect: Dialect,
    pub(crate) credentials: &'a Credentials<'a>,
    pub(crate) flow: Flow,
}

/// What is known of the operations before, which is added to.
pub(crate) struct Known<'a, 'd> {
    pub(crate) schemas: &'a mut Schemas<'d>,
    pub(crate) parameters: &'a mut SharedParameters,
}

/// Counts the parameters that an operation has at least, before any is read: those of its longest list, or of its path's template.
pub(crate) fn least(operation: &Operation<'_>) -> usize {
    let listed = [operation.path_item, operation.value]
        .into_iter()
        .filter_map(|owner| owner.get("parameters")?.as_array())
        .map(Vec::len);
    let in_path = operation.path.matches(['{', '&']).count();
    listed.fold(in_path, usize::max)
}

/// Compiles the parameters of an operation.
pub(crate) fn compile<'d>(
    operation: &Operation<'d>,
    around: &Surroundings<'_, 'd>,
    known: &mut Known<'_, 'd>,
    diagnostics: &mut Diagnostics,
) -> Parameters {
    let segments = path::segments(operation.path);
    let query = path::query(operation.path);
    let mut declared = declared(operation, around, diagnostics);
    move_to_query(&mut declared, &query, operation);
    declared.retain(|parameter| is_argument(parameter, around, &segments, diagnostics));
    for name in segments.iter().filter_map(Segment::parameter) {
        if !declared
            .iter()
            .any(|parameter| parameter.place == Place::Path && parameter.name == name)
        {
            let message = format!(
                "the path's parameter `{}` is not declared; it is taken as text",
                name.escape_debug()
            );
            diagnostics.warn("undeclared-path-parameter", &operation.pointer, message);
            declared.push(Declared::mentioned(name, Place::Path, operation));
        }
    }
    let subjects: Vec<_> = declared.iter().map(subject).collect();
    let arguments = argument_names(&subjects);
    let parameters: Vec<_> = declared
        .iter()
        .zip(arguments)
        .map(|(parameter, argument)| parameter.compiled(argument, around, diagnostics))
        .map(|parameter| known.parameters.share(parameter))
        .collect();
    let schemas = declared
        .iter()
        .map(|parameter| parameter.schema(around.flow, known.schemas, diagnostics))
        .collect();
    Parameters {
        path: path::parts(&segments, &parameters),
        query: path::fixed_query(&query),
        list: parameters,
        schemas,
    }
}

/// Collects the parameters of the path and of the operation, which override those of the same name and place.
fn declared<'d>(
    operation: &Operation<'d>,
    around: &Surroundings<'_, 'd>,
    diagnostics: &mut Diagnostics,
) -> Vec<Declared<'d>> {
    let mut all: Vec<Declared<'d>> = Vec::new();
    let mut known: HashMap<(Place, Cow<'d, str>), usize> = HashMap::new();
    let lists = [
        (operation.path_item, &operation.path_item_pointer),
        (operation.value, &operation.pointer),
    ];
    for (owner, pointer) in lists {
        for (index, value) in owner
            .get("parameters")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .enumerate()
        {
            let Some(parameter) = read(
                value,
                format!("{pointer}/parameters/{index}"),
                around,
                diagnostics,
            ) else {
                continue;
            };
            let index = *known.entry(parameter.key()).or_insert(all.len());
            match all.get_mut(index) {
                Some(known) => *known = parameter,
                None => all.push(parameter),
            }
        }
    }
    all
}

/// Turns `?name={parameter}` of a path's template into query parameters, whatever place their declarations name; a name that the template has a value for is no parameter.
fn move_to_query<'d>(
    declared: &mut Vec<Declared<'d>>,
    query: &[QueryMember<'d>],
    operation: &Operation<'d>,
) {
    for member in query {
        let is_member = |parameter: &Declared<'_>| {
            parameter.place == Place::Query && parameter.name == member.name
        };
        let Some(Segment::Parameter(name)) = member.value else {
            declared.retain(|parameter| !is_member(parameter));
            continue;
        };
        let in_path = declared
            .iter_mut()
            .find(|parameter| parameter.place == Place::Path && parameter.name == name);
        if let Some(parameter) = in_path {
            parameter.place = Place::Query;
            parameter.name = member.name;
        } else if !declared.iter().any(is_member) {
            declared.push(Declared::mentioned(member.name, Place::Query, operation));
        }
    }
}

fn read<'d>(
    value: &'d Value,
    pointer: String,
    around: &Surroundings<'_, 'd>,
    diagnostics: &mut Diagnostics,
) -> Option<Declared<'d>> {
    let target = match follow(around.root, value, pointer.clone()) {
        Ok(target) => target,
        Err(error) => {
            diagnostics.warn(
                error.code(),
                pointer,
                format!("{error}; the parameter is left out"),
            );
            return None;
        }
    };
    let place = match target.value.get("in").and_then(Value::as_str) {
        Some("path") => Some(Place::Path),
        Some("query") => Some(Place::Query),
        Some("querystring") => Some(Place::QueryString),
        Some("header") => Some(Place::Header),
        Some("cookie") => Some(Place::Cookie),
        // They are the body (`swagger/body.rs`).
        Some("body" | "formData") if around.dialect == Dialect::V20 => return None,
        _ => None,
    };
    let unnamed = (place == Some(Place::QueryString)).then_some(QUERY_STRING);
    let name = target.value.get("name").and_then(Value::as_str).or(unnamed);
    let (Some(name), Some(place)) = (name, place) else {
        diagnostics.warn("bad-parameter", pointer, "a parameter needs a `name`, and an `in` of path, query, querystring, header or cookie; it is left out");
        return None;
    };
    Some(Declared {
        name,
        place,
        value: Some(target.value),
        described: Some(value).filter(|value| {
            reference(value).is_some() && value.get("description").is_some_and(Value::is_string)
        }),
        pointer: target.pointer,
    })
}

/// The argument that is the whole query, where the document does not name it.
const QUERY_STRING: &str = "querystring";

/// Decides whether a parameter becomes an argument; where it does not, says why.
fn is_argument(
    parameter: &Declared<'_>,
    around: &Surroundings<'_, '_>,
    segments: &[Segment<'_>],
    diagnostics: &mut Diagnostics,
) -> bool {
    let &Declared { name, place, .. } = parameter;
    let shown = name.escape_debug();
    let reason = match place {
        Place::Path
            if !segments
                .iter()
                .any(|segment| segment.parameter() == Some(name)) =>
        {
            let message = format!("the path has no `{{{shown}}}`; the parameter is left out");
            diagnostics.warn("unused-path-parameter", &parameter.pointer, message);
            return false;
        }
        Place::QueryString if parameter.content().is_none() => {
            let message = "a parameter that is the whole query needs `content`; it is left out";
            diagnostics.warn("bad-parameter", &parameter.pointer, message);
            return false;
        }
        Place::Header if is_said_elsewhere(name) => "says what other parts of the operation say",
        Place::Header if carries_authority(name) => "carries authority",
        Place::Header | Place::Cookie if !is_token(name) => "is no legal name",
        _ if around.credentials.have(parameter) => "is a credential of the operation",
        _ => return true,
    };
    let message = format!(
        "the {place} parameter `{shown}` {reason}; it does not become an argument",
        place = word(place)
    );
    diagnostics.note("parameter-not-an-argument", &parameter.pointer, message);
    false
}

fn subject<'d>(parameter: &Declared<'d>) -> ArgumentSubject<'d> {
    let rank = match parameter.place {
        Place::Path => 0,
        Place::Query | Place::QueryString => 1,
        Place::Header => 2,
        Place::Cookie => 3,
    };
    ArgumentSubject {
        rank,
        place: word(parameter.place),
        name: parameter.name,
    }
}

fn word(place: Place) -> &'static str {
    match place {
        Place::Path => "path",
        Place::Query => "query",
        Place::QueryString => QUERY_STRING,
        Place::Header => "header",
        Place::Cookie => "cookie",
    }
}

impl<'d> Declared<'d> {
    /// A parameter that only the path's template has.
    fn mentioned(name: &'d str, place: Place, operation: &Operation<'d>) -> Self {
        Self {
            name,
            place,
            value: None,
            described: None,
            pointer: operation.pointer.clone(),
        }
    }

    fn key(&self) -> (Place, Cow<'d, str>) {
        credentials::key(self.place, self.name)
    }

    fn member(&self, key: &str) -> Option<&'d Value> {
        self.value?.get(key)
    }

    fn schema(
        &self,
        flow: Flow,
        schemas: &mut Schemas<'d>,
        diagnostics: &mut Diagnostics,
    ) -> Arc<Fragment> {
        let Some(value) = self.value else {
            return Arc::new(Fragment::plain(r#"{"type":"string"}"#));
        };
        let (owner, at) = match self.content() {
            Some((media_type, content)) => (
                content,
                format!(
                    "{}/content/{}/schema",
                    self.pointer,
                    pointer::escape(media_type)
                ),
            ),
            None => (value, format!("{}/schema", self.pointer)),
        };
        let property = Property {
            schema: owner.get("schema"),
            description: self
                .described
                .unwrap_or(value)
                .get("description")
                .and_then(Value::as_str),
            example: value.get("example"),
            is_deprecated: value.get("deprecated") == Some(&Value::Bool(true)),
            note: None,
        };
        let schema = schemas.property(
            self.described.unwrap_or(value),
            &property,
            &pointer::Place::at(&at),
            flow,
            diagnostics,
        );
        self.or_empty(schema)
    }
}
