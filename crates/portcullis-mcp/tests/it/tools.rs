//! `tools/list`.

use portcullis_mcp::{Annotations, Answer, Incoming, ToolDefinition, ToolList, answer, read};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::{Sent, exchange, introduction};

fn list(tools: &ToolList, cursor: Option<&str>, version: &str) -> Value {
    let mut params = json!({});
    if let Some(cursor) = cursor {
        params["cursor"] = json!(cursor);
    }
    let body =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params}).to_string();
    let sent = Sent {
        version: Some(version),
        ..Sent::default()
    };
    let incoming = read(&sent.headers(), body.as_bytes()).unwrap();
    let Incoming::Request(request) = incoming else {
        panic!("{incoming:?}")
    };
    let Answer::Reply(reply) = answer(&request, &introduction(), tools) else {
        panic!("a list is no call")
    };
    serde_json::from_slice(&reply.body).unwrap()
}

/// Makes `count` tools, in an order that is not theirs, each with a schema of `size` bytes.
fn many(count: usize, size: usize) -> ToolList {
    let schema = format!(r#"{{"type":"object","title":"{}"}}"#, "x".repeat(size));
    let schema = RawValue::from_string(schema).unwrap();
    let names: Vec<_> = (0..count).rev().map(|n| format!("tool_{n:05}")).collect();
    ToolList::new(
        names
            .iter()
            .map(|name| ToolDefinition {
                name,
                title: None,
                description: "Does it",
                input_schema: &schema,
                output_schema: None,
                annotations: Annotations {
                    read_only: false,
                    destructive: true,
                    idempotent: false,
                },
            })
            .collect(),
    )
}

fn names(page: &Value) -> Vec<String> {
    let tools = page["result"]["tools"].as_array().unwrap();
    tools
        .iter()
        .map(|t| t["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_version_gets_the_members_that_it_knows() {
    let keys = |version: &str| {
        let sent = Sent {
            version: Some(version),
            ..Sent::default()
        };
        let (_, json) = exchange(sent, r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
        assert!(json["result"].get("ttlMs").is_none());
        let tool = json["result"]["tools"][1].as_object().unwrap().clone();
        tool.keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys("2024-11-05"), "name description inputSchema");
    assert_eq!(
        keys("2025-03-26"),
        "name description inputSchema annotations"
    );
    let full = "name description inputSchema annotations title outputSchema";
    assert_eq!(keys("2025-06-18"), full);
    assert_eq!(keys("2025-11-25"), full);
}

#[test]
fn tl_11_annotations_are_all_written() {
    let (_, json) = exchange(
        Sent::default(),
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
    );
    assert_eq!(
        json["result"]["tools"][0]["annotations"],
        json!({"readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": true})
    );
}

#[test]
fn tl_02_tools_are_ordered_by_name() {
    assert_eq!(
        names(&list(&many(3, 0), None, "2025-11-25")),
        ["tool_00000", "tool_00001", "tool_00002"]
    );
}

#[test]
fn tl_12_pages_are_bounded_by_count_and_together_complete() {
    let tools = many(1_223, 10);
    for version in ["2024-11-05", "2025-11-25"] {
        let mut seen = Vec::new();
        let mut cursor = None;
        let mut pages = 0;
        loop {
            let page = list(&tools, cursor.as_deref(), version);
            assert!(names(&page).len() <= 500);
            seen.extend(names(&page));
            pages += 1;
            match page["result"]["nextCursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        assert_eq!((seen.len(), pages), (1_223, 3));
        assert!(seen.is_sorted());
    }
}

#[test]
fn tl_12_pages_are_bounded_by_size_and_never_empty() {
    assert_eq!(
        names(&list(&many(30, 100_000), None, "2025-11-25")).len(),
        20
    );
    assert_eq!(
        names(&list(&many(3, 5_000_000), None, "2025-11-25")).len(),
        1
    );
}

#[test]
fn tl_12_an_empty_cursor_is_the_beginning() {
    let tools = many(3, 0);
    assert_eq!(names(&list(&tools, Some(""), "2025-11-25")).len(), 3);
}

#[test]
fn tl_12_a_cursor_outlives_the_tool_that_it_names() {
    let before = many(1_000, 0);
    let cursor = list(&before, None, "2025-11-25")["result"]["nextCursor"]
        .as_str()
        .unwrap()
        .to_owned();
    let after = many(400, 0);
    let page = list(&after, Some(&cursor), "2025-11-25");
    assert_eq!(names(&page), Vec::<String>::new());
    assert!(page["result"].get("nextCursor").is_none());
}

#[test]
fn tl_12_an_invalid_cursor_is_refused() {
    for cursor in [
        "0",
        "500",
        "????",
        "YWZ0ZXI6_w",
        "dG9vbF8wMDAwMQ",
        "tool_00001",
    ] {
        let page = list(&many(3, 0), Some(cursor), "2025-11-25");
        assert_eq!(page["error"]["code"], -32602, "{cursor}");
    }
}

#[test]
fn no_tools_are_an_empty_list() {
    let page = list(&ToolList::new(Vec::new()), None, "2025-11-25");
    assert_eq!(page["result"], json!({"tools": []}));
}

fn page_of(tools: &ToolList, cursor: Option<&str>, admits: &dyn Fn(&str) -> bool) -> Value {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let incoming = read(&Sent::default().headers(), body.as_bytes()).unwrap();
    let Incoming::Request(request) = incoming else {
        panic!("{incoming:?}")
    };
    let page = tools.page(
        &request.id,
        cursor,
        request.version,
        &introduction(),
        Some(admits),
    );
    serde_json::from_slice(&page.unwrap().into_reply().body).unwrap()
}

#[test]
fn a_narrowed_list_has_pages_of_its_own() {
    let tools = many(1_223, 10);
    let odd = |name: &str| name.ends_with(['1', '3', '5', '7', '9']);
    let first = page_of(&tools, None, &odd);
    assert_eq!(names(&first).len(), 500);
    let cursor = first["result"]["nextCursor"].as_str().unwrap();
    let second = page_of(&tools, Some(cursor), &odd);
    assert_eq!(names(&second).len(), 111);
    assert!(second["result"].get("nextCursor").is_none());
    let all = [names(&first), names(&second)].concat();
    assert!(all.is_sorted() && all.iter().all(|name| odd(name)));
    assert_eq!(names(&page_of(&tools, None, &|_| false)), [""; 0]);
    // Nobody is sent to a page that would be empty.
    let few = page_of(&tools, None, &|name| name < "tool_00500");
    assert_eq!(names(&few).len(), 500);
    assert!(few["result"].get("nextCursor").is_none());
}

#[test]
fn a_page_is_a_piece_of_the_lists_own_bytes() {
    let tools = many(3, 10);
    let incoming = read(
        &Sent {
            version: Some("2025-11-25"),
            ..Sent::default()
        }
        .headers(),
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
    );
    let Ok(Incoming::Request(request)) = incoming else {
        panic!("{incoming:?}")
    };
    let page = tools.page(&request.id, None, request.version, &introduction(), None);
    assert_eq!(page.unwrap().tools.as_ptr(), tools.texts().as_ptr());
}
