//! Answers that are one value after another: lines of JSON, and server-sent events (WHATWG HTML, "Server-sent events").
//!
//! They become a list, which is cut, projected and shown like any other.

use std::fmt::Write as _;

use serde_json::Value;
use serde_json::value::RawValue;

/// Whether the text breaks off in the middle of its last value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// All of it is there.
    Whole,
    /// What follows the last whole value is the start of another.
    BrokenOff,
}

/// Makes a list of lines of JSON; nothing where no line is JSON, and one value over several lines is itself.
pub(super) fn lines(text: &str, end: End) -> Option<String> {
    let text = match end {
        End::Whole => text,
        End::BrokenOff => text.rsplit_once('\n')?.0,
    };
    // RFC 7464 puts a record separator before each value.
    let lines = text.lines().map(|line| line.trim_matches(['\x1e', ' ']));
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    if !lines.iter().all(|line| is_json(line)) && is_json(text) {
        return Some(text.to_owned());
    }
    lines
        .iter()
        .any(|line| is_json(line))
        .then(|| list(lines.iter().map(|line| value(line))))
}

/// Makes a list of server-sent events; nothing where there is none.
///
/// An event of the usual kind is its data alone; what has a name or an id of its own is an object that says so.
pub(super) fn events(text: &str, end: End) -> Option<String> {
    let mut events = Vec::new();
    let mut event = Event::default();
    for line in text.lines() {
        if line.is_empty() {
            events.extend(std::mem::take(&mut event).written());
        } else {
            event.read(line);
        }
    }
    if end == End::Whole {
        events.extend(event.written());
    }
    (!events.is_empty()).then(|| list(events.into_iter()))
}

#[derive(Default)]
struct Event<'a> {
    name: Option<&'a str>,
    id: Option<&'a str>,
    data: Vec<&'a str>,
}

impl<'a> Event<'a> {
    fn read(&mut self, line: &'a str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.name = Some(value),
            "id" => self.id = Some(value),
            "data" => self.data.push(value),
            _ => {}
        }
    }

    /// Writes the event as JSON; one without data is none.
    fn written(self) -> Option<String> {
        if self.data.is_empty() {
            return None;
        }
        let data = value(&self.data.join("\n"));
        if self.name.is_none() && self.id.is_none() {
            return Some(data);
        }
        let mut written = String::from("{");
        for (key, text) in [("event", self.name), ("id", self.id)] {
            if let Some(text) = text {
                let _ = write!(written, "\"{key}\":{},", Value::from(text));
            }
        }
        let _ = write!(written, "\"data\":{data}}}");
        Some(written)
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

/// Returns JSON as it is, and any other text as a string of JSON.
fn value(text: &str) -> String {
    if is_json(text) {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

fn list(values: impl Iterator<Item = String>) -> String {
    let mut list = String::from("[");
    for (index, value) in values.enumerate() {
        if index > 0 {
            list.push(',');
        }
        list.push_str(&value);
    }
    list.push(']');
    list
}
