//! TLS: the protocol is negotiated, and certificates change without a restart.

use std::path::Path;
use std::sync::Arc;

use http::HeaderMap;
use portcullis_server::http::settings::CertificateFiles;
use portcullis_server::http::tls::{Certificates, Reload, TlsError};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::peer::{Gateway, connect, get, read_until, settings, start};

pub(super) struct Issued {
    pub(super) files: CertificateFiles,
    certificate: CertificateDer<'static>,
}

/// Writes a new self-signed certificate and its key into `folder`.
pub(super) fn issue(folder: &Path) -> Issued {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("made");
    let files = CertificateFiles {
        certificate: folder.join("tls.crt"),
        key: folder.join("tls.key"),
    };
    std::fs::write(&files.certificate, made.cert.pem()).expect("written");
    std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("written");
    Issued {
        files,
        certificate: made.cert.der().clone(),
    }
}

async fn start_with(issued: &Issued) -> Gateway {
    let mut settings = settings();
    settings.tls = Some(issued.files.clone());
    start(settings).await
}

async fn handshake(
    gateway: &Gateway,
    issued: &Issued,
    protocols: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(issued.certificate.clone()).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config))
        .connect(name, connect(gateway.address).await)
        .await
}

#[tokio::test]
async fn a_request_over_tls_is_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let issued = issue(folder.path());
    let gateway = start_with(&issued).await;
    let mut stream = handshake(&gateway, &issued, &[b"http/1.1"])
        .await
        .expect("TLS");
    stream
        .write_all(b"GET /petstore/mcp HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .expect("sent");
    read_until(&mut stream, "get\n").await;
}

#[tokio::test]
async fn the_protocol_is_negotiated() {
    let folder = tempfile::tempdir().expect("a folder");
    let issued = issue(folder.path());
    let gateway = start_with(&issued).await;
    for (offered, chosen) in [
        (vec![b"h2".as_slice(), b"http/1.1"], Some(b"h2".as_slice())),
        (vec![b"http/1.1".as_slice()], Some(b"http/1.1".as_slice())),
        (vec![], None),
    ] {
        let stream = handshake(&gateway, &issued, &offered).await.expect("TLS");
        assert_eq!(stream.get_ref().1.alpn_protocol(), chosen);
    }
}

#[tokio::test]
async fn http_2_is_spoken_where_it_was_negotiated() {
    let folder = tempfile::tempdir().expect("a folder");
    let issued = issue(folder.path());
    let gateway = start_with(&issued).await;
    let root = reqwest::Certificate::from_der(&issued.certificate).expect("a root");
    let url = format!("https://localhost:{}/petstore/mcp", gateway.address.port());
    let response = get(&url, HeaderMap::new(), |client| {
        client
            .tls_certs_only([root])
            .resolve("localhost", gateway.address)
    })
    .await;
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn a_reload_changes_what_the_next_handshake_presents() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = issue(folder.path());
    let certificates = Certificates::load(old.files.clone()).expect("usable");
    assert_eq!(certificates.reload().expect("usable"), Reload::Unchanged);
    let new = issue(folder.path());
    assert_eq!(certificates.reload().expect("usable"), Reload::Replaced);
    assert_ne!(old.certificate, new.certificate);
}

#[tokio::test]
async fn new_connections_get_the_new_certificate_and_old_ones_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = issue(folder.path());
    let mut settings = settings();
    settings.tls = Some(old.files.clone());
    let gateway = start(settings).await;
    let certificates = gateway.certificates.clone().expect("TLS");
    let mut before = handshake(&gateway, &old, &[]).await.expect("TLS");

    let new = issue(folder.path());
    assert_eq!(certificates.reload().expect("usable"), Reload::Replaced);
    handshake(&gateway, &new, &[]).await.expect("TLS");
    assert!(handshake(&gateway, &old, &[]).await.is_err());
    before
        .write_all(b"GET /petstore/mcp HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .expect("sent");
    read_until(&mut before, "get\n").await;

    std::fs::write(&new.files.certificate, "no certificate").expect("written");
    let refused = certificates.reload();
    assert!(
        matches!(refused, Err(TlsError::NoCertificate { .. })),
        "{refused:?}"
    );
    handshake(&gateway, &new, &[])
        .await
        .expect("the certificate in use stays");
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let (one, two) = (tempfile::tempdir(), tempfile::tempdir());
    let (one, two) = (one.expect("a folder"), two.expect("a folder"));
    let mixed = CertificateFiles {
        certificate: issue(one.path()).files.certificate,
        key: issue(two.path()).files.key,
    };
    let refused = Certificates::load(mixed);
    assert!(
        matches!(refused, Err(TlsError::Unfit { .. })),
        "{refused:?}"
    );
}
