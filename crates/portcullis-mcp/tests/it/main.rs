//! The wire rules, one by one, through the crate's public face.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests, and so are the functions that they share"
)]

mod legacy;
mod modern;
mod property;
mod results;
mod tools;

use portcullis_mcp::{
    Annotations, Answer, Field, Headers, Incoming, Introduction, Reply, ToolDefinition, ToolList,
    answer, read,
};
use serde_json::Value;
use serde_json::value::RawValue;

/// The headers of a test request; `None` is a header that is not sent.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sent<'a> {
    pub(crate) version: Option<&'a str>,
    pub(crate) method: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
}

impl Sent<'_> {
    pub(crate) fn headers(&self) -> Headers<'_> {
        Headers {
            protocol_version: self
                .version
                .map_or(Field::Absent, |t| Field::One(t.as_bytes())),
            method: self
                .method
                .map_or(Field::Absent, |t| Field::One(t.as_bytes())),
            name: self
                .name
                .map_or(Field::Absent, |t| Field::One(t.as_bytes())),
        }
    }
}

pub(crate) fn introduction() -> Introduction {
    Introduction::new("pets", Some("Pet store"), "1.2.3", Some("Feed the pets."))
}

pub(crate) fn tools() -> ToolList {
    let object = RawValue::from_string(r#"{"type":"object"}"#.to_owned()).unwrap();
    let tool = |name| ToolDefinition {
        name,
        title: Some("A \"title\""),
        description: "Does it",
        input_schema: &object,
        output_schema: Some(&object),
        annotations: Annotations {
            read_only: true,
            destructive: false,
            idempotent: true,
        },
    };
    ToolList::new(vec![tool("pets_list"), tool("pets_get")])
}

/// Reads and answers as the endpoint does, with `{"called":NAME}` in place of calls.
pub(crate) fn exchange(sent: Sent<'_>, body: &str) -> (u16, Value) {
    let reply = match read(&sent.headers(), body.as_bytes()) {
        Err(reply) => reply,
        Ok(Incoming::Accepted) => Reply::accepted(),
        Ok(Incoming::Request(request)) => settle(&request),
        Ok(Incoming::Batch(items)) => {
            let replies: Vec<_> = items
                .into_iter()
                .map(|item| item.map_or_else(|reply| reply, |request| settle(&request)))
                .collect();
            Reply::batch(&replies)
        }
    };
    let json = if reply.body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&reply.body).expect("replies are JSON")
    };
    (reply.status, json)
}

fn settle(request: &portcullis_mcp::Request<'_>) -> Reply {
    match answer(request, &introduction(), &tools()) {
        Answer::Reply(reply) => reply,
        Answer::Call(call) => Reply {
            status: 200,
            body: format!(r#"{{"called":"{}"}}"#, call.name).into_bytes(),
        },
    }
}
