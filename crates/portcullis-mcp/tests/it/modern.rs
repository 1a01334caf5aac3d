//! 2026-07-28.

use serde_json::{Value, json};

use crate::{Sent, exchange};

const VERSION: &str = "2026-07-28";

fn meta(version: &str) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

/// A request that is right in everything.
fn lawful(method: &str, mut params: Value) -> String {
    params["_meta"] = meta(VERSION);
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string()
}

fn sent<'a>(method: &'a str, name: Option<&'a str>) -> Sent<'a> {
    Sent {
        version: Some(VERSION),
        method: Some(method),
        name,
    }
}

/// Asserts that an exchange ends in an HTTP status and a JSON-RPC error code, with the id echoed.
#[track_caller]
fn refused(sent: Sent<'_>, body: &str, status: u16, code: i64) -> Value {
    let (got, json) = exchange(sent, body);
    assert_eq!(
        (got, &json["error"]["code"]),
        (status, &json!(code)),
        "{json}"
    );
    assert_eq!(json["id"], 7, "{json}");
    json
}

#[test]
fn n_01_discover_tells_versions_capabilities_and_who_answers() {
    let (status, json) = exchange(
        sent("server/discover", None),
        &lawful("server/discover", json!({})),
    );
    assert_eq!(status, 200);
    assert_eq!(
        json,
        json!({"jsonrpc": "2.0", "id": 7, "result": {
            "supportedVersions": ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"],
            "capabilities": {"tools": {}, "prompts": {}, "resources": {}, "completions": {}},
            "instructions": "Feed the pets.",
            "ttlMs": 60000,
            "cacheScope": "private",
            "resultType": "complete",
            "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "pets", "title": "Pet store", "version": "1.2.3"}},
        }})
    );
}

#[test]
fn n_02_a_request_without_the_required_meta_is_refused() {
    let with = |meta: Value| {
        json!({"jsonrpc": "2.0", "id": 7, "method": "server/discover", "params": {"_meta": meta}})
            .to_string()
    };
    let headers = sent("server/discover", None);
    refused(
        headers,
        r#"{"jsonrpc":"2.0","id":7,"method":"server/discover"}"#,
        400,
        -32602,
    );
    refused(headers, &with(json!({})), 400, -32602);
    for key in [
        "io.modelcontextprotocol/protocolVersion",
        "io.modelcontextprotocol/clientCapabilities",
    ] {
        let mut incomplete = meta(VERSION);
        incomplete.as_object_mut().unwrap().remove(key);
        let json = refused(headers, &with(incomplete), 400, -32602);
        assert!(json["error"]["message"].as_str().unwrap().contains(key));
        let mut mistyped = meta(VERSION);
        mistyped[key] = json!(1);
        refused(headers, &with(mistyped), 400, -32602);
    }
}

#[test]
fn n_02_a_request_without_client_info_is_served() {
    let (status, json) = exchange(sent("tools/list", None), &lawful("tools/list", json!({})));
    assert_eq!((status, json["error"].is_null()), (200, true));
}

#[test]
fn n_03_a_batch_and_a_response_are_refused() {
    let batch = format!("[{}]", lawful("tools/list", json!({})));
    let (status, json) = exchange(sent("tools/list", None), &batch);
    assert_eq!((status, &json["error"]["code"]), (400, &json!(-32600)));
    let response = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;
    let (status, json) = exchange(sent("", None), response);
    assert_eq!((status, &json["error"]["code"]), (400, &json!(-32600)));
}

#[test]
fn n_03_a_notification_is_accepted() {
    let notification =
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    assert_eq!(
        exchange(sent("notifications/cancelled", None), notification),
        (202, Value::Null)
    );
}

#[test]
fn n_04_mcp_protocol_version_header_must_match_the_body() {
    let body = lawful("tools/list", json!({}));
    for version in [
        None,
        Some("2025-11-25"),
        Some("2026-07-29"),
        Some("v999"),
        Some(""),
    ] {
        let headers = Sent {
            version,
            ..sent("tools/list", None)
        };
        refused(headers, &body, 400, -32020);
    }
    let padded = Sent {
        version: Some(" 2026-07-28\t"),
        ..sent("tools/list", None)
    };
    assert_eq!(exchange(padded, &body).0, 200);
}

#[test]
fn n_04_mcp_method_header_must_match_the_body() {
    let body = lawful("tools/list", json!({}));
    for method in [
        None,
        Some("prompts/list"),
        Some("Tools/list"),
        Some("tools/list,tools/list"),
    ] {
        let headers = Sent {
            method,
            ..sent("", None)
        };
        refused(headers, &body, 400, -32020);
    }
    assert_eq!(exchange(sent(" tools/list ", None), &body).0, 200);
}

#[test]
fn n_04_mcp_name_header_must_match_the_body() {
    for (method, params) in [
        ("tools/call", json!({"name": "pets_list"})),
        ("prompts/get", json!({"name": "pets_list"})),
        ("resources/read", json!({"uri": "pets_list"})),
    ] {
        let body = lawful(method, params);
        for name in [None, Some("pets_get"), Some("PETS_LIST"), Some("")] {
            refused(sent(method, name), &body, 400, -32020);
        }
        for name in [" pets_list ", "=?base64?cGV0c19saXN0?="] {
            assert_eq!(exchange(sent(method, Some(name)), &body).0, 200);
        }
    }
}

