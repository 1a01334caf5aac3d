//! What must hold whatever strangers write: the fuzzer's targets, and the replay of its corpora.

use std::collections::HashSet;
use std::sync::LazyLock;

use portcullis_openapi::{
    Document, Limits, Presentation, Projection, RequestPlan, Tool, UpstreamResponse,
};
use serde_json::value::RawValue;

/// Documents that any text is given to as arguments, and whose tools read any answer.
const DOCUMENTS: [&str; 5] = [
    include_str!("../../documents/parameters.yaml"),
    include_str!("../../documents/bodies.yaml"),
    include_str!("../../documents/responses.yaml"),
    include_str!("../../documents/request-bodies.yaml"),
    include_str!("../../documents/paging.yaml"),
];

/// The tools of [`DOCUMENTS`].
static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| {
    let tools = DOCUMENTS.iter().flat_map(|text| {
        let document = Document::parse(text.as_bytes(), &Limits::default());
        document.expect("a document of our own").tools().0
    });
    tools.collect()
});

/// A document is read or refused; its tools have names of their own that clients take.
pub(crate) fn document(bytes: &[u8]) {
    let limits = Limits::default();
    let Ok(document) = Document::parse(bytes, &limits) else {
        return;
    };
    let (tools, diagnostics) = document.tools();
    let mut names = HashSet::new();
    for tool in &tools {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        assert!((1..=64).contains(&tool.name.len()) && tool.name.chars().all(plain));
        assert!(names.insert(tool.name.to_ascii_lowercase()), "a name twice");
        assert!(!tool.description.is_empty());
        if let Ok(plan) = tool.plan(None) {
            judge(&plan);
        }
    }
    // One more counts what was left out.
    assert!(diagnostics.len() <= limits.max_diagnostics + 1);
}

/// The first byte chooses a tool, the rest are its arguments: they become a request that stays in its place, or a message.
pub(crate) fn plan(bytes: &[u8]) {
    let Some((&choice, arguments)) = bytes.split_first() else {
        return;
    };
    let Ok(arguments) = serde_json::from_slice::<&RawValue>(arguments) else {
        return;
    };
    match chosen(choice).plan(Some(arguments)) {
        Ok(plan) => judge(&plan),
        Err(error) => assert!(
            error.to_string().len() < 4_000,
            "a message as long as its cause"
        ),
    }
}

/// The first bytes choose a tool, a status and a media type: whatever the body is, the result is one that clients can read.
pub(crate) fn outcome(bytes: &[u8]) {
    let [choice, hundreds, units, media, body @ ..] = bytes else {
        return;
    };
    let status = u16::from(hundreds % 5 + 1) * 100 + u16::from(units % 100);
    let (content_type, body) = match MEDIA_TYPES.get(usize::from(*media)) {
        Some(known) => (Some(*known), body),
        None => split(body),
    };
    let response = UpstreamResponse {
        status,
        content_type,
        link: header(body),
        location: header(body),
        disposition: header(body),
        body,
        truncated_at: (media % 7 == 0).then_some(body.len()),
        declared_length: None,
    };
    // Answers as small as a fuzzer's meet the limits only where those are small, too.
    let presentation = Presentation {
        max_bytes: 1 << (units % 16),
        max_binary_bytes: 1 << (units % 16),
        projection: (units % 3 == 0).then(|| PROJECTION.clone()),
    };
    let outcome = chosen(*choice).outcome(&response, &presentation);
    assert!(!outcome.content.is_empty());
    assert_eq!(
        outcome.is_error,
        !(200..300).contains(&status) && status != 304
    );
    if let Some(structured) = outcome.structured {
        assert!(structured.get().starts_with('{'));
    }
}

const MEDIA_TYPES: [&str; 10] = [
    "application/json",
    "application/problem+json",
    "text/plain; charset=utf-16",
    "text/html",
    "text/csv; charset=iso-8859-1",
    "multipart/mixed; boundary=b",
    "image/png",
    "text/event-stream",
    "application/x-ndjson",
    "application/xml",
];

/// Parts of answers of any shape.
static PROJECTION: LazyLock<Projection> = LazyLock::new(|| {
    Projection::compile("[a, b[*].c, *.d | [0], sort(keys(@))]").expect("an expression")
});

/// What follows the last line's end, as a header that goes with the body.
fn header(body: &[u8]) -> Option<&str> {
    let start = body.iter().rposition(|&byte| byte == b'\n')?;
    std::str::from_utf8(body.get(start + 1..)?).ok()
}

/// A media type of the fuzzer's own, up to the first line's end.
fn split(body: &[u8]) -> (Option<&str>, &[u8]) {
    let end = body.iter().position(|&byte| byte == b'\n');
    let (media_type, rest) = match end {
        Some(end) => (body.get(..end), body.get(end + 1..)),
        None => (None, Some(body)),
    };
    let media_type = media_type.and_then(|bytes| std::str::from_utf8(bytes).ok());
    (media_type, rest.unwrap_or_default())
}

fn chosen(choice: u8) -> &'static Tool {
    TOOLS
        .get(usize::from(choice) % TOOLS.len())
        .expect("a remainder is below")
}

/// No argument leaves the place that its parameter has in the request.
fn judge(plan: &RequestPlan) {
    let unwritten = |c: char| c.is_control() || c == ' ' || !c.is_ascii();
    assert!(plan.path.starts_with('/'), "{}", plan.path);
    assert!(
        !plan
            .path
            .contains(|c| unwritten(c) || matches!(c, '?' | '#' | '\\')),
        "{}",
        plan.path
    );
    for segment in plan.path.split('/') {
        let decoded = segment.to_ascii_lowercase().replace("%2e", ".");
        assert!(!matches!(decoded.as_str(), "." | ".."), "{}", plan.path);
    }
    assert!(
        !plan.query.contains(|c| unwritten(c) || c == '#'),
        "{}",
        plan.query
    );
    let texts = plan.headers.iter().chain(&plan.cookies);
    for (name, value) in texts {
        assert!(!name.is_empty());
        assert!(!value.contains(['\r', '\n', '\0']), "{name}");
    }
    for (name, value) in &plan.cookies {
        assert!(!value.contains([';', '"', ' ']), "{name}");
    }
}
