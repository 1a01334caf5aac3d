//! What the versions make of one result.

use portcullis_mcp::{Content, Incoming, ProtocolVersion, Request, ToolResult, progress, read};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::{Sent, introduction};

fn with_request<T>(params: &Value, then: impl FnOnce(&Request<'_>) -> T) -> T {
    let body = json!({"jsonrpc": "2.0", "id": "é\n", "method": "tools/call", "params": params})
        .to_string();
    match read(&Sent::default().headers(), body.as_bytes()) {
        Ok(Incoming::Request(request)) => then(&request),
        other => panic!("{other:?}"),
    }
}

fn rendered(result: &ToolResult, version: ProtocolVersion) -> Value {
    let reply = with_request(&json!({"name": "x"}), |request| {
        result.reply(&request.id, version, &introduction())
    });
    assert_eq!(reply.status, 200);
    let json: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(json["id"], "é\n");
    json["result"].clone()
}

fn all_kinds() -> ToolResult {
    ToolResult {
        content: vec![
            Content::Text("a \"b\"\n\u{2028}".to_owned()),
            Content::Image {
                base64: "aQ==".to_owned(),
                mime_type: "image/png".to_owned(),
            },
            Content::Audio {
                base64: "YQ==".to_owned(),
                mime_type: "audio/wav".to_owned(),
            },
            Content::EmbeddedText {
                uri: "u:1".to_owned(),
                mime_type: "text/csv".to_owned(),
                text: "a,b".to_owned(),
            },
            Content::EmbeddedBlob {
                uri: "u:2".to_owned(),
                mime_type: "application/zip".to_owned(),
                base64: "Yg==".to_owned(),
            },
        ],
        structured: Some(RawValue::from_string("{\"a\": 1.0}".to_owned()).unwrap()),
        is_error: false,
    }
}

#[test]
fn tl_13_every_kind_of_content_has_its_form() {
    let expected = json!({
        "content": [
            {"type": "text", "text": "a \"b\"\n\u{2028}"},
            {"type": "image", "data": "aQ==", "mimeType": "image/png"},
            {"type": "audio", "data": "YQ==", "mimeType": "audio/wav"},
            {"type": "resource", "resource": {"uri": "u:1", "mimeType": "text/csv", "text": "a,b"}},
            {"type": "resource", "resource": {"uri": "u:2", "mimeType": "application/zip", "blob": "Yg=="}},
        ],
        "structuredContent": {"a": 1.0},
    });
    for version in [ProtocolVersion::V2025_06_18, ProtocolVersion::V2025_11_25] {
        assert_eq!(rendered(&all_kinds(), version), expected);
    }
}

#[test]
fn n_09_a_result_of_2026_07_28_says_that_it_is_complete() {
    let result = rendered(&all_kinds(), ProtocolVersion::V2026_07_28);
    assert_eq!(result["resultType"], "complete");
    assert_eq!(
        result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
        "pets"
    );
    assert!(result.get("ttlMs").is_none());
}

#[test]
fn the_oldest_version_gets_no_audio_and_no_structured_content() {
    let result = rendered(&all_kinds(), ProtocolVersion::V2024_11_05);
    assert_eq!(result["content"][2]["type"], "text");
    assert!(result.get("structuredContent").is_none());
    let next = rendered(&all_kinds(), ProtocolVersion::V2025_03_26);
    assert_eq!(next["content"][2]["type"], "audio");
    assert!(next.get("structuredContent").is_none());
}

#[test]
fn tl_07_structured_content_that_is_no_object_goes_to_2026_07_28_only() {
    let list = ToolResult {
        structured: Some(RawValue::from_string("[1]".to_owned()).unwrap()),
        ..ToolResult::default()
    };
    assert!(
        rendered(&list, ProtocolVersion::V2025_11_25)
            .get("structuredContent")
            .is_none()
    );
    assert_eq!(
        rendered(&list, ProtocolVersion::V2026_07_28)["structuredContent"],
        json!([1])
    );
}

#[test]
fn tl_09_a_failed_call_is_a_result_that_says_so() {
    let result = rendered(
        &ToolResult::error("no".to_owned()),
        ProtocolVersion::V2025_11_25,
    );
    assert_eq!(
        result,
        json!({"content": [{"type": "text", "text": "no"}], "isError": true})
    );
}

#[test]
fn tl_15_progress_names_the_token_as_it_was_given() {
    for (token, echoed) in [
        (json!("a\"b"), Some(json!("a\"b"))),
        (json!(12), Some(json!(12))),
        (json!({"a": 1}), None),
        (json!(null), None),
    ] {
        let notification = with_request(
            &json!({"name": "x", "_meta": {"progressToken": token}}),
            |request| {
                request
                    .progress_token
                    .as_ref()
                    .map(|token| progress(token, 3))
            },
        );
        let params = notification.map(|bytes| {
            let json: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(json["method"], "notifications/progress");
            assert_eq!(json["params"]["progress"], 3);
            json["params"]["progressToken"].clone()
        });
        assert_eq!(params, echoed);
    }
}
