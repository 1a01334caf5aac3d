//! Documents that are meant to cost time or stack: each is answered at once, on a small stack.

use std::time::{Duration, Instant};

use portcullis_openapi::{Document, Limits, ReadError};

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|it| line(it) + "\n").collect()
}

/// Parses and compiles within a small stack, and measures how long that takes.
fn answer(bytes: Vec<u8>) -> (Result<usize, ReadError>, Duration) {
    let work = move || {
        #[expect(
            clippy::disallowed_methods,
            reason = "an attack on time is measured in time"
        )]
        let started = Instant::now();
        let document = Document::parse(&bytes, &Limits::default());
        let answer = document.map(|document| document.tools().0.len());
        (answer, started.elapsed())
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    thread.spawn(work).unwrap().join().unwrap()
}

/// The longest that an answer may take in a debug build on a machine that is busy; released, each takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn x_01_nesting_without_end_is_refused_before_it_costs_anything() {
    let deep = 100_000;
    let block = lines(1_000, |level| format!("{}a:", " ".repeat(level)));
    for (what, text) in [
        (
            "JSON arrays",
            format!(
                "{{\"openapi\":\"3.0.0\",\"x\":{}{}}}",
                "[".repeat(deep),
                "]".repeat(deep)
            ),
        ),
        (
            "JSON objects",
            format!("{}1{}", "{\"a\":".repeat(deep), "}".repeat(deep)),
        ),
        ("JSON without end", "[".repeat(1_000_000)),
        (
            "JSON in an example",
            format!(
                "{{\"components\":{{\"examples\":{}{}}}}}",
                "[".repeat(deep),
                "]".repeat(deep)
            ),
        ),
        (
            "YAML flow lists",
            format!("a: {}{}", "[".repeat(deep), "]".repeat(deep)),
        ),
        (
            "YAML flow objects",
            format!("a: {}{}", "{a: ".repeat(deep), "}".repeat(deep)),
        ),
        (
            "YAML flow without end",
            format!("a: {}", "[".repeat(1_000_000)),
        ),
        (
            "YAML pairs without end",
            format!("a: {}", "{? ".repeat(deep)),
        ),
        ("YAML lists on a line", format!("{}x", "- ".repeat(deep))),
        ("YAML keys on a line", format!("{}x", "? ".repeat(deep))),
        ("YAML block", block),
        (
            "YAML in an example",
            format!(
                "components:\n  examples: {}{}",
                "[".repeat(deep),
                "]".repeat(deep)
            ),
        ),
    ] {
        let (answer, took) = answer(text.into_bytes());
        let error = answer.unwrap_err();
        assert!(
            error == ReadError::TooDeep { limit: 100 } || what == "JSON in an example",
            "{what}: {error}"
        );
        assert!(took < PATIENCE, "{what}: {took:?}");
    }
}

