//! Compiles operations into tools, each on its own: what is wrong with one is a diagnostic and touches no other.

mod fit;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::body::{Bodies, Compiled};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::Document;
use crate::limits::Limits;
use crate::model::body::BodyTemplate;
use crate::model::{Annotations, Method, RequestTemplate, SchemeKind, SecurityScheme, Tool};
use crate::names::{ToolSubject, body_arguments, tool_names};
use crate::operations::{Operation, operations};
use crate::parameters::{self, Credentials, Known, Parameters, SharedParameters, Surroundings};
use crate::plan::kept::Kept;
use crate::reference::{reference, target};
use crate::responses::Responses;
use crate::schema::input::{Argument, Choice, InputSchema};
use crate::schema::{Address, Flow, Schemas, output};
use crate::security::{alternatives, is_declared};
use crate::servers::server;
use crate::text::clean;
use fit::fit;

/// Longest description of a tool, in characters.
const MAX_DESCRIPTION: usize = 2_000;
/// Longest title of a tool, in characters.
const MAX_TITLE: usize = 100;
/// Tags that an operation names itself.
const MAX_OWN_TAGS: usize = 100;
/// Tags above those that an operation names.
const MAX_TAGS_ABOVE: usize = 16;

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
            schemes: kinds(&self.schemes),
            parents: parents(&self.root),
            parameters: SharedParameters::default(),
            bodies: Bodies::default(),
            parameters_left: self.limits.max_total_parameters,
            diagnostics,
        };
        let tools = operations
            .iter()
            .zip(names)
            .filter_map(|(operation, name)| compiler.tool(operation, name))
            .collect();
        let Compiler {
            schemas,
            mut diagnostics,
            ..
        } = compiler;
        let Limits {
            max_total_schema_bytes,
            max_input_schema_bytes,
            ..
        } = self.limits;
        let definitions = schemas.definitions(
            max_total_schema_bytes,
            max_input_schema_bytes,
            &mut diagnostics,
        );
        let tools = fit(
            tools,
            &Arc::new(definitions),
            &self.limits,
            &mut diagnostics,
        );
        let mut diagnostics = self.dialect.authored(&self.root, diagnostics.finish());
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
    schemes: HashMap<&'d str, &'d SchemeKind>,
    /// Which tag is above which.
    parents: HashMap<&'d str, &'d str>,
    parameters: SharedParameters,
    bodies: Bodies<'d>,
    /// How many parameters the operations that are left may have together.
    parameters_left: usize,
    diagnostics: Diagnostics,
}

impl<'d> Compiler<'d> {
    /// Compiles one operation; `None` when it cannot become a tool, which has been reported.
    fn tool(&mut self, operation: &Operation<'d>, name: String) -> Option<Tool> {
        self.check_count(operation, parameters::least(operation))?;
        let root = &self.document.root;
        let body = self.bodies.choose(operation, root, &mut self.diagnostics);
        let security = alternatives(
            root,
            operation.value,
            &operation.pointer,
            &self.schemes,
            &mut self.diagnostics,
        );
        let credentials = Credentials::of(&security, &self.schemes);
        let flow = body.as_ref().map_or(Flow::Request, |body| body.flow());
        let around = Surroundings {
            root,
            dialect: self.document.dialect,
            credentials: &credentials,
            flow,
        };
        let mut known = Known {
            schemas: &mut self.schemas,
            parameters: &mut self.parameters,
        };
        let parameters = parameters::compile(operation, &around, &mut known, &mut self.diagnostics);
        self.check_count(operation, parameters.list.len())?;
        self.parameters_left -= parameters.list.len();
        let body = body.map(|body| {
            let compiled = body.compiled(root, &mut self.schemas, &mut self.diagnostics);
            (
                body.template(body_arguments(&parameters.list)),
                compiled.clone(),
            )
        });
        let responses = Responses::of(operation, root);
        let base = self.document.base.as_ref();
        let server = server(operation, root, base, &mut self.diagnostics);
        let output_schema = self.output_schema(&responses);
        let input = input(&parameters, body.as_ref());
        Some(Tool {
            name,
            title: operation
                .text("summary")
                .map(|text| clean(text, MAX_TITLE).into_owned())
                .filter(|text| !text.is_empty()),
            description: description(operation),
            output_schema,
            annotations: annotations(operation.method),
            security,
            declares_security: is_declared(root, operation.value),
            tags: self.tags(operation),
            operation_id: operation.text("operationId").map(str::to_owned),
            deprecated: is_deprecated(operation),
            pointer: operation.pointer.clone(),
            request: RequestTemplate {
                method: operation.method,
                server: server.template,
                server_variables: server.variables,
                path: parameters.path,
                query: parameters.query,
                parameters: parameters.list,
                body: body.map(|(template, _)| template),
                accept: responses.accept(),
            },
            input,
            validator: Kept::default(),
            pagination: Arc::default(),
        })
    }

