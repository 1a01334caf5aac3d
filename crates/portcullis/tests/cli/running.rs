//! A gateway that runs as a process of its own: its log, its signals, and MCP requests to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::api::PATIENCE;
use super::command;

/// A running gateway; dropping it kills it.
pub(super) struct Running {
    child: Child,
    lines: Receiver<String>,
    log: String,
    port: u16,
}

impl Running {
    /// Starts `portcullis serve` on a free port and waits until `slug` is published.
    pub(super) fn start(folder: &Path, arguments: &[&str], slug: &str) -> Self {
        let mut serve = vec!["serve", "--listen", "localhost:0", "--log-format", "json"];
        serve.extend(arguments);
        let mut child = command(folder, &serve)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut running = Self {
            child,
            lines,
            log: String::new(),
            port: 0,
        };
        let line = running.wait_for(&format!("/{slug}/mcp"));
        let line: Value = serde_json::from_str(&line).expect("JSON");
        let url = line.get("url").and_then(Value::as_str).expect("a URL");
        let authority = url.split('/').nth(2).expect("an authority");
        let port = authority.strip_prefix("localhost:").expect("a port");
        running.port = port.parse().expect("a number");
        running
    }

    /// Returns the port of the MCP endpoints.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Returns everything that was logged and read so far.
    pub(super) fn log(&self) -> &str {
        &self.log
    }

    /// Waits for a line of the log that contains `text`, and returns it.
    pub(super) fn wait_for(&mut self, text: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("no line has `{text}`:\n{}", self.log);
            };
            self.log.push_str(&line);
            self.log.push('\n');
            if line.contains(text) {
                return line;
            }
        }
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the gateway runs");
    }

    /// Waits for the end; returns the status and everything that was logged.
    pub(super) fn wait(mut self) -> (ExitStatus, String) {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.log.push_str(&line);
            self.log.push('\n');
        }
        let status = self.child.wait().expect("the gateway ends");
        (status, std::mem::take(&mut self.log))
    }

    /// Stops the gateway with SIGTERM, and sees that it ends well.
    pub(super) fn stop(self) -> String {
        self.signal(Signal::TERM);
        let (status, log) = self.wait();
        assert!(status.success(), "{status}\n{log}");
        log
    }

    /// Calls a method of a toolset; gives the HTTP status and the body.
    pub(super) fn post(&self, slug: &str, key: Option<&str>, message: &Value) -> (u16, String) {
        post(self.port, slug, key, message)
    }

    /// Calls `listPets` of a toolset and sees that the API has answered with its pet.
    pub(super) fn list_pets(&self, slug: &str, key: Option<&str>) {
        let (status, body) = self.post(slug, key, &call("listPets"));
        assert!(status == 200 && body.contains("Rex"), "{status} {body}");
    }

    /// Begins a call of `waitForPets`; the thread ends with the status and the body.
    pub(super) fn begin_waiting(&self, slug: &str) -> std::thread::JoinHandle<(u16, String)> {
        let (port, slug) = (self.port, slug.to_owned());
        std::thread::spawn(move || post(port, &slug, None, &call("waitForPets")))
    }

    /// Repeats a call until it is answered with `status`; the log paces it.
    pub(super) fn call_until(&mut self, status: u16, slug: &str, key: Option<&str>) {
        for _ in 0..300 {
            if self.post(slug, key, &call("listPets")).0 == status {
                return;
            }
            let _ = self.lines.recv_timeout(Duration::from_millis(100));
            while self.lines.try_recv().is_ok() {}
            let _ = self.lines.recv_timeout(Duration::from_millis(100));
        }
        panic!("no call was answered with {status}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes the message that calls a tool without arguments.
pub(super) fn call(tool: &str) -> Value {
    json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": tool, "arguments": {} },
    })
}

/// Fetches a page of a listener; gives the HTTP status and the body.
pub(super) fn get(port: u16, path: &str) -> (u16, String) {
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n\r\n");
    exchange(port, &request)
}

fn post(port: u16, slug: &str, key: Option<&str>, message: &Value) -> (u16, String) {
    let body = message.to_string();
    let credential = key.map_or_else(String::new, |key| {
        format!("authorization: Bearer {key}\r\n")
    });
    let request = format!(
        "POST /{slug}/mcp HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n\
         content-type: application/json\r\naccept: application/json, text/event-stream\r\n\
         {credential}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    exchange(port, &request)
}

fn exchange(port: u16, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    // A connection that is cut off leaves what has come so far.
    let _ = stream.read_to_string(&mut answer);
    let status = answer.split(' ').nth(1).unwrap_or("0");
    let body = answer.split_once("\r\n\r\n").unwrap_or_default().1;
    (status.parse().expect("a status"), body.to_owned())
}
