//! 2024-11-05 to 2025-11-25, and what no version accepts.

use serde_json::{Value, json};

use crate::{Sent, exchange};

const UNNAMED: Sent<'static> = Sent {
    version: None,
    method: None,
    name: None,
};

fn named(version: &str) -> Sent<'_> {
    Sent {
        version: Some(version),
        ..UNNAMED
    }
}

fn request(method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": "a", "method": method, "params": params}).to_string()
}

#[test]
fn tr_08_initialize_agrees_on_the_version_asked_for_or_offers_the_latest() {
    for (asked, given) in [
        (json!("2024-11-05"), "2024-11-05"),
        (json!("2025-03-26"), "2025-03-26"),
        (json!("2025-06-18"), "2025-06-18"),
        (json!("2025-11-25"), "2025-11-25"),
        (json!("2026-07-28"), "2025-11-25"),
        (json!("1.0"), "2025-11-25"),
        (json!(7), "2025-11-25"),
    ] {
        let (status, json) = exchange(
            UNNAMED,
            &request("initialize", &json!({"protocolVersion": asked})),
        );
        assert_eq!(
            (status, json["result"]["protocolVersion"].as_str()),
            (200, Some(given))
        );
        assert_eq!(json["result"]["serverInfo"]["name"], "pets");
        assert_eq!(json["result"]["instructions"], "Feed the pets.");
    }
}

#[test]
fn initialize_declares_what_works_and_nothing_that_changes() {
    let (_, json) = exchange(
        UNNAMED,
        &request("initialize", &json!({"protocolVersion": "2025-11-25"})),
    );
    assert_eq!(
        json["result"]["capabilities"],
        json!({"tools": {}, "prompts": {}, "resources": {}, "completions": {}, "logging": {}})
    );
    assert!(json["result"].get("resultType").is_none());
    assert!(json["result"].get("_meta").is_none());
}

#[test]
fn every_declared_method_answers() {
    for (method, params, result) in [
        ("ping", json!({}), json!({})),
        ("logging/setLevel", json!({"level": "info"}), json!({})),
        ("prompts/list", json!({}), json!({"prompts": []})),
        ("resources/list", json!({}), json!({"resources": []})),
        (
            "resources/templates/list",
            json!({}),
            json!({"resourceTemplates": []}),
        ),
        (
            "completion/complete",
            json!({"ref": {}}),
            json!({"completion": {"values": [], "total": 0, "hasMore": false}}),
        ),
    ] {
        let expected = json!({"jsonrpc": "2.0", "id": "a", "result": result});
        assert_eq!(
            exchange(named("2025-06-18"), &request(method, &params)),
            (200, expected)
        );
    }
}

#[test]
fn errors_of_lawful_requests_come_with_200() {
    for (method, params, code) in [
        ("tools/eat", json!({}), -32601),
        ("server/discover", json!({}), -32601),
        ("resources/subscribe", json!({"uri": "x"}), -32601),
        ("tools/call", json!({}), -32602),
        ("tools/call", json!({"name": 1}), -32602),
        ("tools/call", json!({"name": "x", "arguments": [1]}), -32602),
        ("tools/call", json!([]), -32602),
        ("tools/list", json!({"cursor": 1}), -32602),
        ("tools/list", json!({"_meta": []}), -32602),
        ("logging/setLevel", json!({"level": "loud"}), -32602),
        ("prompts/get", json!({"name": "x"}), -32602),
        ("resources/read", json!({"uri": "x"}), -32002),
    ] {
        let (status, json) = exchange(named("2025-11-25"), &request(method, &params));
        assert_eq!(
            (status, &json["error"]["code"]),
            (200, &json!(code)),
            "{method}"
        );
        assert_eq!(json["id"], "a");
    }
}

#[test]
fn tr_07_a_request_without_a_version_is_of_2025_03_26() {
    let (_, json) = exchange(UNNAMED, &request("tools/list", &json!({})));
    let tool = &json["result"]["tools"][0];
    assert!(tool.get("annotations").is_some() && tool.get("outputSchema").is_none());
}