#[test]
fn x_01_text_that_is_slow_to_read_is_read_or_refused_in_time() {
    let many = 20_000;
    let anchors = lines(many, |it| format!("a{it}: &a{it} 1"));
    let aliases = lines(many, |it| format!("b{it}: *a"));
    let keys = lines(many, |it| format!("k{it}: 1"));
    for (what, text) in [
        ("anchors", format!("openapi: 3.0.0\n{anchors}")),
        ("aliases", format!("openapi: 3.0.0\na: &a 1\n{aliases}")),
        (
            "an alias of a long text",
            format!("openapi: 3.0.0\na: &a {}\n{aliases}", "x".repeat(10_000)),
        ),
        ("keys", format!("openapi: 3.0.0\n{keys}")),
        (
            "the same key",
            format!("openapi: 3.0.0\n{}", "a: 1\n".repeat(many)),
        ),
        (
            "one key of JSON",
            format!("{{\"openapi\":\"3.0.0\"{}}}", ",\"a\":1".repeat(many)),
        ),
        (
            "a long word",
            format!("openapi: 3.0.0\na: {}\n", "x".repeat(5_000_000)),
        ),
        (
            "a long quoted text",
            format!("openapi: 3.0.0\na: \"{}\"\n", "\\n".repeat(2_000_000)),
        ),
        (
            "a long key",
            format!("openapi: 3.0.0\n{}: 1\n", "x".repeat(1_000_000)),
        ),
        (
            "a long block",
            format!("openapi: 3.0.0\na: |\n{}", "  x\n".repeat(500_000)),
        ),
        (
            "a folded block",
            format!("openapi: 3.0.0\na: >\n{}", "\n".repeat(1_000_000)),
        ),
        (
            "a comment",
            format!("openapi: 3.0.0\n{}", "#".repeat(5_000_000)),
        ),
        (
            "comments",
            format!("openapi: 3.0.0\n{}", "#\n".repeat(500_000)),
        ),
        (
            "white space",
            format!("openapi: 3.0.0\n{}", " ".repeat(5_000_000)),
        ),
        (
            "documents",
            format!("openapi: 3.0.0\n{}", "---\na: 1\n".repeat(many)),
        ),
        (
            "tags",
            format!("openapi: 3.0.0\n{}", "a: !t 1\n".repeat(many)),
        ),
        (
            "flow keys",
            format!("openapi: 3.0.0\na: {{{}}}", "? a, ".repeat(many)),
        ),
        (
            "commas",
            format!("openapi: 3.0.0\na: [{}]", "a,".repeat(many)),
        ),
        (
            "colons",
            format!("openapi: 3.0.0\na: {}", ":".repeat(1_000_000)),
        ),
        (
            "colons in a list",
            format!("openapi: 3.0.0\na: [{}]", "a: ".repeat(many)),
        ),
        (
            "quotes",
            format!("openapi: 3.0.0\na: {}", "'".repeat(1_000_000)),
        ),
        ("directives", "%YAML 1.2\n".repeat(many)),
        (
            "a broken flow mapping",
            format!("{{openapi: 3.0.0, {}", "a: b, ".repeat(many)),
        ),
        (
            "digits",
            format!("openapi: 3.0.0\na: {}\n", "9".repeat(1_000_000)),
        ),
        (
            "digits of JSON",
            format!("{{\"openapi\":\"3.0.0\",\"a\":{}}}", "9".repeat(1_000_000)),
        ),
    ] {
        let (answer, took) = answer(text.into_bytes());
        assert!(took < PATIENCE, "{what}: {took:?}");
        if let Err(error) = answer {
            assert!(error.to_string().len() < 1_000, "{what}: {error}");
        }
    }
}

