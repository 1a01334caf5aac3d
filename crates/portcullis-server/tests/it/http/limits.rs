//! Peers that are slow, silent, many or a flood.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use portcullis_server::http::settings::ListenerSettings;
use reqwest::ClientBuilder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::peer::{connect, get, read_to_end, read_until, settings, start, status};

const SHORT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_mins(10);
const GET: &[u8] = b"GET /petstore/mcp HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn with_head_limit() -> ListenerSettings {
    let mut settings = settings();
    settings.limits.header_read_timeout = SHORT;
    settings.limits.idle_timeout = LONG;
    settings
}

#[tokio::test]
async fn x_02_slow_heads_and_silent_connections_are_closed() {
    let gateway = start(with_head_limit()).await;
    for beginning in [
        "",
        "G",
        "GET / HTTP/1.1\r\nHost: loc",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = connect(gateway.address).await;
        stream.write_all(beginning.as_bytes()).await.expect("sent");
        let answer = read_to_end(&mut stream).await;
        assert!(!answer.contains("HTTP/1.1 200"), "{beginning:?}: {answer}");
    }
}

#[tokio::test]
async fn x_02_a_slow_second_head_is_closed_as_well() {
    let gateway = start(with_head_limit()).await;
    let mut stream = connect(gateway.address).await;
    stream.write_all(GET).await.expect("sent");
    read_until(&mut stream, "get\n").await;
    stream.write_all(b"GET /pet").await.expect("sent");
    read_to_end(&mut stream).await;
}

#[tokio::test]
async fn x_02_a_silent_handshake_is_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = settings();
    settings.tls = Some(super::tls::issue(folder.path()).files);
    settings.limits.handshake_timeout = SHORT;
    let gateway = start(settings).await;
    let mut stream = connect(gateway.address).await;
    assert_eq!(read_to_end(&mut stream).await, "");
}

#[tokio::test]
async fn an_idle_connection_outlives_the_limit_for_heads_and_then_ends() {
    let mut settings = settings();
    settings.limits.header_read_timeout = Duration::from_millis(50);
    settings.limits.idle_timeout = Duration::from_millis(400);
    let gateway = start(settings).await;
    let mut stream = connect(gateway.address).await;
    stream.write_all(GET).await.expect("sent");
    read_until(&mut stream, "get\n").await;
    let begun = tokio::time::Instant::now();
    assert_eq!(read_to_end(&mut stream).await, "");
    assert!(
        begun.elapsed() > Duration::from_millis(200),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn x_03_a_peer_that_takes_no_bytes_is_cut_off() {
    let mut settings = settings();
    settings.limits.write_timeout = SHORT;
    let gateway = start(settings).await;
    let mut stream = connect(gateway.address).await;
    let request = b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).await.expect("sent");
    read_until(&mut stream, "xxxx").await;
    while gateway.metrics.connections.open.get() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn x_02_one_address_cannot_hold_all_connections() {
    let mut settings = settings();
    settings.limits.max_connections_per_address = 2;
    let gateway = start(settings).await;
    let (mut first, mut second) = (
        connect(gateway.address).await,
        connect(gateway.address).await,
    );
    for stream in [&mut first, &mut second] {
        stream.write_all(GET).await.expect("sent");
        read_until(stream, "get\n").await;
    }
    let mut third = connect(gateway.address).await;
    assert_eq!(read_to_end(&mut third).await, "");
    assert_eq!(gateway.metrics.connections.refused.get(), 1);
    drop(first);
    while gateway.metrics.connections.open.get() > 1 {
        tokio::task::yield_now().await;
    }
    let mut fourth = connect(gateway.address).await;
    fourth.write_all(GET).await.expect("sent");
    read_until(&mut fourth, "get\n").await;
}

#[tokio::test]
async fn x_02_connections_beyond_the_limit_wait_for_a_place() {
    let mut settings = settings();
    settings.limits.max_connections = 1;
    settings.addresses.truncate(1);
    let gateway = start(settings).await;
    let mut first = connect(gateway.address).await;
    first.write_all(GET).await.expect("sent");
    read_until(&mut first, "get\n").await;
    let mut second = connect(gateway.address).await;
    second.write_all(GET).await.expect("sent");
    first.write_all(GET).await.expect("sent");
    read_until(&mut first, "get\n").await;
    assert_eq!(gateway.metrics.connections.open.get(), 1);
    drop(first);
    read_until(&mut second, "get\n").await;
}

#[tokio::test]
async fn x_02_trusted_proxies_hold_as_many_as_they_need() {
    let mut settings = settings();
    settings.limits.max_connections_per_address = 1;
    settings.proxies.networks = vec!["127.0.0.0/8".parse().expect("a network")];
    let gateway = start(settings).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(gateway.address).await;
        stream.write_all(GET).await.expect("sent");
        read_until(&mut stream, "get\n").await;
        held.push(stream);
    }
}

/// Writes one HTTP/2 frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short");
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
const END_STREAM_AND_HEADERS: u8 = 5;

fn preface() -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    bytes
}

