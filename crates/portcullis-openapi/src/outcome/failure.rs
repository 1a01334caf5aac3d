//! Statuses other than 2xx: the status, the API's own message, and the rest of the answer as far as it helps.

use serde_json::Value;

use super::blamed::blamed;
use super::media::{Family, MediaType};
use super::text::{Cut, decode, read};
use super::{Content, Outcome, UpstreamResponse, html, json};
use crate::model::Tool;

/// How much of an error's body is shown.
const MAX_BODY_BYTES: usize = 4096;
/// How much of an HTML page's text is shown.
const MAX_PAGE_BYTES: usize = 500;
/// How deep the message is looked for.
const MAX_DEPTH: usize = 4;

pub(super) fn outcome(
    tool: &Tool,
    response: &UpstreamResponse<'_>,
    media_type: &MediaType<'_>,
) -> Outcome {
    let status = response.status;
    let mut text = match status {
        300..400 => {
            format!("HTTP {status}: the API answers with a redirect, which is not followed")
        }
        _ => format!("HTTP {status}"),
    };
    let family = media_type.family(response.body);
    let message = match family {
        _ if response.body.is_empty() => "the answer is empty".to_owned(),
        Family::Json => json_message(tool, response, media_type),
        Family::Text if media_type.is_html() => page_text(response.body, media_type),
        Family::Text | Family::Lines | Family::Events => shown(response, media_type),
        _ => format!("the answer is {}", media_type.name()),
    };
    text.push_str(": ");
    text.push_str(&message);
    Outcome {
        content: vec![Content::Text(text)],
        structured: None,
        is_error: true,
    }
}

/// The message and, where there is more in the body, the body; behind it the tool's arguments that it speaks of.
fn json_message(
    tool: &Tool,
    response: &UpstreamResponse<'_>,
    media_type: &MediaType<'_>,
) -> String {
    let body = shown(response, media_type);
    let value =
        json::sound(response.body).and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
    let said = match value.as_ref().and_then(|value| message(value, MAX_DEPTH)) {
        Some(message) if is_all(&message, value.as_ref()) => message,
        Some(message) => format!("{message}\n\n{body}"),
        None => body,
    };
    let blamed = value.map(|value| blamed(&value, tool)).unwrap_or_default();
    if blamed.is_empty() {
        return said;
    }
    format!(
        "{said}\n\nThe API speaks of these arguments: {}.",
        blamed.join(", ")
    )
}

fn is_all(message: &str, value: Option<&Value>) -> bool {
    match value {
        Some(Value::String(_)) => true,
        Some(Value::Object(members)) => {
            members.len() == 1 && members.values().any(|value| value == message)
        }
        _ => false,
    }
}

/// Finds what APIs call the message: `message`, RFC 9457's `detail` and `title`, OAuth's `error_description`, `error` and `errors`.
fn message(value: &Value, depth: usize) -> Option<String> {
    const NAMES: [&str; 8] = [
        "message",
        "detail",
        "error_description",
        "error_message",
        "title",
        "error",
        "errors",
        "msg",
    ];
    let depth = depth.checked_sub(1)?;
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(cut(text, MAX_BODY_BYTES)),
        Value::Array(items) => items.iter().find_map(|item| message(item, depth)),
        Value::Object(members) => NAMES
            .iter()
            .filter_map(|name| members.get(*name))
            .find_map(|value| message(value, depth)),
        _ => None,
    }
}

fn shown(response: &UpstreamResponse<'_>, media_type: &MediaType<'_>) -> String {
    let text = read(response.body, media_type, Cut::of(response), usize::MAX);
    cut(&text, MAX_BODY_BYTES)
}

fn page_text(body: &[u8], media_type: &MediaType<'_>) -> String {
    let (html, _) = decode(body, media_type.charset().as_deref());
    let words = html::words(&html, MAX_PAGE_BYTES);
    format!("an HTML page: {}", cut(&words, MAX_PAGE_BYTES))
}

fn cut(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(max_bytes);
    let shown = text.get(..end).unwrap_or_default();
    format!("{shown}… [{} more bytes]", text.len() - end)
}
