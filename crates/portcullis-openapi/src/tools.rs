//! Compiles operations into tools, each on its own: what is wrong with one is a diagnostic and touches no other.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use serde_json::value::RawValue;

use crate::body::{self, Body};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::Document;
use crate::model::{Annotations, BodyTemplate, Method, RequestTemplate, Tool};
use crate::names::{ToolSubject, body_argument, tool_names};
use crate::operations::{Operation, operations};
use crate::parameters::{self, Parameters, Surroundings};
use crate::reference::{reference, target};
use crate::responses::Responses;
use crate::schema::published::{self, Argument};
use crate::schema::{Address, Flow, Fragment, Schemas, output};
use crate::security::{alternatives, is_declared};
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
            outputs: HashMap::new(),
            diagnostics,
            bytes_left: self.limits.max_total_schema_bytes,
        };
        let tools = operations
            .iter()
            .zip(names)
            .filter_map(|(operation, name)| compiler.tool(operation, name))
            .collect();
        let mut diagnostics = compiler.diagnostics.finish();
        self.origins.translate(&mut diagnostics);
        (tools, diagnostics)
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
    outputs: HashMap<Address, Arc<RawValue>>,
    diagnostics: Diagnostics,
    bytes_left: usize,
}

impl<'d> Compiler<'d> {
    /// Compiles one operation; `None` when it cannot become a tool, which has been reported.
    fn tool(&mut self, operation: &Operation<'d>, name: String) -> Option<Tool> {
        let Document { root, schemes, .. } = self.document;
        let body = body::choose(operation, root, &mut self.diagnostics).ok()?;
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
        self.check_count(operation, &parameters)?;
        let body = body.map(|body| {
            let schema = body.schema(&mut self.schemas, &mut self.diagnostics);
            (body.template(body_argument(&parameters.list), root), schema)
        });
        let responses = Responses::of(operation, root);
        let output_schema = self.output_schema(&responses);
        let input_schema =
            self.input_schema(operation, arguments(&parameters, body.as_ref()), flow);
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
            declares_security: is_declared(root, operation.value),
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

    fn check_count(&mut self, operation: &Operation<'_>, parameters: &Parameters) -> Option<()> {
        let (count, limit) = (parameters.list.len(), self.document.limits.max_parameters);
        if count > limit {
            let message = format!(
                "the operation has {count} parameters, the limit is {limit}; it does not become a tool"
            );
            self.diagnostics
                .error("too-many-parameters", &operation.pointer, message);
            return None;
        }
        Some(())
    }

    /// Writes the input schema within the limits; what does not fit accepts anything, and is reported.
    fn input_schema(
        &mut self,
        operation: &Operation<'_>,
        mut arguments: Vec<Argument<'_>>,
        flow: Flow,
    ) -> Box<RawValue> {
        let limit = self.document.limits.max_input_schema_bytes;
        for argument in arguments
            .iter_mut()
            .filter(|argument| argument.schema.text.get().len() > limit)
        {
            let message = format!(
                "the schema of the argument `{}` exceeds {limit} bytes; any value is accepted there",
                argument.name
            );
            self.diagnostics
                .warn("schema-too-large", &operation.pointer, message);
            argument.schema = Rc::new(Fragment::open());
        }
        let size: usize = arguments
            .iter()
            .map(|argument| argument.name.len() + argument.schema.text.get().len())
            .sum();
        let budget = limit.saturating_sub(size).min(self.bytes_left);
        let first = arguments
            .iter()
            .flat_map(|argument| argument.schema.definitions.iter().copied());
        let closure = self
            .schemas
            .closure(first, flow, budget, &mut self.diagnostics);
        if closure.cut > 0 {
            let message = format!(
                "the input schema exceeds {limit} bytes; {} schemas far from its root accept anything",
                closure.cut
            );
            self.diagnostics
                .note("schema-cut", &operation.pointer, message);
        }
        published::input(&arguments, &closure)
    }

    /// Describes the answer; operations that answer with the same schema share the text.
    fn output_schema(&mut self, responses: &Responses<'d>) -> Option<Arc<RawValue>> {
        let root = &self.document.root;
        let (schema, pointer) = responses.object_schema(root)?;
        let described = reference(schema)
            .and_then(|text| target(root, text).ok())
            .map_or(schema, |target| target.value);
        if let Some(known) = self.outputs.get(&Address::of(described)) {
            return Some(Arc::clone(known));
        }
        let limit = self.document.limits.max_output_schema_bytes;
        let text = output(root, schema, &pointer, limit, &mut self.diagnostics);
        let text: Arc<RawValue> = text.into();
        self.outputs
            .insert(Address::of(described), Arc::clone(&text));
        Some(text)
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

/// Lists the arguments of a tool, the body last.
fn arguments<'a>(
    parameters: &'a Parameters,
    body: Option<&'a (BodyTemplate, Rc<Fragment>)>,
) -> Vec<Argument<'a>> {
    let of_parameters =
        parameters
            .list
            .iter()
            .zip(&parameters.schemas)
            .map(|(parameter, schema)| Argument {
                name: &parameter.argument,
                is_required: parameter.required,
                schema: Rc::clone(schema),
            });
    let of_body = body.map(|(template, schema)| Argument {
        name: &template.argument,
        is_required: template.required,
        schema: Rc::clone(schema),
    });
    of_parameters.chain(of_body).collect()
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