#[test]
fn tr_07_an_unknown_version_is_refused() {
    for version in ["2025-01-01", "", "2025-06-18, 2025-06-18"] {
        let (status, json) = exchange(named(version), &request("tools/list", &json!({})));
        assert_eq!((status, json["id"].as_str()), (400, Some("a")));
    }
}

#[test]
fn tr_03_notifications_and_responses_are_accepted() {
    for message in [
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/unheard_of","params":7}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}"#,
    ] {
        assert_eq!(exchange(UNNAMED, message), (202, Value::Null), "{message}");
    }
}

#[test]
fn mirrored_headers_mean_nothing_before_2026_07_28() {
    let sent = Sent {
        version: Some("2025-11-25"),
        method: Some("tools/list"),
        name: Some("other"),
    };
    let (_, json) = exchange(sent, &request("tools/call", &json!({"name": "pets_list"})));
    assert_eq!(json, json!({"called": "pets_list"}));
}

#[test]
fn tr_04_a_batch_of_2025_03_26_is_answered_in_order() {
    let batch = r#"[
        {"jsonrpc":"2.0","id":1,"method":"ping"},
        {"jsonrpc":"2.0","method":"notifications/initialized"},
        {"jsonrpc":"2.0","id":2,"method":"tools/eat"},
        7,
        {"jsonrpc":"2.0","id":3,"method":"initialize"},
        {"jsonrpc":"2.0","id":4,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}
    ]"#;
    for sent in [UNNAMED, named("2025-03-26")] {
        let (status, json) = exchange(sent, batch);
        let codes: Vec<_> = json
            .as_array()
            .unwrap()
            .iter()
            .map(|r| (r["id"].as_i64(), r["error"]["code"].as_i64()))
            .collect();
        let expected = vec![
            (Some(1), None),
            (Some(2), Some(-32601)),
            (None, Some(-32600)),
            (Some(3), Some(-32600)),
            (Some(4), Some(-32600)),
        ];
        assert_eq!((status, codes), (200, expected));
    }
    let silent = r#"[{"jsonrpc":"2.0","method":"notifications/initialized"}]"#;
    assert_eq!(exchange(UNNAMED, silent), (202, Value::Null));
}

#[test]
fn h_10_a_batch_is_bounded() {
    let batch = |count: usize| {
        format!(
            "[{}]",
            vec![r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#; count].join(",")
        )
    };
    assert_eq!(exchange(UNNAMED, &batch(portcullis_mcp::MAX_BATCH)).0, 200);
    for count in [0, portcullis_mcp::MAX_BATCH + 1, 50_000] {
        let (status, json) = exchange(UNNAMED, &batch(count));
        assert_eq!((status, &json["error"]["code"]), (400, &json!(-32600)));
    }
}

#[test]
fn tr_04_later_versions_have_no_batches() {
    for version in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let (status, json) = exchange(
            named(version),
            r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
        );
        assert_eq!((status, &json["error"]["code"]), (400, &json!(-32600)));
    }
}

#[test]
fn h_10_what_is_no_json_rpc_is_refused_without_an_id() {
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"x","arguments":{}1{}}}}}"#,
        r#"{"a":"#.repeat(100_000),
        "}".repeat(100_000)
    );
    for (body, code) in [
        ("", -32700),
        ("{", -32700),
        ("[1,", -32700),
        ("nonsense", -32700),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"} x"#, -32700),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1e}}"#,
            -32700,
        ),
        (&deep, -32700),
        ("{}", -32600),
        ("7", -32600),
        ("null", -32600),
        (r#"{"id":1,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1e999,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, -32600),
    ] {
        for sent in [UNNAMED, named("2025-11-25"), named("2026-07-28")] {
            let (status, json) = exchange(sent, body);
            assert_eq!(
                (status, &json["error"]["code"]),
                (400, &json!(code)),
                "{body:.60}"
            );
            assert!(json.get("id").is_none(), "{body:.60}");
        }
    }
}

#[test]
fn h_10_a_body_that_is_not_utf_8_is_refused() {
    let body = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"x\":\"\xff\"}";
    let reply = portcullis_mcp::read(&UNNAMED.headers(), body).unwrap_err();
    assert_eq!(reply.status, 400);
    assert!(String::from_utf8(reply.body).unwrap().contains("-32700"));
}