/// `GET http://localhost/slow` in HPACK: three indexed fields, then the path and the authority as literals.
fn slow_block() -> Vec<u8> {
    let mut block = vec![0x82, 0x86, 0x04, 5];
    block.extend(b"/slow");
    block.extend([0x01, 9]);
    block.extend(b"localhost");
    block
}

#[tokio::test]
async fn x_04_a_rapid_reset_flood_ends_the_connection() {
    let gateway = start(settings()).await;
    let mut stream = connect(gateway.address).await;
    let mut flood = preface();
    for id in (1..20_000).step_by(2) {
        flood.extend(frame(HEADERS, END_STREAM_AND_HEADERS, id, &slow_block()));
        flood.extend(frame(RST_STREAM, 0, id, &8_u32.to_be_bytes()));
    }
    // The connection may be gone before all is sent.
    let _ = stream.write_all(&flood).await;
    read_to_end(&mut stream).await;
}

#[tokio::test]
async fn x_04_a_continuation_flood_ends_the_connection() {
    let gateway = start(settings()).await;
    let mut stream = connect(gateway.address).await;
    let mut flood = preface();
    flood.extend(frame(HEADERS, 0, 1, &slow_block()));
    let mut field = vec![0x00, 1, b'a', 0x7f, 0x81, 0x7e];
    field.extend(vec![b'b'; 16_000]);
    for _ in 0..100 {
        flood.extend(frame(CONTINUATION, 0, 1, &field));
    }
    let _ = stream.write_all(&flood).await;
    read_to_end(&mut stream).await;
}

#[tokio::test]
async fn x_02_a_gateway_under_slow_peers_answers_others() {
    let gateway = start(settings()).await;
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut stream = connect(gateway.address).await;
        stream
            .write_all(b"POST /petstore/mcp HTTP/1.1\r\nHost: l")
            .await
            .expect("sent");
        slow.push(stream);
    }
    let mut stream = connect(gateway.address).await;
    stream.write_all(GET).await.expect("sent");
    let answer = read_until(&mut stream, "get\n").await;
    assert_eq!(status(&answer), Some(200));
}

#[tokio::test]
async fn x_04_streams_at_once_are_limited() {
    let mut settings = settings();
    settings.limits.http2_max_streams = 7;
    let gateway = start(settings).await;
    let mut stream = connect(gateway.address).await;
    stream.write_all(&preface()).await.expect("sent");
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.expect("a frame's head");
    assert_eq!(head[3], SETTINGS);
    let mut payload = vec![0; usize::from(head[2])];
    stream.read_exact(&mut payload).await.expect("its payload");
    let max_concurrent_streams = [0, 3, 0, 0, 0, 7];
    assert!(
        payload
            .chunks(6)
            .any(|setting| setting == max_concurrent_streams)
    );
}

#[tokio::test]
async fn x_04_an_http_2_header_section_larger_than_allowed_is_refused() {
    let gateway = start(settings()).await;
    let url = format!("http://{}/petstore/mcp", gateway.address);
    let padding = HeaderValue::try_from("a".repeat(128 * 1024)).expect("a value");
    let headers = HeaderMap::from_iter([(HeaderName::from_static("x-padding"), padding)]);
    let response = get(&url, headers, ClientBuilder::http2_prior_knowledge).await;
    assert_eq!(response.status(), 431);
}