#[test]
fn h_05_headers_that_differ_from_the_body_execute_nothing() {
    let body = lawful("tools/call", json!({"name": "pets_list"}));
    refused(sent("tools/list", None), &body, 400, -32020);
    refused(sent("tools/call", Some("pets_get")), &body, 400, -32020);
    refused(
        sent("tools/call", Some("=?base64?cGV0c19nZXQ=?=")),
        &body,
        400,
        -32020,
    );
    let (_, json) = exchange(sent("tools/call", Some("pets_list")), &body);
    assert_eq!(json, json!({"called": "pets_list"}));
}

#[test]
fn n_06_unrecognised_param_headers_are_not_expected() {
    // No tool declares `x-mcp-header`, so that `Mcp-Param-*` never reaches the rules.
    let body = lawful(
        "tools/call",
        json!({"name": "pets_list", "arguments": {"region": "eu"}}),
    );
    assert_eq!(
        exchange(sent("tools/call", Some("pets_list")), &body).0,
        200
    );
}

#[test]
fn n_07_an_unsupported_version_is_told_what_is_supported() {
    for version in ["v999", "2026-07-29", "2025-11-25", ""] {
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": "server/discover", "params": {"_meta": meta(version)}});
        let headers = Sent {
            version: Some(version),
            ..sent("server/discover", None)
        };
        let json = refused(headers, &body.to_string(), 400, -32022);
        assert_eq!(json["error"]["data"]["requested"], version);
        assert_eq!(
            json["error"]["data"]["supported"].as_array().unwrap().len(),
            5
        );
    }
}

#[test]
fn n_07_an_unknown_method_is_not_found() {
    let json = refused(
        sent("tools/eat", None),
        &lawful("tools/eat", json!({})),
        404,
        -32601,
    );
    assert!(
        json["error"]["message"]
            .as_str()
            .unwrap()
            .contains("tools/eat")
    );
}

#[test]
fn n_18_methods_of_the_handshake_are_not_found() {
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "subscriptions/listen",
    ] {
        refused(
            sent(method, None),
            &lawful(method, json!({"level": "info"})),
            404,
            -32601,
        );
    }
}

#[test]
fn n_08_what_does_not_exist_is_invalid_params() {
    let read = lawful("resources/read", json!({"uri": "file:///x"}));
    refused(
        sent("resources/read", Some("file:///x")),
        &read,
        200,
        -32602,
    );
    let get = lawful("prompts/get", json!({"name": "x"}));
    refused(sent("prompts/get", Some("x")), &get, 200, -32602);
}

#[test]
fn n_09_n_15_every_result_says_that_it_is_complete_and_lists_how_long_they_last() {
    for (method, cacheable) in [
        ("tools/list", true),
        ("prompts/list", true),
        ("resources/list", true),
        ("resources/templates/list", true),
        ("completion/complete", false),
    ] {
        let (status, json) = exchange(sent(method, None), &lawful(method, json!({})));
        let result = &json["result"];
        assert_eq!(
            (status, &result["resultType"]),
            (200, &json!("complete")),
            "{method}"
        );
        assert!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["version"].is_string());
        assert_eq!(result["ttlMs"].is_u64(), cacheable, "{method}");
        assert_eq!(result["cacheScope"] == "private", cacheable, "{method}");
    }
}

#[test]
fn n_16_answers_to_questions_are_ignored_and_malformed_ones_refused() {
    let headers = sent("tools/call", Some("pets_list"));
    let with = |responses: Value| {
        let params = json!({"name": "pets_list", "arguments": {}, "inputResponses": responses});
        lawful("tools/call", params)
    };
    for malformed in [
        json!(null),
        json!("yes"),
        json!([]),
        json!({"name": 12345}),
        json!({"name": {}, "age": null}),
    ] {
        refused(headers, &with(malformed), 400, -32602);
    }
    for unasked in [json!({}), json!({"name": {"action": "accept"}})] {
        let (status, json) = exchange(headers, &with(unasked));
        assert_eq!((status, &json["error"]), (200, &Value::Null), "{json}");
    }
}

#[test]
fn the_first_mistake_is_the_one_told() {
    // Nothing in `_meta`, and every header wrong: what is missing comes first.
    let bare = r#"{"jsonrpc":"2.0","id":7,"method":"tools/eat","params":{}}"#;
    refused(sent("wrong", None), bare, 400, -32602);
    // The version differs, is not served, and the method header is wrong: the difference comes first.
    let unknown = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/eat", "params": {"_meta": meta("v999")}}).to_string();
    refused(sent("wrong", None), &unknown, 400, -32020);
    // The version agrees and is not served: that comes before the method header.
    refused(
        Sent {
            version: Some("v999"),
            ..sent("wrong", None)
        },
        &unknown,
        400,
        -32022,
    );
    // The method header is wrong, and the method unknown: the header comes first.
    refused(
        sent("wrong", None),
        &lawful("tools/eat", json!({})),
        400,
        -32020,
    );
}