/// A document whose one operation has a parameter and a body of the first schema.
fn with_schemas(schemas: &str) -> Vec<u8> {
    let first = r##"{"$ref":"#/components/schemas/S0"}"##;
    let operation = format!(
        r#"{{"parameters":[{{"name":"a","in":"query","schema":{first}}}],"requestBody":{{"content":{{"application/json":{{"schema":{first}}}}}}},"responses":{{"200":{{"description":"","content":{{"application/json":{{"schema":{first}}}}}}}}}}}"#
    );
    let paths = format!(r#"{{"/a":{{"post":{operation}}}}}"#);
    format!(r#"{{"openapi":"3.1.0","paths":{paths},"components":{{"schemas":{{{schemas}}}}}}}"#)
        .into_bytes()
}

#[test]
fn x_01_xml_bodies_without_a_name_become_tools_in_time() {
    let wide: Vec<_> = (0..4_000)
        .map(|it| format!("\"p{it}\":{{\"type\":\"string\"}}"))
        .collect();
    let body = r##"{"content":{"application/xml":{"schema":{"properties":{"a":{"$ref":"#/components/schemas/S0"}}}}}}"##;
    let count = 5_000;
    let paths: Vec<_> = (0..count)
        .map(|it| format!(r#""/{it}":{{"post":{{"requestBody":{body},"responses":{{}}}}}}"#))
        .collect();
    let text = format!(
        r#"{{"openapi":"3.1.0","paths":{{{}}},"components":{{"schemas":{{"S0":{{"properties":{{{}}}}}}}}}}}"#,
        paths.join(","),
        wide.join(",")
    );
    let (answer, took) = answer(text.into_bytes());
    assert_eq!(answer, Ok(count));
    assert!(took < PATIENCE, "{took:?}");
}

#[test]
fn x_01_schemas_that_are_wide_long_or_round_become_tools_in_time() {
    let next = |it: usize| format!("{{\"$ref\":\"#/components/schemas/S{}\"}}", it + 1);
    let chain = |schema: &dyn Fn(usize) -> String| {
        let all: Vec<_> = (0..500)
            .map(|it| format!("\"S{it}\":{}", schema(it)))
            .collect();
        all.join(",") + ",\"S500\":{\"$ref\":\"#/components/schemas/S0\"}"
    };
    let wide = |keyword: &str, item: &str, count: usize| {
        format!(
            "\"S0\":{{\"{keyword}\":[{}{item}]}}",
            format!("{item},").repeat(count)
        )
    };
    let nested =
        |open: &str, close: &str| format!("\"S0\":{}{{}}{}", open.repeat(40), close.repeat(40));
    let round = r##"{"$ref":"#/components/schemas/S0"}"##;
    let fan = |count: usize| {
        let all = lines(count, |it| format!(",{}", next(it)));
        let each = lines(count, |it| {
            format!(",\"S{}\":{{\"anyOf\":[{},{round}]}}", it + 1, next(it + 1))
        });
        format!("\"S0\":{{\"anyOf\":[{{}}{all}]}}{each}")
    };
    let negated = |count: usize, name: &dyn Fn(usize) -> &'static str| {
        let all: Vec<_> = (0..count)
            .map(|it| {
                let name = name(it);
                format!("\"p{it}\":{{\"not\":{{\"$ref\":\"#/components/schemas/{name}\"}}}}")
            })
            .collect();
        format!("\"S0\":{{\"properties\":{{{}}}}}", all.join(","))
    };
    let half = |it| if it < 100_000 { "S0" } else { "none" };
    for (what, schemas) in [
        ("many conditions", negated(200_000, &|_| "S0")),
        ("many conditions taken back", negated(200_000, &half)),
        ("a million of allOf", wide("allOf", "{}", 1_000_000)),
        ("allOf of itself", wide("allOf", round, 20_000)),
        ("anyOf of itself", wide("anyOf", round, 20_000)),
        ("oneOf of itself", wide("oneOf", round, 20_000)),
        ("many required", wide("required", "\"a\"", 300_000)),
        ("a chain of references", chain(&|it| next(it))),
        (
            "a chain of allOf",
            chain(&|it| format!("{{\"allOf\":[{}]}}", next(it))),
        ),
        (
            "a chain of anyOf",
            chain(&|it| format!("{{\"anyOf\":[{},{}]}}", next(it), next(it))),
        ),
        (
            "a chain of properties",
            chain(&|it| format!("{{\"properties\":{{\"a\":{}}}}}", next(it))),
        ),
        (
            "a chain of items",
            chain(&|it| format!("{{\"items\":{}}}", next(it))),
        ),
        ("nested properties", nested("{\"properties\":{\"a\":", "}}")),
        ("nested allOf", nested("{\"allOf\":[", "]}")),
        ("nested not", nested("{\"not\":", "}")),
        ("itself", format!("\"S0\":{round}")),
        ("a fan of references that return", fan(5_000)),
    ] {
        let (answer, took) = answer(with_schemas(&schemas));
        assert_eq!(answer, Ok(1), "{what}");
        assert!(took < PATIENCE, "{what}: {took:?}");
    }
}
