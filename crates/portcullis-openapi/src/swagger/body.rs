//! `in: body` and `in: formData` become `requestBody`, in the media types of `consumes`.

use serde_json::{Map, Value, json};

use super::parameters::{Carried, Collection, schema_of};
use super::{ORIGIN, Reading};
use crate::media_type::{Family, family};
use crate::reference::Target;
use crate::security::is_access_token;

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";
const JSON: &str = "application/json";

impl<'d> Reading<'_, 'd> {
    /// Adds the body of an operation, where parameters are one.
    pub(super) fn request_body(&mut self, operation: &Target<'d>, carried: &Carried<'d>) {
        let Carried {
            bodies,
            fields,
            unknown,
        } = carried;
        let is_form = bodies.is_empty() || fields.iter().any(is_file);
        if let (Some(body), false) = (bodies.first(), fields.is_empty()) {
            self.diagnostics.warn(
                "body-and-form",
                &body.pointer,
                format!(
                    "an operation has a body or the fields of a form; only the {} is sent",
                    if is_form { "form" } else { "body" }
                ),
            );
        }
        let body = match bodies.as_slice() {
            _ if is_form && !fields.is_empty() => self.form(operation, fields),
            [] => match unknown {
                // What cannot be read may be the body: an open one, and the finding of the reference.
                Some((reference, at)) if may_have_body(operation) => {
                    json!({"$ref": reference, ORIGIN: at})
                }
                _ => return,
            },
            [body] => self.single(operation, body),
            several => self.joined(operation, several),
        };
        self.add(&operation.pointer, "requestBody", body);
    }

    fn single(&mut self, operation: &Target<'d>, body: &Target<'d>) -> Value {
        let types = self.body_types(operation);
        let origin = json!(body.pointer);
        let content = if schema_of(body).is_none() && body.value.get("type").is_some() {
            let mut described = Value::Object(self.described(body));
            annotate(&mut described, body);
            contents(&types, &described, &origin)
        } else {
            let schema = body.value.get("schema");
            let schema = schema.map(|schema| (schema, format!("{}/schema", body.pointer)));
            self.content(&types, schema.as_ref(), &origin)
        };
        let mut members = Map::from_iter([
            ("required".to_owned(), json!(is_required(body))),
            ("content".to_owned(), Value::Object(content)),
            (ORIGIN.to_owned(), origin),
        ]);
        if let Some(description) = body.value.get("description") {
            members.insert("description".to_owned(), description.clone());
        }
        Value::Object(members)
    }

    /// Joins several bodies, of which 2.0 allows one, into the object that their authors mean.
    fn joined(&mut self, operation: &Target<'d>, bodies: &[Target<'d>]) -> Value {
        let origin = json!(format!("{}/parameters", operation.pointer));
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for (index, body) in bodies.iter().enumerate() {
            if index == 1 {
                self.diagnostics.warn(
                    "several-bodies",
                    &body.pointer,
                    "an operation has one body; the several are sent as members of one object, each by its name",
                );
            }
            let Some(name) = self.name(body) else {
                continue;
            };
            let mut schema = match schema_of(body) {
                Some(schema) => {
                    let pointer = format!("{}/schema", body.pointer);
                    self.copy(schema, &pointer, usize::MAX)
                }
                None => Value::Object(self.described(body)),
            };
            annotate(&mut schema, body);
            if is_required(body) {
                required.push(name);
            }
            properties.insert(name.to_owned(), schema);
        }
        let schema = json!({"type": "object", "properties": properties, "required": required});
        let content = contents(&self.body_types(operation), &schema, &origin);
        json!({"required": !required.is_empty(), "content": content, ORIGIN: origin})
    }

    fn body_types(&self, operation: &Target<'d>) -> Vec<&'d str> {
        let mut types = self.media_types(operation.value, "consumes");
        if types.is_empty() {
            types.push(JSON);
        }
        types
    }

    fn form(&mut self, operation: &Target<'d>, fields: &[Target<'d>]) -> Value {
        let origin = json!(format!("{}/parameters", operation.pointer));
        let (mut properties, mut required, mut encoding) = (Map::new(), Vec::new(), Map::new());
        let takes_token = self.takes_token(operation);
        for field in fields {
            let Some(name) = self.name(field) else {
                continue;
            };
            if takes_token && is_access_token(field.value) {
                self.diagnostics.note(
                    "parameter-not-an-argument",
                    &field.pointer,
                    format!(
                        "the field `{}` is a credential of the operation; it does not become an argument",
                        name.escape_debug()
                    ),
                );
                continue;
            }
            let mut schema = match schema_of(field) {
                Some(schema) => {
                    let pointer = format!("{}/schema", field.pointer);
                    self.copy(schema, &pointer, usize::MAX)
                }
                None => Value::Object(self.described(field)),
            };
            if is_file(field) {
                schema = json!({"type": "string", "format": "binary"});
            }
            annotate(&mut schema, field);
            if let Some(Collection { style, explode }) = self.collection(field) {
                let style = style.unwrap_or("form");
                encoding.insert(name.to_owned(), json!({"style": style, "explode": explode}));
            }
            if is_required(field) {
                required.push(name);
            }
            properties.insert(name.to_owned(), schema);
        }
        let schema = json!({"type": "object", "properties": properties, "required": required});
        let types = self.form_types(operation, fields.iter().any(is_file));
        let mut content = contents(&types, &schema, &origin);
        for members in content.values_mut() {
            if let Value::Object(members) = members {
                members.insert("encoding".to_owned(), Value::Object(encoding.clone()));
            }
        }
        json!({"required": !required.is_empty(), "content": content, ORIGIN: origin})
    }

    /// The media types of a form; a file has no place but in a multipart one.
    fn form_types(&self, operation: &Target<'d>, has_file: bool) -> Vec<&'d str> {
        let mut types = self.media_types(operation.value, "consumes");
        types.retain(|media_type| match family(media_type) {
            Family::Form => !has_file,
            Family::Multipart => true,
            _ => false,
        });
        if types.is_empty() {
            types.push(if has_file { MULTIPART } else { FORM });
        }
        types
    }

    fn name(&mut self, parameter: &Target<'d>) -> Option<&'d str> {
        let name = parameter.value.get("name").and_then(Value::as_str);
        if name.is_none() {
            self.diagnostics.warn(
                "bad-parameter",
                &parameter.pointer,
                "a field of a body needs a `name`; it is left out",
            );
        }
        name
    }
}

/// Writes `content` with a schema that was made here, and is small.
fn contents(types: &[&str], schema: &Value, origin: &Value) -> Map<String, Value> {
    let content = |media_type: &&str| {
        let members = json!({"schema": schema, ORIGIN: origin});
        ((*media_type).to_owned(), members)
    };
    types.iter().map(content).collect()
}

/// Gives a field's schema the field's description and the way back to it.
fn annotate(schema: &mut Value, field: &Target<'_>) {
    if let Value::Object(members) = schema {
        if let Some(description) = field.value.get("description") {
            members.insert("description".to_owned(), description.clone());
        }
        let step = if schema_of(field).is_some() {
            "/schema"
        } else {
            ""
        };
        let origin = format!("{}{step}", field.pointer);
        members.insert(ORIGIN.to_owned(), Value::String(origin));
    }
}

fn is_file(field: &Target<'_>) -> bool {
    field.value.get("type").is_some_and(|named| named == "file")
}

fn is_required(parameter: &Target<'_>) -> bool {
    parameter.value.get("required") == Some(&Value::Bool(true))
}

fn may_have_body(operation: &Target<'_>) -> bool {
    ["post", "put", "patch"]
        .iter()
        .any(|method| operation.pointer.ends_with(&format!("/{method}")))
}
