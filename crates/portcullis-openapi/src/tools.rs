//! Compiles operations into tools, each on its own: what is wrong with one is a diagnostic and touches no other.

use std::rc::Rc;
use std::sync::OnceLock;

use indexmap::IndexMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::body::{self, Body, BodyUnknown};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::Document;
use crate::model::{Annotations, Method, RequestTemplate, Tool};
use crate::names::{ToolSubject, body_argument, tool_names};
use crate::operations::{Operation, operations};
use crate::parameters::{self, Parameters, Surroundings};
use crate::pointer::Place;
use crate::responses::Responses;
use crate::schema::{Flow, Fragment, Schemas};
use crate::security::alternatives;
use crate::servers::server;
use crate::text::clean;

/// Longest description of a tool, in characters.
const MAX_DESCRIPTION: usize = 2_000;
/// Longest title of a tool, in characters.
const MAX_TITLE: usize = 100;

impl Document {
    /// Compiles every operation of the document, in the document's order, and says what could not be.
    #[must_use]
    pub fn tools(&self) -> (Vec<Tool>, Vec<Diagnostic>) {
        let mut diagnostics = Diagnostics::new(self.limits.max_diagnostics);
        let mut operations = operations(self, &mut diagnostics);
        if operations.len() > self.limits.max_operations {
            let message = format!(
                "the document has {} operations; the first {} become tools",
                operations.len(),
                self.limits.max_operations
            );
            diagnostics.error("too-many-operations", "/paths", message);
            operations.truncate(self.limits.max_operations);
        }
        let subjects: Vec<_> = operations.iter().map(subject).collect();
        let names = tool_names(&subjects);
        let mut compiler = Compiler {
            document: self,
            schemas: Schemas::new(&self.root, self.dialect),
            diagnostics,
            bytes_left: self.limits.max_total_schema_bytes,
        };
        let tools = operations
            .iter()
            .zip(names)
            .filter_map(|(operation, name)| compiler.tool(operation, name))
            .collect();
        (tools, compiler.diagnostics.finish())
    }
}

fn subject<'d>(operation: &Operation<'d>) -> ToolSubject<'d> {
    ToolSubject {
        operation_id: operation.text("operationId"),
        method: operation.method.as_str(),
        path: operation.path,
    }
}

/// The state that compiling one operation leaves for the next: converted schemas, and what is left of the limits.
struct Compiler<'d> {
    document: &'d Document,
    schemas: Schemas<'d>,
    diagnostics: Diagnostics,
    bytes_left: usize,
}

impl<'d> Compiler<'d> {
    /// Compiles one operation; `None` when it cannot become a tool, which has been reported.
    fn tool(&mut self, operation: &Operation<'d>, name: String) -> Option<Tool> {
        let root = &self.document.root;
        let schemes = &self.document.schemes;
        let body = match body::choose(operation, root, &mut self.diagnostics) {
            Ok(body) => body,
            Err(BodyUnknown) => return None,
        };
        let security = alternatives(
            root,
            operation.value,
            &operation.pointer,
            schemes,
            &mut self.diagnostics,
        );
        let flow = body.as_ref().map_or(Flow::Request, Body::flow);
        let around = Surroundings {
            root,
            schemes,
            security: &security,
            flow,
        };
        let parameters =
            parameters::compile(operation, &around, &mut self.schemas, &mut self.diagnostics);
        let count = parameters.list.len();
        if count > self.document.limits.max_parameters {
            let message = format!(
                "the operation has {count} parameters, the limit is {}; it does not become a tool",
                self.document.limits.max_parameters
            );
            self.diagnostics
                .error("too-many-parameters", &operation.pointer, message);
            return None;
        }
        let responses = Responses::of(operation, root);
        let body = body.map(|body| {
            let arguments: Vec<String> = parameters
                .list
                .iter()
                .map(|parameter| parameter.argument.clone())
                .collect();
            let schema = body.schema(&mut self.schemas, &mut self.diagnostics);
            (body.template(body_argument(&arguments), root), schema)
        });
        let output_schema = self.output_schema(&responses, root);
        let schema_of_body = body
            .as_ref()
            .map(|(template, schema)| (template.argument.as_str(), template.required, schema));
        let input_schema = self.input_schema(&parameters, schema_of_body, flow);
        self.spend(operation, &input_schema, output_schema.as_deref())?;
        Some(Tool {
            name,
            title: operation
                .text("summary")
                .map(|text| clean(text, MAX_TITLE).into_owned())
                .filter(|text| !text.is_empty()),
            description: description(operation),
            input_schema,
            output_schema,
            annotations: annotations(operation.method),
            security,
            tags: tags(operation),
            pointer: operation.pointer.clone(),
            request: RequestTemplate {
                method: operation.method,
                server: server(operation.value, operation.path_item, root),
                path: parameters.path,
                query: parameters.query,
                parameters: parameters.list,
                body: body.map(|(template, _)| template),
                accept: responses.accept(),
            },
            validator: OnceLock::new(),
        })
    }

