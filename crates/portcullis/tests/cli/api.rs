//! The API behind: it admits holders of the secret only, and keeps some callers waiting.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{DOCUMENT, SECRET};

/// How long a test waits for what must come.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// An API on loopback, until the test ends.
pub(super) struct Api {
    address: SocketAddr,
    arrived: Receiver<()>,
    release: SyncSender<()>,
}

impl Api {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let (arrival, arrived) = sync_channel(16);
        let (release, released) = sync_channel(16);
        let released = Arc::new(Mutex::new(released));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (arrival, released) = (arrival.clone(), Arc::clone(&released));
                let stream = stream.expect("a connection");
                std::thread::spawn(move || answer(stream, &arrival, &released));
            }
        });
        Self {
            address,
            arrived,
            release,
        }
    }

    /// Returns the origin to allow.
    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the document of the API: `listPets` answers at once, `waitForPets` when it is let.
    pub(super) fn document(&self) -> String {
        DOCUMENT
            .replace("https://petstore.example", &self.origin())
            .replace(
                "components:",
                "  /wait:\n    get: { operationId: waitForPets, responses: { '200': { description: ok } } }\ncomponents:",
            )
    }

    /// Waits until a caller waits.
    pub(super) fn wait_for_caller(&self) {
        self.arrived.recv_timeout(PATIENCE).expect("a caller");
    }

    /// Lets one waiting caller have its answer.
    pub(super) fn release(&self) {
        self.release.send(()).expect("the API runs");
    }
}

fn answer(mut stream: TcpStream, arrival: &SyncSender<()>, released: &Mutex<Receiver<()>>) {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|it| it == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(count @ 1..) => head.extend(buffer.iter().take(count)),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    if head.starts_with("get /wait") {
        let _ = arrival.send(());
        let _ = released.lock().expect("no panic").recv_timeout(PATIENCE);
    }
    let status = if head.contains(&format!("x-key: {SECRET}\r\n")) {
        "200 OK"
    } else {
        "401 Unauthorized"
    };
    let body = r#"["Rex"]"#;
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
}
