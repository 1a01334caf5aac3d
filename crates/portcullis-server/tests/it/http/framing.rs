//! Requests whose beginning or end two readers could see in different places.

use tokio::io::AsyncWriteExt as _;

use super::peer::{connect, exchange, read_to_end, settings, start, status};

const HEAD: &str = "POST /petstore/mcp HTTP/1.1\r\nHost: localhost\r\n";

#[tokio::test]
async fn h_11_ambiguous_framing_is_refused_and_ends_the_connection() {
    let gateway = start(settings()).await;
    for rest in [
        "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "Content-Length: 3, 4\r\n\r\nabcd",
        "Content-Length: +3\r\n\r\nabc",
        "Content-Length: -1\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
        "X-A: b\0c\r\nContent-Length: 0\r\n\r\n",
        "X A: b\r\nContent-Length: 0\r\n\r\n",
        "X-A: b\rc\r\nContent-Length: 0\r\n\r\n",
    ] {
        let smuggled = "GET /petstore/mcp HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let request = format!("{HEAD}{rest}{smuggled}");
        let answer = exchange(gateway.address, request.as_bytes()).await;
        assert_eq!(status(&answer), Some(400), "{rest:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{rest:?}: {answer}");
    }
}

#[tokio::test]
async fn h_11_nothing_behind_a_chunked_body_is_read() {
    let gateway = start(settings()).await;
    for lengths in [
        "Content-Length: 60\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 60\r\n",
        "Transfer-Encoding: chunked\r\n",
    ] {
        let smuggled = "GET /petstore/mcp HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let request = format!("{HEAD}{lengths}\r\n3\r\nabc\r\n0\r\n\r\n{smuggled}");
        let answer = exchange(gateway.address, request.as_bytes()).await;
        assert_eq!(status(&answer), Some(200), "{answer}");
        assert!(answer.contains("3 bytes"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
}

#[tokio::test]
async fn h_12_only_the_exact_path_reaches_the_endpoint() {
    let gateway = start(settings()).await;
    for path in [
        "//mcp",
        "//petstore/mcp",
        "/petstore//mcp",
        "/petstore/mcp/",
        "/petstore/mcp/..;/x",
        "/petstore/mcp%2f",
        "/petstore%2fmcp",
        "/petstore/mcp;a=b",
        "/petstore;a=b/mcp",
        "/petstore/MCP",
        "/Petstore/mcp",
        "/x/../petstore/mcp",
        "/./petstore/mcp",
        "/petstore/%6dcp",
        "/petstore%00/mcp",
    ] {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let answer = exchange(gateway.address, request.as_bytes()).await;
        assert_eq!(status(&answer), Some(404), "{path}: {answer}");
    }
}

#[tokio::test]
async fn an_answer_that_did_not_wait_for_the_body_leaves_the_connection_whole() {
    let gateway = start(settings()).await;
    let head = "POST /refusing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n";
    let next = "GET /petstore/mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut stream = connect(gateway.address).await;
    stream.write_all(head.as_bytes()).await.expect("sent");
    gateway.slow_begun.notified().await;
    // Whatever the connection does without the body, it does now.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    stream.write_all(b"{}").await.expect("sent");
    stream.write_all(next.as_bytes()).await.expect("sent");
    let answers = read_to_end(&mut stream).await;
    assert_eq!(status(&answers), Some(401), "{answers}");
    assert!(answers.ends_with("get\n"), "{answers}");
}

#[tokio::test]
async fn an_answer_says_when_the_connection_ends_for_a_large_body() {
    let gateway = start(settings()).await;
    let request =
        "POST /nothing/mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048576\r\n\r\n{";
    let answer = exchange(gateway.address, request.as_bytes()).await;
    assert_eq!(status(&answer), Some(404), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn h_10_a_body_larger_than_allowed_is_refused_before_it_is_read() {
    let gateway = start(settings()).await;
    let request = format!("{HEAD}Content-Length: 16777216\r\n\r\n{{");
    let answer = exchange(gateway.address, request.as_bytes()).await;
    assert_eq!(status(&answer), Some(413), "{answer}");
}

#[tokio::test]
async fn x_02_a_header_section_larger_than_allowed_is_refused() {
    let gateway = start(settings()).await;
    let padding = "a".repeat(128 * 1024);
    let request = format!("{HEAD}X-Padding: {padding}\r\n\r\n");
    let answer = exchange(gateway.address, request.as_bytes()).await;
    assert_eq!(status(&answer), Some(431), "{answer}");
}