    fn input_schema(
        &mut self,
        parameters: &Parameters,
        body: Option<(&str, bool, &Rc<Fragment>)>,
        flow: Flow,
    ) -> Box<RawValue> {
        let named = parameters.list.iter().zip(&parameters.schemas);
        let arguments = named
            .map(|(parameter, schema)| (parameter.argument.as_str(), parameter.required, schema));
        let arguments: Vec<_> = arguments.chain(body).collect();
        let first: Vec<_> = arguments
            .iter()
            .flat_map(|(_, _, schema)| schema.definitions.iter().copied())
            .collect();
        let size: usize = arguments
            .iter()
            .map(|(name, _, schema)| name.len() + schema.text.get().len())
            .sum();
        let budget = self
            .document
            .limits
            .max_input_schema_bytes
            .saturating_sub(size)
            .min(self.bytes_left);
        let definitions = self
            .schemas
            .closure(first, flow, budget, &mut self.diagnostics);
        raw(&InputSchema {
            r#type: "object",
            properties: arguments
                .iter()
                .map(|(name, _, schema)| (*name, &*schema.text))
                .collect(),
            required: arguments
                .iter()
                .filter(|(_, required, _)| *required)
                .map(|(name, _, _)| *name)
                .collect(),
            additional_properties: false,
            definitions,
        })
    }

    /// Publishes what the document says of the answer as one alternative beside anything: real answers stray from their documents, and clients refuse a result that does not conform.
    fn output_schema(
        &mut self,
        responses: &Responses<'d>,
        root: &'d Value,
    ) -> Option<Box<RawValue>> {
        let (schema, pointer) = responses.object_schema(root)?;
        let documented = self.schemas.inline(
            schema,
            &Place::at(&pointer),
            Flow::Response,
            &mut self.diagnostics,
        );
        let budget = self
            .document
            .limits
            .max_output_schema_bytes
            .min(self.bytes_left)
            .checked_sub(documented.text.get().len())?;
        let definitions = self.schemas.closure(
            documented.definitions.iter().copied(),
            Flow::Response,
            budget,
            &mut self.diagnostics,
        );
        if definitions
            .values()
            .next()
            .is_some_and(|nearest| nearest.is_open())
        {
            return None;
        }
        let anything = serde_json::Map::new();
        let any_of = (&*documented.text, &anything);
        Some(raw(&OutputSchema {
            r#type: "object",
            any_of,
            definitions,
        }))
    }

    /// Takes a tool's schemas from the document's budget.
    fn spend(
        &mut self,
        operation: &Operation<'_>,
        input: &RawValue,
        output: Option<&RawValue>,
    ) -> Option<()> {
        let size = input.get().len() + output.map_or(0, |output| output.get().len());
        let Some(left) = self.bytes_left.checked_sub(size) else {
            let message = format!(
                "the schemas of the document's tools exceed {} bytes; the operation does not become a tool",
                self.document.limits.max_total_schema_bytes
            );
            self.diagnostics
                .error("schemas-too-large", &operation.pointer, message);
            return None;
        };
        self.bytes_left = left;
        Some(())
    }
}

#[derive(Serialize)]
struct InputSchema<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "IndexMap::is_empty", serialize_with = "entries")]
    properties: IndexMap<&'a str, &'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required: Vec<&'a str>,
    #[serde(rename = "additionalProperties")]
    additional_properties: bool,
    #[serde(
        rename = "$defs",
        skip_serializing_if = "IndexMap::is_empty",
        serialize_with = "texts"
    )]
    definitions: IndexMap<String, Rc<Fragment>>,
}

#[derive(Serialize)]
struct OutputSchema<'a> {
    r#type: &'static str,
    #[serde(rename = "anyOf")]
    any_of: (&'a RawValue, &'a serde_json::Map<String, Value>),
    #[serde(
        rename = "$defs",
        skip_serializing_if = "IndexMap::is_empty",
        serialize_with = "texts"
    )]
    definitions: IndexMap<String, Rc<Fragment>>,
}

fn entries<S: Serializer>(
    entries: &IndexMap<&str, &RawValue>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(entries)
}

fn texts<S: Serializer>(
    definitions: &IndexMap<String, Rc<Fragment>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(
        definitions
            .iter()
            .map(|(name, fragment)| (name, &*fragment.text)),
    )
}

fn raw<T: Serialize>(value: &T) -> Box<RawValue> {
    to_raw_value(value).expect("maps with text keys serialise into memory")
}

/// Describes the operation by its summary and description, or by its method and path.
fn description(operation: &Operation<'_>) -> String {
    let summary = operation.text("summary").unwrap_or_default();
    let details = operation.text("description").unwrap_or_default();
    let text = match (summary, details) {
        ("", "") => format!("{} {}", operation.method.as_str(), operation.path),
        ("", text) | (text, "") => text.to_owned(),
        (summary, details) if details.starts_with(summary) => details.to_owned(),
        (summary, details) => format!("{summary}\n\n{details}"),
    };
    let text = clean(&text, MAX_DESCRIPTION);
    match operation.value.get("deprecated") {
        Some(Value::Bool(true)) => format!("Deprecated. {text}"),
        // What was said may have been nothing but invisible characters.
        _ if text.is_empty() => operation.method.as_str().to_owned(),
        _ => text.into_owned(),
    }
}

fn annotations(method: Method) -> Annotations {
    Annotations {
        read_only: method.is_safe(),
        destructive: !method.is_safe(),
        idempotent: !matches!(method, Method::Post | Method::Patch),
    }
}

fn tags(operation: &Operation<'_>) -> Vec<String> {
    let tags = operation.value.get("tags").and_then(Value::as_array);
    tags.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|tag| clean(tag, MAX_TITLE).into_owned())
        .collect()
}