    fn check_count(&mut self, operation: &Operation<'_>, count: usize) -> Option<()> {
        let limit = self.document.limits.max_parameters;
        let message = if count > limit {
            format!(
                "the operation has {count} parameters, the limit is {limit}; it does not become a tool"
            )
        } else if count > self.parameters_left {
            let limit = self.document.limits.max_total_parameters;
            format!(
                "the document's operations have more than {limit} parameters together; the operation does not become a tool"
            )
        } else {
            return Some(());
        };
        self.diagnostics
            .error("too-many-parameters", &operation.pointer, message);
        None
    }

    /// Lists the operation's tags, and the tags above them (`OpenAPI` 3.2, `parent`), each once.
    fn tags(&mut self, operation: &Operation<'d>) -> Vec<String> {
        let own = operation.value.get("tags").and_then(Value::as_array);
        let mut own = own.into_iter().flatten().filter_map(Value::as_str);
        let mut seen = HashSet::new();
        let mut tags: Vec<&str> = own.by_ref().take(MAX_OWN_TAGS).collect();
        tags.retain(|tag| seen.insert(*tag));
        let max = tags.len() + MAX_TAGS_ABOVE;
        let mut next = 0;
        while let Some(tag) = tags.get(next).filter(|_| tags.len() <= max) {
            next += 1;
            let parent = self.parents.get(tag).filter(|parent| seen.insert(parent));
            tags.extend(parent);
        }
        if own.next().is_some() || tags.len() > max {
            let message = format!(
                "the operation has more than {MAX_OWN_TAGS} tags, or more than {MAX_TAGS_ABOVE} above them; the rest is left out"
            );
            self.diagnostics
                .warn("too-many-tags", &operation.pointer, message);
            tags.truncate(max);
        }
        tags.into_iter()
            .map(|tag| clean(tag, MAX_TITLE).into_owned())
            .collect()
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
}

/// Puts the arguments of a tool together, the body last.
fn input(parameters: &Parameters, body: Option<&(BodyTemplate, Compiled)>) -> InputSchema {
    let parameters = parameters.list.iter().zip(&parameters.schemas);
    let mut arguments: Vec<Argument> = parameters
        .map(|(parameter, schema)| Argument {
            name: parameter.argument.as_str().into(),
            is_required: parameter.required,
            schema: Arc::clone(schema),
        })
        .collect();
    let Some((template, compiled)) = body else {
        return InputSchema::new(arguments);
    };
    let name: Box<str> = template.argument.as_str().into();
    arguments.push(Argument {
        name: name.clone(),
        is_required: template.required,
        schema: Arc::clone(&compiled.schema),
    });
    let (Some(chooser), Some(schema)) = (&template.chooser, &compiled.chooser) else {
        return InputSchema::new(arguments);
    };
    let chooser: Box<str> = chooser.as_str().into();
    arguments.push(Argument {
        name: chooser.clone(),
        is_required: false,
        schema: Arc::clone(schema),
    });
    InputSchema::new(arguments).choosing(Choice {
        argument: name,
        chooser,
        cases: Arc::clone(&compiled.cases),
    })
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
    if is_deprecated(operation) {
        format!("Deprecated. {text}")
    } else if text.is_empty() {
        // What was said may have been nothing but invisible characters.
        operation.method.as_str().to_owned()
    } else {
        text.into_owned()
    }
}

fn is_deprecated(operation: &Operation<'_>) -> bool {
    operation.value.get("deprecated") == Some(&Value::Bool(true))
}

fn annotations(method: Method) -> Annotations {
    Annotations {
        read_only: method.is_safe(),
        destructive: !method.is_safe(),
        idempotent: !matches!(method, Method::Post | Method::Patch),
    }
}

/// Lists what the schemes are by their names; of two with one name, the first counts.
fn kinds(schemes: &[SecurityScheme]) -> HashMap<&str, &SchemeKind> {
    let named = schemes.iter().rev();
    named
        .map(|scheme| (scheme.name.as_str(), &scheme.kind))
        .collect()
}

/// Reads which tag is above which.
fn parents(root: &Value) -> HashMap<&str, &str> {
    let tags = root.get("tags").and_then(Value::as_array);
    let pairs = tags
        .into_iter()
        .flatten()
        .filter_map(|tag| Some((tag.get("name")?.as_str()?, tag.get("parent")?.as_str()?)));
    pairs.collect()
}
