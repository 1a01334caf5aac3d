//! Lines that cannot be forged, and a sink that cannot hold anybody up.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use super::*;

/// Collects what is written.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("unpoisoned").clone()).expect("UTF-8")
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Says that it was asked to write, and then does not return until it is let go.
struct Blocked {
    reached: Sender<()>,
    let_go: Receiver<()>,
}

impl Write for Blocked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.reached.send(());
        let _ = self.let_go.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged(format: LogFormat, value: &str) -> String {
    let page = Page::default();
    let (lines, guard) = lossy(page.clone(), format, 16).expect("a thread");
    let subscriber = subscriber("info", lines).expect("a filter");
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!(tool.name = value, tool.debug = ?value, "called {value}");
    });
    drop(guard);
    page.text()
}

const FORGED: &str = "a\r\n2026-01-01 ERROR forged\u{1b}[31m\u{9b}\u{202e}\u{2028}\u{7f}\0z";

#[test]
fn l_06_a_human_line_cannot_be_forged() {
    let page = logged(LogFormat::Human, FORGED);
    assert_eq!(page.matches('\n').count(), 1, "{page}");
    assert!(page.ends_with('\n'));
    assert!(!page.trim_end().chars().any(deceives), "{page:?}");
    assert!(page.contains(r"\u{d}\u{a}2026"), "{page}");
}

#[test]
fn l_06_a_json_line_cannot_be_forged_and_reads_back() {
    let page = logged(LogFormat::Json, FORGED);
    assert_eq!(page.matches('\n').count(), 1, "{page}");
    assert!(!page.trim_end().chars().any(deceives), "{page:?}");
    let line: serde_json::Value = serde_json::from_str(&page).expect("JSON");
    let field = line.get("tool.name").and_then(serde_json::Value::as_str);
    assert_eq!(field, Some(FORGED));
}

#[test]
fn a_json_line_keeps_the_types_of_its_fields() {
    let page = Page::default();
    let (lines, guard) = lossy(page.clone(), LogFormat::Json, 16).expect("a thread");
    let subscriber = subscriber("info", lines).expect("a filter");
    tracing::subscriber::with_default(subscriber, || {
        let absent: Option<&str> = None;
        tracing::info!(
            target: "gateway",
            { whole = 7_u64, below = -7, half = 0.5, none = f64::NAN, truth = true, absent, shown = %"a\"b\\c", ümlaut = "ä" },
            "said"
        );
    });
    drop(guard);
    let mut line: serde_json::Value = serde_json::from_str(&page.text()).expect("JSON");
    let members = line.as_object_mut().expect("an object");
    let timestamp = members.remove("timestamp").expect("a timestamp");
    assert!(timestamp.as_str().is_some_and(|text| text.ends_with('Z')));
    assert_eq!(
        line,
        serde_json::json!({
            "level": "INFO", "target": "gateway", "message": "said", "whole": 7, "below": -7, "half": 0.5,
            "none": null, "truth": true, "shown": "a\"b\\c", "ümlaut": "ä",
        })
    );
}

#[test]
fn a_blocked_sink_drops_lines_and_counts_them() {
    let (reached, on_its_way) = std::sync::mpsc::channel();
    let (go, let_go) = std::sync::mpsc::channel();
    let (lines, guard) = lossy(Blocked { reached, let_go }, LogFormat::Human, 2).expect("a thread");
    let mut writer = &lines;
    writer.write_all(b"taken\n").expect("never fails");
    on_its_way.recv().expect("the sink was reached");
    for _ in 0..5 {
        writer
            .write_all(b"queued or dropped\n")
            .expect("never fails");
    }
    assert_eq!(guard.dropped().count(), 3);
    drop(go);
}

#[test]
fn dropped_lines_are_told_once_the_sink_takes_lines_again() {
    let page = Page::default();
    let (lines, guard) = lossy(page.clone(), LogFormat::Json, 2).expect("a thread");
    guard.dropped().0.inc_by(7);
    (&lines).write_all(b"next\n").expect("never fails");
    drop(guard);
    assert!(page.text().contains("\"dropped\":7"), "{}", page.text());
}

#[test]
fn a_filter_that_cannot_be_read_is_named() {
    let (lines, _guard) = lossy(Page::default(), LogFormat::Human, 1).expect("a thread");
    let Err(error) = subscriber("inf=o=", lines) else {
        panic!("a bad filter is refused");
    };
    assert!(
        error
            .to_string()
            .starts_with("the log filter `inf=o=` cannot be read")
    );
}

#[test]
fn lines_that_gather_are_written_in_order_before_a_flush_is_answered() {
    let page = Page::default();
    let (lines, guard) = lossy(page.clone(), LogFormat::Human, 64).expect("a thread");
    let letters: Vec<String> = ('a'..='z').map(|letter| format!("{letter}\n")).collect();
    for letter in &letters {
        (&lines).write_all(letter.as_bytes()).expect("never fails");
    }
    drop(guard);
    assert_eq!(page.text(), letters.concat());
}
