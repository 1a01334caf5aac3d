//! The body of a request: which of the documented media types may be sent, and how its argument is written for each.

mod fields;
mod kind;
mod xml;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use crate::diagnostic::Diagnostics;
use crate::media_type::{concrete, essence, is_sendable};
use crate::model::body::{BodyChoice, BodyEncoding, BodyTemplate, Lines, Xml};
use crate::names::BodyArguments;
use crate::operations::Operation;
use crate::pointer::{Place, escape};
use crate::reference::{Target, follow};
use crate::schema::input::Case;
use crate::schema::{Address, Flow, Fragment, Property, Schemas};
use kind::{Kind, Schema};
use xml::Plans;

pub(crate) use fields::form;

/// Media types that one tool offers.
const MAX_CHOICES: usize = 20;

/// The media type of a body that cannot be known.
const JSON: &str = "application/json";
/// What a body that cannot be known says of itself.
static NOTHING: Value = Value::Null;

/// The body of an operation, chosen but not yet named.
#[derive(Debug)]
pub(crate) struct Body<'d> {
    description: Option<&'d str>,
    required: bool,
    /// The media types that are offered, the one that is sent unless another is chosen first.
    offers: Vec<Offer<'d>>,
    choices: Arc<[BodyChoice]>,
    compiled: OnceLock<Compiled>,
}

/// What a body is compiled to, the same for all operations that have it.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    /// The schema of the body's argument: one that fits all media types that are offered.
    pub(crate) schema: Arc<Fragment>,
    /// The schemas of the body's argument, each with the media types that it is for.
    pub(crate) cases: Arc<[Case]>,
    /// The schema of the argument that chooses the media type, where there is a choice.
    pub(crate) chooser: Option<Arc<Fragment>>,
}

/// One media type of a body.
#[derive(Clone, Debug)]
struct Offer<'d> {
    /// As the document writes it.
    media_type: &'d str,
    kind: Kind,
    content: &'d Value,
    pointer: String,
    /// The hints of the schema, where it is XML that can be written.
    xml: Option<Arc<Xml>>,
}

/// The bodies of a document, each chosen once.
#[derive(Debug, Default)]
pub(crate) struct Bodies<'d> {
    known: HashMap<Address, Option<Arc<Body<'d>>>>,
    plans: Plans,
}

impl<'d> Bodies<'d> {
    /// Chooses the body of an operation: JSON before forms, forms before text, text before bytes; and beside it what can carry what the first cannot.
    ///
    /// A body that cannot be known is any JSON value: an operation never becomes a tool that leaves its body out.
    pub(crate) fn choose(
        &mut self,
        operation: &Operation<'d>,
        root: &'d Value,
        diagnostics: &mut Diagnostics,
    ) -> Option<Arc<Body<'d>>> {
        let value = operation
            .value
            .get("requestBody")
            .filter(|value| !value.is_null())?;
        let pointer = format!("{}/requestBody", operation.pointer);
        let target = match follow(root, value, pointer.clone()) {
            Ok(target) => target,
            Err(error) => {
                let message = format!("{error}; any JSON value is sent as the body");
                diagnostics.warn(error.code(), &pointer, message);
                return Some(Arc::new(Body::unknown(pointer)));
            }
        };
        let known = self.known.entry(Address::of(target.value));
        known
            .or_insert_with(|| read(&target, root, &mut self.plans, diagnostics).map(Arc::new))
            .clone()
    }
}

fn read<'d>(
    target: &Target<'d>,
    root: &'d Value,
    plans: &mut Plans,
    diagnostics: &mut Diagnostics,
) -> Option<Body<'d>> {
    let required = target.value.get("required") == Some(&Value::Bool(true));
    let offers = offers(target, root, plans);
    if offers.is_empty() {
        let (said, body) = if required {
            let unknown = Body::unknown(target.pointer.clone());
            let body = Body {
                required,
                ..unknown
            };
            ("any JSON value is sent", Some(body))
        } else {
            ("it is left out", None)
        };
        let message = format!("the request body has no media type; {said}");
        diagnostics.warn("body-without-content", &target.pointer, message);
        return body;
    }
    Some(Body {
        description: target.value.get("description").and_then(Value::as_str),
        required,
        choices: offers
            .iter()
            .map(|offer| offer.choice(root, plans))
            .collect(),
        offers,
        compiled: OnceLock::new(),
    })
}

