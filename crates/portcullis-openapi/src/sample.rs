//! Tools built by hand, for the tests of plans and outcomes.

use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::model::body::{BodyChoice, BodyEncoding, BodyTemplate};
use crate::model::server::ServerTemplate;
use crate::model::{
    Annotations, Method, Parameter, PathPart, Place, RequestTemplate, Spelling, Style, Tool,
};
use crate::plan::kept::Kept;
use crate::schema::Fragment;
use crate::schema::input::{Argument, InputSchema};

/// A tool without arguments: `GET /things`.
pub(crate) fn tool() -> Tool {
    Tool {
        name: "sample".to_owned(),
        title: None,
        description: "A sample".to_owned(),
        output_schema: None,
        annotations: Annotations {
            read_only: true,
            destructive: false,
            idempotent: true,
        },
        security: Vec::new(),
        declares_security: false,
        tags: Vec::new(),
        operation_id: Some("sample".to_owned()),
        deprecated: false,
        pointer: "/paths/~1things/get".to_owned(),
        request: RequestTemplate {
            method: Method::Get,
            server: ServerTemplate::Url("https://api.example".to_owned()),
            server_variables: None,
            path: vec![PathPart::Literal("/things".to_owned())],
            query: String::new(),
            parameters: Vec::new(),
            body: None,
            accept: "application/json".to_owned(),
        },
        input: InputSchema::new(Vec::new()),
        validator: Kept::default(),
        pagination: Arc::default(),
    }
}

impl Tool {
    /// Sets the input schema: its properties, and which of them must be given.
    pub(crate) fn checking(mut self, schema: &Value) -> Self {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = required.contains(&json!(name));
            self.take(name, is_required, property);
        }
        self
    }

    /// Sets the schema of an argument.
    fn take(&mut self, name: &str, is_required: bool, schema: &Value) {
        let others = self
            .input
            .arguments
            .iter()
            .filter(|other| &*other.name != name);
        let argument = Argument {
            name: name.into(),
            is_required,
            schema: Arc::new(Fragment::plain(&schema.to_string())),
        };
        let arguments = others.cloned().chain([argument]).collect();
        self.input = InputSchema::new(arguments);
    }

    /// Promises an object.
    pub(crate) fn promising(mut self) -> Self {
        self.output_schema = Some(raw(&json!({"type": "object"})).into());
        self
    }

    /// Adds a parameter; a path parameter becomes a further segment, followed by the literal `/end`.
    pub(crate) fn with(mut self, parameter: Parameter) -> Self {
        if parameter.place == Place::Path {
            let index = self.request.parameters.len();
            self.request.path.extend([
                PathPart::Literal("/".to_owned()),
                PathPart::Parameter(index),
                PathPart::Literal("/end".to_owned()),
            ]);
        }
        self.take(&parameter.argument, false, &json!({}));
        self.request.parameters.push(parameter.into());
        self
    }

    /// Sets the body.
    pub(crate) fn sending(mut self, content_type: &str, encoding: BodyEncoding) -> Self {
        self.take("body", false, &json!({}));
        self.request.method = Method::Post;
        self.request.body = Some(BodyTemplate {
            argument: "body".to_owned(),
            required: true,
            chooser: None,
            choices: [BodyChoice {
                media_type: content_type.to_owned(),
                content_type: content_type.to_owned(),
                encoding,
            }]
            .into(),
        });
        self
    }

    /// Offers another media type for the body.
    pub(crate) fn or_sending(self, content_type: &str, encoding: BodyEncoding) -> Self {
        let other = tool().sending(content_type, encoding).request.body;
        let mut tool = self;
        tool.take("content_type", false, &json!({}));
        let body = tool.request.body.as_mut().unwrap();
        body.chooser = Some("content_type".to_owned());
        let all = body.choices.iter().chain(&*other.as_ref().unwrap().choices);
        body.choices = all.cloned().collect();
        tool
    }
}

/// A parameter whose argument has its own name; the style is the place's default.
pub(crate) fn parameter(place: Place, name: &str) -> Parameter {
    let style = match place {
        Place::Path | Place::Header => Style::Simple,
        Place::Query | Place::QueryString | Place::Cookie => Style::Form,
    };
    Parameter {
        argument: name.to_owned(),
        name: name.to_owned(),
        place,
        spelling: Spelling::of(style),
        required: place == Place::Path,
        allow_empty: false,
        content: None,
    }
}

/// A parameter with a style.
pub(crate) fn styled(place: Place, name: &str, style: Style, explode: bool) -> Parameter {
    Parameter {
        spelling: Spelling {
            explode,
            ..Spelling::of(style)
        },
        ..parameter(place, name)
    }
}

/// JSON text.
pub(crate) fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap()
}
