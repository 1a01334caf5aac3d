//! A server of one test: answers by a function that the test may change, or stands between a client and a gateway and changes its answers.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What came: the head in lower case but for its first line, and the body.
pub(super) struct Asked {
    /// Method, path and version.
    pub(super) line: String,
    /// The body.
    pub(super) body: String,
    whole: Vec<u8>,
}

/// What goes back.
#[derive(Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

type Answering = Box<dyn Fn(&Asked) -> Reply + Send>;

/// A server on loopback, until the test ends.
pub(super) struct Exchange {
    address: SocketAddr,
    answering: Arc<Mutex<Answering>>,
}

impl Asked {
    pub(super) fn is(&self, path: &str) -> bool {
        self.path() == path
    }

    pub(super) fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    /// Has another server on loopback answer.
    pub(super) fn forward(&self, port: u16) -> Reply {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a connection");
        stream.write_all(&self.whole).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let headers = lines.filter_map(|line| line.split_once(": "));
        Reply {
            status: status.expect("a status").parse().expect("a number"),
            headers: headers
                .filter(|(name, _)| !["connection", "content-length"].contains(name))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        }
    }
}

impl Reply {
    pub(super) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.to_string(),
        }
        .with("content-type", "application/json")
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes something else into the body.
    pub(super) fn writing(mut self, instead: &str, text: &str) -> Self {
        self.body = self.body.replace(instead, text);
        self
    }

    /// Takes a header away.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }
}

impl Exchange {
    pub(super) fn start(answering: impl Fn(&Asked) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let answering: Arc<Mutex<Answering>> = Arc::new(Mutex::new(Box::new(answering)));
        let shared = Arc::clone(&answering);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                let stream = stream.expect("a connection");
                std::thread::spawn(move || answer(stream, &shared));
            }
        });
        Self { address, answering }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Answers otherwise from now on.
    pub(super) fn answer_by(&self, answering: impl Fn(&Asked) -> Reply + Send + 'static) {
        *self.answering.lock().expect("no panic") = Box::new(answering);
    }
}

fn answer(mut stream: TcpStream, answering: &Mutex<Answering>) {
    let Some(asked) = read(&mut stream) else {
        return;
    };
    let reply = (answering.lock().expect("no panic"))(&asked);
    let headers = reply.headers.iter();
    let headers: Vec<String> = headers
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let headers = headers.concat();
    let Reply { status, body, .. } = reply;
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status} Status\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                let is_length = name.eq_ignore_ascii_case("content-length");
                is_length.then(|| value.parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                let (line, rest) = head.split_once("\r\n")?;
                return Some(Asked {
                    line: line.to_owned(),
                    body: body.to_owned(),
                    whole: format!("{line}\r\nconnection: close\r\n{rest}\r\n\r\n{body}")
                        .into_bytes(),
                });
            }
        }
        match stream.read(&mut buffer) {
            Ok(count @ 1..) => bytes.extend(buffer.iter().take(count)),
            _ => return None,
        }
    }
}