fn offers<'d>(body: &Target<'d>, root: &'d Value, plans: &mut Plans) -> Vec<Offer<'d>> {
    let content = body.value.get("content").and_then(Value::as_object);
    let all = content
        .into_iter()
        .flatten()
        .map(|(media_type, content)| Offer {
            media_type,
            kind: Kind::of(media_type, content, root),
            content,
            pointer: format!("{}/content/{}", body.pointer, escape(media_type)),
            xml: None,
        });
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|offer| (offer.kind, offer.rank(root)));
    let patches = all.iter().any(|offer| offer.is_patch("merge-patch+json"));
    let first = all.first().map(|offer| offer.kind);
    let mut index = 0;
    all.retain(|offer| {
        index += 1;
        index == 1 || first.is_some_and(|first| offer.adds_to(first, patches, root))
    });
    all.truncate(MAX_CHOICES);
    for offer in all.iter_mut().filter(|offer| offer.kind == Kind::Xml) {
        let schema = offer.content.get("schema");
        offer.xml = schema.and_then(|schema| plans.compile(schema, root));
    }
    all
}

impl<'d> Offer<'d> {
    /// Orders media types of a kind: those made for a list of changes where the schema is one, the plain ones, other patches, ranges.
    fn rank(&self, root: &Value) -> u8 {
        let essence = essence(self.media_type).to_ascii_lowercase();
        match () {
            () if essence.contains('*') => 4,
            () if self.is_patch("json-patch+json") => match Schema::of(self.content, root) {
                Schema::List => 0,
                _ => 2,
            },
            () if self.kind == Kind::Json && !essence.contains("json") => 3,
            () => 1,
        }
    }

    fn is_patch(&self, name: &str) -> bool {
        let essence = essence(self.media_type).to_ascii_lowercase();
        essence == format!("application/{name}")
    }

    /// Tells whether the media type can carry what one of the kind `first` cannot.
    fn adds_to(&self, first: Kind, patches: bool, root: &Value) -> bool {
        match self.kind {
            Kind::Json => patches && first == Kind::Json && !self.media_type.contains('*'),
            Kind::Multipart => first < Kind::Multipart && self.takes_files(root),
            Kind::Text | Kind::Binary => true,
            Kind::Form | Kind::Parts | Kind::Lines | Kind::Xml => false,
        }
    }

    fn takes_files(&self, root: &Value) -> bool {
        let fields = fields::multipart(self.content, root);
        fields.values().any(|field| field.binary)
    }

    /// Compiles how the body is written; XML whose element has no name is text.
    fn choice(&self, root: &'d Value, plans: &mut Plans) -> BodyChoice {
        let encoding = match self.kind {
            Kind::Json => BodyEncoding::Json,
            Kind::Form => BodyEncoding::Form(fields::form(self.content, root)),
            Kind::Multipart => {
                let mut fields = fields::multipart(self.content, root);
                fields::add_xml(&mut fields, self.content, root, plans);
                BodyEncoding::Multipart(fields)
            }
            Kind::Parts => fields::parts(self.content, root, plans),
            Kind::Lines if essence(self.media_type).ends_with("json-seq") => {
                BodyEncoding::JsonLines(Lines::Sequence)
            }
            Kind::Lines => BodyEncoding::JsonLines(Lines::Plain),
            Kind::Xml => self
                .xml
                .clone()
                .map_or(BodyEncoding::Text, BodyEncoding::Xml),
            Kind::Text => BodyEncoding::Text,
            Kind::Binary => BodyEncoding::Binary,
        };
        BodyChoice {
            media_type: self.media_type.to_owned(),
            content_type: self.content_type().to_owned(),
            encoding,
        }
    }

    /// The media type to send: the document's, with a concrete one for a range and for what is no media type.
    fn content_type(&self) -> &'d str {
        let essence = essence(self.media_type);
        let is_concrete = is_sendable(self.media_type) && !essence.contains('*');
        match self.kind {
            _ if essence.eq_ignore_ascii_case("application/form-data") => "multipart/form-data",
            _ if is_concrete => self.media_type,
            Kind::Json => JSON,
            Kind::Form => "application/x-www-form-urlencoded",
            Kind::Multipart => "multipart/form-data",
            Kind::Parts => "multipart/mixed",
            Kind::Lines => "application/x-ndjson",
            Kind::Xml => "application/xml",
            Kind::Text => "text/plain",
            Kind::Binary => concrete(essence),
        }
    }

    /// Converts the schema of the body's argument under this media type.
    fn schema(
        &self,
        description: Option<&'d str>,
        root: &'d Value,
        schemas: &mut Schemas<'d>,
        flow: Flow,
        diagnostics: &mut Diagnostics,
    ) -> Arc<Fragment> {
        let schema = self.content.get("schema");
        let mut property = Property {
            schema,
            description,
            ..Property::default()
        };
        let is_text = match self.kind {
            Kind::Text => true,
            Kind::Xml => self.xml.is_none(),
            _ => false,
        };
        if is_text || self.kind == Kind::Binary {
            let media_type = self.media_type;
            let note = if is_text {
                format!("Text of the media type {media_type}.")
            } else {
                format!(
                    "The bytes as Base64 text, or a data URL that says their media type too; {media_type}."
                )
            };
            return schemas.text(self.content, &property, &note, !is_text, flow);
        }
        property.note = match self.kind {
            Kind::Form | Kind::Multipart if schema.is_none() => {
                Some("An object whose members are the fields of a form.")
            }
            Kind::Multipart if !self.takes_files(root) => Some(
                "A field that is a file is given as a data URL: `data:text/csv;name=a.csv;base64,…`.",
            ),
            Kind::Lines => Some("One line is sent for each item."),
            Kind::Parts => {
                Some("One part is sent for each item; a file is Base64 text or a data URL.")
            }
            _ => None,
        };
        let pointer = format!("{}/schema", self.pointer);
        let pointer = Place::at(&pointer);
        let converted = schemas.property(self.content, &property, &pointer, flow, diagnostics);
        if self.is_patch("json-patch+json") && Schema::of(self.content, root) != Schema::List {
            return Arc::new(patches());
        }
        if schema.is_none() && matches!(self.kind, Kind::Lines | Kind::Parts) {
            return Arc::new(list());
        }
        converted
    }
}

