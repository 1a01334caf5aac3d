//! Tools built by hand, for the tests of plans and outcomes.

use std::sync::OnceLock;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::model::{
    Annotations, BodyEncoding, BodyTemplate, Method, Parameter, PathPart, Place, RequestTemplate,
    ServerTemplate, Spelling, Style, Tool,
};

/// A tool without arguments: `GET /things`.
pub(crate) fn tool() -> Tool {
    Tool {
        name: "sample".to_owned(),
        title: None,
        description: "A sample".to_owned(),
        input_schema: raw(&json!({"type": "object"})),
        output_schema: None,
        annotations: Annotations {
            read_only: true,
            destructive: false,
            idempotent: true,
        },
        security: Vec::new(),
        declares_security: false,
        tags: Vec::new(),
        pointer: "/paths/~1things/get".to_owned(),
        request: RequestTemplate {
            method: Method::Get,
            server: ServerTemplate::Url("https://api.example".to_owned()),
            path: vec![PathPart::Literal("/things".to_owned())],
            query: String::new(),
            parameters: Vec::new(),
            body: None,
            accept: "application/json".to_owned(),
        },
        validator: OnceLock::new(),
    }
}

impl Tool {
    /// Sets the input schema.
    pub(crate) fn checking(mut self, schema: &Value) -> Self {
        self.input_schema = raw(schema);
        self
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
        self.request.parameters.push(parameter);
        self
    }

    /// Sets the body.
    pub(crate) fn sending(mut self, content_type: &str, encoding: BodyEncoding) -> Self {
        self.request.method = Method::Post;
        self.request.body = Some(BodyTemplate {
            argument: "body".to_owned(),
            required: true,
            content_type: content_type.to_owned(),
            encoding,
        });
        self
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