/// The operations of JSON Patch (RFC 6902 §4), where the document leaves them open.
fn patches() -> Fragment {
    fragment(&json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "op": {"enum": ["add", "remove", "replace", "move", "copy", "test"]},
                "path": {"type": "string"},
                "from": {"type": "string"},
                "value": {},
            },
            "required": ["op", "path"],
        },
        "description": "The changes of a JSON Patch (RFC 6902).",
    }))
}

fn list() -> Fragment {
    fragment(
        &json!({"type": "array", "items": {}, "description": "One line or part is sent for each item."}),
    )
}

fn fragment(schema: &Value) -> Fragment {
    Fragment::plain(&schema.to_string())
}

impl<'d> Body<'d> {
    /// A body of which the document says only that there is one.
    fn unknown(pointer: String) -> Self {
        Self {
            description: Some("The document does not say what the body holds."),
            required: false,
            offers: vec![Offer {
                media_type: JSON,
                kind: Kind::Json,
                content: &NOTHING,
                pointer,
                xml: None,
            }],
            choices: [BodyChoice {
                media_type: JSON.to_owned(),
                content_type: JSON.to_owned(),
                encoding: BodyEncoding::Json,
            }]
            .into(),
            compiled: OnceLock::new(),
        }
    }

    /// Which way the operation's schemas travel.
    pub(crate) fn flow(&self) -> Flow {
        let mut offers = self.offers.iter();
        if offers.any(|offer| matches!(offer.kind, Kind::Multipart | Kind::Parts)) {
            Flow::Multipart
        } else {
            Flow::Request
        }
    }

    /// Compiles the body, once for all operations that have it.
    pub(crate) fn compiled(
        &self,
        root: &'d Value,
        schemas: &mut Schemas<'d>,
        diagnostics: &mut Diagnostics,
    ) -> &Compiled {
        self.compiled.get_or_init(|| {
            let cases = self.cases(root, schemas, diagnostics);
            Compiled {
                schema: match &cases[..] {
                    [only] => Arc::clone(&only.schema),
                    several => Arc::new(Fragment::any_of(several.iter().map(|it| &*it.schema))),
                },
                cases: cases.into(),
                chooser: self.chooser(),
            }
        })
    }

    /// Names the arguments that the body is made of.
    pub(crate) fn template(&self, arguments: BodyArguments) -> BodyTemplate {
        BodyTemplate {
            argument: arguments.body,
            required: self.required,
            chooser: (self.offers.len() > 1).then_some(arguments.chooser),
            choices: Arc::clone(&self.choices),
        }
    }

    /// Converts the schemas of the body's argument, each with the media types that it is for.
    fn cases(
        &self,
        root: &'d Value,
        schemas: &mut Schemas<'d>,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Case> {
        let flow = self.flow();
        let mut cases: Vec<Case> = Vec::new();
        for offer in &self.offers {
            let schema = offer.schema(self.description, root, schemas, flow, diagnostics);
            let value = offer.media_type.into();
            match cases.iter_mut().find(|case| case.schema.is_same(&schema)) {
                Some(case) => case.values.push(value),
                None => cases.push(Case {
                    values: vec![value],
                    schema,
                }),
            }
        }
        cases
    }

    /// Describes the argument that chooses the media type, where there is a choice.
    fn chooser(&self) -> Option<Arc<Fragment>> {
        let [first, _, ..] = &self.offers[..] else {
            return None;
        };
        let names: Vec<_> = self.offers.iter().map(|offer| offer.media_type).collect();
        Some(Arc::new(fragment(&json!({
            "type": "string",
            "enum": names,
            "default": first.media_type,
            "description": "The media type that the body is sent as.",
        }))))
    }
}
